"""Goods laid in, used and billed, between two enterprises."""

from decimal import Decimal

import pytest

import tongshang as ts
from tongshang.testing import PluginConformance, Trade
from tongshang_consignment import service

D = Decimal


class TestConformance(PluginConformance):
    plugin = "tongshang_consignment"


@pytest.fixture
def stock(trade: Trade) -> service.ConsignmentStock:
    """A hundred bars of the seller at the buyer's, at 90 each with VAT."""
    trade.goods("BAR", price="100")
    with trade.seller.acting() as ctx:
        laid = service.lay_in(ctx, trade.buyer.id, "BAR", D(100), D(90), D("0.13"))
        ctx.session.expunge(laid)
    return laid


def test_what_is_used_becomes_an_order_and_is_billed(trade: Trade, stock: service.ConsignmentStock) -> None:
    with trade.buyer.acting() as ctx:
        order_id = service.report_usage(ctx, stock.id, D(40)).order_id
    assert order_id is not None

    order = trade.order(order_id)
    assert (order.state, order.mode, order.total) == ("in_progress", "consignment", D(3600))
    trade.ship(order_id)
    trade.receive(order_id)
    trade.invoice(order_id)
    trade.pay(order_id)
    trade.work()

    assert trade.order(order_id).state == "completed"
    with trade.seller.acting() as ctx:
        assert ctx.session.get_one(service.UsageReport, service.by_order(ctx, order_id).id).settled_at is not None
        assert service.stock(ctx)[0].left == D(60)


def test_no_more_is_used_than_is_left(trade: Trade, stock: service.ConsignmentStock) -> None:
    with pytest.raises(ts.Invalid), trade.buyer.acting() as ctx:
        service.report_usage(ctx, stock.id, D(101))
    with pytest.raises(ts.NotFound), trade.seller.acting() as ctx:
        service.report_usage(ctx, stock.id, D(1))


def test_the_seller_may_want_to_confirm_first(trade: Trade, stock: service.ConsignmentStock) -> None:
    trade.settings("seller", confirm_usage=True)
    with trade.buyer.acting() as ctx:
        order_id = service.report_usage(ctx, stock.id, D(5)).order_id
    assert order_id is not None
    trade.ship(order_id)
    trade.receive(order_id)
    with pytest.raises(ts.Conflict):
        trade.invoice(order_id)

    confirmed = trade.seller.api("PUT", f"/api/v1/consignment/orders/{order_id}/usage")
    assert confirmed.status_code == 200, confirmed.text
    trade.invoice(order_id)


def test_an_order_of_this_mode_needs_a_report(trade: Trade) -> None:
    with pytest.raises(ts.Refused):
        trade.place("consignment", (trade.goods("BAR"), "1"))


def test_usage_is_reported_on_the_page_and_stands_on_the_order(trade: Trade, stock: service.ConsignmentStock) -> None:
    assert "Goods BAR" in trade.buyer.get("/consignment").text
    refused = trade.buyer.post(f"/consignment/{stock.id}/usage", {"quantity": "1000"})
    assert refused.status_code == 422
    done = trade.buyer.post(f"/consignment/{stock.id}/usage", {"quantity": "25"})
    assert done.status_code == 303, done.text

    with trade.buyer.acting() as ctx:
        report = ctx.session.query(service.UsageReport).filter_by(stock_id=stock.id).one()
        order_id = report.order_id
    page = trade.seller.seen(f"/orders/{order_id}", language="zh-CN")
    assert "寄售剩余" in page
    assert "75" in page


def test_goods_are_laid_in_over_json_and_seen_by_both(trade: Trade) -> None:
    trade.goods("BAR")
    body = {"buyer_id": str(trade.buyer.id), "code": "BAR", "quantity": "10", "unit_price": "9"}
    assert trade.seller.api("POST", "/api/v1/consignment/stock", json=body).status_code == 201
    for side in (trade.buyer, trade.seller):
        assert [each["code"] for each in side.api("GET", "/api/v1/consignment/stock").json["stock"]] == ["BAR"]
