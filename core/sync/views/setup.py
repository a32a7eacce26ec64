"""From nothing to the first synced order: choose a system, say where it is, test, map, try, switch on.

A connection that is being set up is paused: nothing is sent before its last step. What each step needs is read from the
connection itself, so one can leave at any time and go on another day.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Response, request, url_for

from core.kernel import Context
from core.sync import reading, service
from core.sync.contract import Connector
from core.sync.model import ErpConnection
from core.sync.outgoing import PURCHASE_ORDER, TITLES
from core.sync.registry import connectors
from core.sync.views.detail import in_order
from core.sync.views.frame import (
    about,
    coded,
    connection_state,
    every,
    pages,
    remedy,
    step_rows,
    stream_titles,
    without,
)
from core.sync.views.saying import NO_TLS
from core.web import flash, redirect, render
from core.web import gettext as _
from core.web.page import Crumb

CURES = {
    "connector": "The connector itself has a mistake; tell its authors what stands here.",
    "address": "The address is private, or plain http: have the operator allow its network and port, or use https.",
    "dns": "The name is unknown here: check its spelling, or ask for an entry in the name server this machine uses.",
    "tcp": "Nobody answers at this port: check the port, the firewall between the two machines, and whether the service runs.",
    "tls": "The certificate is not trusted: check its name and date; one of a private authority must be given under Transport.",
    "no_tls": "The port speaks no TLS: check the port, or begin the address with http:// and have the operator allow it.",
    "answer": "The server answers with something else: check the path of the address.",
    "service": "The server is there and does not know what was asked: check path, client or data centre, and its services.",
    "login": "The server refuses the user or its secret: sign in with them by hand, and look whether they are locked or expired.",
    "organisation": "The organisation is not there, or the user may not see it: check its number and the user's rights.",
    "wsdl": "The service description is not the one of this system: fetch it there again, and bring the file under Settings.",
    "functions": "A function is missing in the service description: write its name under Settings, or have it released there.",
    "parameters": "A function takes other parameters: give their names under Settings, or have the function changed there.",
    "partners": "Give the ports and partners of both sides under Settings, as their profiles there name them.",
    "find": "The search finds what nobody asked for, or nothing of use: check its path and its answer under Settings.",
    "folders": "A folder is not there: have it made, or correct its name under Settings.",
    "write": "No file can be written or moved: have the user given the right to do so in these folders.",
    "read": "Signed in, and the first record cannot be read: give the user the rights that the guide of this connector lists.",
}
"""What to do about a step of the check that failed; a connector's own steps say it themselves."""

_SETTINGS: tuple[str, dict[str, Any], str] = ("sync.settings", {"credentials": "1"}, "Change address or credentials")
_OTHERS: tuple[str, dict[str, Any], str] = ("sync.settings", {}, "Settings")
MENDED: Mapping[str, tuple[str, dict[str, Any], str]] = {
    "address": _SETTINGS,
    "dns": _SETTINGS,
    "tcp": _SETTINGS,
    "tls": ("sync.transport", {}, "Certificates and trust"),
    "no_tls": _SETTINGS,
    "answer": _SETTINGS,
    "service": _SETTINGS,
    "login": _SETTINGS,
    "organisation": _OTHERS,
    "wsdl": _OTHERS,
    "functions": _OTHERS,
    "parameters": _OTHERS,
    "partners": _OTHERS,
    "find": _OTHERS,
    "folders": _OTHERS,
}
"""Where a step that failed is mended here: endpoint, its values, and the words of the link."""


GROUPS = ("ERP", "Warehouse systems", "Any other system")
ANY_SYSTEM = ("rest", "files")  # connectors for what nobody wrote one for: they come last


@dataclass(frozen=True)
class SystemView:
    """A kind of system one can wire."""

    title: str
    summary: str
    href: str


@dataclass(frozen=True)
class ChoosePage:
    """All systems there are connectors for, by what they are."""

    steps: tuple[tuple[str, str, str], ...]
    groups: tuple[tuple[str, tuple[SystemView, ...]], ...]


@dataclass(frozen=True)
class StreamChoice:
    """A stream one may switch on at the end."""

    key: str
    title: str
    often: str
    chosen: bool


@dataclass(frozen=True)
class SetupPage:
    """How far a connection has come. `checks` are (step, done or bad, what was seen), `cure` is for the one that failed."""

    id: str
    name: str
    what: str
    state: tuple[str, str]
    steps: tuple[tuple[str, str, str], ...]
    checks: tuple[tuple[str, str, str], ...]
    checked_at: datetime | None
    checking: bool
    passed: bool
    cure: str
    cure_url: str  # where it is mended here; empty when it is not
    cure_verb: str
    streams: tuple[StreamChoice, ...]
    paused: bool
    shut: tuple[str, ...]  # documents that are to go out and by the test cannot


