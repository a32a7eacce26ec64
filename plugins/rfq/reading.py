"""What is read of requests and quotes, as frozen facts: lists of both sides, one request with everything its reader may see.

The database decides what that is: a seller finds its own invitation only, and no quote of a sealed request before its time.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

import tongshang as ts
from plugins.rfq.model import Award, Document, Invitation, Message, Quote, QuoteLine, Request, RequestLine
from plugins.rfq.service.awarding import tiers_of
from plugins.rfq.service.quoting import may_quote

PAGE = 50


@dataclass(frozen=True)
class Item:
    """A line of the request as it stands now."""

    no: int
    sku_id: UUID | None
    sku_code: str
    text: str
    spec: str
    quantity: Decimal
    unit: str


@dataclass(frozen=True)
class Tier:
    min_quantity: Decimal
    unit_price: Decimal


@dataclass(frozen=True)
class OfferedLine:
    """A quoted line; amounts are of the quoted quantity."""

    id: UUID
    line_no: int
    option: int
    sku_id: UUID
    sku_code: str
    text: str
    quantity: Decimal
    unit: str
    unit_price: Decimal
    vat_rate: Decimal
    lead_days: int | None
    remark: str
    net: Decimal
    tax: Decimal
    gross: Decimal
    tiers: tuple[Tier, ...]


@dataclass(frozen=True)
class QuoteFacts:
    """One version of a quote with its lines."""

    id: UUID
    invitation_id: UUID
    version: int
    request_version: int
    valid_until: datetime
    tax_included: bool
    prepay_percent: Decimal
    terms_days: int
    remarks: str
    net: Decimal
    tax: Decimal
    gross: Decimal
    given_at: datetime
    lines: tuple[OfferedLine, ...]


@dataclass(frozen=True)
class Part:
    """One seller's part. `quote` is what stands; None where there is none, or it is still sealed. `may_quote` is now."""

    id: UUID
    seller_id: UUID
    seller: str
    state: str
    quote_version: int
    seen_at: datetime | None
    reason: str | None
    valid_until: datetime | None
    better_until: datetime | None
    result: str
    winning_total: Decimal | None
    may_quote: bool
    quote: QuoteFacts | None


@dataclass(frozen=True)
class RequestFacts:
    """A request as its reader may see it. `open` is whether quotes are still taken; `hidden` whether they are sealed now."""

    id: UUID
    buyer_id: UUID
    buyer: str
    number: str | None
    title: str
    state: str
    version: int
    currency: str
    sealed: bool
    audience: str
    closes_at: datetime | None
    deliver_by: date | None
    ship_to: str
    payment_wish: str
    note: str
    reason: str | None
    open: bool
    hidden: bool
    lines: tuple[Item, ...]
    invitations: tuple[Part, ...]


@dataclass(frozen=True)
class Row:
    """A request in a list. `state` is the request's for its buyer, the invitation's standing for a seller."""

    id: UUID
    invitation_id: UUID | None
    partner: str
    number: str | None
    title: str
    state: str
    closes_at: datetime | None
    sellers: int = 0
    quotes: int = 0


def name_of(card: Any) -> str:
    """An enterprise's name in the reader's language."""
    if card is None:
        return "—"
    return card.name if ts.language().startswith("zh") or not card.name_en else card.name_en


def names(ctx: ts.Context, ids: Iterable[UUID]) -> dict[UUID, str]:
    cards = ts.cards(ctx, list(ids))
    return {each: name_of(cards.get(each)) for each in ids}


def requests(ctx: ts.Context, state: str | None = None, after: UUID | None = None, limit: int = PAGE) -> list[Row]:
    """The own requests, newest first, with how many sellers were asked and how many quotes stand. Two statements."""
    ctx.require("rfq.request.view")
    asked = select(func.count()).where(Invitation.request_id == Request.id, Invitation.state != "drafted")
    wanted = (
        select(
            Request,
            asked.scalar_subquery(),
            asked.where(Invitation.state == "quoted").scalar_subquery(),
        )
        .where(Request.tenant_id == ctx.tenant_id)
        .order_by(Request.id.desc())
        .limit(limit)
    )
    if state:
        wanted = wanted.where(Request.state == state)
    if after is not None:
        wanted = wanted.where(Request.id < after)
    return [
        Row(row.id, None, "", row.number, row.title, standing(row, ctx.now), row.closes_at, sellers, quotes)
        for row, sellers, quotes in ctx.session.execute(wanted)
    ]


