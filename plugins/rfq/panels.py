"""What requests show on pages of the core: the way to ask from a product's page, the request behind an order, what waits."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import url_for
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on

import tongshang as ts
from plugins.rfq.model import Award, Invitation, Message, Quote, Request
from plugins.rfq.reading import names
from plugins.rfq.service.quoting import may_quote
from tongshang import gettext as _

SHOWN = 10


@dataclass(frozen=True)
class Born:
    """The request an order came from, and the quote that won. `url` is the reader's own page of it."""

    number: str
    title: str
    version: int
    at: datetime
    prepay: Any
    terms_days: int
    url: str | None


@dataclass(frozen=True)
class Waiting:
    """Something to do: what, about which request, with whom, by when."""

    text: str
    number: str
    title: str
    partner: str
    due: datetime | None
    url: str


def product(ctx: ts.Context, listing: ts.ListingRow) -> ts.SlotFragment | None:
    """From a product of another enterprise: ask its seller, and others, for a quote."""
    if listing.seller_id == ctx.tenant_id or not ctx.allows("rfq.request.write"):
        return None
    url = url_for("rfq.new", sku=listing.sku_id)
    return ts.SlotFragment("rfq/product.html", {"url": url}, title=_("Ask for a quote"), icon="tender", order=30)


def order_panel(ctx: ts.Context, order: ts.OrderFacts) -> ts.SlotFragment | None:
    """The request behind an order."""
    if order.mode != "rfq":
        return None
    found = ctx.session.execute(
        select(Request, Quote)
        .join(Award, Award.request_id == Request.id)
        .join(Quote, Quote.id == Award.quote_id)
        .where(Award.order_id == order.id)
    ).one_or_none()
    if found is None:
        return None
    request, quote = found
    mine = request.tenant_id == ctx.tenant_id
    allowed = ctx.allows("rfq.request.view" if mine else "rfq.quote.view")
    where = url_for("rfq.show", request_id=request.id) if mine else url_for("rfq.invited", invitation_id=quote.invitation_id)
    born = Born(
        request.number, request.title, quote.version, quote.given_at, quote.prepay_percent, quote.terms_days,
        where if allowed else None,
    )  # fmt: skip
    return ts.SlotFragment("rfq/order.html", {"born": born}, title=_("Request for quotation"), icon="tender", order=20)


def todos(ctx: ts.Context, _subject: Any) -> ts.SlotFragment | None:
    """What waits for this person: requests to quote or to decide, questions to answer. Nothing shows when nothing does."""
    found = [*(to_quote(ctx) if ctx.allows("rfq.quote.write") else []), *(to_decide(ctx) if ctx.allows("rfq.award") else [])]
    if not found:
        return None
    shown = {"rows": found[:SHOWN]}
    return ts.SlotFragment("rfq/waiting.html", shown, title=_("Requests for quotation"), icon="tender", order=20)


def to_quote(ctx: ts.Context) -> list[Waiting]:
    """As a seller: open requests without an answer, quotes against an older version, wishes for a better offer."""
    rows = ctx.session.execute(
        select(Invitation, Request, Quote.request_version)
        .join(Request, Request.id == Invitation.request_id)
        .outerjoin(Quote, Quote.id == Invitation.quote_id)
        .where(Invitation.seller_id == ctx.tenant_id, Request.state.in_(("open", "closed")), Invitation.result == "")
        .order_by(Request.closes_at)
        .limit(100)
    ).all()
    buyers = names(ctx, {invitation.buyer_id for invitation, _request, _version in rows})
    found = []
    for invitation, request, quoted in rows:
        if not may_quote(invitation, request, ctx.now):
            continue
        if invitation.state == "invited":
            text, due = _("Quote or decline"), request.closes_at
        elif invitation.state == "quoted" and quoted is not None and quoted < request.version:
            text, due = _("The request was amended: quote again"), request.closes_at
        elif invitation.better_until is not None and ctx.now < invitation.better_until and invitation.state == "quoted":
            text, due = _("A better offer is asked for"), invitation.better_until
        else:
            continue
        url = url_for("rfq.invited", invitation_id=invitation.id)
        found.append(Waiting(text, request.number or "", request.title, buyers[invitation.buyer_id], due, url))
    return found


def to_decide(ctx: ts.Context) -> list[Waiting]:
    """As a buyer: requests whose time is over, and questions nobody has answered."""
    closed = ctx.session.scalars(
        select(Request)
        .where(Request.tenant_id == ctx.tenant_id, Request.state.in_(("open", "closed")), Request.closes_at <= ctx.now)
        .order_by(Request.closes_at)
        .limit(50)
    )
    found = [
        Waiting(_("Compare and award"), each.number or "", each.title, "", None, url_for("rfq.matrix", request_id=each.id))
        for each in closed
    ]
    asked = open_questions(ctx)
    sellers = names(ctx, {seller for _request, seller in asked})
    found += [
        Waiting(
            _("Answer a question"), each.number or "", each.title, sellers[seller], each.closes_at,
            url_for("rfq.show", request_id=each.id),
        )
        for each, seller in asked
    ]
    return found


def open_questions(ctx: ts.Context) -> list[tuple[Request, UUID]]:
    """Requests with a question that is the last word of its conversation, and who asked."""
    last = (
        select(Message.invitation_id, Message.request_id, Message.seller_id, Message.side, Message.kind)
        .ext(distinct_on(Message.invitation_id))
        .where(Message.buyer_id == ctx.tenant_id)
        .order_by(Message.invitation_id, Message.id.desc())
        .subquery()
    )
    rows = ctx.session.execute(
        select(Request, last.c.seller_id)
        .join(last, last.c.request_id == Request.id)
        .where(last.c.side == "seller", Request.state.in_(("open", "closed")))
        .limit(50)
    )
    return [(request, seller) for request, seller in rows]


def waiting_count(ctx: ts.Context) -> int:
    """For the menu: how many requests a seller has still to answer."""
    if not ctx.allows("rfq.quote.write"):
        return 0
    rows = ctx.session.execute(
        select(Invitation.id)
        .join(Request, Request.id == Invitation.request_id)
        .where(
            Invitation.seller_id == ctx.tenant_id, Invitation.state == "invited",
            Request.state == "open", Request.closes_at > ctx.now,
        )
        .limit(100)
    )  # fmt: skip
    return len(rows.all())


SLOTS: dict[str, Callable[[ts.Context, Any], ts.SlotFragment | None]] = {
    "product:page": product,
    "order:panel": order_panel,
    "dashboard:todo": todos,
}
