"""The page of stock that differs: what the warehouse says beside what we say, and the moves that explain it."""

from dataclasses import dataclass
from uuid import UUID

from flask import Response, request, url_for

from core.kernel import Context
from core.sync.service import find_connection
from core.sync.stocktaking import reading
from core.sync.stocktaking.api import before
from core.sync.views.detail import tabs
from core.sync.views.frame import about, pages, system
from core.web import gettext as _
from core.web import render
from core.web.page import Crumb
from core.web.pager import encode

SHOWN = 50


@dataclass(frozen=True)
class StockPage:
    """Differences by product, then all moves there, newest first."""

    name: str
    what: str
    tabs: tuple[tuple[str, str, bool, int | None], ...]
    rows: tuple[reading.Difference, ...]
    more: bool
    moves: tuple[reading.Move, ...]
    first_url: str | None
    next_url: str | None


@pages.get("/<uuid:connection_id>/stock", permission="stock.view")
def stocktaking(ctx: Context, connection_id: UUID) -> Response:
    """Where stock differs and why."""
    found = find_connection(ctx, connection_id)
    after = before(request.args.get("after"))
    rows = reading.differences(ctx, connection_id)
    moves = reading.moves(ctx, connection_id, after, SHOWN)
    here = url_for("sync.stocktaking", connection_id=connection_id)
    manages = ctx.allows(
        "connection.view"
    )  # a clerk of the warehouse sees this page and no other of the connection
    page = StockPage(
        name=found.name,
        what=about(found) if manages else system(found.connector),
        tabs=tabs(ctx, connection_id, "stocktaking", None) if manages else (),
        rows=tuple(rows),
        more=len(rows) == reading.MOST,
        moves=tuple(moves[:SHOWN]),
        first_url=here if after else None,
        next_url=f"{here}?after={encode(moves[SHOWN - 1].id)}" if len(moves) > SHOWN else None,
    )
    crumbs = [Crumb(_("Connections"), url_for("sync.connections"))] if manages else []
    return render("sync/stocktaking.html", page, crumbs=crumbs)
