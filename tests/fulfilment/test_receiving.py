"""What arrives is counted once, and every piece ends accepted, rejected, or held because it is too many."""

from decimal import Decimal

import pytest

from core import billing, fulfilment, orders
from core.kernel import Conflict, Invalid, Refused
from tests.conftest import clock_shifted
from tests.fulfilment.trading import Trade

D = Decimal


def test_v_mt1_the_piece_too_many_is_held_until_it_is_accepted(trade: Trade) -> None:
    """Ordered 100, no tolerance. 60 come (2 rejected), then 41: 40 accepted, 1 held. 58 and 40 are billed."""
    trade.order({"RB12": D(100)})
    trade.receive(trade.ship("60"), ("60", "2"))
    assert trade.invoice().net == D("580.00")
    second = trade.receive(trade.ship("40"), "41")
    (line,) = trade.lines
    assert (line.received, line.accepted, line.rejected) == (D(100), D(98), D(2))
    assert line.quantity - line.accepted == D(2)
    (counted,) = fulfilment.receipt_lines(trade.ctx, second.id)
    assert (counted.received, counted.accepted, counted.over_held) == (D(40), D(40), D(1))
    assert trade.invoice().net == D("400.00")
    with pytest.raises(Conflict, match="invoice.nothing_to_bill"):
        trade.invoice()

    assert trade.now.state == "delivered"
    with trade.buyer() as ctx:
        fulfilment.accept_excess(ctx, counted.id)
    assert trade.lines[0].accepted == D(99)
    assert trade.now.state == "accepted"
    assert trade.invoice().net == D("10.00")


def test_a_held_piece_may_go_back_and_was_never_counted(trade: Trade) -> None:
    trade.order({"RB12": D(100)})
    receipt = trade.receive(trade.ship("100"), "103")
    (counted,) = fulfilment.receipt_lines(trade.ctx, receipt.id)
    with trade.buyer() as ctx:
        with pytest.raises(Invalid, match="receipt.not_held"):
            fulfilment.return_excess(ctx, counted.id, D(4))
        fulfilment.return_excess(ctx, counted.id, D(1))
        assert trade.now.state == "delivered"
    with trade.buyer() as ctx:
        fulfilment.return_excess(ctx, counted.id)
    assert trade.lines[0].received == D(100)
    assert trade.now.state == "accepted"


def test_rejected_goods_taken_back_open_the_line_for_a_replacement(trade: Trade) -> None:
    trade.order({"RB12": D(100)})
    receipt = trade.receive(trade.ship("60"), ("60", "2"))
    (counted,) = fulfilment.receipt_lines(trade.ctx, receipt.id)
    fulfilment.take_back(trade.ctx, counted.id)
    assert [getattr(trade.lines[0], name) for name in ("shipped", "received", "rejected")] == [
        D(58),
        D(58),
        D(0),
    ]
    trade.receive(trade.ship("42"), "42")
    assert trade.lines[0].accepted == D(100)
    assert trade.now.state == "accepted"
    with pytest.raises(Invalid, match="receipt.not_rejected"):
        fulfilment.take_back(trade.ctx, counted.id)


def test_goods_rejected_in_the_last_receipt_stay_rejected_when_they_go_back(trade: Trade) -> None:
    trade.order({"RB12": D(100)})
    receipt = trade.receive(trade.ship("100"), ("100", "2"))
    assert trade.now.state == "accepted"
    (counted,) = fulfilment.receipt_lines(trade.ctx, receipt.id)
    fulfilment.take_back(trade.ctx, counted.id)
    assert trade.lines[0].rejected == D(2)
    assert trade.now.state == "accepted"


def test_undecided_pieces_keep_the_order_from_being_accepted(trade: Trade) -> None:
    trade.order({"RB12": D(100)})
    shipment = trade.ship("100")
    with trade.buyer() as ctx:
        receipt = fulfilment.receive(
            ctx, shipment.id, [fulfilment.Count(trade.lines[0].id, D(100), accepted=D(90))]
        )
    assert trade.now.state == "delivered"
    (counted,) = fulfilment.receipt_lines(trade.ctx, receipt.id)
    with trade.buyer() as ctx:
        with pytest.raises(Invalid, match="receipt.more_than_undecided"):
            fulfilment.inspect(ctx, receipt.id, [fulfilment.Verdict(counted.id, D(11))])
        with pytest.raises(Invalid, match="receipt.why_rejected"):
            fulfilment.inspect(ctx, receipt.id, [fulfilment.Verdict(counted.id, D(7), D(3))])
        fulfilment.inspect(ctx, receipt.id, [fulfilment.Verdict(counted.id, D(7), D(3), "锈蚀")])
    assert (trade.lines[0].accepted, trade.lines[0].rejected) == (D(97), D(3))
    assert trade.now.state == "accepted"


