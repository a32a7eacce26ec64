"""What keeps an order from going on, as its page shows it: conditions and holds, why they stand, who may lift them."""

from collections.abc import Iterator, Mapping

from core.orders.reading import Detail
from core.orders.reading.facts import GateFacts
from core.orders.views.frame import State
from core.orders.views.page import Button, Notice
from core.orders.views.wording import plan_kind, stage
from core.web import gettext as _


def stop_notices(found: Detail, by_key: Mapping[str, Button]) -> Iterator[Notice]:
    """Above the order: its holds, and the conditions it waits for."""
    lifts = {
        "buyer": _("the buyer lifts it"),
        "seller": _("the seller lifts it"),
        "platform": _("the platform's operator lifts it"),
    }
    for hold in found.holds:
        if hold.lifted_at is None:
            blocked = ", ".join(stage(each) for each in hold.blocks)
            what = _("On hold: %(what)s", what=blocked)
            said = f"{hold.reason} ({hold.placed_by}; {lifts[hold.side]})"
            yield Notice("bad", what, said, by_key.get(f"lift.{hold.id}"))
    for gate in found.gates:
        if gate.state in ("open", "failed") and (found.head.state == "confirmed" or gate.orphaned):
            what = _("Waits for: %(what)s", what=plan_kind(gate.title))
            yield Notice("warn", what, gate_text(gate), by_key.get(f"waive.{gate.key}"))


def gates(found: Detail, by_key: Mapping[str, Button]) -> Iterator[tuple[str, State, str, Button | None]]:
    states = {
        "open": (_("Not met yet"), "warn"),
        "satisfied": (_("Met"), "ok"),
        "waived": (_("Waived"), ""),
        "failed": (_("Failed"), "bad"),
    }
    for gate in found.gates:
        text = gate.evidence or gate_text(gate)
        yield plan_kind(gate.title), states[gate.state], text, by_key.get(f"waive.{gate.key}")


def gate_text(gate: GateFacts) -> str:
    """Before which stage it stands; and where its plugin does not look after it, why, and who may let the order go on."""
    before = _("before: %(stage)s", stage=stage(gate.stage))
    told = {
        "stopped": _("The plugin %(plugin)s is stopped: %(reason)s", plugin=gate.plugin, reason=gate.orphaned_reason),
        "absent": _("The plugin %(plugin)s is not part of the platform now", plugin=gate.plugin),
        "off": _("The plugin %(plugin)s is switched off on both sides", plugin=gate.plugin),
    }
    if gate.orphaned is None:
        return before
    who = _("The seller may waive it and says why (permission order.gate)")
    return " · ".join((before, told[gate.orphaned], who))


def holds(found: Detail, by_key: Mapping[str, Button]) -> Iterator[tuple[str, str, str, Button | None]]:
    for hold in found.holds:
        if hold.lifted_at is None:
            blocked = ", ".join(stage(each) for each in hold.blocks)
            yield hold.key, hold.reason, blocked, by_key.get(f"lift.{hold.id}")
