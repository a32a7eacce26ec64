"""How a spot order is paid, what leaving it costs, and what the seller's rules do by themselves."""

from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import text

from core import orders, tenancy
from core.hooks import MoneyMove
from core.kernel import Actor, Conflict, Context, Refused
from core.orders import TradeOrder, model
from core.orders.events import OrderSubmitted
from core.orders.facts import event_of, order_facts
from plugins.spot import following, mode
from plugins.spot.schema import Settings
from tests.orders.trade import Trade

D = Decimal


def sell(trade: Trade, **settings: Any) -> None:
    """Set the seller's spot settings, as its settings page would."""
    ctx = trade.system(trade.seller_id)
    tenancy.enable_plugin(ctx, "spot", version="0.1.0", settings=settings, schema=Settings())


def plan_of(trade: Trade, order: TradeOrder) -> list[tuple[str, Decimal, str, int, str | None]]:
    items = trade.session.scalars(model.select_plan(order.id))
    return [(item.kind, item.amount, item.due_base, item.due_days, item.gate) for item in items]


def test_without_settings_all_is_due_on_the_buyers_terms_after_the_invoice(trade: Trade) -> None:
    tenancy.set_partner(trade.system(trade.seller_id), trade.buyer_id, terms_days=45)
    order = trade.confirmed()
    assert order.state == "in_progress"
    assert plan_of(trade, order) == [("delivery", order.total, "invoice", 45, None)]


def test_payment_in_advance_keeps_the_order_from_starting(trade: Trade) -> None:
    sell(trade, prepay=True)
    order = trade.confirmed()
    assert order.state == "confirmed"
    assert plan_of(trade, order) == [("prepay", order.total, "confirm", 0, "start")]
    orders.waive_gate(trade.seller(), order.id, "payment:1", "an old customer")
    assert trade.states(order)[0] == "in_progress"


def test_the_sellers_settings_count_when_the_buyer_accepts_a_counter(trade: Trade) -> None:
    sell(trade, prepay=True)
    order = trade.place()
    orders.counter(trade.seller(), order.id, {"lines": [{"no": 10, "unit_price": "99"}]}, "for you")
    orders.accept(trade.buyer(), order.id)
    assert [item[0] for item in plan_of(trade, order)] == ["prepay"]


@pytest.mark.parametrize(
    ("by", "moves"),
    [
        ("buyer", [MoneyMove("buyer", "seller", D("75.05"), "penalty")]),
        ("seller", [MoneyMove("seller", "buyer", D("75.05"), "penalty")]),
    ],
)
def test_who_leaves_alone_pays_the_agreed_share(trade: Trade, by: str, moves: list[MoneyMove]) -> None:
    order = trade.place(("bar", "10"), ("plate", "2"))
    facts = order_facts(order)
    ctx = trade.system(trade.seller_id)
    ctx.settings = {"penalty_percent": "5"}
    assert mode.cancel_plan(ctx, facts, by) == moves
    ctx.settings = {}
    assert mode.cancel_plan(ctx, facts, by) is None


def test_without_an_agreed_share_leaving_needs_both(trade: Trade) -> None:
    sell(trade, prepay=True)
    order = trade.confirmed()
    with pytest.raises(Refused, match=r"order\.cancel_needs_both"):
        orders.cancel_confirmed(trade.buyer(), order.id, "no longer needed")
    orders.propose_cancel(trade.buyer(), order.id, "no longer needed")
    orders.agree(trade.seller(), order.id)
    assert trade.states(order)[0] == "cancelled"
    assert trade.stock_of("bar").hard == 0


def test_what_is_accepted_is_billed_at_the_orders_price(trade: Trade) -> None:
    line = order_facts(trade.place(), []).lines
    assert line == ()
    order = trade.place(("bar", "10"))
    facts = order_facts(order, orders.lines(trade.buyer(), order.id))
    assert mode.billable(facts.lines[0], D("9.5")) == (D("9.5"), D(100))


def told(trade: Trade, order: TradeOrder, tenant: Any) -> tuple[Context, OrderSubmitted]:
    """The plugin's ear at one of the enterprises, and the event it hears."""
    event = event_of(OrderSubmitted, order, order.submitted_at)
    assert isinstance(event, OrderSubmitted)
    ctx = trade.unit.enter(trade.session, tenant, Actor("plugin", None, "spot.confirm_by_rule"), everything=True)
    ctx.settings = tenancy.plugin_settings(ctx, tenant, "spot")
    return ctx, event


@pytest.mark.parametrize(("limit", "state"), [("1501.00", "in_progress"), ("1500.99", "submitted"), (None, "submitted")])
def test_orders_up_to_the_limit_confirm_by_themselves(trade: Trade, limit: str | None, state: str) -> None:
    sell(trade, auto_confirm_limit=limit)
    order = trade.place(("bar", "10"), ("plate", "2"))
    following.confirm_by_rule(*told(trade, order, trade.seller_id))
    assert trade.states(order)[0] == state


def test_the_rule_acts_as_the_plugin_and_at_the_seller_only(trade: Trade) -> None:
    sell(trade, auto_confirm_limit="9999")
    order = trade.place()
    following.confirm_by_rule(*told(trade, order, trade.buyer_id))
    assert trade.states(order)[0] == "submitted"
    following.confirm_by_rule(*told(trade, order, trade.seller_id))
    actor = trade.session.scalar(
        text("SELECT actor FROM ts.order_event WHERE order_id = :id AND verb = 'confirm'"), {"id": order.id}
    )
    assert actor == "spot.confirm_by_rule"


def test_an_event_heard_twice_confirms_once(trade: Trade) -> None:
    sell(trade, auto_confirm_limit="9999")
    order = trade.place()
    ctx, event = told(trade, order, trade.seller_id)
    following.confirm_by_rule(ctx, event)
    after = trade.states(order)
    following.confirm_by_rule(*(told(trade, order, trade.seller_id)[0], event))
    assert trade.states(order) == after


def test_what_the_core_refuses_waits_for_a_person(trade: Trade) -> None:
    sell(trade, auto_confirm_limit="9999")
    order = trade.place()
    trade.credit("1.00")
    following.confirm_by_rule(*told(trade, order, trade.seller_id))
    assert trade.states(order) == ("submitted", order.version)
    trade.credit("100000.00")
    orders.confirm(trade.seller(), order.id)


def test_settings_outside_their_bounds_are_refused(trade: Trade) -> None:
    for wrong in ({"penalty_percent": "101"}, {"auto_confirm_limit": "-1"}, {"prepay": "perhaps"}, {"colour": "red"}):
        with pytest.raises(Refused):
            sell(trade, **wrong)


def test_an_enterprise_without_the_plugin_cannot_be_ordered_from(trade: Trade) -> None:
    tenancy.disable_plugin(trade.system(trade.seller_id), "spot")
    with pytest.raises(Refused, match=r"order\.mode_not_enabled"):
        trade.place()


def test_a_plan_that_fails_refuses_the_confirmation_and_names_the_plugin(trade: Trade) -> None:
    sell(trade)
    order = trade.place()
    ctx = trade.system(trade.seller_id)
    row = ctx.session.get(tenancy.PluginEnablement, (trade.seller_id, "spot"))
    row.settings = {"penalty_percent": "much"}
    ctx.session.flush()
    with pytest.raises(Conflict) as refused, ctx.session.begin_nested():
        orders.confirm(trade.seller(), order.id)
    assert (refused.value.code, refused.value.values["plugin"]) == ("plugin.failed", "spot")
    assert trade.states(order)[0] == "submitted"
