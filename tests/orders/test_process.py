"""The machine itself: its graph, and that every step outside it is refused and changes nothing (V-S1)."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from sqlalchemy import text

from core import orders
from core.kernel import Refused
from core.orders.locking import lock, step
from core.orders.standing import ACTS
from core.orders.states import ORDER, TITLES
from core.orders.story import STORY
from tests.orders.trade import REFUND, Trade

VERBS = sorted({transition.verb for transition in ORDER.transitions})
PUBLIC: dict[str, Callable[[Trade, object], object]] = {
    "submit": lambda t, o: orders.submit(t.buyer(), o),
    "approve": lambda t, o: orders.approve(t.approver(), o),
    "send_back": lambda t, o: orders.send_back(t.buyer(), o, "wrong line"),
    "confirm": lambda t, o: orders.confirm(t.seller(), o),
    "counter": lambda t, o: orders.counter(t.seller(), o, {"delivery_date": "2027-01-05"}, "later"),
    "accept": lambda t, o: orders.accept(t.buyer(), o),
    "counter_offer": lambda t, o: orders.counter_offer(
        t.buyer(), o, {"delivery_date": "2027-01-05"}, "later"
    ),
    "reject": lambda t, o: orders.reject(t.seller(), o, "no capacity"),
    "cancel": lambda t, o: orders.cancel(t.buyer(), o, "not needed"),
    "cancel_confirmed": lambda t, o: orders.cancel_confirmed(t.buyer(), o, "not needed"),
    "agree_cancel": lambda t, o: orders.propose_cancel(t.buyer(), o, "not needed"),
    "terminate": lambda t, o: orders.propose_termination(t.approver(), o, [REFUND], "enough"),
    "amend": lambda t, o: orders.propose_amendment(
        t.buyer(), o, {"lines": [{"no": 10, "quantity": "9"}]}, "less"
    ),
    "close": lambda t, o: orders.close(t.system(t.seller_id), o),
}


def force(trade: Trade, order: orders.TradeOrder, state: str) -> int:
    trade.buyer()
    trade.session.execute(
        text("UPDATE ts.trade_order SET state = :s WHERE id = :id"), {"s": state, "id": order.id}
    )
    trade.session.expire_all()
    return trade.states(order)[1]


def test_the_graph_is_the_rule_book() -> None:
    assert ORDER.validate() == []
    assert len(ORDER.states) == 14
    assert {transition.number for transition in ORDER.transitions} | {"T1"} == {f"T{n}" for n in range(1, 23)}
    assert set(TITLES) == ORDER.states


@pytest.mark.parametrize("state", sorted(ORDER.states))
def test_every_step_outside_the_graph_is_refused_and_leaves_the_version(trade: Trade, state: str) -> None:
    order = trade.place()
    version = force(trade, order, state)
    legal = {transition.verb for transition in ORDER.leaving(state)}
    for verb in set(VERBS) - legal:
        with pytest.raises(Refused) as refused:
            ctx = trade.system(trade.seller_id)
            step(ctx, lock(ctx, order.id), verb)
        assert refused.value.code == "order.wrong_state"
    assert trade.states(order) == (state, version)


@pytest.mark.parametrize("state", sorted(ORDER.states))
def test_every_verb_of_the_room_keeps_to_the_graph(trade: Trade, state: str) -> None:
    order = trade.place(mode="loose")
    version = force(trade, order, state)
    legal = {transition.verb for transition in ORDER.leaving(state)}
    if "request_approval" in legal:
        legal.add("submit")
    for verb in set(PUBLIC) - legal:
        with trade.session.begin_nested() as attempt:
            with pytest.raises(Refused):
                PUBLIC[verb](trade, order.id)
            attempt.rollback()
        assert trade.states(order) == (state, version), verb


@pytest.mark.parametrize("act", sorted(ACTS))
def test_the_acts_of_the_parties_are_refused_outside_their_states(trade: Trade, act: str) -> None:
    order = trade.place()
    for state in ORDER.states - set(ACTS[act][1]):
        force(trade, order, state)
        ctx = trade.system(trade.seller_id)
        with pytest.raises(Refused, match="order.wrong_state"):
            orders.allow(ctx, lock(ctx, order.id), act)


def test_every_step_has_a_sentence_for_the_timeline() -> None:
    assert set(VERBS) <= set(STORY)


def test_only_the_two_parties_find_an_order(trade: Trade) -> None:
    order = trade.place()
    with pytest.raises(Refused, match="order.not_found"):
        orders.confirm(trade.stranger(), order.id)
    assert order.total == Decimal("1501.00")
