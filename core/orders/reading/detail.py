"""One order whole: a handful of statements, none of them per line."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from decimal import Decimal
from typing import Any, TypeVar, cast
from uuid import UUID

from sqlalchemy import select

from core.kernel import Context, NotFound
from core.orders import panels
from core.orders.changes import changed_amounts
from core.orders.deciding import open_proposal
from core.orders.facts import order_facts
from core.orders.locking import lines as lines_of
from core.orders.model import (
    Gate,
    Hold,
    OrderEvent,
    OrderLine,
    OrderVersion,
    Proposal,
    TradeOrder,
    select_plan,
)
from core.orders.orphans import UNDECIDED, Orphan, orphans
from core.orders.reading.acts import allowed
from core.orders.reading.facts import (
    Change,
    Detail,
    Event,
    GateFacts,
    Head,
    HoldFacts,
    Line,
    Partner,
    PlanFacts,
    ProposalFacts,
    VersionFacts,
)
from core.orders.sides import other, party, side_of
from core.tenancy import cards

T = TypeVar("T")
INTERNAL = ("request_approval", "send_back", "edited")
"""Steps inside the buyer's house, before the seller ever saw the order."""


def find(ctx: Context, order_id: UUID) -> TradeOrder:
    """The order, unlocked, for reading. One that was never submitted exists for its buyer only."""
    ctx.require("order.view")
    order: TradeOrder | None = ctx.session.scalar(select(TradeOrder).where(TradeOrder.id == order_id))
    if order is None or (side_of(ctx, order) == "seller" and order.number is None):
        raise NotFound("order.not_found")
    return order


def detail(ctx: Context, order_id: UUID) -> Detail:
    """Everything about one order that its reader may see, and the acts they may do now."""
    order = find(ctx, order_id)
    lines = lines_of(ctx, order.id)
    gates = ctx.session.scalars(select(Gate).where(Gate.order_id == order.id).order_by(Gate.key)).all()
    holds = ctx.session.scalars(
        select(Hold).where(Hold.order_id == order.id).order_by(Hold.placed_at, Hold.id)
    ).all()
    proposal = open_proposal(ctx, order)
    versions = ctx.session.scalars(
        select(OrderVersion).where(OrderVersion.order_id == order.id).order_by(OrderVersion.no.desc())
    ).all()
    lost = orphans(ctx, order, gates)
    parties = _parties(ctx, order)
    mine = side_of(ctx, order)
    return Detail(
        head=_copy(Head, order, side=mine),
        partner=parties[party(order, other(mine))],
        buyer=parties[order.buyer_id],
        seller=parties[order.seller_id],
        lines=tuple(_copy(Line, line, components=tuple(line.components)) for line in lines),
        events=events(ctx, order),
        gates=tuple(_gate(gate, lost) for gate in gates),
        holds=(
            *(_copy(HoldFacts, hold, blocks=tuple(hold.blocks)) for hold in holds),
            *_quarantined(ctx, gates, lost),
        ),
        proposal=_proposal(proposal, order, lines) if proposal is not None else None,
        plan=tuple(_copy(PlanFacts, item) for item in ctx.session.scalars(select_plan(order.id))),
        versions=tuple(_copy(VersionFacts, each) for each in versions),
        sections=panels.sections(ctx, order, lines),
        acts=allowed(ctx, order, gates, holds, proposal),
        facts=order_facts(order, lines),
    )


def events(ctx: Context, order: TradeOrder) -> tuple[Event, ...]:
    """The order's life, newest first. What happened inside the buyer's house is not the seller's business."""
    query = select(OrderEvent).where(OrderEvent.order_id == order.id).order_by(OrderEvent.version.desc())
    if side_of(ctx, order) == "seller":
        query = query.where(OrderEvent.verb.not_in(INTERNAL))
    return tuple(_copy(Event, event) for event in ctx.session.scalars(query))


def _parties(ctx: Context, order: TradeOrder) -> dict[UUID, Partner]:
    found = cards(ctx, [order.buyer_id, order.seller_id])
    return {
        ident: Partner(ident, card.name, card.name_en, card.uscc)
        if (card := found.get(ident))
        else Partner(ident, "—", None, "")
        for ident in (order.buyer_id, order.seller_id)
    }


def _copy(kind: type[T], row: Any, **own: Any) -> T:
    """A frozen copy of a row; `own` holds what the row has not, or has otherwise."""
    names = (each.name for each in fields(cast(Any, kind)))
    return kind(**{name: own[name] if name in own else getattr(row, name) for name in names})


def _gate(gate: Gate, lost: Mapping[str, Orphan]) -> GateFacts:
    orphan = lost.get(gate.plugin or "") if gate.state in UNDECIDED else None
    return _copy(
        GateFacts, gate, orphaned=orphan.why if orphan else None, orphaned_reason=orphan.reason if orphan else ""
    )


def _quarantined(ctx: Context, gates: Sequence[Gate], lost: Mapping[str, Orphan]) -> Iterator[HoldFacts]:
    """A hold of the platform for each stopped plugin the order waits for. It is no row: it goes when the plugin is back."""
    for name, orphan in lost.items():
        if orphan.why == "stopped":
            waiting = [gate for gate in gates if gate.plugin == name and gate.state in UNDECIDED]
            stages = tuple(dict.fromkeys(gate.stage for gate in waiting))
            yield HoldFacts(
                waiting[0].id, f"{orphan.key}:{name}", "platform", orphan.reason, stages, name, ctx.now, None, None
            )


def _proposal(proposal: Proposal, order: TradeOrder, lines: Sequence[OrderLine]) -> ProposalFacts:
    by_number = {line.no: line for line in lines}
    changes: list[Change] = []
    total = order.total
    for entry in proposal.body.get("lines", ()):
        line = by_number[entry["no"]]
        for what in ("quantity", "unit_price"):
            if what in entry and Decimal(entry[what]) != getattr(line, what):
                changes.append(
                    Change(line.no, line.name_zh, line.unit, what, str(getattr(line, what)), entry[what])
                )
        total += changed_amounts(order, line, entry).gross - line.gross
    if "delivery_date" in proposal.body:
        before = order.delivery_date.isoformat() if order.delivery_date else ""
        changes.append(Change(None, "", "", "delivery_date", before, proposal.body["delivery_date"]))
    return ProposalFacts(
        proposal.id, proposal.kind, proposal.side, proposal.reason, proposal.proposed_by, proposal.proposed_at,
        tuple(changes), tuple(proposal.body.get("moves", ())), total,
    )  # fmt: skip
