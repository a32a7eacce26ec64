"""The lists of both sides, and the buyer's page of one request with the acts around it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote as encoded
from uuid import UUID

from flask import Response, request, url_for

import tongshang as ts
from plugins.rfq import reading, service
from plugins.rfq.views.frame import (
    FileView,
    Said,
    State,
    crumbs,
    files,
    moment,
    pages,
    part_state,
    request_state,
    talk,
    typed_moment,
)
from tongshang import gettext as _


@dataclass(frozen=True)
class ListRow:
    """A request in the list. `counts` are quotes of sellers asked, for the buyer."""

    number: str
    title: str
    url: str
    partner: str
    state: State
    closes_at: datetime | None
    sellers: int
    quotes: int


@dataclass(frozen=True)
class ListPage:
    """Requests, newest first. `side` is buyer or seller."""

    side: str
    rows: tuple[ListRow, ...]
    tabs: tuple[tuple[str, str, bool, int | None], ...]
    states: tuple[tuple[str, str, bool], ...]
    new_url: str | None
    older_url: str | None
    catalogue_url: str


@dataclass(frozen=True)
class SellerRow:
    """One invited seller. `total` is of the standing quote, where the reader may see it; `better_url` asks for more."""

    name: str
    state: State
    version: int
    outdated: bool
    total: ts.Money | None
    valid_until: datetime | None
    seen_at: datetime | None
    reason: str | None
    better_until: datetime | None
    better_url: str | None
    answer_url: str | None


@dataclass(frozen=True)
class AwardRow:
    """What a seller won, with its order."""

    seller: str
    total: ts.Money
    url: str | None
    void: bool


@dataclass(frozen=True)
class DetailPage:
    """One request, for its buyer. Addresses are None where the act is not possible now."""

    facts: reading.RequestFacts
    state: State
    sellers: tuple[SellerRow, ...]
    awards: tuple[AwardRow, ...]
    talk: tuple[Said, ...]
    files: tuple[FileView, ...]
    quotes: int
    edit_url: str | None
    publish_url: str | None
    compare_url: str | None
    extend_url: str | None
    withdraw_url: str | None
    invite_url: str | None
    attach_url: str | None
    later: str
    found: tuple[tuple[str, str], ...]
    find: str
    key: str


@pages.get("", permission="rfq.view")
def index(ctx: ts.Context) -> Response:
    """Own requests, or those of buyers."""
    buys, sells = ctx.allows("rfq.request.view"), ctx.allows("rfq.quote.view")
    if not buys and not sells:
        raise ts.Forbidden("permission.missing", permission="rfq.request.view")
    side = request.args.get("side") or ("buyer" if buys else "seller")
    state, after = request.args.get("state") or None, _uuid(request.args.get("after"))
    find = reading.requests if side == "buyer" else reading.invited
    rows = find(ctx, state, after, reading.PAGE + 1)
    shown = rows[: reading.PAGE]
    tabs = []
    if buys:
        tabs.append((_("Our requests"), url_for("rfq.index", side="buyer"), side == "buyer", None))
    if sells:
        tabs.append((_("Requests to us"), url_for("rfq.index", side="seller"), side != "buyer", None))
    page = ListPage(
        side=side,
        rows=tuple(_row(each, side) for each in shown),
        tabs=tuple(tabs),
        states=tuple(_filters(side, state)),
        new_url=url_for("rfq.new") if ctx.allows("rfq.request.write") else None,
        older_url=url_for("rfq.index", side=side, state=state, after=shown[-1].invitation_id or shown[-1].id)
        if len(rows) > len(shown)
        else None,
        catalogue_url=url_for("catalog.search"),
    )
    return ts.render("rfq/index.html", page)


def _row(each: reading.Row, side: str) -> ListRow:
    return ListRow(
        number=each.number or _("Draft"),
        title=each.title,
        url=url_for("rfq.show", request_id=each.id)
        if side == "buyer"
        else url_for("rfq.invited", invitation_id=each.invitation_id),
        partner=each.partner,
        state=request_state(each.state) if side == "buyer" else part_state(each.state),
        closes_at=each.closes_at,
        sellers=each.sellers,
        quotes=each.quotes,
    )


def _filters(side: str, state: str | None) -> list[tuple[str, str, bool]]:
    known: list[tuple[str, State]] = (
        [(name, request_state(name)) for name in ("draft", "open", "closed", "awarded", "withdrawn")]
        if side == "buyer"
        else [(name, part_state(name)) for name in ("invited", "quoted", "declined", "expired")]
    )
    every = (_("All"), url_for("rfq.index", side=side), state is None)
    return [every, *((title, url_for("rfq.index", side=side, state=name), state == name) for name, (title, _tone) in known)]


@pages.get("/<uuid:request_id>", permission="rfq.view")
def show(ctx: ts.Context, request_id: UUID) -> Response:
    """The buyer's page. An invited seller is led to its own."""
    facts = reading.request_facts(ctx, request_id)
    if facts.buyer_id != ctx.tenant_id:
        return ts.redirect("rfq.invited", invitation_id=facts.invitations[0].id)
    find = request.args.get("find", "")
    known = {part.seller_id for part in facts.invitations}
    hits = ts.find_enterprises(ctx, find) if find.strip() else []
    writes, live = ctx.allows("rfq.request.write"), facts.state in ("open", "closed")
    may_extend = writes and live and (facts.open or not facts.sealed)

    def to(name: str, possible: bool) -> str | None:
        return url_for(f"rfq.{name}", request_id=request_id) if possible else None

    page = DetailPage(
        facts=facts,
        state=request_state(facts.state),
        sellers=tuple(_seller(part, facts, writes and live) for part in facts.invitations),
        awards=tuple(_awards(ctx, facts)),
        talk=talk(ctx, facts),
        files=files(ctx, request_id),
        quotes=sum(part.state in ("quoted", "won", "lost") for part in facts.invitations),
        edit_url=to("edit", writes and (facts.state == "draft" or facts.open)),
        publish_url=to("publish", writes and facts.state == "draft"),
        compare_url=to("matrix", not facts.hidden and any(part.quote for part in facts.invitations)),
        extend_url=to("extend", may_extend),
        withdraw_url=to("withdraw", writes and facts.state in ("draft", "open", "closed")),
        invite_url=to("invite", writes and facts.open),
        attach_url=to("attach", writes and (facts.state == "draft" or facts.open)),
        later=typed_moment(ctx, facts.closes_at),
        found=tuple((str(each.tenant_id), reading.name_of(each)) for each in hits if each.tenant_id not in known),
        find=find,
        key=str(ts.uuid7()),
    )
    return ts.render("rfq/show.html", page, crumbs=crumbs())


