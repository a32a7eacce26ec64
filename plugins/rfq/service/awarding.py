"""Awarding: quotes become orders, at the quoted prices, once; the others are told.

Everything happens in one transaction under the lock of the request: the awards, one core order for each seller, the news.
A quote binds its seller, so the order is confirmed at once; at the buyer's approval threshold a colleague approves first.
An order refused by the core (credit, a blocked partner, the actor's limit) takes the whole award back.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

import tongshang as ts
from plugins.rfq import events
from plugins.rfq.model import Award, AwardLine, Invitation, Quote, QuoteLine, QuoteTier, Request, RequestLine
from plugins.rfq.service.asking import zone_of
from plugins.rfq.service.holding import invitations, is_open, lock_request, tell
from plugins.rfq.service.quoting import price_at

ZERO = Decimal(0)
SOURCE = "rfq:"
"""What `source_ref` of an order begins with; the award's id follows."""


@dataclass(frozen=True)
class Choice:
    """So much of a quoted line; `quantity` None takes all that is quoted and still wanted."""

    quote_line_id: UUID
    quantity: Decimal | None = None


def award(
    ctx: ts.Context, request_id: UUID, choices: Sequence[Choice], *, version: int | None = None, finish: bool = True
) -> list[Award]:
    """Award lines to their quotes: one order for each seller. With `finish` the request is decided and the losers are told.

    `version` is the request the buyer compared. The actor's limit is held against the sum of everything awarded now.
    """
    ctx.require("rfq.award")
    request = lock_request(ctx, request_id, version)
    _need_decidable(ctx, request)
    if not choices:
        raise ts.Invalid.one("choices", "rfq.nothing_chosen")
    taken = _take(ctx, request, choices)
    amounts = {quote.id: sum((_gross(quote, *each) for each in lines), ZERO) for quote, lines in taken}
    ctx.require("rfq.award", amount=sum(amounts.values(), ZERO))
    made = [_place(ctx, request, quote, lines, amounts[quote.id]) for quote, lines in taken]
    if finish or not any(_open_quantities(ctx, request).values()):
        _decide(ctx, request)
    return made


@dataclass(frozen=True)
class Reckoned:
    """What one seller would get: lines with the unit price that holds and the quantity taken, and the order's total."""

    seller_id: UUID
    quote_version: int
    lines: tuple[tuple[int, str, str, Decimal, str, Decimal, Decimal], ...]
    total: Decimal
    needs_approval: bool


def reckon(ctx: ts.Context, request_id: UUID, choices: Sequence[Choice], version: int | None = None) -> list[Reckoned]:
    """What an award would come to, refused where it would be refused; nothing is written.

    A line is (number, product code, product, quantity, unit, unit price, amount with VAT).
    """
    ctx.require("rfq.award")
    request = lock_request(ctx, request_id, version)
    _need_decidable(ctx, request)
    if not choices:
        raise ts.Invalid.one("choices", "rfq.nothing_chosen")
    threshold = ts.trade_settings(ctx).approval_threshold
    found = []
    for quote, taken in _take(ctx, request, choices):
        lines = tuple(
            (line.line_no, line.sku_code, line.text, quantity, line.unit, price, _gross(quote, line, price, quantity))
            for line, price, quantity in taken
        )
        total = sum((line[-1] for line in lines), ZERO)
        needs = threshold is not None and total >= threshold
        found.append(Reckoned(quote.seller_id, quote.version, lines, total, needs))
    return found


def finish(ctx: ts.Context, request_id: UUID) -> Request:
    """Decide a request whose awards are all made: what was not awarded is not bought, and the losers are told."""
    ctx.require("rfq.award")
    request = lock_request(ctx, request_id)
    if request.state not in ("open", "closed"):
        raise ts.Conflict("rfq.not_open")
    if not ctx.session.scalar(
        select(func.count()).select_from(Award).where(Award.request_id == request.id, Award.state == "made")
    ):
        raise ts.Conflict("rfq.nothing_awarded")
    _decide(ctx, request)
    return request


