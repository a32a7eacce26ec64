"""A gate stays when its plugin is stopped, gone or switched off, and everybody is told who may let the order go on."""

from collections.abc import Callable

import pytest

from core import fulfilment, orders, tenancy
from core.hooks import Dispatch, GateRequest, hookimpl
from core.kernel import Conflict, Refused
from core.orders import TradeOrder
from tests.orders.trade import Trade

Stop = Callable[[Trade, Dispatch], None]


class Inspects:
    @hookimpl
    def open_gates(self) -> list[GateRequest]:
        return [GateRequest("seen", "ship", "Seen by the inspector")]


def stop(trade: Trade, plugins: Dispatch) -> None:
    plugins.stopped = {"inspector": "it looked too long"}


def leave(trade: Trade, plugins: Dispatch) -> None:
    plugins.unregister("inspector")


def switch_off(trade: Trade, plugins: Dispatch) -> None:
    tenancy.disable_plugin(trade.system(trade.seller_id), "inspector")


@pytest.fixture
def gated(trade: Trade, plugins: Dispatch) -> TradeOrder:
    plugins.register("inspector", Inspects())
    tenancy.enable_plugin(trade.system(trade.seller_id), "inspector", version="1.0.0")
    return trade.confirmed()


def ship(trade: Trade, order: TradeOrder) -> None:
    ctx = trade.as_("Zhou Wei", "seller.warehouse")
    portions = [fulfilment.Portion(line.id, line.quantity) for line in orders.lines(ctx, order.id)]
    fulfilment.ship(ctx, order.id, portions, "SF", "WB1")


@pytest.mark.parametrize(("away", "why"), [(stop, "stopped"), (leave, "absent"), (switch_off, "off")])
def test_an_orphaned_gate_stays_and_says_who_may_lift_it(
    trade: Trade, plugins: Dispatch, gated: TradeOrder, away: Stop, why: str
) -> None:
    with pytest.raises(Conflict) as refused:
        ship(trade, gated)
    assert refused.value.code == "order.gate_open"
    away(trade, plugins)
    with pytest.raises(Conflict) as refused:
        ship(trade, gated)
    assert refused.value.code == f"order.gate_plugin_{why}"
    assert (refused.value.values["plugin"], refused.value.values["permission"]) == ("inspector", "order.gate")
    [gate] = orders.reading.detail(trade.seller(), gated.id).gates
    assert (gate.state, gate.orphaned) == ("open", why)


def test_while_the_plugin_is_stopped_the_order_is_held_by_the_platform(
    trade: Trade, plugins: Dispatch, gated: TradeOrder
) -> None:
    stop(trade, plugins)
    for ctx in (trade.seller(), trade.buyer()):
        [hold] = orders.reading.detail(ctx, gated.id).holds
        assert (hold.key, hold.side, hold.blocks) == ("plugin_quarantined:inspector", "platform", ("ship",))
        assert hold.reason == "it looked too long"
    plugins.stopped = {}
    assert orders.reading.detail(trade.seller(), gated.id).holds == ()


def test_the_seller_waives_it_with_a_reason_and_nobody_else(
    trade: Trade, plugins: Dispatch, gated: TradeOrder
) -> None:
    leave(trade, plugins)
    with pytest.raises(Refused, match="other_side"):
        orders.waive_gate(trade.approver(), gated.id, "inspector:seen", "we are in a hurry")
    orders.waive_gate(trade.seller(), gated.id, "inspector:seen", "seen by ourselves")
    [gate] = orders.reading.detail(trade.buyer(), gated.id).gates
    assert (gate.state, gate.evidence, gate.decided_by) == ("waived", "seen by ourselves", "Li Min")
    [told] = [each for each in orders.reading.detail(trade.seller(), gated.id).events if each.verb == "gate_waived"]
    assert told.detail["reason"] == "seen by ourselves"
    ship(trade, gated)