def _seller(part: reading.Part, facts: reading.RequestFacts, talks: bool) -> SellerRow:
    quote = part.quote
    asks = talks and not facts.hidden and part.state in ("quoted", "expired", "retracted")
    return SellerRow(
        name=part.seller,
        state=part_state(part.state),
        version=part.quote_version,
        outdated=quote is not None and quote.request_version != facts.version,
        total=ts.Money(quote.gross, facts.currency) if quote is not None else None,
        valid_until=part.valid_until,
        seen_at=part.seen_at,
        reason=part.reason,
        better_until=part.better_until,
        better_url=url_for("rfq.better", invitation_id=part.id) if asks else None,
        answer_url=url_for("rfq.say", invitation_id=part.id) if talks else None,
    )


def _awards(ctx: ts.Context, facts: reading.RequestFacts) -> list[AwardRow]:
    called = {part.seller_id: part.seller for part in facts.invitations}
    sees = ctx.allows("order.view")
    return [
        AwardRow(
            called.get(each.seller_id, "—"),
            ts.Money(each.total, facts.currency),
            url_for("orders.detail", order_id=each.order_id) if each.order_id and sees else None,
            each.state == "void",
        )
        for each in reading.awards(ctx, facts.id)
    ]


@pages.post("/<uuid:request_id>/publish", permission="rfq.request.write", idempotent=True)
def publish(ctx: ts.Context, request_id: UUID) -> Response:
    service.publish(ctx, request_id)
    ts.flash(_("Request sent to its sellers"))
    return ts.redirect("rfq.show", request_id=request_id)