@pages.get("/choose", permission="connection.edit")
def choose(ctx: Context) -> Response:
    """Step one: which system."""
    groups: dict[str, list[SystemView]] = {title: [] for title in GROUPS}
    for each in sorted(connectors(), key=lambda one: (-len(one.documents), one.key)):  # what carries most comes first
        view = SystemView(_(each.title), _(each.summary), url_for("sync.new", connector=each.key))
        groups[_group(each)].append(view)
    page = ChoosePage(steps_of("choose"), tuple((_(title), tuple(views)) for title, views in groups.items() if views))
    return render("sync/choose.html", page, crumbs=[Crumb(_("Connections"), url_for("sync.connections"))])


@pages.get("/<uuid:connection_id>/setup", permission="connection.edit")
def setup(ctx: Context, connection_id: UUID) -> Response:
    """Steps three to six of one connection."""
    found = service.find_connection(ctx, connection_id)
    standing = next(each for each in reading.standings(ctx) if each.id == connection_id)
    streams = reading.streams(ctx, connection_id)
    checked = found.checked or {}
    checks = step_rows(found)
    failed, said = next(((each["name"], str(each["said"])) for each in checked.get("steps", ()) if not each["ok"]), ("", ""))
    if failed == "tls" and NO_TLS.search(said):
        failed = "no_tls"
    passed = bool(checked.get("ok"))
    titles = stream_titles(found.connector)
    mended = MENDED.get(failed)
    page = SetupPage(
        id=str(connection_id),
        name=found.name,
        what=about(found),
        state=connection_state(standing),
        steps=steps_of("enable" if passed else "test", done=found.state == "active"),
        checks=checks,
        checked_at=datetime.fromisoformat(checked["at"]) if checked else None,
        checking=any(each.key == service.CHECK and each.next_at is not None for each in streams),
        passed=passed,
        cure=remedy(coded(said)[0]) or (_(CURES[failed]) if failed in CURES else ""),
        cure_url=url_for(mended[0], connection_id=connection_id, **mended[1]) if mended else "",
        cure_verb=_(mended[2]) if mended else "",
        streams=tuple(
            StreamChoice(key, titles.get(key, key), every(each.every_minutes), each.enabled or _offered(found, key))
            for each in in_order(streams, titles)
            for key in (each.key,)
        ),
        paused=found.state == "paused",
        shut=tuple(_(TITLES.get(kind, kind)) for kind in found.documents if kind in without(checked)),
    )
    return render("sync/setup.html", page, crumbs=[Crumb(_("Connections"), url_for("sync.connections"))])


@pages.post("/<uuid:connection_id>/setup/check", permission="connection.edit")
def check_again(ctx: Context, connection_id: UUID) -> Response:
    """Test again, and come back to the steps."""
    service.check_connection(ctx, connection_id)
    return redirect("sync.setup", connection_id=connection_id)


@pages.post("/<uuid:connection_id>/setup/enable", permission="connection.edit")
def enable(ctx: Context, connection_id: UUID) -> Response:
    """The last step: streams on their schedules, documents on their way."""
    found = service.find_connection(ctx, connection_id)
    wanted = set(request.form.getlist("streams"))
    for each in reading.streams(ctx, connection_id):
        if each.key != service.CHECK:
            service.schedule(ctx, connection_id, each.key, each.every_minutes if each.key in wanted else None)
    if found.state != "active":
        service.resume(ctx, connection_id)
    flash(_("Switched on. Confirmed orders arrive there by themselves from now on."))
    return redirect("sync.connection", connection_id=connection_id)


def steps_of(now: str, *, done: bool = False) -> tuple[tuple[str, str, str], ...]:
    """The six steps for the stepper, up to the one that is due now."""
    names = [
        ("choose", _("Choose the system")),
        ("connect", _("Address and credentials")),
        ("test", _("Test")),
        ("map", _("Map")),
        ("try", _("Dry run")),
        ("enable", _("Switch on")),
    ]
    place = [key for key, _text in names].index(now)
    optional = {"map", "try"}
    told = []
    for number, (key, text) in enumerate(names):
        status = "now" if number == place and not done else "done" if (done or number < place) and key not in optional else ""
        told.append((text, _("optional") if key in optional else "", status))
    return tuple(told)


def _group(connector: Connector) -> str:
    if connector.key in ANY_SYSTEM:
        return GROUPS[2]
    return GROUPS[0] if connector.stock_counts else GROUPS[1]


def _offered(connection: ErpConnection, stream: str) -> bool:
    """Whether a stream is ticked before anybody chose: not what the test could not read, nor arrivals where nothing is bought."""
    if connection.state != "paused" or stream in without(connection.checked or {}):
        return False
    return stream != "receipts" or PURCHASE_ORDER in connection.documents