def void(ctx: ts.Context, order_id: UUID) -> None:
    """The order of an award came to nothing: what it took may be awarded again. Nothing to do the second time."""
    found = ctx.session.scalar(
        select(Award).where(Award.order_id == order_id, Award.buyer_id == ctx.tenant_id, Award.state == "made").with_for_update()
    )
    if found is None:
        return
    request = lock_request(ctx, found.request_id)
    found.state = "void"
    if request.state == "awarded":
        request.state = "closed"
    ctx.session.flush()
    ctx.record("rfq.award.void", found, request=request.number, order=str(order_id))


def _need_decidable(ctx: ts.Context, request: Request) -> None:
    if request.state == "awarded":
        raise ts.Conflict("rfq.already_awarded")
    if request.state not in ("open", "closed"):
        raise ts.Conflict("rfq.not_open")
    if request.sealed and is_open(request, ctx.now):
        raise ts.Conflict("rfq.still_sealed", closes_at=request.closes_at)


Taken = tuple[QuoteLine, Decimal, Decimal]
"""A quoted line, the unit price that holds for the quantity taken, and that quantity."""


def _take(ctx: ts.Context, request: Request, choices: Sequence[Choice]) -> list[tuple[Quote, list[Taken]]]:
    """The chosen lines by quote, each checked: it stands, is in time, fits the request as it is, and is still wanted."""
    ids = [choice.quote_line_id for choice in choices]
    lines = {
        line.id: line
        for line in ctx.session.scalars(
            select(QuoteLine).where(QuoteLine.id.in_(ids), QuoteLine.request_id == request.id)
        )
    }
    standing = {each.quote_id: each for each in invitations(ctx, request.id, lock=True) if each.state == "quoted"}
    quotes = {
        quote.id: quote
        for quote in ctx.session.scalars(select(Quote).where(Quote.id.in_({line.quote_id for line in lines.values()})))
    }
    tiers = tiers_of(ctx, lines)
    left = _open_quantities(ctx, request)
    wrong: list[ts.FieldError] = []
    found: dict[UUID, list[Taken]] = {}
    for index, choice in enumerate(choices):
        line = lines.get(choice.quote_line_id)
        if line is None or line.quote_id not in standing:
            wrong.append(ts.FieldError(f"choices.{index}.quote_line_id", "rfq.no_such_quote", {}))
            continue
        quote = quotes[line.quote_id]
        if ctx.now >= quote.valid_until:
            raise ts.Conflict("rfq.quote_expired", at=quote.valid_until)
        if quote.request_version != request.version:
            raise ts.Conflict("rfq.quote_outdated", quoted=quote.request_version, current=request.version)
        open_now = left.get(line.line_no, ZERO)
        quantity = min(line.quantity, open_now) if choice.quantity is None else choice.quantity
        if not quantity.is_finite() or quantity <= 0 or quantity > min(line.quantity, open_now):
            most = min(line.quantity, open_now)
            wrong.append(ts.FieldError(f"choices.{index}.quantity", "rfq.awarded_too_much", {"line": line.line_no, "most": most}))
            continue
        left[line.line_no] = open_now - quantity
        price = price_at(line.unit_price, tiers.get(line.id, ()), quantity)
        found.setdefault(quote.id, []).append((line, price, quantity))
    if wrong:
        raise ts.Invalid(wrong)
    in_order = {quote_id: sorted(each, key=lambda taken: (taken[0].line_no, taken[0].option)) for quote_id, each in found.items()}
    return [(quotes[quote_id], taken) for quote_id, taken in in_order.items()]


def _gross(quote: Quote, line: QuoteLine, price: Decimal, quantity: Decimal) -> Decimal:
    return ts.vat(ts.round2(price * quantity), line.vat_rate, quote.tax_included).gross


