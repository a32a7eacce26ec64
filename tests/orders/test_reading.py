"""What readers of an order are told: what is still to pay, which acts are open, what the other side may not see."""

from decimal import Decimal

import pytest

from core import orders
from core.kernel import NotFound
from core.orders import TradeOrder, reading
from tests.orders.trade import Trade

D = Decimal


def verbs(trade: Trade, order: TradeOrder, who: str) -> set[str]:
    trade.session.flush()
    return {act.verb for act in reading.detail(getattr(trade, who)(), order.id).acts}


def test_each_side_is_offered_what_it_may_do(trade: Trade, submitted_order: TradeOrder) -> None:
    assert verbs(trade, submitted_order, "seller") == {"confirm", "counter", "reject", "hold"}
    assert verbs(trade, submitted_order, "buyer") == {"cancel"}
    orders.counter(trade.seller(), submitted_order.id, {"delivery_date": "2027-01-05"}, "later")
    assert verbs(trade, submitted_order, "buyer") == {"accept", "counter_offer", "cancel"}


def test_above_ones_limit_nothing_is_offered(trade: Trade, submitted_order: TradeOrder) -> None:
    trade.session.flush()
    offered = {act.verb for act in reading.detail(trade.seller(limit=D("1500.99")), submitted_order.id).acts}
    assert "confirm" not in offered


def test_the_author_is_not_offered_to_approve(trade: Trade) -> None:
    trade.move(approval_threshold=D(1))
    order = orders.place(trade.approver(), trade.wish())
    assert "approve" not in verbs(trade, order, "approver")
    other = {act.verb for act in reading.detail(trade.as_("Chen Bo", "buyer.approver"), order.id).acts}
    assert {"approve", "send_back"} <= other


def test_an_open_proposal_is_answered_by_one_side_and_withdrawn_by_the_other(
    trade: Trade, running_order: TradeOrder
) -> None:
    orders.propose_amendment(
        trade.buyer(), running_order.id, {"lines": [{"no": 10, "quantity": "12"}]}, "more"
    )
    assert {"agree", "refuse"} <= verbs(trade, running_order, "seller")
    assert "withdraw" in verbs(trade, running_order, "buyer")
    assert "amend" not in verbs(trade, running_order, "seller")
    proposal = reading.detail(trade.seller(), running_order.id).proposal
    assert proposal is not None and proposal.total == D("1701.00")
    assert [(change.no, change.what, change.after) for change in proposal.changes] == [(10, "quantity", "12")]


def test_leaving_alone_is_offered_where_the_mode_allows_it(trade: Trade, confirmed_order: TradeOrder) -> None:
    assert "cancel_confirmed" not in verbs(trade, confirmed_order, "buyer")
    loose = trade.place(mode="loose")
    orders.place_hold(trade.seller(), loose.id, "manual", "wait", ["start"])
    orders.confirm(trade.seller(), loose.id)
    assert "cancel_confirmed" in verbs(trade, loose, "buyer")


def test_what_happens_inside_the_buyers_house_stays_there(trade: Trade) -> None:
    trade.move(approval_threshold=D(1))
    order = trade.place()
    trade.session.flush()
    with pytest.raises(NotFound):
        reading.detail(trade.seller(), order.id)
    orders.approve(trade.approver(), order.id)
    trade.session.flush()
    assert [event.verb for event in reading.detail(trade.seller(), order.id).events] == ["approve"]
    assert [event.verb for event in reading.detail(trade.buyer(), order.id).events] == [
        "approve",
        "request_approval",
    ]


def test_still_to_pay_counts_what_can_still_be_billed(trade: Trade) -> None:
    order = trade.confirmed(("bar", "10"))
    (line,) = orders.lines(trade.seller(), order.id)

    def due() -> Decimal:
        trade.session.flush()
        trade.session.expire_all()
        return reading.detail(trade.seller(), order.id).still_due()

    assert due() == D("1000.00")
    orders.tally(
        trade.seller(),
        order,
        {line.id: {"shipped": D(8), "received": D(8), "accepted": D(7), "rejected": D(1)}},
    )
    assert due() == D("900.00")
    orders.tally(trade.seller(), order, {line.id: {"short_closed": D(2)}})
    orders.advance(trade.seller(), order)
    assert (order.state, due()) == ("accepted", D("700.00"))
    orders.tally(trade.seller(), order, {line.id: {"invoiced": D(7)}})
    orders.book(trade.seller(), order, invoiced=D("700.00"), paid=D("300.00"))
    assert due() == D("400.00")
    orders.book(trade.seller(), order, paid=D("400.00"))
    orders.advance(trade.seller(), order)
    assert (order.state, due()) == ("completed", D("0"))


def test_a_list_reads_both_ways_and_asks_each_side(trade: Trade) -> None:
    numbers = [trade.place(("bar", "1")).number for _ in range(5)]
    newest = numbers[::-1]
    ctx = trade.buyer()
    first = reading.list_orders(ctx, limit=2)
    second = reading.list_orders(ctx, cursor=first.next, limit=2)
    third = reading.list_orders(ctx, cursor=second.next, limit=2)
    assert [[row.number for row in page.rows] for page in (first, second, third)] == [
        newest[:2],
        newest[2:4],
        newest[4:],
    ]
    assert (first.newer, third.next) == (None, None)
    back = reading.list_orders(ctx, cursor=third.newer, limit=2, backwards=True)
    assert [row.number for row in back.rows] == newest[2:4] and back.newer and back.next
    assert reading.list_orders(ctx, side="seller").rows == ()
    assert {row.side for row in reading.list_orders(trade.seller()).rows} == {"seller"}


@pytest.mark.parametrize("q", ["so2026", "north mach", "机械", "po-7"])
def test_an_order_is_found_by_its_numbers_and_its_partner(trade: Trade, q: str) -> None:
    trade.place(buyer_po="PO-77")
    assert len(reading.list_orders(trade.seller(), q=q).rows) == 1
    assert reading.list_orders(trade.seller(), q="%").rows == ()


def test_what_waits_is_counted_for_the_side_that_must_answer(
    trade: Trade, submitted_order: TradeOrder
) -> None:
    trade.session.flush()
    assert (reading.count_waiting(trade.seller()), reading.count_waiting(trade.buyer())) == (1, 0)
    orders.counter(trade.seller(), submitted_order.id, {"delivery_date": "2027-01-05"}, "later")
    trade.session.flush()
    assert (reading.count_waiting(trade.seller()), reading.count_waiting(trade.buyer())) == (0, 1)
