"""The seller's half: see an invitation, decline it, quote, quote again, take the quote back.

A quote is a binding offer until `valid_until`: every line names a product of the seller, so that an award can become an
order without asking again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import select

import tongshang as ts
from plugins.rfq import events
from plugins.rfq.model import Invitation, Quote, QuoteLine, QuoteTier, Request, RequestLine
from plugins.rfq.service.holding import is_open, lock_invitation, need_seller, tell

MOST_OPTIONS, MOST_TIERS = 5, 10
ZERO = Decimal(0)


@dataclass(frozen=True)
class Offered:
    """A price for one line. `option` 0 is as asked, 1 and up are alternatives; `quantity` None offers all that is asked.

    `tiers` are other unit prices from a quantity on. `vat_rate` 0.13 is 13 %.
    """

    line_no: int
    sku_code: str
    unit_price: Decimal
    option: int = 0
    quantity: Decimal | None = None
    vat_rate: Decimal = Decimal("0.13")
    lead_days: int | None = None
    remark: str = ""
    tiers: Sequence[tuple[Decimal, Decimal]] = ()


@dataclass(frozen=True)
class NewQuote:
    """Everything a seller says. Prices include VAT where `tax_included`, on every line alike."""

    lines: Sequence[Offered]
    valid_until: datetime
    tax_included: bool = True
    prepay_percent: Decimal = ZERO
    terms_days: int = 30
    remarks: str = ""


def seen(ctx: ts.Context, invitation_id: UUID) -> None:
    """The seller has opened the request; said once."""
    invitation, _request = lock_invitation(ctx, invitation_id)
    if invitation.seller_id == ctx.tenant_id and invitation.seen_at is None:
        invitation.seen_at = ctx.now
        ctx.session.flush()


def decline(ctx: ts.Context, invitation_id: UUID, reason: str) -> Invitation:
    """Say that there will be no quote, and why. Quoting later is still possible while the request is open."""
    ctx.require("rfq.quote.write")
    invitation, request = lock_invitation(ctx, invitation_id)
    need_seller(ctx, invitation)
    _need_time(ctx, invitation, request)
    if invitation.state == "quoted":
        raise ts.Conflict("rfq.quote_stands")
    if not reason.strip():
        raise ts.Invalid.one("reason", "field.required")
    invitation.state, invitation.reason, invitation.answered_at = "declined", reason.strip(), ctx.now
    ctx.session.flush()
    ctx.record("rfq.quote.decline", invitation, request=request.number, reason=reason.strip())
    tell(ctx, events.InvitationDeclined, request, invitation)
    return invitation


def quote(ctx: ts.Context, invitation_id: UUID, new: NewQuote, request_version: int | None = None) -> Quote:
    """Give a quote, or a newer version of it. It replaces the one before as a whole; lines may be left out.

    Invalid names each field of a line that will not do: `lines.<index>.sku_code`, `.unit_price` ...
    """
    ctx.require("rfq.quote.write")
    invitation, request = lock_invitation(ctx, invitation_id)
    need_seller(ctx, invitation)
    _need_time(ctx, invitation, request)
    if request_version is not None and request_version != request.version:
        raise ts.Conflict("rfq.version_changed", current=request.version)
    if ts.trade_settings(ctx).currency != request.currency:
        raise ts.Conflict("rfq.currency", currency=request.currency)
    _check_terms(ctx, new)
    row = Quote(
        id=ts.uuid7(), **_of(invitation), version=invitation.quote_version + 1, request_version=request.version,
        valid_until=new.valid_until, tax_included=new.tax_included, prepay_percent=new.prepay_percent,
        terms_days=new.terms_days, remarks=new.remarks.strip(), given_by=ctx.actor.name, given_at=ctx.now,
        net=ZERO, tax=ZERO, gross=ZERO,
    )  # fmt: skip
    lines, tiers = _lines(ctx, request, invitation, row, new)
    asked = [line for line in lines if not line.option]
    row.net, row.tax = sum((line.net for line in asked), ZERO), sum((line.tax for line in asked), ZERO)
    row.gross = row.net + row.tax
    ctx.session.add(row)
    ctx.session.flush()
    ctx.session.add_all(lines)
    ctx.session.flush()
    ctx.session.add_all(tiers)
    invitation.state, invitation.reason, invitation.answered_at = "quoted", None, ctx.now
    invitation.quote_id, invitation.quote_version, invitation.valid_until = row.id, row.version, row.valid_until
    invitation.result, invitation.winning_total = "", None
    ctx.session.flush()
    ctx.record("rfq.quote.give", invitation, request=request.number, version=row.version, total=row.gross)
    tell(ctx, events.QuoteGiven, request, invitation)
    return row


def retract(ctx: ts.Context, invitation_id: UUID, reason: str = "") -> Invitation:
    """Take the standing quote back while quotes are still taken. After that it binds until its validity ends."""
    ctx.require("rfq.quote.write")
    invitation, request = lock_invitation(ctx, invitation_id)
    need_seller(ctx, invitation)
    _need_time(ctx, invitation, request)
    if invitation.state != "quoted":
        raise ts.Conflict("rfq.no_quote")
    invitation.state, invitation.reason, invitation.answered_at = "retracted", reason.strip() or None, ctx.now
    invitation.quote_id = invitation.valid_until = None
    ctx.session.flush()
    ctx.record("rfq.quote.retract", invitation, request=request.number, reason=reason.strip())
    tell(ctx, events.QuoteRetracted, request, invitation)
    return invitation


def may_quote(invitation: Invitation, request: Request, now: datetime) -> bool:
    """While the request is open, or while this seller was asked for a better offer."""
    asked_again = invitation.better_until is not None and now < invitation.better_until
    return is_open(request, now) or (request.state in ("open", "closed") and asked_again)


def _need_time(ctx: ts.Context, invitation: Invitation, request: Request) -> None:
    if not may_quote(invitation, request, ctx.now):
        raise ts.Conflict("rfq.not_open")


def _of(invitation: Invitation) -> dict[str, Any]:
    return {
        "buyer_id": invitation.buyer_id, "seller_id": invitation.seller_id, "request_id": invitation.request_id,
        "invitation_id": invitation.id,
    }  # fmt: skip


def _check_terms(ctx: ts.Context, new: NewQuote) -> None:
    wrong = []
    if not new.lines:
        wrong.append(ts.FieldError("lines", "rfq.no_prices", {}))
    if new.valid_until <= ctx.now:
        wrong.append(ts.FieldError("valid_until", "rfq.validity_past", {}))
    if not 0 <= new.prepay_percent <= 100:
        wrong.append(ts.FieldError("prepay_percent", "number.between", {"least": 0, "most": 100}))
    if not 0 <= new.terms_days <= 365:
        wrong.append(ts.FieldError("terms_days", "number.between", {"least": 0, "most": 365}))
    if wrong:
        raise ts.Invalid(wrong)


def _lines(
    ctx: ts.Context, request: Request, invitation: Invitation, row: Quote, new: NewQuote
) -> tuple[list[QuoteLine], list[QuoteTier]]:
    asked = {
        line.no: line
        for line in ctx.session.scalars(
            select(RequestLine).where(RequestLine.request_id == request.id, RequestLine.version == request.version)
        )
    }
    goods = ts.own_goods(ctx, [each.sku_code.strip() for each in new.lines])
    wrong: list[ts.FieldError] = []
    seen_before: set[tuple[int, int]] = set()
    for index, each in enumerate(new.lines):
        _check_line(index, each, asked, goods, seen_before, wrong)
    if wrong:
        raise ts.Invalid(wrong)
    wanted = [
        ts.Wanted(
            goods[each.sku_code.strip()].sku_id,
            asked[each.line_no].quantity if each.quantity is None else each.quantity,
            asked[each.line_no].unit,
        )
        for each in new.lines
    ]
    prices = [ts.Agreed(each.unit_price, new.tax_included, each.vat_rate, "rfq", "") for each in new.lines]
    priced = _priced(ctx, invitation, wanted, prices, request.currency)
    lines, tiers = [], []
    for each, found in zip(new.lines, priced, strict=True):
        price = price_at(each.unit_price, each.tiers, found.qty)
        amounts = ts.vat(ts.round2(price * found.qty), each.vat_rate, new.tax_included)
        line = QuoteLine(
            id=ts.uuid7(), **_of(invitation), quote_id=row.id, line_no=each.line_no, option=each.option,
            sku_id=found.sku.sku_id, sku_code=found.sku.code, text=found.sku.name_zh, quantity=found.qty, unit=found.uom,
            unit_price=each.unit_price, vat_rate=each.vat_rate, lead_days=each.lead_days, remark=each.remark.strip(),
            net=amounts.net, tax=amounts.tax, gross=amounts.gross,
        )  # fmt: skip
        lines.append(line)
        tiers += [
            QuoteTier(id=ts.uuid7(), **_of(invitation), quote_line_id=line.id, min_quantity=least, unit_price=other)
            for least, other in each.tiers
        ]
    return lines, tiers


def _check_line(
    index: int,
    each: Offered,
    asked: Mapping[int, RequestLine],
    goods: Mapping[str, ts.SkuFacts],
    seen_before: set[tuple[int, int]],
    wrong: list[ts.FieldError],
) -> None:
    def say(field: str, code: str, **values: Any) -> None:
        wrong.append(ts.FieldError(f"lines.{index}.{field}", code, values))

    line = asked.get(each.line_no)
    if line is None:
        say("line_no", "rfq.no_such_line", line=each.line_no)
    elif each.quantity is not None and not 0 < each.quantity <= line.quantity:
        say("quantity", "rfq.more_than_asked", most=line.quantity)
    if (each.line_no, each.option) in seen_before:
        say("line_no", "rfq.line_twice", line=each.line_no)
    seen_before.add((each.line_no, each.option))
    if not 0 <= each.option <= MOST_OPTIONS:
        say("option", "number.between", least=0, most=MOST_OPTIONS)
    if each.sku_code.strip() not in goods:
        say("sku_code", "rfq.not_your_product", product=each.sku_code.strip() or "—")
    if not 0 <= each.vat_rate <= 1:
        say("vat_rate", "rfq.vat_rate")
    if each.lead_days is not None and not 0 <= each.lead_days <= 1000:
        say("lead_days", "number.between", least=0, most=1000)
    if len(each.tiers) > MOST_TIERS or len({least for least, _ in each.tiers}) < len(each.tiers):
        say("tiers", "rfq.tiers", most=MOST_TIERS)


def _priced(
    ctx: ts.Context, invitation: Invitation, wanted: list[ts.Wanted], prices: list[ts.Agreed], currency: str
) -> list[ts.PricedLine]:
    """The lines as an order would have them; what no order could hold is refused now, in the words of this form."""
    try:
        return ts.agreed_lines(ctx, invitation.buyer_id, wanted, prices, currency)
    except ts.Invalid as refused:
        names = {"sku_id": "sku_code", "uom": "sku_code"}
        raise ts.Invalid(
            [
                ts.FieldError(f"{path}.{names.get(last, last)}", error.code, error.values)
                for error in refused.errors
                for path, _, last in [error.path.rpartition(".")]
            ]
        ) from None


def price_at(base: Decimal, tiers: Sequence[tuple[Decimal, Decimal]], quantity: Decimal) -> Decimal:
    """The unit price that holds for a quantity: that of the largest tier it reaches, else the base price."""
    reached = [(least, price) for least, price in tiers if least <= quantity]
    return max(reached)[1] if reached else base