def invited(ctx: ts.Context, state: str | None = None, after: UUID | None = None, limit: int = PAGE) -> list[Row]:
    """The requests that were sent to the acting enterprise, newest first. Two statements."""
    ctx.require("rfq.quote.view")
    wanted = (
        select(Invitation, Request)
        .join(Request, Request.id == Invitation.request_id)
        .where(Invitation.seller_id == ctx.tenant_id)
        .order_by(Invitation.id.desc())
        .limit(limit)
    )
    if state:
        wanted = wanted.where(Invitation.state == state)
    if after is not None:
        wanted = wanted.where(Invitation.id < after)
    found = ctx.session.execute(wanted).all()
    buyers = names(ctx, {invitation.buyer_id for invitation, _ in found})
    return [
        Row(
            request.id, invitation.id, buyers[invitation.buyer_id], request.number, request.title,
            part_standing(invitation, request, ctx.now), request.closes_at,
        )
        for invitation, request in found
    ]  # fmt: skip


def standing(request: Request, now: datetime) -> str:
    """The state as the clock has it: the worker may be a moment behind."""
    if request.state == "open" and request.closes_at is not None and now >= request.closes_at:
        return "closed"
    return request.state


def part_standing(invitation: Invitation, request: Request, now: datetime) -> str:
    """How one seller's part stands: its result, else the request's end, else what it said itself."""
    if invitation.result:
        return invitation.result
    if request.state == "withdrawn":
        return "withdrawn"
    if invitation.state == "quoted":
        late = invitation.valid_until is not None and now >= invitation.valid_until
        return "expired" if late else "quoted"
    if invitation.state in ("invited", "retracted") and not may_quote(invitation, request, now):
        return "missed"
    return invitation.state


def request_facts(ctx: ts.Context, request_id: UUID) -> RequestFacts:
    """One request, for its buyer or an invited seller. NotFound for everybody else."""
    request = ctx.session.get(Request, request_id, populate_existing=True)
    if request is None:
        raise ts.NotFound("rfq.not_found")
    ctx.require("rfq.request.view" if request.tenant_id == ctx.tenant_id else "rfq.quote.view")
    parts = list(
        ctx.session.scalars(select(Invitation).where(Invitation.request_id == request.id).order_by(Invitation.id))
    )
    called = names(ctx, {request.tenant_id, *(each.seller_id for each in parts)})
    quotes = _quotes(ctx, [each.quote_id for each in parts if each.quote_id is not None])
    is_open = standing(request, ctx.now) == "open"
    mine = request.tenant_id == ctx.tenant_id
    return RequestFacts(
        id=request.id, buyer_id=request.tenant_id, buyer=called[request.tenant_id], number=request.number,
        title=request.title, state=standing(request, ctx.now), version=request.version, currency=request.currency,
        sealed=request.sealed, audience=request.audience, closes_at=request.closes_at, deliver_by=request.deliver_by,
        ship_to=request.ship_to, payment_wish=request.payment_wish, note=request.note, reason=request.reason,
        open=is_open, hidden=mine and request.sealed and is_open,
        lines=items(ctx, request.id, request.version),
        invitations=tuple(
            _part(ctx, each, request, called, quotes) for each in sorted(parts, key=lambda part: called[part.seller_id])
        ),
    )  # fmt: skip


def of_invitation(ctx: ts.Context, invitation_id: UUID) -> tuple[RequestFacts, Part]:
    """The request behind an invitation, with that part of it. NotFound for one that is neither side's."""
    found = ctx.session.get(Invitation, invitation_id, populate_existing=True)
    if found is None:
        raise ts.NotFound("rfq.not_found")
    facts = request_facts(ctx, found.request_id)
    return facts, next(each for each in facts.invitations if each.id == invitation_id)


