"""What goes out beside the seller's sales order: the buyer's purchase order, goods on their way and counted in, and the money."""

from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from sqlalchemy import select, update

from connectors.kingdee.system import Kingdee
from core.fulfilment import GoodsReceived, GoodsShipped, ReceiptReversed, reverse_receipt
from core.kernel import Event, Invalid, from_payload
from core.orders.events import OrderConfirmed
from core.sync import ErpConnection, MovedLine, NewConnection, SyncDocument, connect, enqueue
from core.sync.documents import from_json, to_json, wish
from core.sync.facts import marked, order_out, payment_out, receipt_out, shipment_out
from core.sync.handlers import HANDLERS
from core.sync.outgoing import KINDS, GoodsOut, MoneyOut, OrderOut, day_of
from core.sync.refs import remember
from tests.sync.landing.conftest import Wired, wired  # noqa: F401  the fixture

D = Decimal
ALL = ["sales_order", "purchase_order", "inbound_order", "receipt", "payment"]


@pytest.fixture
def told(wired: Wired) -> Wired:  # noqa: F811
    """Both sides want every kind in their own system."""
    for side in wired.connections:
        with of(wired, side):
            wired.trade.ctx.session.execute(update(ErpConnection).values(documents=ALL))
    return wired


def of(wired: Wired, side: str):  # noqa: F811
    return wired.trade.buyer() if side == "buyer" else nullcontext(wired.trade.ctx)


def heard(wired: Wired, kind: type[Event], *sides: str) -> None:  # noqa: F811
    """What the worker does on each side with the newest event of a kind."""
    newest = [each for each in wired.trade.ctx.session.info["events"] if each["name"] == kind.__name__][-1]
    event = from_payload(kind, newest["payload"])
    for side in sides or ("seller", "buyer"):
        with of(wired, side) as ctx:
            for handler in HANDLERS:
                if handler.event is kind:
                    handler.run(ctx, event)


def waiting(wired: Wired, side: str) -> list[SyncDocument]:  # noqa: F811
    with of(wired, side) as ctx:
        ctx.session.flush()
        mine = SyncDocument.connection_id == wired.connections[side]
        return list(
            ctx.session.scalars(
                select(SyncDocument)
                .where(mine)
                .order_by(SyncDocument.id)
                .execution_options(populate_existing=True)
            )
        )


def test_a_confirmed_order_is_a_sales_order_here_and_a_purchase_order_there(told):
    trade = told.trade
    heard(told, OrderConfirmed)
    number, [sold] = trade.now.number, waiting(told, "seller")
    assert (sold.kind, sold.partner, sold.reference) == ("sales_order", "北方机械有限公司", number)
    assert sold.total == D("1695.00")  # 150 t at 10.00 and 13 % VAT
    [bought] = waiting(told, "buyer")
    assert (bought.kind, bought.partner, bought.total) == ("purchase_order", "江南钢材有限公司", D("1695.00"))
    assert bought.reference == marked(number, trade.seller_id) != number
    document = from_json(bought.body)
    assert isinstance(document, OrderOut) and document.partner_id == trade.seller_id
    assert [(line.material, line.quantity, line.gross) for line in document.lines] == [
        ("RB12", D(100), D("1130.00")),
        ("RB16", D(50), D("565.00")),
    ]


def test_without_being_asked_for_only_sales_orders_go_out(wired):  # noqa: F811
    heard(wired, OrderConfirmed)
    wired.trade.ship("60", "0")
    heard(wired, GoodsShipped)
    assert [row.kind for row in waiting(wired, "seller")] == ["sales_order"]
    assert waiting(wired, "buyer") == []


def test_shipped_goods_are_announced_to_the_buyers_warehouse_only(told):
    shipment = told.trade.ship("60", "25")
    heard(told, GoodsShipped)
    assert waiting(told, "seller") == []
    announced = from_json(waiting(told, "buyer")[0].body)
    assert isinstance(announced, GoodsOut) and announced.kind == "inbound_order"
    assert (announced.carrier, announced.waybill) == ("中远", "WB-1")
    assert announced.reference == marked(shipment.number, told.trade.seller_id)
    order = marked(told.trade.now.number, told.trade.seller_id)
    assert [(x.order_reference, x.order_line, x.quantity, x.gross) for x in announced.lines] == [
        (order, 10, D(60), D("678.00")),
        (order, 20, D(25), D("282.50")),
    ]
    assert announced.total == D("960.50")


