"""What binds changes only with two signatures: amendment, cancellation, termination; holds and gates."""

from collections.abc import Iterator
from decimal import Decimal

import pytest
from sqlalchemy import text

from core import orders
from core.hooks import MoneyMove
from core.kernel import Conflict, Forbidden, Invalid, NotFound, Refused, uuid7
from core.orders import TradeOrder, changing
from tests.orders.trade import Trade

D = Decimal


def plan_of(trade: Trade, order: TradeOrder) -> list[Decimal]:
    trade.session.flush()
    rows = trade.session.execute(
        text("SELECT amount FROM ts.plan_item WHERE order_id = :o ORDER BY no"), {"o": order.id}
    )
    return [row.amount for row in rows]


def amend(trade: Trade, order: TradeOrder, quantity: str) -> TradeOrder:
    orders.propose_amendment(
        trade.buyer(), order.id, {"lines": [{"no": 10, "quantity": quantity}]}, "need other"
    )
    return orders.agree(trade.seller(), order.id)


@pytest.fixture
def settled_moves() -> Iterator[list[MoneyMove]]:
    """What a settlement hands to billing; here it is only written down."""
    written: list[MoneyMove] = []
    before = list(changing._posters)
    changing._posters[:] = [lambda ctx, order, moves: written.extend(moves)]
    yield written
    changing._posters[:] = before


def test_an_amendment_takes_effect_when_the_other_side_signs(trade: Trade, running_order: TradeOrder) -> None:
    orders.propose_amendment(
        trade.buyer(), running_order.id, {"lines": [{"no": 10, "quantity": "12"}]}, "more"
    )
    assert running_order.total == D("1501.00")
    with pytest.raises(Conflict, match="order.own_proposal"):
        orders.agree(trade.buyer(), running_order.id)
    orders.agree(trade.seller(), running_order.id)
    assert (running_order.total, running_order.terms_version) == (D("1701.00"), 2)
    assert trade.stock_of("bar").hard == 12
    assert plan_of(trade, running_order) == [D("1701.00")]


def test_more_needs_credit_when_it_is_proposed_and_again_when_it_is_signed(trade: Trade, running_order: TradeOrder) -> None:
    trade.credit("1600")
    with pytest.raises(Conflict) as refused:
        amend(trade, running_order, "12")
    assert (refused.value.code, refused.value.values["total"]) == ("order.credit", D("1701.00"))
    trade.credit("1800")
    orders.propose_amendment(trade.buyer(), running_order.id, {"lines": [{"no": 10, "quantity": "12"}]}, "more")
    trade.credit("1600")
    with pytest.raises(Conflict, match="order.credit"), trade.session.begin_nested():
        orders.agree(trade.seller(), running_order.id)
    trade.session.refresh(running_order)
    assert (running_order.total, running_order.terms_version) == (D("1501.00"), 1)


def test_what_is_paid_needs_no_credit_and_less_needs_none(trade: Trade) -> None:
    order = trade.confirmed(mode="prepaid")
    orders.book(trade.seller(), order, prepaid=D("750.50"))
    trade.credit("1000")
    amend(trade, order, "12")
    assert order.total == D("1701.00")
    trade.credit("1")
    amend(trade, order, "11")
    assert order.total == D("1601.00")


def test_the_date_may_change_and_prices_may_not(trade: Trade, running_order: TradeOrder) -> None:
    with pytest.raises(Invalid, match="order.price_is_bound"):
        orders.propose_amendment(
            trade.buyer(), running_order.id, {"lines": [{"no": 10, "unit_price": "90"}]}, "cheaper"
        )
    orders.propose_amendment(
        trade.seller(), running_order.id, {"delivery_date": "2027-02-01"}, "mill is late"
    )
    orders.agree(trade.buyer(), running_order.id)
    assert str(running_order.delivery_date) == "2027-02-01"


def test_paid_items_of_the_plan_stay_and_the_rest_is_split_again(trade: Trade) -> None:
    order = trade.confirmed(mode="prepaid")
    assert plan_of(trade, order) == [D("750.50"), D("750.50")]
    orders.book(trade.seller(), order, prepaid=D("750.50"))
    amend(trade, order, "12")
    assert plan_of(trade, order) == [D("750.50"), D("950.50")]