@pages.post("/<uuid:request_id>/extend", permission="rfq.request.write", idempotent=True)
def extend(ctx: ts.Context, request_id: UUID) -> Response:
    until = moment(ctx, "closes_at", ts.form().get("closes_at"))
    if until is None:
        raise ts.Invalid.one("closes_at", "field.required")
    service.extend(ctx, request_id, until)
    ts.flash(_("Deadline moved; the sellers are told"))
    return ts.redirect("rfq.show", request_id=request_id)


@pages.post("/<uuid:request_id>/withdraw", permission="rfq.request.write", idempotent=True)
def withdraw(ctx: ts.Context, request_id: UUID) -> Response:
    service.withdraw(ctx, request_id, ts.form().get("reason", ""))
    ts.flash(_("Request withdrawn"))
    return ts.redirect("rfq.show", request_id=request_id)


@pages.post("/<uuid:request_id>/invite", permission="rfq.request.write", idempotent=True)
def invite(ctx: ts.Context, request_id: UUID) -> Response:
    chosen = [_uuid(name.removeprefix("s-")) for name in ts.form() if name.startswith("s-")]
    sellers = [each for each in chosen if each is not None]
    if not sellers:
        raise ts.Invalid.one("sellers", "rfq.nobody_invited")
    service.invite(ctx, request_id, sellers)
    ts.flash(_("Sellers invited"))
    return ts.redirect("rfq.show", request_id=request_id)


@pages.post("/<uuid:request_id>/files", permission="rfq.request.write", upload=True)
def attach(ctx: ts.Context, request_id: UUID) -> Response:
    handed = request.files.get("file")
    if handed is None or not handed.filename:
        raise ts.Invalid.one("file", "field.required")
    service.attach(ctx, request_id, handed.filename, handed.read())
    ts.flash(_("File added"))
    return ts.redirect("rfq.show", request_id=request_id)


@pages.get("/files/<uuid:document_id>", permission="rfq.view")
def file(ctx: ts.Context, document_id: UUID) -> Response:
    """A drawing, always as a download."""
    row, content = reading.document(ctx, document_id)
    reading.request_facts(ctx, row.request_id)
    response = Response(content, mimetype=row.media_type)
    response.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{encoded(row.name)}"
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response


@pages.post("/invitations/<uuid:invitation_id>/say", permission="rfq.view", idempotent=True)
def say(ctx: ts.Context, invitation_id: UUID) -> Response:
    """A question of the seller, an answer of the buyer."""
    typed = ts.form()
    facts, part = reading.of_invitation(ctx, invitation_id)
    if facts.buyer_id != ctx.tenant_id:
        service.ask(ctx, part.id, typed.get("body", ""))
        ts.flash(_("Question sent"))
        return ts.redirect("rfq.invited", invitation_id=invitation_id)
    service.answer(ctx, part.id, typed.get("body", ""), to_all=bool(typed.get("to_all")))
    ts.flash(_("Answer sent"))
    return ts.redirect("rfq.show", request_id=facts.id)


@pages.post("/invitations/<uuid:invitation_id>/better", permission="rfq.request.write", idempotent=True)
def better(ctx: ts.Context, invitation_id: UUID) -> Response:
    """Ask for a better offer."""
    typed = ts.form()
    until = moment(ctx, "until", typed.get("until"))
    if until is None:
        raise ts.Invalid.one("until", "field.required")
    found = service.ask_better(ctx, invitation_id, typed.get("body", ""), until)
    ts.flash(_("Better offer asked for"))
    return ts.redirect("rfq.show", request_id=found.request_id)


def _uuid(text: Any) -> UUID | None:
    try:
        return UUID(str(text)) if text else None
    except ValueError:
        return None
