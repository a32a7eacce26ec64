"""Promises on stock: soft, hard, expired, released, shipped; never more than there is."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from sqlalchemy import select, text

from core import catalog, stock
from core.db import count_statements
from core.kernel import Conflict, Context, Invalid, uuid7
from core.stock.invariants import CHECKS

D = Decimal


def receive(ctx: Context, sku: UUID, store: UUID, qty: int | str, **lot: object) -> None:
    stock.receive_stock(ctx, [stock.Incoming(sku, store, D(qty), **lot)])  # type: ignore[arg-type]


def free(ctx: Context, sku: UUID) -> Decimal:
    return stock.available(ctx, [sku])[sku].free


def sound(ctx: Context) -> bool:
    return all(not ctx.session.execute(text(sql)).all() for _id, _says, sql in CHECKS)


def test_a_soft_promise_hardens_and_ships(ctx: Context, goods: list[UUID], main_store: UUID) -> None:
    sku, order, line = goods[0], uuid7(), uuid7()
    receive(ctx, sku, main_store, 100)
    stock.reserve_soft(ctx, order, [(line, sku, D("12.5"))], ctx.now + timedelta(minutes=30))
    assert stock.available(ctx, [sku])[sku] == stock.Stock(sku, D(100), D(0), D("12.5"))
    stock.harden(ctx, order)
    assert stock.available(ctx, [sku])[sku] == stock.Stock(sku, D(100), D("12.5"), D(0))
    (pick,) = stock.ship(ctx, order, line, sku, D("12.5"))
    assert (pick.qty, pick.warehouse_id) == (D("12.5"), main_store)
    assert stock.available(ctx, [sku])[sku] == stock.Stock(sku, D("87.5"))
    assert stock.release(ctx, order) == 0
    assert sound(ctx)


def test_an_order_holds_all_its_lines_or_none(ctx: Context, goods: list[UUID], main_store: UUID) -> None:
    receive(ctx, goods[0], main_store, 10)
    receive(ctx, goods[1], main_store, 1)
    wanted = [(uuid7(), goods[0], D(5)), (uuid7(), goods[1], D(2))]
    with pytest.raises(Conflict) as refused:
        stock.reserve_soft(ctx, uuid7(), wanted, ctx.now + timedelta(minutes=30))
    assert refused.value.code == "stock.short"
    assert (refused.value.values["sku"], refused.value.values["available"]) == ("R14", D(1))
    assert free(ctx, goods[0]) == 10
    assert sound(ctx)


def test_two_lines_of_one_product_are_counted_together(
    ctx: Context, goods: list[UUID], main_store: UUID
) -> None:
    receive(ctx, goods[0], main_store, 10)
    with pytest.raises(Conflict):
        stock.reserve_hard(ctx, uuid7(), [(uuid7(), goods[0], D(6)), (uuid7(), goods[0], D(6))])
    stock.reserve_hard(ctx, uuid7(), [(uuid7(), goods[0], D(6)), (uuid7(), goods[0], D(4))])
    assert free(ctx, goods[0]) == 0


def test_what_was_never_received_is_short(ctx: Context, goods: list[UUID]) -> None:
    with pytest.raises(Conflict, match="stock.short"):
        stock.reserve_hard(ctx, uuid7(), [(uuid7(), goods[0], D(1))])
    assert free(ctx, goods[0]) == 0


def test_a_line_may_be_held_in_several_warehouses_but_rather_in_one(
    ctx: Context, goods: list[UUID], main_store: UUID, far_store: UUID
) -> None:
    sku, order, line = goods[0], uuid7(), uuid7()
    receive(ctx, sku, main_store, 5)
    receive(ctx, sku, far_store, 20)
    stock.reserve_hard(ctx, uuid7(), [(uuid7(), sku, D(10))])
    levels = {row.warehouse_id: row.hard for row in stock.find_levels(ctx)[0]}
    assert levels == {main_store: 0, far_store: 10}
    stock.reserve_hard(ctx, order, [(line, sku, D(12))])
    picks = stock.ship(ctx, order, line, sku, D(12))
    assert {pick.warehouse_id: pick.qty for pick in picks} == {main_store: D(5), far_store: D(7)}
    assert sound(ctx)


def test_v_sp2_expired_goods_are_free_again_at_once(
    ctx: Context, goods: list[UUID], main_store: UUID, later: Callable[[str], None]
) -> None:
    sku, first = goods[0], uuid7()
    receive(ctx, sku, main_store, 10)
    stock.reserve_soft(ctx, first, [(uuid7(), sku, D(10))], ctx.now + timedelta(minutes=30))
    assert free(ctx, sku) == 0
    later("29 minutes")
    with pytest.raises(Conflict):
        stock.reserve_hard(ctx, uuid7(), [(uuid7(), sku, D(1))])
    later("30 minutes")
    assert free(ctx, sku) == 10
    stock.reserve_hard(ctx, uuid7(), [(uuid7(), sku, D(10))])
    with pytest.raises(Conflict, match="stock.short"):
        stock.harden(ctx, first)
    assert sound(ctx)


def test_hardening_takes_an_expired_promise_up_again_while_the_goods_are_there(
    ctx: Context, goods: list[UUID], main_store: UUID, later: Callable[[str], None]
) -> None:
    sku, order = goods[0], uuid7()
    receive(ctx, sku, main_store, 10)
    stock.reserve_soft(ctx, order, [(uuid7(), sku, D(4))], ctx.now + timedelta(minutes=30))
    later("2 hours")
    stock.harden(ctx, order)
    stock.harden(ctx, order)
    assert stock.available(ctx, [sku])[sku] == stock.Stock(sku, D(10), D(4), D(0))
    assert sound(ctx)


def test_a_promise_that_ran_out_is_not_taken_up_beside_a_newer_one(
    ctx: Context, goods: list[UUID], main_store: UUID, later: Callable[[str], None]
) -> None:
    sku, order, line = goods[0], uuid7(), uuid7()
    receive(ctx, sku, main_store, 10)
    stock.reserve_soft(ctx, order, [(line, sku, D(4))], ctx.now + timedelta(minutes=30))
    later("1 hour")
    stock.reserve_soft(ctx, order, [(line, sku, D(3))], ctx.now + timedelta(minutes=30))
    stock.harden(ctx, order)
    assert stock.available(ctx, [sku])[sku].hard == 3
    other = uuid7()
    stock.reserve_soft(ctx, other, [(line, sku, D(4))], ctx.now + timedelta(minutes=30))
    later("3 hours")
    stock.reserve_soft(
        ctx, uuid7(), [(uuid7(), sku, D(1))], ctx.now + timedelta(minutes=30)
    )  # sees it expired
    stock.release(ctx, other)
    stock.harden(ctx, other)
    assert stock.available(ctx, [sku])[sku].hard == 3
    assert sound(ctx)


def test_releasing_gives_back_one_line_or_all(ctx: Context, goods: list[UUID], main_store: UUID) -> None:
    order, lines = uuid7(), [uuid7(), uuid7()]
    for sku in goods[:2]:
        receive(ctx, sku, main_store, 10)
    stock.reserve_hard(ctx, order, [(lines[0], goods[0], D(3)), (lines[1], goods[1], D(4))])
    assert stock.release(ctx, order, lines[0]) == 1
    assert (free(ctx, goods[0]), free(ctx, goods[1])) == (10, 6)
    assert stock.release(ctx, order) == 1
    assert free(ctx, goods[1]) == 10
    assert sound(ctx)


def test_a_partial_shipment_keeps_the_rest_promised(
    ctx: Context, goods: list[UUID], main_store: UUID
) -> None:
    sku, order, line = goods[0], uuid7(), uuid7()
    receive(ctx, sku, main_store, 10)
    stock.reserve_hard(ctx, order, [(line, sku, D(6))])
    stock.ship(ctx, order, line, sku, D(2))
    assert stock.available(ctx, [sku])[sku] == stock.Stock(sku, D(8), D(4), D(0))
    stock.ship(ctx, order, line, sku, D(5))  # one more than was promised, from free goods
    assert stock.available(ctx, [sku])[sku] == stock.Stock(sku, D(3))
    with pytest.raises(Conflict, match="stock.short"):
        stock.ship(ctx, order, line, sku, D(4))
    assert free(ctx, sku) == 3
    assert sound(ctx)


def test_shipping_never_takes_what_is_promised_to_others(
    ctx: Context, goods: list[UUID], main_store: UUID
) -> None:
    sku = goods[0]
    receive(ctx, sku, main_store, 10)
    stock.reserve_hard(ctx, uuid7(), [(uuid7(), sku, D(8))])
    with pytest.raises(Conflict):
        stock.ship(ctx, uuid7(), uuid7(), sku, D(3))
    assert stock.ship(ctx, uuid7(), uuid7(), sku, D(2))[0].qty == 2


def test_lots_that_expire_first_go_first_then_the_oldest(
    ctx: Context, goods: list[UUID], main_store: UUID
) -> None:
    sku, today = goods[0], ctx.now.date()
    receive(ctx, sku, main_store, 5, lot_no="old")
    receive(ctx, sku, main_store, 5, lot_no="late", expires_on=today + timedelta(days=90))
    receive(ctx, sku, main_store, 5, lot_no="soon", expires_on=today + timedelta(days=9))
    picks = stock.ship(ctx, uuid7(), uuid7(), sku, D(11))
    assert [(pick.lot_no, pick.qty) for pick in picks] == [("soon", D(5)), ("late", D(5)), ("old", D(1))]
    assert sound(ctx)


def test_v_sp3_a_named_heat_that_is_gone_is_refused_and_others_are_proposed(
    ctx: Context, goods: list[UUID], main_store: UUID
) -> None:
    sku = goods[0]
    for heat, qty in (("H1", 5), ("H2", 5), ("H3", 5)):
        receive(ctx, sku, main_store, qty, lot_no=heat, heat_no=heat)
    order, line = uuid7(), uuid7()
    until = ctx.now + timedelta(minutes=30)
    stock.reserve_soft(ctx, order, [stock.Need(line, sku, D(5), "H1")], until)
    with pytest.raises(Conflict) as refused:
        stock.reserve_soft(ctx, uuid7(), [stock.Need(uuid7(), sku, D(1), "H1")], until)
    assert refused.value.code == "stock.heat_short"
    assert refused.value.values["others"] == "H2, H3"
    stock.reserve_hard(
        ctx, uuid7(), [(uuid7(), sku, D(10))]
    )  # everything else is promised, whatever its heat
    stock.harden(ctx, order)
    (pick,) = stock.ship(ctx, order, line, sku, D(5))
    assert pick.heat_no == "H1"
    assert sound(ctx)


def test_goods_without_a_named_heat_never_come_from_a_held_one(
    ctx: Context, goods: list[UUID], main_store: UUID
) -> None:
    sku = goods[0]
    for heat in ("H1", "H2"):
        receive(ctx, sku, main_store, 5, lot_no=heat, heat_no=heat)
    stock.reserve_hard(ctx, uuid7(), [stock.Need(uuid7(), sku, D(5), "H1")])
    (pick,) = stock.ship(ctx, uuid7(), uuid7(), sku, D(5))
    assert pick.heat_no == "H2"
    assert sound(ctx)


def test_one_heat_in_two_lots_of_a_warehouse_is_held_once(
    ctx: Context, goods: list[UUID], main_store: UUID
) -> None:
    sku = goods[0]
    for lot in ("L1", "L2"):
        receive(ctx, sku, main_store, 5, lot_no=lot, heat_no="H1")
    stock.reserve_hard(ctx, uuid7(), [(uuid7(), sku, D(3))])
    with pytest.raises(Conflict):
        stock.reserve_hard(ctx, uuid7(), [stock.Need(uuid7(), sku, D(8), "H1")])
    stock.reserve_hard(ctx, uuid7(), [stock.Need(uuid7(), sku, D(7), "H1")])
    assert sound(ctx)


def test_reserving_and_hardening_many_lines_is_one_statement_each(
    ctx: Context, goods: list[UUID], main_store: UUID
) -> None:
    order, wanted = uuid7(), [(uuid7(), sku, D(1)) for sku in goods]
    stock.receive_stock(ctx, [stock.Incoming(sku, main_store, D(9)) for sku in goods])
    with count_statements() as seen:
        stock.reserve_soft(ctx, order, wanted, ctx.now + timedelta(minutes=30))
        stock.harden(ctx, order)
        stock.ship_lines(ctx, order, wanted)
    assert len(seen) == 3


def test_another_tenant_reserves_nothing_of_mine(
    ctx: Context, goods: list[UUID], main_store: UUID, other_tenant: UUID
) -> None:
    receive(ctx, goods[0], main_store, 10)
    order = uuid7()
    stock.reserve_hard(ctx, order, [(uuid7(), goods[0], D(1))])
    with ctx.as_tenant(other_tenant, "buyer") as other:
        with pytest.raises(Conflict):
            stock.reserve_hard(other, uuid7(), [(uuid7(), goods[0], D(1))])
        assert stock.release(other, order) == 0
        assert other.session.scalars(select(stock.StockLevel)).all() == []
    assert free(ctx, goods[0]) == 9


def test_nothing_is_reserved_for_nothing(ctx: Context, goods: list[UUID]) -> None:
    with pytest.raises(Invalid):
        stock.reserve_hard(ctx, uuid7(), [(uuid7(), goods[0], D(0))])


def test_every_enterprise_sees_what_is_free_of_listed_goods_only(
    ctx: Context, goods: list[UUID], main_store: UUID, other_tenant: UUID, later: Callable[[str], None]
) -> None:
    stock.receive_stock(ctx, [stock.Incoming(sku, main_store, D(10)) for sku in goods[:2]])
    catalog.publish_products(ctx, [goods[0], goods[2]])
    stock.reserve_soft(ctx, uuid7(), [(uuid7(), goods[0], D(4))], ctx.now + timedelta(minutes=30))
    with ctx.as_tenant(other_tenant, "buyer") as buyer:
        assert stock.on_offer(buyer, goods) == {goods[0]: D(6), goods[2]: D(0)}
        later("30 minutes")
        assert stock.on_offer(buyer, goods)[goods[0]] == 10