def test_an_unpaid_plan_is_split_in_its_old_proportions(trade: Trade) -> None:
    order = trade.confirmed(mode="prepaid")
    amend(trade, order, "12")
    assert plan_of(trade, order) == [D("850.50"), D("850.50")]


def test_no_line_falls_below_what_was_delivered(trade: Trade, running_order: TradeOrder) -> None:
    line = orders.lines(trade.seller(), running_order.id)[0]
    orders.tally(trade.seller(), running_order, {line.id: {"shipped": D(6)}})
    with pytest.raises(Invalid, match="order.below_delivered"):
        orders.propose_amendment(
            trade.buyer(), running_order.id, {"lines": [{"no": 10, "quantity": "5"}]}, "less"
        )


def test_one_proposal_at_a_time_and_its_side_may_withdraw_it(trade: Trade, running_order: TradeOrder) -> None:
    orders.propose_amendment(
        trade.buyer(), running_order.id, {"lines": [{"no": 10, "quantity": "12"}]}, "more"
    )
    with pytest.raises(Conflict, match="order.proposal_open"):
        orders.propose_amendment(trade.seller(), running_order.id, {"delivery_date": "2027-02-01"}, "late")
    with pytest.raises(Conflict, match="order.no_proposal"):
        orders.withdraw(trade.seller(), running_order.id)
    orders.withdraw(trade.buyer(), running_order.id)
    with pytest.raises(Conflict, match="order.no_proposal"):
        orders.agree(trade.seller(), running_order.id)


def test_a_refused_proposal_changes_nothing(trade: Trade, running_order: TradeOrder) -> None:
    orders.propose_amendment(
        trade.buyer(), running_order.id, {"lines": [{"no": 10, "quantity": "12"}]}, "more"
    )
    orders.refuse(trade.seller(), running_order.id, "no more bars")
    assert (running_order.total, running_order.state) == (D("1501.00"), "in_progress")


def test_a_dearer_amendment_past_the_threshold_is_signed_by_an_approver(
    trade: Trade, running_order: TradeOrder
) -> None:
    trade.move(approval_threshold=D("1600"))
    orders.propose_amendment(
        trade.seller(), running_order.id, {"lines": [{"no": 10, "quantity": "12"}]}, "more"
    )
    with trade.session.begin_nested() as attempt:
        with pytest.raises(Forbidden):
            orders.agree(trade.buyer(), running_order.id)
        attempt.rollback()
    orders.agree(trade.approver(), running_order.id)
    assert running_order.total == D("1701.00")


# cancellation


def test_both_sides_call_a_confirmed_order_off(trade: Trade, confirmed_order: TradeOrder) -> None:
    orders.propose_cancel(trade.buyer(), confirmed_order.id, "project stopped")
    orders.agree(trade.seller(), confirmed_order.id)
    assert (confirmed_order.state, trade.stock_of("bar").hard) == ("cancelled", 0)


def test_one_side_leaves_only_where_the_mode_has_a_plan(trade: Trade, settled_moves: list[MoneyMove]) -> None:
    bound = trade.confirmed(mode="prepaid")
    with pytest.raises(Refused, match="order.cancel_needs_both"):
        orders.cancel_confirmed(trade.buyer(), bound.id, "no")
    loose = trade.place(mode="loose")
    orders.place_hold(trade.seller(), loose.id, "manual", "wait", ["start"])
    orders.confirm(trade.seller(), loose.id)
    assert loose.state == "confirmed"
    orders.cancel_confirmed(trade.buyer(), loose.id, "no")
    assert loose.state == "cancelled"


def test_what_was_paid_ahead_goes_back_when_both_cancel(
    trade: Trade, confirmed_order: TradeOrder, settled_moves: list[MoneyMove]
) -> None:
    orders.book(trade.seller(), confirmed_order, prepaid=D("100.00"))
    orders.propose_cancel(trade.seller(), confirmed_order.id, "mill closed")
    orders.agree(trade.buyer(), confirmed_order.id)
    assert settled_moves == [MoneyMove("seller", "buyer", D("100.00"), "refund")]


# termination


