"""One connection: what failed and how to mend it, what runs, what ran, and each call as it went over the wire."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Response, request, url_for

from core.kernel import Context, Money
from core.sync import reading, service
from core.sync.model import ErpConnection, SyncDocument, SyncStream
from core.sync.outgoing import PARTNER, SUPPLIER
from core.sync.registry import connectors
from core.sync.views.frame import (
    DOCUMENT_STATES,
    DRAINING,
    State,
    about,
    cause_title,
    coded,
    connection_state,
    every,
    pages,
    remedy,
    said_of,
    setting_up,
    step_rows,
    stream_titles,
    told,
    what_of,
    wire_text,
)
from core.sync.views.runs import RunView, run_view
from core.web import gettext as _
from core.web import render
from core.web.page import Crumb
from core.web.pager import decode, encode
from core.web.problem import Rejected

SHOWN = 50
BINDABLE = (".customer_missing", ".customer_ambiguous", ".supplier_missing", ".supplier_ambiguous")


@dataclass(frozen=True)
class DocumentView:
    """A document in a list."""

    id: str
    href: str
    order_url: str
    reference: str
    number: str
    partner: str
    total: Money
    state: State
    what: str
    tries: int
    at: datetime


@dataclass(frozen=True)
class CauseView:
    """Failures with one cause, how to mend it, and the last call of the newest one."""

    code: str
    title: str
    said: str
    remedy: str
    count: int
    first_at: datetime
    last_at: datetime
    documents: tuple[DocumentView, ...]
    wire: str
    partner_id: str  # whom to bind to a number there; empty when that is not the remedy
    partner_kind: str  # partner (a customer there) or supplier


@dataclass(frozen=True)
class StreamView:
    """A stream and its schedule."""

    key: str
    title: str
    enabled: bool
    every_minutes: int
    often: str
    next_at: datetime | None
    asked_for: bool


@dataclass(frozen=True)
class ConnectionPage:
    """Everything about one connection; `steps` are (text, done or bad, hint) of the last check."""

    id: str
    name: str
    what: str
    state: State
    reason: str
    remedy: str
    setting_up: bool  # it was never switched on
    active: bool
    left: int | None  # what a drain has yet to finish; None: there is no drain
    drained_from: datetime | None
    moving: bool  # it looks otherwise in a moment
    draining: tuple[str, ...]
    waiting: int
    stuck: int
    tabs: tuple[tuple[str, str, bool, int | None], ...]
    causes: tuple[CauseView, ...]
    streams: tuple[StreamView, ...]
    runs: tuple[RunView, ...]
    steps: tuple[tuple[str, str, str], ...]
    checked_at: datetime | None
    may_edit: bool
    may_replay: bool


@pages.get("/<uuid:connection_id>", permission="connection.view")
def connection(ctx: Context, connection_id: UUID) -> Response:
    """How a connection is and what failed."""
    found = service.find_connection(ctx, connection_id)
    standing = next(each for each in reading.standings(ctx) if each.id == connection_id)
    rows = reading.streams(ctx, connection_id)
    titles = stream_titles(found.connector)
    checked = found.checked or {}
    runs = tuple(run_view(each, titles, ctx.now) for each in reading.runs(ctx, connection_id))
    asked = any(
        (each.wanted_by or _due(each, ctx.now)) and (found.state == "active" or each.key == service.CHECK) for each in rows
    )
    page = ConnectionPage(
        id=str(connection_id),
        name=found.name,
        what=about(found),
        state=connection_state(standing),
        reason=told(found.state_reason or (found.last_error if standing.is_open else "")),
        remedy=remedy(coded(found.state_reason)[0]),
        setting_up=setting_up(found),
        active=found.state == "active",
        left=standing.left,
        drained_from=standing.draining_since,
        draining=tuple(_(sentence) for sentence in DRAINING),
        moving=asked or bool(standing.left) or any(each.running for each in runs),
        waiting=standing.waiting,
        stuck=standing.stuck,
        tabs=tabs(ctx, connection_id, "connection", standing.stuck),
        causes=tuple(_cause(ctx, each) for each in reading.causes(ctx, connection_id)),
        streams=tuple(_stream(each, titles) for each in in_order(rows, titles)),
        runs=runs,
        steps=step_rows(found),
        checked_at=datetime.fromisoformat(checked["at"]) if checked else None,
        may_edit=ctx.allows("connection.edit"),
        may_replay=ctx.allows("connection.replay"),
    )
    return render("sync/connection.html", page, crumbs=[Crumb(_("Connections"), url_for("sync.connections"))])


@dataclass(frozen=True)
class LogPage:
    """All documents of a connection, newest first."""

    id: str
    name: str
    what: str
    tabs: tuple[tuple[str, str, bool, int | None], ...]
    rows: tuple[DocumentView, ...]
    states: tuple[tuple[str, str, bool], ...]
    first_url: str | None
    next_url: str | None


@pages.get("/<uuid:connection_id>/documents", permission="connection.view")
def log(ctx: Context, connection_id: UUID) -> Response:
    """Every document that went out, or tried to."""
    found = service.find_connection(ctx, connection_id)
    state = request.args.get("state", "")
    state = state if state in DOCUMENT_STATES else ""
    after = decode(request.args.get("after"), 1)
    rows = reading.documents(ctx, connection_id, state or None, _id(after), SHOWN)
    here: dict[str, Any] = {"connection_id": connection_id, "state": state or None}
    more = len(rows) > SHOWN
    page = LogPage(
        id=str(connection_id),
        name=found.name,
        what=about(found),
        tabs=tabs(ctx, connection_id, "log", None),
        rows=tuple(_document(each) for each in rows[:SHOWN]),
        states=(("", _("All"), not state),)
        + tuple((key, _(word), key == state) for key, (word, _tone) in DOCUMENT_STATES.items()),
        first_url=url_for("sync.log", **here) if after else None,
        next_url=url_for("sync.log", **here, after=encode(rows[SHOWN - 1].id)) if more else None,
    )
    crumbs = [Crumb(_("Connections"), url_for("sync.connections"))]
    return render("sync/documents.html", page, crumbs=crumbs)


@dataclass(frozen=True)
class DocumentPage:
    """One document and its last calls."""

    document: DocumentView
    connection: str
    connection_url: str
    cause: str
    said: str
    remedy: str
    calls: tuple[tuple[str, str], ...]
    stuck: bool
    may_replay: bool


@pages.get("/documents/<uuid:document_id>", permission="connection.view")
def document(ctx: Context, document_id: UUID) -> Response:
    """One document with each call as it went over the wire."""
    found = reading.document(ctx, document_id)
    owner = service.find_connection(ctx, found.connection_id)
    page = DocumentPage(
        document=_document(found),
        connection=owner.name,
        connection_url=url_for("sync.connection", connection_id=owner.id),
        cause=cause_title(found.cause) if found.cause else "",
        said=said_of(found.cause or "", found.cause_text),
        remedy=remedy(found.cause or ""),
        calls=tuple((each["operation"], wire_text(each)) for each in reversed(found.exchanges)),
        stuck=found.state in reading.STUCK,
        may_replay=ctx.allows("connection.replay"),
    )
    crumbs = [Crumb(_("Connections"), url_for("sync.connections")), Crumb(owner.name, page.connection_url)]
    return render("sync/document.html", page, crumbs=crumbs)


def tabs(
    ctx: Context, connection_id: UUID, current: str, stuck: int | None
) -> tuple[tuple[str, str, bool, int | None], ...]:
    """The pages of one connection."""
    places = [("connection", _("Sync and failures"), stuck or None), ("log", _("Request log"), None)]
    here = ctx.session.get(ErpConnection, connection_id)
    if here is not None and here.connector in connectors() and connectors()[here.connector].hears:
        places.append(("calls", _("Calls to us"), None))
    if here is not None and here.connector in connectors() and not connectors()[here.connector].stock_counts:
        places.append(("stocktaking", _("Stock differences"), None))
    places.append(("reconciling", _("Reconciliation"), None))
    places.append(("mapping", _("Mapping"), None))
    places.append(("drills", _("Fault drill"), None))
    if ctx.allows("connection.edit"):
        places.append(("transport", _("Transport"), None))
        places.append(("settings", _("Settings"), None))
    return tuple(
        (text, url_for(f"sync.{name}", connection_id=connection_id), name == current, count)
        for name, text, count in places
    )


def _document(row: SyncDocument) -> DocumentView:
    word, tone = DOCUMENT_STATES[row.state]
    return DocumentView(
        id=str(row.id),
        href=url_for("sync.document", document_id=row.id),
        order_url=_order(row.order_id),
        reference=row.reference,
        number=row.remote_number or "",
        partner=row.partner,
        total=Money(row.total, row.currency),
        state=(_(word), tone),
        what=what_of(row.kind, row.intent),
        tries=row.tries,
        at=row.changed_at,
    )


def _cause(ctx: Context, each: reading.Cause) -> CauseView:
    newest = each.newest
    wire = wire_text(newest.exchanges[-1]) if newest.exchanges else ""
    kind = each.code.rpartition(".")[2].partition("_")[0]
    bindable = each.field == "FCustId" or each.code.endswith(BINDABLE)
    return CauseView(
        code=each.code,
        title=cause_title(each.code),
        said=said_of(each.code, each.said),
        remedy=remedy(each.code),
        count=each.count,
        first_at=each.first_at,
        last_at=each.last_at,
        documents=tuple(_failure(one) for one in each.documents),
        wire=wire,
        partner_id=str(newest.body.get("partner_id", "")) if bindable else "",
        partner_kind=SUPPLIER if kind == "supplier" else PARTNER,
    )


def _order(order_id: UUID | None) -> str:
    return url_for("orders.detail", order_id=order_id) if order_id else ""


def _failure(one: reading.Failure) -> DocumentView:
    word, tone = DOCUMENT_STATES[one.state]
    return DocumentView(
        id=str(one.id),
        href=url_for("sync.document", document_id=one.id),
        order_url=_order(one.order_id),
        reference=one.reference,
        number="",
        partner=one.partner,
        total=Money(one.total, one.currency),
        state=(_(word), tone),
        what=what_of(one.kind, one.intent),
        tries=one.tries,
        at=one.at,
    )


def _stream(row: SyncStream, titles: dict[str, str]) -> StreamView:
    title = titles.get(row.key, row.key)
    return StreamView(row.key, title, row.enabled, row.every_minutes, every(row.every_minutes), row.next_at, bool(row.wanted_by))


def in_order(rows: Sequence[SyncStream], titles: dict[str, str]) -> list[SyncStream]:
    """The streams as their connector lists them; what it has no longer comes last."""
    places = list(titles)
    known = [each for each in rows if each.key != service.CHECK]
    return sorted(known, key=lambda each: places.index(each.key) if each.key in places else len(places))


def _due(row: SyncStream, now: datetime) -> bool:
    """Whether a stream starts in a moment by its schedule, as all do when a connection is switched on."""
    return row.next_at is not None and row.next_at <= now


def _id(after: list[str] | None) -> UUID | None:
    try:
        return UUID(after[0]) if after else None
    except ValueError:
        raise Rejected(400, "page.bad_cursor") from None
