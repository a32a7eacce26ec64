"""Gates whose plugin does not look after them now: it is stopped, gone, or switched off at both sides of the order.

They stay closed, because what they protect is not proven. So everybody is told why an order waits, and who may let it go on:
the seller, who can do without a condition and says why (`waive_gate`), or whoever brings the plugin back.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from core.kernel import Context
from core.orders.model import Gate, TradeOrder
from core.orders.sides import other, side, side_of

UNDECIDED = ("open", "failed")
WAIVES = "order.gate"
"""The permission that lets somebody of the seller waive a gate."""


@dataclass(frozen=True)
class Orphan:
    """Why a plugin does not look after its gates: `stopped` (then `reason` says why), `absent`, or `off`."""

    why: str
    reason: str = ""

    @property
    def key(self) -> str:
        """How the hold is called that an order shows while the plugin is stopped."""
        return "plugin_quarantined" if self.why == "stopped" else f"plugin_{self.why}"


def orphans(ctx: Context, order: TradeOrder, gates: Iterable[Gate]) -> dict[str, Orphan]:
    """The plugins of undecided gates that do not look after them, by name. No statement where every plugin does."""
    dispatch, found = ctx.ports.dispatch, dict[str, Orphan]()
    for name in sorted({gate.plugin for gate in gates if gate.plugin and gate.state in UNDECIDED}):
        if (reason := dispatch.closed(name)) is not None:
            found[name] = Orphan("stopped", reason)
        elif not dispatch.manager.has_plugin(name):
            found[name] = Orphan("absent")
        elif not _switched_on(ctx, order, name):
            found[name] = Orphan("off")
    return found


def _switched_on(ctx: Context, order: Any, name: str) -> bool:
    if name in ctx.ports.enabled(ctx, ctx.tenant_id):
        return True
    with side(ctx, order, other(side_of(ctx, order))):
        return name in ctx.ports.enabled(ctx, ctx.tenant_id)
