"""The page of calls: what another system sent us by itself, what became of it, and the address it calls."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from flask import Response, request, url_for
from sqlalchemy import select

from core import identity
from core.kernel import Context
from core.sync.inbox import reading, tokens, waiting
from core.sync.inbox.model import SyncPush
from core.sync.model import ErpConnection, SyncIssue
from core.sync.registry import connectors
from core.sync.service import find_connection
from core.sync.views.detail import tabs
from core.sync.views.frame import State, about, cause_title, pages, pretty, remedy, said_of, told
from core.web import flash, redirect, render
from core.web import gettext as _
from core.web.page import Confirmation, Crumb
from core.web.pager import decode, encode
from core.web.problem import Rejected

SHOWN = 25
CLOSING = "The other system is refused from then on. A new address has to be entered there."
ISSUES = 200
STATES: Mapping[str, State] = {
    "landed": ("Landed", "ok"),
    "waiting": ("Waiting", "acc"),
    "refused": ("Refused", "bad"),
}


@dataclass(frozen=True)
class LeftView:
    """A record of a call that could not land."""

    title: str
    said: str
    remedy: str
    external_id: str


@dataclass(frozen=True)
class CallView:
    """One call."""

    id: str
    key: str
    what: str
    state: State
    said: str
    stored: int
    skipped: int
    at: datetime
    body: str
    left: tuple[LeftView, ...]
    may_replay: bool


@dataclass(frozen=True)
class CallsPage:
    """The calls of a connection, newest first. `is_open`: there is an address for them."""

    id: str
    name: str
    what: str
    tabs: tuple[tuple[str, str, bool, int | None], ...]
    is_open: bool
    may_edit: bool
    token_url: str
    calls: tuple[CallView, ...]
    first_url: str | None
    next_url: str | None


@dataclass(frozen=True)
class TokenPage:
    """Asks before a new address is made; the one before ends with it."""

    name: str
    action: str
    back_url: str
    is_open: bool


@dataclass(frozen=True)
class Once:
    """What is shown this one time."""

    title: str
    text: str
    values: tuple[str, ...]
    back_url: str
    back: str


@pages.get("/<uuid:connection_id>/calls", permission="connection.view")
def calls(ctx: Context, connection_id: UUID) -> Response:
    """What the other system sent, and what became of it."""
    connection = find_connection(ctx, connection_id)
    after = decode(request.args.get("after"), 1)
    found = reading.pushes(ctx, connection_id, _id(after), SHOWN)
    shown = found[:SHOWN]
    left = _left(ctx, [row.id for row in shown])
    here = url_for("sync.calls", connection_id=connection_id)
    may_replay = ctx.allows("connection.replay")
    page = CallsPage(
        id=str(connection_id),
        name=connection.name,
        what=about(connection),
        tabs=tabs(ctx, connection_id, "calls", None),
        is_open=connection.push_hash is not None,
        may_edit=ctx.allows("connection.edit") and connection.connector in connectors(),
        token_url=url_for("sync.new_call_token", connection_id=connection_id),
        calls=tuple(_call(row, left.get(row.id, []), may_replay) for row in shown),
        first_url=here if after else None,
        next_url=f"{here}?after={encode(shown[-1].id)}" if len(found) > SHOWN else None,
    )
    return render("sync/calls.html", page, crumbs=_crumbs(connection)[:1])


@pages.get("/<uuid:connection_id>/calls/token", permission="connection.edit")
def new_call_token(ctx: Context, connection_id: UUID) -> Response:
    """Ask before a new address is made."""
    identity.require_fresh_second_factor(ctx)
    connection = find_connection(ctx, connection_id)
    page = TokenPage(
        name=connection.name,
        action=url_for("sync.make_call_token", connection_id=connection_id),
        back_url=url_for("sync.calls", connection_id=connection_id),
        is_open=connection.push_hash is not None,
    )
    return render("sync/call_token.html", page, crumbs=_crumbs(connection))


@pages.post("/<uuid:connection_id>/calls/token", permission="connection.edit")
def make_call_token(ctx: Context, connection_id: UUID) -> Response:
    """A new address, shown this once."""
    connection = find_connection(ctx, connection_id)
    token = tokens.renew_token(ctx, connectors()[connection.connector], connection_id)
    page = Once(
        _("Address for calls"),
        _("Enter this address in the other system. It is shown only now; nobody can read it again."),
        (f"{request.url_root.rstrip('/')}/connect/{token}",),
        url_for("sync.calls", connection_id=connection_id),
        _("Back to the calls"),
    )
    return render("identity/once.html", page, crumbs=_crumbs(connection))


@pages.get("/<uuid:connection_id>/calls/close", permission="connection.edit")
def ask_close_calls(ctx: Context, connection_id: UUID) -> Response:
    """What closing the address means, before it is closed."""
    connection = find_connection(ctx, connection_id)
    page = Confirmation(
        title=_("Close the address?"),
        consequences=(_(CLOSING),),
        action=url_for("sync.close_calls", connection_id=connection_id),
        verb=_("Close the address"),
        keep=_("Back"),
        keep_url=url_for("sync.calls", connection_id=connection_id),
        danger=True,
    )
    return render("shell/confirm.html", page, crumbs=_crumbs(connection))


@pages.post("/<uuid:connection_id>/calls/close", permission="connection.edit")
def close_calls(ctx: Context, connection_id: UUID) -> Response:
    """Nobody calls any more."""
    tokens.withdraw_token(ctx, connection_id)
    flash(_("The address is closed"))
    return redirect("sync.calls", connection_id=connection_id)


@pages.post("/calls/<uuid:push_id>/replay", permission="connection.replay")
def replay_call(ctx: Context, push_id: UUID) -> Response:
    """Land a call again."""
    row = waiting.replay_push(ctx, push_id)
    flash(_("The call lands again in a moment; what landed before is known."), tone="acc")
    return redirect("sync.calls", connection_id=row.connection_id)


def _left(ctx: Context, push_ids: list[UUID]) -> dict[UUID, list[SyncIssue]]:
    rows = ctx.session.scalars(
        select(SyncIssue)
        .where(SyncIssue.tenant_id == ctx.tenant_id, SyncIssue.push_id.in_(push_ids))
        .order_by(SyncIssue.id.desc())
        .limit(ISSUES)
    )
    found: dict[UUID, list[SyncIssue]] = {}
    for row in rows:
        if row.push_id is not None:
            found.setdefault(row.push_id, []).append(row)
    return found


def _call(row: SyncPush, left: list[SyncIssue], may_replay: bool) -> CallView:
    word, tone = STATES[row.state]
    return CallView(
        id=str(row.id),
        key="" if row.state == "refused" else row.key,
        what=row.kind or row.path,
        state=(_(word), tone),
        said=told(row.said),
        stored=row.stored,
        skipped=row.skipped,
        at=row.at,
        body=pretty(row.body),
        left=tuple(
            LeftView(cause_title(each.code), said_of(each.code, each.said), remedy(each.code), each.external_id) for each in left
        ),
        may_replay=may_replay and row.state == "landed" and row.skipped > 0,
    )


def _crumbs(connection: ErpConnection) -> list[Crumb]:
    return [
        Crumb(_("Connections"), url_for("sync.connections")),
        Crumb(connection.name, url_for("sync.connection", connection_id=connection.id)),
    ]


def _id(after: list[str] | None) -> UUID | None:
    try:
        return UUID(after[0]) if after else None
    except ValueError:
        raise Rejected(400, "page.bad_cursor") from None