@pytest.mark.parametrize(
    ("moves", "ok"),
    [
        ([("buyer", "seller", "300.00", "outstanding")], True),
        ([("buyer", "seller", "299.99", "outstanding")], False),
        ([("buyer", "seller", "350.00", "outstanding"), ("seller", "buyer", "50.00", "refund")], True),
        ([("buyer", "seller", "300.00", "outstanding"), ("seller", "buyer", "75.00", "penalty")], True),
        ([], False),
    ],
)
def test_a_settlement_squares_what_is_open(
    trade: Trade,
    running_order: TradeOrder,
    settled_moves: list[MoneyMove],
    moves: list[tuple[str, ...]],
    ok: bool,
) -> None:
    orders.book(trade.seller(), running_order, invoiced=D("500.00"), paid=D("200.00"))
    offered = [MoneyMove(payer, payee, D(amount), reason) for payer, payee, amount, reason in moves]
    if not ok:
        with pytest.raises(Invalid, match="order.settlement_does_not_sum"):
            orders.propose_termination(trade.approver(), running_order.id, offered, "enough")
        return
    orders.propose_termination(trade.approver(), running_order.id, offered, "enough")
    orders.agree(trade.seller(), running_order.id)
    assert running_order.state == "terminated"
    assert settled_moves == offered
    assert trade.stock_of("bar").hard == 0


def test_a_settlement_names_each_wrong_move(trade: Trade, running_order: TradeOrder) -> None:
    wrong = [MoneyMove("buyer", "buyer", D("1"), "refund"), MoneyMove("buyer", "seller", D("-1"), "gift")]
    with pytest.raises(Invalid) as refused:
        orders.propose_termination(trade.approver(), running_order.id, wrong, "enough")
    assert [error.path for error in refused.value.errors] == [
        "moves.0.payer",
        "moves.1.amount",
        "moves.1.reason",
    ]


# holds and gates


def test_a_hold_stops_its_acts_and_says_who_lifts_it(trade: Trade, running_order: TradeOrder) -> None:
    orders.place_hold(trade.seller(), running_order.id, "quality", "heat in doubt", ["ship"])
    with pytest.raises(Conflict) as held:
        orders.allow(trade.seller(), running_order, "ship")
    assert (held.value.code, held.value.values["lifts"], held.value.values["hold"]) == (
        "order.held",
        "seller",
        "quality",
    )
    orders.allow(trade.seller(), running_order, "invoice")


def test_only_the_side_that_placed_a_hold_lifts_it(trade: Trade, running_order: TradeOrder) -> None:
    orders.place_hold(trade.seller(), running_order.id, "quality", "heat in doubt", ["ship"])
    hold = trade.session.scalars(orders.Hold.__table__.select().with_only_columns(orders.Hold.id)).one()
    with pytest.raises(Refused, match="order.hold_other_side"):
        orders.lift_hold(trade.approver(), running_order.id, hold)
    orders.lift_hold(trade.seller(), running_order.id, hold)
    orders.allow(trade.seller(), running_order, "ship")
    with pytest.raises(NotFound, match="order.no_such_hold"):
        orders.lift_hold(trade.seller(), running_order.id, uuid7())


def test_a_hold_on_confirmation_stops_the_confirmation(trade: Trade, submitted_order: TradeOrder) -> None:
    orders.place_hold(trade.seller(), submitted_order.id, "credit", "ask finance", ["confirm"])
    with pytest.raises(Conflict, match="order.held"):
        orders.confirm(trade.seller(), submitted_order.id)


def test_a_hold_names_known_acts_and_a_reason(trade: Trade, running_order: TradeOrder) -> None:
    with pytest.raises(Invalid, match="order.unknown_act"):
        orders.place_hold(trade.seller(), running_order.id, "x", "why", ["dance"])
    with pytest.raises(Invalid, match="field.required"):
        orders.place_hold(trade.seller(), running_order.id, "x", " ", ["ship"])


def test_the_protected_side_waives_a_gate_with_a_reason(trade: Trade, confirmed_order: TradeOrder) -> None:
    with pytest.raises(Refused, match="order.gate_other_side"):
        orders.waive_gate(trade.approver(), confirmed_order.id, "payment:1", "trust me")
    with pytest.raises(Invalid, match="field.required"):
        orders.waive_gate(trade.seller(), confirmed_order.id, "payment:1", "")
    orders.waive_gate(trade.seller(), confirmed_order.id, "payment:1", "old customer")
    assert confirmed_order.state == "in_progress"
    with pytest.raises(NotFound, match="order.no_such_gate"):
        orders.waive_gate(trade.seller(), confirmed_order.id, "payment:1", "again")