def items(ctx: ts.Context, request_id: UUID, version: int) -> tuple[Item, ...]:
    rows = ctx.session.scalars(
        select(RequestLine)
        .where(RequestLine.request_id == request_id, RequestLine.version == version)
        .order_by(RequestLine.no)
    )
    return tuple(
        Item(row.no, row.sku_id, row.sku_code, row.text, row.spec, row.quantity, row.unit) for row in rows
    )


def versions(ctx: ts.Context, invitation_id: UUID) -> tuple[QuoteFacts, ...]:
    """Every quote of an invitation, newest first: nothing a seller said is lost."""
    ids = ctx.session.scalars(select(Quote.id).where(Quote.invitation_id == invitation_id)).all()
    return tuple(sorted(_quotes(ctx, ids).values(), key=lambda each: -each.version))


def messages(ctx: ts.Context, request_id: UUID, invitation_id: UUID | None = None) -> list[Message]:
    """What was said, oldest first; for the buyer of all sellers unless one is named."""
    wanted = select(Message).where(Message.request_id == request_id).order_by(Message.said_at, Message.id)
    if invitation_id is not None:
        wanted = wanted.where(Message.invitation_id == invitation_id)
    return list(ctx.session.scalars(wanted))


def documents(ctx: ts.Context, request_id: UUID) -> list[Document]:
    return list(ctx.session.scalars(select(Document).where(Document.request_id == request_id).order_by(Document.id)))


def document(ctx: ts.Context, document_id: UUID) -> tuple[Document, bytes]:
    """A drawing with its bytes; a foreign one answers like a missing one."""
    row = ctx.session.execute(
        select(Document, Document.content).where(Document.id == document_id)
    ).one_or_none()
    if row is None:
        raise ts.NotFound("rfq.not_found")
    return row[0], row[1]


def awards(ctx: ts.Context, request_id: UUID) -> list[Award]:
    return list(ctx.session.scalars(select(Award).where(Award.request_id == request_id).order_by(Award.id)))


def _part(
    ctx: ts.Context, row: Invitation, request: Request, called: dict[UUID, str], quotes: dict[UUID, QuoteFacts]
) -> Part:
    return Part(
        id=row.id, seller_id=row.seller_id, seller=called[row.seller_id], state=part_standing(row, request, ctx.now),
        quote_version=row.quote_version, seen_at=row.seen_at, reason=row.reason, valid_until=row.valid_until,
        better_until=row.better_until, result=row.result, winning_total=row.winning_total,
        may_quote=may_quote(row, request, ctx.now), quote=quotes.get(row.quote_id) if row.quote_id else None,
    )  # fmt: skip


def _quotes(ctx: ts.Context, ids: Sequence[UUID]) -> dict[UUID, QuoteFacts]:
    if not ids:
        return {}
    heads = list(ctx.session.scalars(select(Quote).where(Quote.id.in_(ids))))
    rows = list(
        ctx.session.scalars(
            select(QuoteLine).where(QuoteLine.quote_id.in_(ids)).order_by(QuoteLine.line_no, QuoteLine.option)
        )
    )
    tiers = tiers_of(ctx, [row.id for row in rows])
    lines: dict[UUID, list[OfferedLine]] = {}
    for row in rows:
        lines.setdefault(row.quote_id, []).append(_offered(row, tiers.get(row.id, [])))
    return {head.id: _quote(head, lines.get(head.id, [])) for head in heads}


def _quote(row: Quote, lines: list[OfferedLine]) -> QuoteFacts:
    return QuoteFacts(
        row.id, row.invitation_id, row.version, row.request_version, row.valid_until, row.tax_included,
        row.prepay_percent, row.terms_days, row.remarks, row.net, row.tax, row.gross, row.given_at, tuple(lines),
    )  # fmt: skip


def _offered(row: QuoteLine, tiers: list[tuple[Decimal, Decimal]]) -> OfferedLine:
    return OfferedLine(
        row.id, row.line_no, row.option, row.sku_id, row.sku_code, row.text, row.quantity, row.unit, row.unit_price,
        row.vat_rate, row.lead_days, row.remark, row.net, row.tax, row.gross,
        tuple(Tier(least, price) for least, price in tiers),
    )  # fmt: skip
