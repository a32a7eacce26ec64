"""Which acts of this room the actor may do with an order now: state, side, permission and limit, open proposal.

It only spares people refusals; the verbs check everything again.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from core.kernel import Context, Refused
from core.orders.deciding import MAX_ROUNDS
from core.orders.facts import order_facts
from core.orders.model import Gate, Hold, Proposal, TradeOrder
from core.orders.reading.facts import Allowed
from core.orders.sides import side, side_of
from core.orders.states import BINDING, ORDER


@dataclass(frozen=True)
class Rule:
    """Who may do a verb: in which states, on which side (None: either), with which permission, up to the order's total?"""

    verb: str
    states: tuple[str, ...]
    side: str | None
    permission: str
    limited: bool = False
    needs: tuple[str, ...] = ()


RULES = (
    Rule("edit", ("draft",), "buyer", "order.draft", needs=("lines",)),
    Rule("submit", ("draft",), "buyer", "order.submit", True),
    Rule("approve", ("pending_approval",), "buyer", "order.approve", True),
    Rule("send_back", ("pending_approval",), "buyer", "order.draft", needs=("reason",)),
    Rule("confirm", ("submitted",), "seller", "order.confirm", True),
    Rule("counter", ("submitted",), "seller", "order.confirm", needs=("changes", "reason")),
    Rule("reject", ("submitted",), "seller", "order.confirm", needs=("reason",)),
    Rule("accept", ("countered",), "buyer", "order.submit"),
    Rule("counter_offer", ("countered",), "buyer", "order.submit", needs=("changes", "reason")),
    Rule(
        "cancel",
        ("draft", "pending_approval", "submitted", "countered"),
        None,
        "order.draft",
        needs=("reason",),
    ),
    Rule("amend", BINDING, None, "order.change", needs=("changes", "reason")),
    Rule("propose_cancel", ("confirmed",), None, "order.change", needs=("reason",)),
    Rule(
        "terminate",
        ("in_progress", "delivered", "accepted"),
        None,
        "order.terminate",
        True,
        needs=("moves", "reason"),
    ),
    Rule(
        "hold",
        tuple(sorted(ORDER.states - ORDER.ends - {"draft"})),
        None,
        "order.hold",
        needs=("reason", "blocks"),
    ),
)
PROPOSING = ("amend", "propose_cancel", "terminate")


def allowed(
    ctx: Context, order: TradeOrder, gates: Sequence[Gate], holds: Sequence[Hold], proposal: Proposal | None
) -> tuple[Allowed, ...]:
    """The acts, in the order of the rules; proposals to answer come first."""
    return tuple(
        [*_answers(ctx, order, proposal), *_own(ctx, order, proposal), *_stops(ctx, order, gates, holds)]
    )


def _own(ctx: Context, order: TradeOrder, proposal: Proposal | None) -> Iterator[Allowed]:
    mine = side_of(ctx, order)
    late = order.offer_expires_at is not None and ctx.now >= order.offer_expires_at
    for rule in RULES:
        if order.state not in rule.states or rule.side not in (None, mine):
            continue
        if not ctx.allows(rule.permission, order.total if rule.limited else None):
            continue
        if rule.verb in PROPOSING and proposal is not None:
            continue
        if rule.verb == "cancel" and mine != order.creator_side:
            continue
        if (
            rule.verb == "approve"
            and order.created_by is not None
            and order.created_by == ctx.actor.person_id
        ):
            continue
        if rule.verb == "counter_offer" and order.rounds >= MAX_ROUNDS:
            continue
        if late and rule.verb in ("confirm", "counter", "accept", "counter_offer"):
            continue
        yield Allowed(rule.verb, rule.needs)
    if (
        order.state == "confirmed"
        and proposal is None
        and ctx.allows("order.change")
        and _may_cancel_alone(ctx, order)
    ):
        yield Allowed("cancel_confirmed", ("reason",))


def _may_cancel_alone(ctx: Context, order: TradeOrder) -> bool:
    """Whether the order's mode knows a way out for one side alone. A mode whose plugin is gone or failing knows none."""
    known, by = ctx.ports.dispatch.modes.get(order.mode), side_of(ctx, order)
    if known is None:
        return False
    try:
        with side(ctx, order, "seller"):
            return known.mode.cancel_plan(ctx, order_facts(order), by) is not None
    except Refused:
        return False


def _answers(ctx: Context, order: TradeOrder, proposal: Proposal | None) -> Iterator[Allowed]:
    if proposal is None or proposal.kind == "counter":
        return
    if proposal.side == side_of(ctx, order):
        if ctx.allows("order.change"):
            yield Allowed("withdraw")
        return
    if ctx.allows("order.terminate" if proposal.kind == "terminate" else "order.change"):
        yield Allowed("agree")
    if ctx.allows("order.change"):
        yield Allowed("refuse", ("reason",))


def _stops(
    ctx: Context, order: TradeOrder, gates: Sequence[Gate], holds: Sequence[Hold]
) -> Iterator[Allowed]:
    mine = side_of(ctx, order)
    if mine == "seller" and ctx.allows("order.gate"):
        for gate in gates:
            if gate.state in ("open", "failed"):
                yield Allowed("waive", ("reason",), gate.key)
    if ctx.allows("order.hold"):
        for hold in holds:
            if hold.lifted_at is None and hold.side == mine:
                yield Allowed("lift", (), str(hold.id))