def test_silence_accepts_what_nobody_decided_about(trade: Trade) -> None:
    trade.order({"RB12": D(100)})
    shipment = trade.ship("100")
    with trade.buyer() as ctx:
        fulfilment.receive(ctx, shipment.id, [fulfilment.Count(trade.lines[0].id, D(100), accepted=D(0))])
    assert orders.accept_silently(trade.ctx, trade.order_id) is None
    with clock_shifted(trade.ctx, "7 days"):
        orders.accept_silently(trade.ctx, trade.order_id)
    assert trade.lines[0].accepted == D(100)
    assert trade.now.state == "accepted"


def test_a_shipment_is_never_received_twice(trade: Trade) -> None:
    trade.order({"RB12": D(100)})
    shipment = trade.ship("60")
    trade.receive(shipment, "60")
    again = trade.receive(shipment, "60")
    (counted,) = fulfilment.receipt_lines(trade.ctx, again.id)
    assert (counted.received, counted.over_held) == (D(0), D(60))
    assert trade.lines[0].received == D(60)


def test_a_reversed_receipt_counts_for_nothing_and_the_order_is_under_way_again(trade: Trade) -> None:
    trade.order({"RB12": D(100)})
    shipment = trade.ship("100")
    with trade.buyer() as ctx:
        receipt = fulfilment.receive(
            ctx, shipment.id, [fulfilment.Count(trade.lines[0].id, D(100), accepted=D(50))]
        )
        assert trade.now.state == "delivered"
    with trade.buyer() as ctx:
        fulfilment.reverse_receipt(ctx, receipt.id, "点错了")
    assert [getattr(trade.lines[0], name) for name in ("received", "accepted")] == [D(0), D(0)]
    assert trade.now.state == "in_progress"
    with trade.buyer() as ctx, pytest.raises(Conflict, match="receipt.reversed"):
        fulfilment.reverse_receipt(ctx, receipt.id, "再来一次")
    trade.receive(shipment, "100")
    assert trade.now.state == "accepted"


def test_a_billed_receipt_cannot_be_reversed(trade: Trade) -> None:
    trade.order({"RB12": D(100)})
    receipt = trade.receive(trade.ship("60"), "60")
    bill = trade.invoice()
    with trade.buyer() as ctx, pytest.raises(Conflict, match="receipt.invoiced"):
        fulfilment.reverse_receipt(ctx, receipt.id, "点错了")
    billing.credit_invoice(trade.ctx, bill.id, billing.Credit("收货单有误"))
    with trade.buyer() as ctx:
        fulfilment.reverse_receipt(ctx, receipt.id, "点错了")
    assert trade.lines[0].received == 0


@pytest.mark.parametrize(
    ("count", "code"),
    [
        ({"received": D(0)}, "decimal.must_be_positive"),
        ({"received": D(5), "rejected": D(6), "reason": "x"}, "receipt.more_than_received"),
        ({"received": D(5), "accepted": D(4), "rejected": D(2), "reason": "x"}, "receipt.more_than_received"),
        ({"received": D(5), "rejected": D(1)}, "receipt.why_rejected"),
        ({"received": D(5), "rejected": D(-1)}, "decimal.too_small"),
    ],
)
def test_a_count_that_cannot_be_is_refused(running: Trade, count: dict[str, Decimal], code: str) -> None:
    shipment = running.ship("10")
    with running.buyer() as ctx, pytest.raises(Invalid, match=code):
        fulfilment.receive(ctx, shipment.id, [fulfilment.Count(running.lines[0].id, **count)])


def test_only_the_buyer_receives(running: Trade) -> None:
    shipment = running.ship("10")
    with pytest.raises(Refused, match="order.only_buyer"):
        fulfilment.receive(running.ctx, shipment.id, [fulfilment.Count(running.lines[0].id, D(10))])
