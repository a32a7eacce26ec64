"""The page of the way to a system: whom its TLS trusts, who we are there, how much at once and how often."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from flask import Response, request, url_for

from core import identity
from core.kernel import Context, FieldError, Invalid
from core.sync import reading, service
from core.sync import transport as ways
from core.sync.engine import AT_ONCE
from core.sync.model import ErpConnection
from core.sync.registry import connectors
from core.sync.views.detail import tabs
from core.sync.views.frame import State, about, connection_state, pages, step_rows
from core.web import flash, form, redirect, render
from core.web import gettext as _
from core.web.mending import Errors, mend
from core.web.page import Crumb

SOON = timedelta(days=30)
FILES = {"ca_file": "ca_pem", "client_cert_file": "client_cert_pem", "client_key_file": "client_key"}
"""Files one may bring instead of pasting their text."""


@dataclass(frozen=True)
class CertificateView:
    """A certificate by what people tell one from another; the fingerprint in groups of four."""

    subject: str
    issuer: str
    not_after: datetime
    state: State
    fingerprint: str


@dataclass(frozen=True)
class TransportPage:
    """How a system is reached now, and whether it works. `pin` is empty when none is given."""

    name: str
    what: str
    state: State
    tabs: tuple[tuple[str, str, bool, int | None], ...]
    here: str
    change_url: str
    check_url: str
    caps: tuple[tuple[str, str], ...]
    trust: str
    pin: str
    authorities: tuple[CertificateView, ...]
    client: tuple[CertificateView, ...]
    steps: tuple[tuple[str, str, str], ...]
    checked_at: datetime | None
    checking: bool


@dataclass(frozen=True)
class TransportForm:
    """`kept`: a key is there, and stays when none is given."""

    name: str
    action: str
    back_url: str
    version: int
    values: Mapping[str, Any]
    kept: bool
    at_once: int
    errors: Errors = field(default_factory=dict)


@pages.get("/<uuid:connection_id>/transport", permission="connection.edit")
def transport(ctx: Context, connection_id: UUID) -> Response:
    """How the system is reached; no key is ever shown."""
    found = service.find_connection(ctx, connection_id)
    standing = next(each for each in reading.standings(ctx) if each.id == connection_id)
    checked = found.checked or {}
    page = TransportPage(
        name=found.name,
        what=about(found),
        state=connection_state(standing),
        tabs=tabs(ctx, connection_id, "transport", None),
        here=url_for("sync.transport", connection_id=connection_id),
        change_url=url_for("sync.change_transport", connection_id=connection_id),
        check_url=url_for("sync.check_transport", connection_id=connection_id),
        caps=(
            (
                _("Documents at a time"),
                str(found.at_once or _("%(n)s (the platform's number)", n=AT_ONCE)),
            ),
            (_("Calls a minute"), str(found.per_minute or _("no limit"))),
            (_("Wait after an unclear answer"), _settle(found)),
        ),
        trust=_trust(found),
        pin=_grouped(found.pinned_sha256),
        authorities=_shown(ctx, found.ca_pem),
        client=_shown(ctx, found.client_cert_pem),
        steps=step_rows(found),
        checked_at=datetime.fromisoformat(checked["at"]) if checked else None,
        checking=any(
            each.key == service.CHECK and each.next_at is not None for each in reading.streams(ctx, connection_id)
        ),
    )
    return render("sync/transport.html", page, crumbs=_crumbs())


@pages.get("/<uuid:connection_id>/transport/change", permission="connection.edit")
def change_transport(ctx: Context, connection_id: UUID) -> Response:
    """The form, once the second factor was shown: before anything is typed, so nothing typed is lost."""
    identity.require_fresh_second_factor(ctx)
    found = service.find_connection(ctx, connection_id)
    names = "at_once per_minute settle_seconds ca_pem pinned_sha256 client_cert_pem"
    return _form(found, found.version, {name: getattr(found, name) for name in names.split()}, {})


@pages.post("/<uuid:connection_id>/transport/change", permission="connection.edit")
def save_transport(ctx: Context, connection_id: UUID) -> Response:
    """Save and check, or show what is wrong."""
    found, typed = service.find_connection(ctx, connection_id), form()
    version = int(typed["version"]) if typed.get("version", "").isdecimal() else 0
    values = dict(typed)

    def save() -> None:
        values.update(_brought())
        ways.set_transport(ctx, connection_id, version, _given(values))

    if errors := mend(ctx, save):
        return _form(found, version, values, errors)
    flash(_("Saved. The check runs, its steps appear here in a few seconds."), tone="acc")
    return redirect("sync.transport", connection_id=connection_id)


@pages.post("/<uuid:connection_id>/transport/check", permission="connection.edit")
def check_transport(ctx: Context, connection_id: UUID) -> Response:
    """Test, and come back to this page."""
    service.check_connection(ctx, connection_id)
    return redirect("sync.transport", connection_id=connection_id)


def _given(values: Mapping[str, str]) -> ways.Transport:
    wrong: list[FieldError] = []
    numbers: dict[str, int | None] = {}
    for name in ("at_once", "per_minute", "settle_seconds"):
        text = values.get(name, "").strip()
        if text and not (text.isdecimal() and len(text) < 10):
            wrong.append(FieldError(name, "connection.number", {}))
        else:
            numbers[name] = int(text) if text else None
    if wrong:
        raise Invalid(wrong)
    return ways.Transport(
        **numbers,
        ca_pem=values.get("ca_pem", ""),
        pinned_sha256=values.get("pinned_sha256", ""),
        client_cert_pem=values.get("client_cert_pem", ""),
        client_key=values.get("client_key", "").strip() or None,
    )


def _brought() -> dict[str, str]:
    """The texts of the files that came with the form, by the field they stand for."""
    texts: dict[str, str] = {}
    for name, place in FILES.items():
        file = request.files.get(name)
        content = file.read(ways.LONGEST_PEM + 1) if file is not None and file.filename else b""
        if content:
            try:
                texts[place] = content.decode("utf-8-sig")
            except UnicodeDecodeError:
                raise Invalid.one(place, "connection.not_pem") from None
    return texts


def _form(found: ErpConnection, version: int, values: Mapping[str, Any], errors: Errors) -> Response:
    shown = {
        name: "" if name == "client_key" or ways.KEY in str(text) else text for name, text in values.items()
    }
    page = TransportForm(
        name=found.name,
        action=url_for("sync.save_transport", connection_id=found.id),
        back_url=url_for("sync.transport", connection_id=found.id),
        version=version,
        values=shown,
        kept=found.client_key is not None,
        at_once=AT_ONCE,
        errors=errors,
    )
    crumbs = [*_crumbs(), Crumb(found.name, page.back_url)]
    return render("sync/transport_form.html", page, status=422 if errors else 200, crumbs=crumbs)


def _settle(found: ErpConnection) -> str:
    if found.settle_seconds:
        return _("%(n)s seconds", n=found.settle_seconds)
    usual = connectors()[found.connector].settle if found.connector in connectors() else None
    return _("%(n)s seconds (the connector's number)", n=int(usual.total_seconds())) if usual else ""


def _trust(found: ErpConnection) -> str:
    if found.ca_pem and found.pinned_sha256:
        return _("Exactly the pinned certificate, and only when the authorities below signed it.")
    if found.pinned_sha256:
        return _("Exactly the pinned certificate, whoever signed it.")
    if found.ca_pem:
        return _("Only the authorities below; no public one.")
    return _("The public authorities, as a browser does.")


def _shown(ctx: Context, text: str) -> tuple[CertificateView, ...]:
    return tuple(
        CertificateView(
            each.subject, each.issuer, each.not_after, _validity(each.not_after - ctx.now), _grouped(each.sha256)
        )
        for each in ways.certificates(text)
    )


def _validity(left: timedelta) -> State:
    if left <= timedelta(0):
        return _("Expired"), "bad"
    return (_("Expires soon"), "warn") if left < SOON else (_("Valid"), "ok")


def _grouped(digits: str) -> str:
    return " ".join(digits[at : at + 4] for at in range(0, len(digits), 4))


def _crumbs() -> list[Crumb]:
    return [Crumb(_("Connections"), url_for("sync.connections"))]