def _place(ctx: ts.Context, request: Request, quote: Quote, taken: Sequence[Taken], total: Decimal) -> Award:
    """One seller's award and its order, which finds its prices in the award's rows."""
    parties = {"buyer_id": quote.buyer_id, "seller_id": quote.seller_id}
    of = {"request_id": request.id, "invitation_id": quote.invitation_id}
    row = Award(
        id=ts.uuid7(), **parties, **of, quote_id=quote.id, order_id=None, state="made", total=total,
        made_by=ctx.actor.name, made_at=ctx.now,
    )  # fmt: skip
    ctx.session.add(row)
    ctx.session.flush()
    for no, (line, price, quantity) in enumerate(taken):
        ctx.session.add(
            AwardLine(
                id=ts.uuid7(), **parties, **of, award_id=row.id, quote_line_id=line.id, no=no, line_no=line.line_no,
                sku_id=line.sku_id, quantity=quantity, unit=line.unit, unit_price=price, tax_included=quote.tax_included,
                vat_rate=line.vat_rate,
            )
        )  # fmt: skip
    ctx.session.flush()
    wish = ts.NewOrder(
        seller_id=quote.seller_id,
        lines=[ts.WantedLine(line.sku_id, quantity, line.unit) for line, _, quantity in taken],
        mode="rfq",
        ship_to=request.ship_to,
        delivery_date=_delivery(ctx, request, (line for line, _, _ in taken)),
        note=quote.remarks[:1000],
        source_ref=f"{SOURCE}{row.id}",
    )
    threshold = ts.trade_settings(ctx).approval_threshold
    needs_approval = threshold is not None and total >= threshold
    order = ts.place(ctx, wish) if needs_approval else ts.conclude(ctx, wish)
    row.order_id = order.id
    invitation = ctx.session.get_one(Invitation, quote.invitation_id)
    invitation.result = "won"
    ctx.session.flush()
    ctx.record("rfq.award.make", row, request=request.number, order=str(order.id), total=order.total)
    tell(ctx, events.QuoteWon, request, invitation, order_id=order.id)
    return row


def _delivery(ctx: ts.Context, request: Request, lines: Iterable[QuoteLine]) -> date | None:
    """The day the longest lead time ends; where nobody gave one, the day the buyer wished for."""
    days = [line.lead_days for line in lines if line.lead_days is not None]
    return ctx.now.astimezone(zone_of(ctx)).date() + timedelta(days=max(days)) if days else request.deliver_by


def _decide(ctx: ts.Context, request: Request) -> None:
    request.state, request.decided_at = "awarded", ctx.now
    told_price = bool(ctx.settings.get("tell_winning_price"))
    total = ctx.session.scalar(
        select(func.sum(Award.total)).where(Award.request_id == request.id, Award.state == "made")
    )
    for invitation in invitations(ctx, request.id, lock=True):
        if invitation.result == "won" or invitation.quote_version == 0:
            continue
        invitation.result, invitation.winning_total = "lost", total if told_price else None
        tell(ctx, events.QuoteLost, request, invitation)
    ctx.session.flush()
    ctx.record("rfq.request.decide", request, total=total)


def _open_quantities(ctx: ts.Context, request: Request) -> dict[int, Decimal]:
    """What of each line is not yet awarded, in the line's unit."""
    asked: dict[int, Decimal] = {
        line.no: line.quantity
        for line in ctx.session.scalars(
            select(RequestLine).where(RequestLine.request_id == request.id, RequestLine.version == request.version)
        )
    }
    given = ctx.session.execute(
        select(AwardLine.line_no, func.sum(AwardLine.quantity))
        .join(Award, Award.id == AwardLine.award_id)
        .where(AwardLine.request_id == request.id, Award.state == "made")
        .group_by(AwardLine.line_no)
    )
    for line_no, quantity in given:
        asked[line_no] = asked.get(line_no, ZERO) - quantity
    return asked


def tiers_of(ctx: ts.Context, line_ids: Iterable[UUID]) -> dict[UUID, list[tuple[Decimal, Decimal]]]:
    """The quantity tiers of quoted lines, smallest first. One statement."""
    found: dict[UUID, list[tuple[Decimal, Decimal]]] = {}
    ids = list(line_ids)
    if ids:
        rows: Any = ctx.session.execute(
            select(QuoteTier.quote_line_id, QuoteTier.min_quantity, QuoteTier.unit_price)
            .where(QuoteTier.quote_line_id.in_(ids))
            .order_by(QuoteTier.min_quantity)
        )
        for line_id, least, price in rows:
            found.setdefault(line_id, []).append((least, price))
    return found