def test_what_was_counted_in_goes_out_and_is_taken_back_with_its_reversal(told):
    trade = told.trade
    receipt = trade.receive(trade.ship("60", "0"), ("58", "3"))
    heard(told, GoodsReceived)
    row = waiting(told, "buyer")[0]
    assert (row.kind, row.intent, row.reference, row.total) == (
        "receipt",
        "create",
        receipt.number,
        D("655.40"),
    )
    assert [line.quantity for line in from_json(row.body).lines] == [D(58)]
    with trade.buyer() as ctx:
        reverse_receipt(ctx, receipt.id, "数错了")
    heard(told, ReceiptReversed)
    first, second = waiting(told, "buyer")
    assert (first.state, second.intent, second.state) == ("superseded", "cancel", "done")  # it had never left


def test_money_is_received_in_one_book_and_paid_in_the_other(told):
    trade = told.trade
    trade.receive(trade.ship("100", "50"), "100", "50")
    invoice = trade.invoice()
    payment = trade.pay("500.00", "BANK-7", invoice_ids=[invoice.id])
    with of(told, "seller") as ctx:
        came = payment_out(ctx, payment.id)
    with of(told, "buyer") as ctx:
        went = payment_out(ctx, payment.id)
    assert (came.direction, came.partner_id, went.direction, went.partner_id) == (
        "in",
        trade.buyer_id,
        "out",
        trade.seller_id,
    )
    assert came.total == went.total == D("500.00") and came.bank_ref == "BANK-7"
    assert came.reference == marked(payment.number, trade.buyer_id) and went.reference == payment.number
    assert [(part.number, part.amount) for part in came.invoices] == [(invoice.number, D("500.00"))]


def test_a_document_carries_the_day_of_the_house_not_of_the_server(told):
    """Half past midnight of the first in Shanghai is still the last of the month in UTC, and another period in the books."""
    trade = told.trade
    midnight = datetime(2026, 11, 30, 16, 30, tzinfo=UTC)
    shipment = trade.ship("60", "0")
    receipt, payment = trade.receive(shipment, "60"), trade.pay("10.00")
    trade.now.confirmed_at, shipment.shipped_at = midnight, midnight
    receipt.received_at, payment.decided_at = midnight, midnight
    with of(told, "seller") as ctx:
        made = [order_out(ctx, trade.now, 3), shipment_out(ctx, shipment.id)]
        made += [receipt_out(ctx, receipt.id, 1), payment_out(ctx, payment.id)]
    assert {day_of(each) for each in made} == {date(2026, 12, 1)}


def test_every_kind_survives_being_written_down(told):
    trade = told.trade
    shipment = trade.ship("60", "0")
    receipt = trade.receive(shipment, "60")
    payment = trade.pay("10.00")
    with of(told, "buyer") as ctx:
        made = [
            order_out(ctx, trade.now, 3),
            shipment_out(ctx, shipment.id),
            receipt_out(ctx, receipt.id, 1),
            payment_out(ctx, payment.id),
        ]
    assert [each.kind for each in made] == ALL[1:]
    assert [from_json(to_json(each)) for each in made] == made
    assert {type(each) for each in made} == {OrderOut, GoodsOut, MoneyOut} == set(KINDS.values())


def test_what_came_from_a_system_is_not_sent_back_to_it(told):
    trade = told.trade
    receipt = trade.receive(trade.ship("60", "0"), "60")
    with of(told, "buyer") as ctx:
        remember(ctx, told.connections["buyer"], "receipt", receipt.id, "CGRK-1", "CGRK-1")
        assert wish(ctx, "receipt", receipt.id, "create", 1, lambda: receipt_out(ctx, receipt.id, 1)) == 0
    assert waiting(told, "buyer") == []


def test_what_we_filed_ourselves_still_changes_there(told):
    trade = told.trade
    with of(told, "seller") as ctx:
        assert enqueue(ctx, trade.now, "create", 3) == 1
        ctx.session.execute(update(SyncDocument).values(state="done", attempt=1))
        remember(ctx, told.connections["seller"], "sales_order", trade.order_id, "77", "XSDD-77")
        assert enqueue(ctx, trade.now, "change", 4) == 1
    assert [row.intent for row in waiting(told, "seller")] == ["create", "change"]


def test_goods_that_come_back_under_the_marked_reference_find_their_order(told):
    trade = told.trade
    trade.ship("60", "0")
    item = told.receipt(MovedLine(0, "RB12", D(60), "t"))
    assert told.land("buyer", replace(item, reference=marked(trade.now.number, trade.seller_id))) == []
    assert trade.lines[0].received == D(60)
    wrong = replace(item, external_id="R2", reference=f"{trade.now.number}-ZZZZ")
    assert [each.code for each in told.land("buyer", wrong)] == ["sync.order_unknown"]


def test_a_kind_the_connector_does_not_file_is_refused(told):
    with of(told, "seller") as ctx, pytest.raises(Invalid) as refused:
        connect(
            ctx, Kingdee(), NewConnection("金蝶", "https://erp.example.com", "100", {}, ["inbound_order"])
        )
    assert ("documents", "connection.document_unknown") in [
        (each.path, each.code) for each in refused.value.errors
    ]
