"""What plugins may do to an order, and what becomes of a command when one of them fails (V-P2, V-P4)."""

import time
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import text

from core import orders, tenancy
from core.hooks import Dispatch, GateRequest, Objection, PluginFailed, PriceComponent, hookimpl
from core.kernel import Conflict
from tests.orders.trade import Trade

D = Decimal


class Raising:
    @hookimpl
    def check_transition(self, transition: Any) -> None:
        if transition.target == "confirmed":
            raise RuntimeError("the plugin's own fault")


class Objecting:
    @hookimpl
    def check_transition(self, order: Any, transition: Any) -> Objection | None:
        big = transition.target == "confirmed" and order.total > 1000
        return Objection("guard.too_big", "Orders over 1,000 wait for Monday") if big else None


class Sql:
    """Breaks its SQL, swallows the failure and says nothing."""

    @hookimpl
    def check_transition(self, ctx: Any) -> None:
        try:
            ctx.session.execute(text("SELECT 1 FROM nowhere"))
        except Exception:  # what a careless author does
            return


class Gating:
    @hookimpl
    def open_gates(self, order: Any) -> list[GateRequest]:
        return [GateRequest("drawing", "start", "Drawing approved")]


class Dearer:
    @hookimpl
    def price_lines(self, quotation: Any) -> list[PriceComponent]:
        return [PriceComponent(0, D("5"), "galvanised")]


def bring(trade: Trade, plugins: Dispatch, plugin: object, *sides: str, name: str = "guard") -> None:
    plugins.register(name, plugin)
    for side in sides or ("buyer", "seller"):
        tenant = trade.buyer_id if side == "buyer" else trade.seller_id
        tenancy.enable_plugin(trade.system(tenant), name, version="1.0.0")


@pytest.mark.parametrize("side", ["buyer", "seller"])
def test_a_plugin_that_raises_refuses_the_step_and_is_named(
    trade: Trade, plugins: Dispatch, side: str
) -> None:
    order = trade.place()
    bring(trade, plugins, Raising(), side)
    before = trade.states(order)
    with trade.session.begin_nested() as attempt:
        with pytest.raises(PluginFailed) as failed:
            orders.confirm(trade.seller(), order.id)
        attempt.rollback()
    assert failed.value.status == 409
    assert (failed.value.values["plugin"], failed.value.values["hook"]) == ("guard", "check_transition")
    assert trade.states(order) == before
    assert trade.stock_of("bar").hard == 0


def test_a_plugin_that_takes_too_long_refuses_the_step(
    trade: Trade, plugins: Dispatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Slow:
        @hookimpl
        def check_transition(self) -> None:
            time.sleep(0.05)

    order = trade.place()
    bring(trade, plugins, Slow(), "seller")
    monkeypatch.setitem(__import__("core.hooks.dispatch", fromlist=["SECONDS"]).SECONDS, "decide", 0.01)
    with pytest.raises(PluginFailed, match="plugin.failed"):
        orders.confirm(trade.seller(), order.id)


def test_a_plugin_of_either_side_may_object(trade: Trade, plugins: Dispatch) -> None:
    order = trade.place()
    bring(trade, plugins, Objecting(), "buyer")
    with pytest.raises(Conflict) as refused:
        orders.confirm(trade.seller(), order.id)
    assert refused.value.code == "order.objection"
    assert (refused.value.values["plugin"], refused.value.values["objection"]) == ("guard", "guard.too_big")


def test_a_plugin_nobody_switched_on_is_not_asked(trade: Trade, plugins: Dispatch) -> None:
    order = trade.place()
    plugins.register("guard", Raising())
    assert orders.confirm(trade.seller(), order.id).confirmed_at


def test_a_swallowed_database_error_is_the_plugins_and_the_transaction_lives(
    trade: Trade, plugins: Dispatch
) -> None:
    order = trade.place()
    bring(trade, plugins, Sql(), "seller")
    before = trade.states(order)
    with pytest.raises(PluginFailed) as failed:
        orders.confirm(trade.seller(), order.id)
    assert failed.value.values["plugin"] == "guard"
    assert trade.states(order) == before


def test_a_gate_of_a_plugin_waits_before_the_start(trade: Trade, plugins: Dispatch) -> None:
    bring(trade, plugins, Gating(), "seller")
    order = trade.confirmed()
    assert order.state == "confirmed"
    orders.satisfy_gate(trade.seller(), order, "guard:drawing", "drawing 7 signed")
    orders.advance(trade.seller(), order)
    assert order.state == "in_progress"


def test_a_plugin_adds_to_a_price_and_says_why(trade: Trade, plugins: Dispatch) -> None:
    bring(trade, plugins, Dearer(), "seller")
    order = trade.place(("bar", "10"))
    (line,) = orders.lines(trade.buyer(), order.id)
    assert (order.total, line.unit_price) == (D("1050.00"), D("105"))
    assert line.components[-1]["reason"] == "galvanised"
