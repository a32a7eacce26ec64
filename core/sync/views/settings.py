"""The form of a connection: where it leads, as whom it comes, how things are filed there."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from flask import Response, request, url_for

from core import identity
from core.kernel import Context, Invalid
from core.sync import service
from core.sync.contract import Connector, Setting
from core.sync.model import ErpConnection
from core.sync.outgoing import TITLES
from core.sync.registry import connectors
from core.sync.secrets import access_of
from core.sync.told import HOST_KEY
from core.sync.views.detail import tabs
from core.sync.views.frame import pages, setting_up
from core.sync.views.setup import steps_of
from core.web import flash, form, redirect, render
from core.web import gettext as _
from core.web.mending import Errors, mend
from core.web.page import Crumb


@dataclass(frozen=True)
class FieldView:
    """One setting as the form shows it; `kept` says that a secret is there and stays when left blank."""

    name: str
    label: str
    kind: str
    value: str
    hint: str
    optional: bool
    choices: tuple[tuple[str, str], ...]
    kept: bool
    lines: bool  # a secret of several lines, such as a private key; a password field would take its line breaks away
    usual: bool  # it may stay as it is: it has a default, or lists only what differs


@dataclass(frozen=True)
class SettingsPage:
    """`usual` are fields that may stay as they are, shown on demand or at once (`open`).

    `version` is 0 for a new connection. `locked` is what stands there and changes only once the second factor was shown.
    """

    action: str
    back_url: str
    title: str
    connector: str
    version: int
    values: Mapping[str, str]
    fields: tuple[FieldView, ...]
    usual: tuple[FieldView, ...]
    open: bool
    tabs: tuple[tuple[str, str, bool, int | None], ...]
    steps: tuple[tuple[str, str, str], ...]
    locked: tuple[tuple[str, str], ...] = ()
    unlock_url: str = ""
    documents: tuple[tuple[str, str, bool], ...] = ()  # kind, title, whether it goes out; none where there is no choice
    errors: Errors = field(default_factory=dict)


@pages.get("/new", permission="connection.edit")
def new(ctx: Context) -> Response:
    """Set up a connection."""
    connector = connectors()[request.args.get("connector", "")]
    return _show(ctx, connector, None, {"name": _(connector.title)}, {})


@pages.post("/new", permission="connection.edit")
def add(ctx: Context) -> Response:
    """Set the connection up, or show what is wrong with it."""
    values = form()
    connector = connectors()[values.get("connector", "")]
    made: list[ErpConnection] = []

    def connect() -> None:
        made.append(service.connect(ctx, connector, _given(connector, values)))
        service.pause(ctx, made[0].id, "")  # nothing leaves before the last step

    if errors := mend(ctx, connect):
        return _show(ctx, connector, None, values, errors)
    return redirect("sync.setup", connection_id=made[0].id)


@pages.get("/<uuid:connection_id>/settings", permission="connection.edit")
def settings(ctx: Context, connection_id: UUID) -> Response:
    """Change a connection. Address and secrets only once the second factor was shown: before they are typed, so none is lost."""
    if _unlocked():
        identity.require_fresh_second_factor(ctx)
    found = service.find_connection(ctx, connection_id)
    values = {"name": found.name, "base_url": found.base_url, "organisation": found.organisation}
    return _show(ctx, connectors()[found.connector], found, values | found.settings, {})


@pages.post("/<uuid:connection_id>/settings", permission="connection.edit")
def save(ctx: Context, connection_id: UUID) -> Response:
    """Save the connection, or show what is wrong with it."""
    found = service.find_connection(ctx, connection_id)
    connector, values = connectors()[found.connector], form()
    version = int(values["version"]) if values.get("version", "").isdecimal() else 0

    def change() -> None:
        service.change_connection(ctx, connector, connection_id, version, _given(connector, values, found))

    if errors := mend(ctx, change):
        return _show(ctx, connector, found, values, errors)
    flash(_("Connection saved, the check runs"))
    back = "sync.setup" if setting_up(found) else "sync.connection"
    return redirect(back, connection_id=connection_id)


def _unlocked() -> bool:
    return request.args.get("credentials") == "1"


def _given(
    connector: Connector, values: Mapping[str, str], found: ErpConnection | None = None
) -> service.NewConnection:
    """What was typed, with the texts of uploaded files. A file that was not brought again stays, and so does what was locked."""
    kept = found.settings if found else {}
    told = {name: values.get(name, "").strip() for name in ("name", "base_url", "organisation")}
    if found and "base_url" not in values:
        told["base_url"] = found.base_url
    files = {each.key: _text_of(each) or kept.get(each.key, "") for each in connector.settings if each.kind == "file"}
    locked = {
        each.key: kept[each.key]
        for each in connector.settings
        if each.key in kept and each.key not in values and _leads(each, kept)
    }
    kinds = request.form.getlist("documents") if "documents_shown" in values else None
    return service.NewConnection(**told, values={**locked, **values, **files}, documents=kinds)


def _leads(each: Setting, values: Mapping[str, str]) -> bool:
    """Whether a setting says where or to whom secrets go, or is one."""
    return each.kind == "secret" or each.key.endswith(("_url", HOST_KEY)) or "://" in values.get(each.key, "")[:20]


def _text_of(setting: Setting) -> str:
    brought = request.files.get(setting.key)
    content = brought.read() if brought is not None and brought.filename else b""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Invalid.one(setting.key, "connection.file_unreadable") from None


def _show(
    ctx: Context, connector: Connector, found: ErpConnection | None, values: Mapping[str, str], errors: Errors
) -> Response:
    locks = found is not None and not _unlocked() and not set(errors) & {"base_url"}
    there = access_of(found).secrets if found else {}
    if found and locks:  # what is locked was not sent
        unsent = {each.key: found.settings[each.key] for each in connector.settings if _unsent(each, found, values)}
        values = {**unsent, **values}
    locked = [each for each in connector.settings if locks and _leads(each, values)]
    more: dict[str, Any] = {"credentials": "1"} if found and not locks else {}
    out = found.documents if found else service.usual(connector)
    chosen = request.form.getlist("documents") if "documents_shown" in values else out
    fields = [_field(each, values, there, typed=bool(errors)) for each in connector.settings if each not in locked]
    changed = {each.key for each in connector.settings if values.get(each.key, each.default) != each.default}
    page = SettingsPage(
        action=url_for("sync.save", connection_id=found.id, **more) if found else url_for("sync.add"),
        back_url=url_for("sync.connection", connection_id=found.id) if found else url_for("sync.connections"),
        title=found.name if found else _("Connect %(system)s", system=_(connector.title)),
        connector=connector.key,
        version=found.version if found else 0,
        values=values,
        fields=tuple(each for each in fields if not each.usual),
        usual=tuple(each for each in fields if each.usual),
        open=any(each.usual and (each.name in changed or each.name in errors) for each in fields),
        tabs=tabs(ctx, found.id, "settings", None) if found else (),
        steps=() if found else steps_of("connect"),
        locked=((_("Address"), found.base_url), *(_lock(each, values, there) for each in locked))
        if found and locks
        else (),
        unlock_url=url_for("sync.settings", connection_id=found.id, credentials="1") if found else "",
        documents=tuple((kind, _(TITLES.get(kind, kind)), kind in chosen) for kind in connector.documents)
        if len(connector.documents) > 1
        else (),
        errors=errors,
    )
    crumbs = [Crumb(_("Connections"), url_for("sync.connections"))]
    return render("sync/settings.html", page, status=422 if errors else 200, crumbs=crumbs)


def _lock(each: Setting, values: Mapping[str, str], there: Mapping[str, str]) -> tuple[str, str]:
    """A locked setting in words; of a secret only whether there is one."""
    if each.kind == "secret":
        return _(each.title), _("kept, never shown") if each.key in there else _("none")
    return _(each.title), values.get(each.key, "")


def _unsent(each: Setting, found: ErpConnection, values: Mapping[str, str]) -> bool:
    return each.key in found.settings and each.key not in values and _leads(each, found.settings)


def _field(each: Setting, values: Mapping[str, str], there: Mapping[str, str], *, typed: bool) -> FieldView:
    """`typed`: the values come from a form, where a box without a tick is not sent."""
    unsent = "" if typed and each.kind == "flag" else each.default
    return FieldView(
        name=each.key,
        label=_(each.title),
        kind=each.kind,
        value="" if each.kind in ("secret", "file") else values.get(each.key, unsent),
        hint=_(each.hint) if each.hint else "",
        optional=not each.required,
        choices=tuple((value, _(title)) for value, title in each.choices),
        kept=each.key in there or (each.kind == "file" and bool(values.get(each.key))),
        lines=each.kind == "secret" and each.key.endswith("private_key"),
        usual=not each.required and each.kind not in ("secret", "file") and bool(each.default or each.kind == "pairs"),
    )
