"""The buyer's half: draft a request, publish it, amend, extend, withdraw, invite more sellers, attach drawings."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import delete, func, select

import tongshang as ts
from plugins.rfq import events
from plugins.rfq.model import Award, Document, Invitation, Request, RequestLine
from plugins.rfq.service.holding import invitations, is_open, lock_request, tell, tell_all

MOST_LINES, MOST_SELLERS, MOST_FILES = 200, 100, 10
MOST = Decimal(1_000_000_000)


@dataclass(frozen=True)
class WantedItem:
    """A line as the buyer wants it: a product of the catalogue or words, never neither. `unit` as the seller will quote."""

    text: str
    quantity: Decimal
    unit: str
    spec: str = ""
    sku_id: UUID | None = None


@dataclass(frozen=True)
class NewRequest:
    """Everything a buyer says. `sellers` are invited by name; with `audience` partners every partner is invited too."""

    title: str
    lines: Sequence[WantedItem]
    closes_at: datetime | None = None
    deliver_by: date | None = None
    ship_to: str = ""
    payment_wish: str = ""
    note: str = ""
    sealed: bool = False
    audience: str = "chosen"
    sellers: Sequence[UUID] = ()


def draft(ctx: ts.Context, new: NewRequest) -> Request:
    """A request that nobody else sees yet."""
    ctx.require("rfq.request.write")
    request = Request(
        id=ts.uuid7(), tenant_id=ctx.tenant_id, state="draft", version=1, currency=ts.trade_settings(ctx).currency,
        created_by=ctx.actor.person_id, created_at=ctx.now, **_head(new), sealed=new.sealed, audience=new.audience,
    )  # fmt: skip
    ctx.session.add(request)
    ctx.session.flush()
    _write_lines(ctx, request, new.lines)
    _choose(ctx, request, new.sellers)
    ctx.record("rfq.request.draft", request, lines=len(new.lines))
    return request


def edit(ctx: ts.Context, request_id: UUID, new: NewRequest) -> Request:
    """Change a draft; everything is replaced."""
    ctx.require("rfq.request.write")
    request = lock_request(ctx, request_id)
    if request.state != "draft":
        raise ts.Conflict("rfq.not_a_draft")
    for name, value in {**_head(new), "sealed": new.sealed, "audience": new.audience}.items():
        setattr(request, name, value)
    ctx.session.execute(delete(RequestLine).where(RequestLine.request_id == request.id))
    ctx.session.execute(
        delete(Invitation).where(Invitation.request_id == request.id, Invitation.state == "drafted")
    )
    _write_lines(ctx, request, new.lines)
    _choose(ctx, request, new.sellers)
    ctx.record("rfq.request.edit", request, lines=len(new.lines))
    return request


def publish(ctx: ts.Context, request_id: UUID) -> Request:
    """Send the draft to its sellers: from here on it has a number, a deadline and readers."""
    ctx.require("rfq.request.write")
    request = lock_request(ctx, request_id)
    if request.state != "draft":
        raise ts.Conflict("rfq.not_a_draft")
    _in_future(ctx, request.closes_at)
    if request.audience == "partners":
        _choose(ctx, request, _partners(ctx, {each.seller_id for each in invitations(ctx, request.id)}))
    invited = invitations(ctx, request.id, lock=True)
    if not invited:
        raise ts.Invalid.one("sellers", "rfq.nobody_invited")
    request.number = ts.number(ctx, "RFQ")
    request.state, request.published_at = "open", ctx.now
    for invitation in invited:
        invitation.state, invitation.invited_at, invitation.told_version = "invited", ctx.now, request.version
    ctx.session.flush()
    ctx.record("rfq.request.publish", request, sellers=len(invited), closes_at=request.closes_at, sealed=request.sealed)
    tell_all(ctx, events.QuoteRequested, request, invited)
    return request


def amend(ctx: ts.Context, request_id: UUID, new: NewRequest, version: int | None = None) -> Request:
    """A new version of a published request: its sellers are told, and what they quoted fits the older one only.

    Whether it is sealed stays; its deadline is moved by `extend` alone.
    """
    ctx.require("rfq.request.write")
    request = lock_request(ctx, request_id, version)
    _need_open(ctx, request)
    _need_unawarded(ctx, request)
    closes_at = request.closes_at
    for name, value in _head(new).items():
        setattr(request, name, value)
    request.closes_at = closes_at
    request.version += 1
    _write_lines(ctx, request, new.lines)
    invited = invitations(ctx, request.id, lock=True)
    for invitation in invited:
        invitation.told_version = request.version
    ctx.session.flush()
    ctx.record("rfq.request.amend", request, version=request.version, lines=len(new.lines))
    tell_all(ctx, events.RequestAmended, request, invited)
    return request


def extend(ctx: ts.Context, request_id: UUID, closes_at: datetime) -> Request:
    """More time. A closed request opens again, unless it was sealed: its quotes have been read."""
    ctx.require("rfq.request.write")
    request = lock_request(ctx, request_id)
    if request.state not in ("open", "closed"):
        raise ts.Conflict("rfq.not_open")
    if request.sealed and not is_open(request, ctx.now):
        raise ts.Conflict("rfq.sealed_is_opened")
    _in_future(ctx, closes_at)
    if request.closes_at is not None and closes_at <= request.closes_at:
        raise ts.Invalid.one("closes_at", "rfq.not_later", before=request.closes_at)
    before, request.closes_at, request.state = request.closes_at, closes_at, "open"
    ctx.session.flush()
    ctx.record("rfq.request.extend", request, before=before, closes_at=closes_at)
    tell_all(ctx, events.RequestExtended, request, invitations(ctx, request.id))
    return request


def withdraw(ctx: ts.Context, request_id: UUID, reason: str) -> Request:
    """Want it no more. Nothing was awarded; the sellers are told why."""
    ctx.require("rfq.request.write")
    request = lock_request(ctx, request_id)
    if request.state not in ("draft", "open", "closed"):
        raise ts.Conflict("rfq.not_open")
    if not reason.strip():
        raise ts.Invalid.one("reason", "field.required")
    _need_unawarded(ctx, request)
    told = [] if request.state == "draft" else invitations(ctx, request.id)
    request.state, request.reason, request.decided_at = "withdrawn", reason.strip(), ctx.now
    ctx.session.flush()
    ctx.record("rfq.request.withdraw", request, reason=reason.strip())
    tell_all(ctx, events.RequestWithdrawn, request, told)
    return request


def invite(ctx: ts.Context, request_id: UUID, sellers: Sequence[UUID]) -> Request:
    """Invite more sellers to a published request."""
    ctx.require("rfq.request.write")
    request = lock_request(ctx, request_id)
    _need_open(ctx, request)
    for invitation in _choose(ctx, request, sellers):
        invitation.state, invitation.invited_at, invitation.told_version = "invited", ctx.now, request.version
        ctx.session.flush()
        ctx.record("rfq.request.invite", request, seller=str(invitation.seller_id))
        tell(ctx, events.QuoteRequested, request, invitation)
    return request


def attach(ctx: ts.Context, request_id: UUID, name: str, content: bytes) -> Document:
    """Add a drawing or a specification; every invited seller reads it."""
    ctx.require("rfq.request.write")
    request = lock_request(ctx, request_id)
    if request.state != "draft":
        _need_open(ctx, request)
    held = ctx.session.scalar(select(func.count()).select_from(Document).where(Document.request_id == request.id))
    if (held or 0) >= MOST_FILES:
        raise ts.Conflict("rfq.too_many_files", limit=MOST_FILES)
    clean, media_type = ts.inspect_file(name, content)
    row = Document(
        id=ts.uuid7(), tenant_id=ctx.tenant_id, request_id=request.id, name=clean, media_type=media_type,
        size=len(content), added_by=ctx.actor.name, added_at=ctx.now, content=content,
    )  # fmt: skip
    ctx.session.add(row)
    ctx.session.flush()
    ctx.record("rfq.request.attach", request, name=clean, size=len(content), sha256=hashlib.sha256(content).hexdigest())
    return row


def _head(new: NewRequest) -> dict[str, Any]:
    if not new.title.strip():
        raise ts.Invalid.one("title", "field.required")
    return {
        "title": new.title.strip(), "closes_at": new.closes_at, "deliver_by": new.deliver_by,
        "ship_to": new.ship_to.strip(), "payment_wish": new.payment_wish.strip(), "note": new.note.strip(),
    }  # fmt: skip


def _write_lines(ctx: ts.Context, request: Request, wanted: Sequence[WantedItem]) -> None:
    if not wanted:
        raise ts.Invalid.one("lines", "rfq.no_lines")
    if len(wanted) > MOST_LINES:
        raise ts.Invalid.one("lines", "rfq.too_many_lines", limit=MOST_LINES)
    wrong, rows = [], []
    for index, item in enumerate(wanted):
        if not item.quantity.is_finite() or not 0 < item.quantity <= MOST:
            wrong.append(ts.FieldError(f"lines.{index}.quantity", "rfq.quantity", {"most": MOST}))
        if not item.unit.strip():
            wrong.append(ts.FieldError(f"lines.{index}.unit", "field.required", {}))
        named, spec, code = item.text.strip(), item.spec.strip(), ""
        if item.sku_id is not None:
            product = _product(ctx, item.sku_id, index, wrong)
            if product is not None:
                named, spec, code = named or product.name_zh, spec or product.spec, product.code
        if not named:
            wrong.append(ts.FieldError(f"lines.{index}.text", "field.required", {}))
        rows.append(
            RequestLine(
                id=ts.uuid7(), tenant_id=ctx.tenant_id, request_id=request.id, version=request.version, no=index + 1,
                sku_id=item.sku_id, sku_code=code, text=named, spec=spec, quantity=item.quantity, unit=item.unit.strip(),
            )
        )  # fmt: skip
    if wrong:
        raise ts.Invalid(wrong)
    ctx.session.add_all(rows)
    ctx.session.flush()


def _product(ctx: ts.Context, sku_id: UUID, index: int, wrong: list[ts.FieldError]) -> ts.ListingRow | None:
    try:
        found = ts.listing(ctx, sku_id)
    except ts.NotFound:
        wrong.append(ts.FieldError(f"lines.{index}.sku_id", "product.not_found", {}))
        return None
    if found.seller_id == ctx.tenant_id:
        wrong.append(ts.FieldError(f"lines.{index}.sku_id", "rfq.own_goods", {}))
    return found


def _choose(ctx: ts.Context, request: Request, sellers: Sequence[UUID]) -> list[Invitation]:
    """Note sellers as invited, each once; those that are already are passed over. Answers the new ones, not yet told."""
    known = {each.seller_id for each in invitations(ctx, request.id)}
    fresh = [seller for seller in dict.fromkeys(sellers) if seller not in known]
    if len(known) + len(fresh) > MOST_SELLERS:
        raise ts.Invalid.one("sellers", "rfq.too_many_sellers", limit=MOST_SELLERS)
    cards = ts.cards(ctx, fresh)
    rows = []
    for seller in fresh:
        if seller == ctx.tenant_id:
            raise ts.Invalid.one("sellers", "rfq.oneself")
        if seller not in cards:
            raise ts.Invalid.one("sellers", "rfq.seller_unknown")
        if "rfq" not in ctx.ports.enabled(ctx, seller):
            raise ts.Invalid.one("sellers", "rfq.seller_not_ready", seller=cards[seller].name)
        rows.append(
            Invitation(
                id=ts.uuid7(), buyer_id=ctx.tenant_id, seller_id=seller, request_id=request.id, state="drafted",
                told_version=0, quote_version=0, result="",
            )
        )  # fmt: skip
    ctx.session.add_all(rows)
    ctx.session.flush()
    return rows


def _partners(ctx: ts.Context, known: set[UUID]) -> list[UUID]:
    """Every partner that takes requests at all, as many as there is room for."""
    found = [relation.partner_id for relation, _ in ts.partners(ctx, limit=500) if not relation.blocked]
    ready = [each for each in found if each not in known and "rfq" in ctx.ports.enabled(ctx, each)]
    return ready[: MOST_SELLERS - len(known)]


def _need_open(ctx: ts.Context, request: Request) -> None:
    if not is_open(request, ctx.now):
        raise ts.Conflict("rfq.not_open")


def _need_unawarded(ctx: ts.Context, request: Request) -> None:
    """What was awarded in part stays as it was asked; such a request is finished, not changed or withdrawn."""
    if ctx.session.scalar(select(Award.id).where(Award.request_id == request.id, Award.state == "made").limit(1)):
        raise ts.Conflict("rfq.already_awarded")


def _in_future(ctx: ts.Context, closes_at: datetime | None) -> None:
    if closes_at is None:
        raise ts.Invalid.one("closes_at", "field.required")
    if closes_at <= ctx.now:
        raise ts.Invalid.one("closes_at", "rfq.deadline_past")


def zone_of(ctx: ts.Context) -> ZoneInfo:
    """The time zone in which this enterprise reads and writes times."""
    return ZoneInfo(ts.trade_settings(ctx).timezone)
