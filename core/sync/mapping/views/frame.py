"""What the pages of a mapping share: their head, and how a save is told."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import request, url_for

from core.kernel import Context, Invalid
from core.sync import service as connections
from core.sync.mapping import history
from core.sync.mapping.history import Version
from core.sync.mapping.service import save_mapping
from core.sync.mapping.unmapped import unmapped
from core.sync.model import ErpConnection
from core.sync.views.detail import tabs
from core.web import flash
from core.web import gettext as _
from core.web.mending import Errors, mend
from core.web.page import Crumb
from core.web.problem import sentence

Tabs = tuple[tuple[str, str, bool, int | None], ...]


@dataclass(frozen=True)
class Head:
    """What stands above every page of a mapping; `seen` is the version a save must name."""

    id: str
    name: str
    tabs: Tabs
    sections: Tabs
    seen: int
    may_edit: bool


def head(ctx: Context, connection: ErpConnection, current: str, now: Version) -> Head:
    places = (
        ("mapping", _("Look-up tables")),
        ("mapping_out", _("Rules out")),
        ("mapping_in", _("Rules in")),
        ("mapping_unmapped", _("Without a counterpart")),
        ("mapping_versions", _("Versions")),
    )
    waiting = len(unmapped(ctx, connection.id))
    return Head(
        id=str(connection.id),
        name=connection.name,
        tabs=tabs(ctx, connection.id, "mapping", None),
        sections=tuple(
            (text, url_for(f"sync.{name}", connection_id=connection.id), name == current, _number(name, waiting, now))
            for name, text in places
        ),
        seen=now.no,
        may_edit=ctx.allows("connection.edit"),
    )


def _number(name: str, waiting: int, now: Version) -> int | None:
    return (waiting if name == "mapping_unmapped" else now.no if name == "mapping_versions" else 0) or None


def crumbs(connection: ErpConnection) -> list[Crumb]:
    """The way here; a tab of the connection stands beside it, and leaves the second out."""
    own = url_for("sync.connection", connection_id=connection.id)
    return [Crumb(_("Connections"), url_for("sync.connections")), Crumb(connection.name, own)]


def found(ctx: Context, connection_id: UUID) -> tuple[ErpConnection, Version]:
    return connections.find_connection(ctx, connection_id), history.latest(ctx, connection_id)


def seen() -> int:
    typed = request.form.get("seen", "")
    return int(typed) if typed.isdecimal() and len(typed) < 10 else 0


def save(ctx: Context, connection_id: UUID, part: dict[str, Any], note: str) -> Errors:
    """Keep one part of the document, the others as they are; the errors by field when it will not do."""

    def act() -> None:
        now = history.latest(ctx, connection_id).document
        flash_saved(save_mapping(ctx, connection_id, {**now, **part}, seen(), note))

    return mend(ctx, act)


def flash_saved(version: Version) -> None:
    flash(_("Mapping saved as version %(no)s", no=version.no))


def mended(act: Callable[[], Any], into: Errors) -> Any:
    """What an act answers; what is wrong with it goes into `into`, and None comes back."""
    try:
        return act()
    except Invalid as wrong:
        for error in wrong.errors:
            into.setdefault(error.path, []).append(sentence(error.code, error.values))
        return None
