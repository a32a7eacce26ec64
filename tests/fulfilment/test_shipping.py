"""Goods leave the stock and the line counts them; no more than the order allows."""

from decimal import Decimal

import pytest

from core import fulfilment, orders, stock
from core.kernel import Conflict, Forbidden, Invalid, NotFound, Refused
from tests.fulfilment.trading import Trade

D = Decimal


def test_a_shipment_takes_the_goods_out_of_stock_and_counts_on_the_line(running: Trade) -> None:
    shipment = running.ship("60", "50")
    assert shipment.number.startswith("SH-")
    assert [line.shipped for line in running.lines] == [D(60), D(50)]
    left = stock.available(running.ctx, running.skus.values())
    assert [left[sku].on_hand for sku in running.skus.values()] == [D(940), D(950)]
    assert left[running.skus["RB12"]].hard == D(40)
    view = fulfilment.of_order(running.ctx, running.order_id)[0]
    assert [(line.quantity, line.lots) for line in view.lines] == [
        (D(60), ("L-RB12 (H1)",)),
        (D(50), ("L-RB16 (H1)",)),
    ]


def test_more_than_the_line_allows_is_refused_with_the_line_and_the_limit(running: Trade) -> None:
    running.ship("60")
    with pytest.raises(Invalid) as refused:
        running.ship("40.000001")
    (error,) = refused.value.errors
    assert (error.path, error.code) == ("lines.0.quantity", "shipment.over_limit")
    assert (error.values["line"], error.values["limit"].value) == (10, D(40))


def test_the_over_tolerance_lets_a_little_more_leave(trade: Trade) -> None:
    from core import tenancy

    tenancy.set_trade_settings(trade.ctx, over_tol=D("0.05"))
    trade.order({"RB12": D(100)})
    with pytest.raises(Invalid, match="shipment.over_limit"):
        trade.ship("105.1")
    trade.ship("105")
    assert trade.lines[0].shipped == D(105)


@pytest.mark.parametrize("quantities", [[], ["0"], ["-1"]])
def test_an_empty_or_negative_shipment_is_refused(running: Trade, quantities: list[str]) -> None:
    with pytest.raises(Invalid):
        running.ship(*quantities)


def test_only_the_seller_ships_and_only_with_the_permission(running: Trade) -> None:
    portions = [fulfilment.Portion(running.lines[0].id, D(1))]
    with running.buyer() as ctx, pytest.raises(Refused, match="order.only_seller"):
        fulfilment.ship(ctx, running.order_id, portions)
    running.ctx.everything = False
    with pytest.raises(Forbidden, match="permission.missing"):
        fulfilment.ship(running.ctx, running.order_id, portions)


def test_a_hold_stops_shipping_and_names_itself(running: Trade) -> None:
    with running.buyer() as ctx:
        orders.place_hold(ctx, running.order_id, "quality", "等待复检", ["ship"])
    with pytest.raises(Conflict, match="order.held"):
        running.ship("1")


def test_a_foreign_line_is_refused(running: Trade) -> None:
    portions = [fulfilment.Portion(running.order_id, D(1))]
    with pytest.raises(Invalid, match="shipment.no_such_line"):
        fulfilment.ship(running.ctx, running.order_id, portions)


def test_a_third_enterprise_finds_neither_order_nor_shipment(running: Trade) -> None:
    from core.kernel import uuid7

    shipment = running.ship("10")
    with running.ctx.as_tenant(uuid7(), "buyer") as ctx:
        assert fulfilment.of_order(ctx, running.order_id) == []
        with pytest.raises(NotFound):
            fulfilment.receive(ctx, shipment.id, [])
