"""What a person tells about a connection, and whether it can be so."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import func, select

from core.kernel import Context, FieldError, Invalid
from core.sync.contract import Connector
from core.sync.model import ErpConnection
from core.sync.outgoing import SALES_ORDER

LONGEST = {"name": 80, "base_url": 300, "organisation": 40}
MAX_SETTING, MAX_FILE = 4_000, 1_000_000  # characters
HOST_KEY = "fingerprint"  # how the key of a setting ends that says which host it must be
MANY_LINES = ("pairs", "file", "secret")  # kinds of settings that may have several lines; a secret may be a private key


@dataclass(frozen=True)
class NewConnection:
    """What a person tells about a connection. A blank secret keeps the one that is there.

    `documents` are the kinds that go out through it; None keeps those that do, at first the connector's usual one.
    """

    name: str
    base_url: str
    organisation: str
    values: Mapping[str, str]
    documents: Sequence[str] | None = None


def checked(
    ctx: Context,
    connector: Connector,
    given: NewConnection,
    settings: Mapping[str, str],
    hidden: Mapping[str, str],
    connection_id: UUID | None = None,
) -> None:
    """Raises Invalid with everything that cannot be so; `settings` and `hidden` are the given values parted."""
    wrong: list[FieldError] = []
    for name, most in LONGEST.items():
        value = str(getattr(given, name))
        if len(value) > most or not value.isprintable():
            wrong.append(FieldError(name, "connection.text", {"most": most}))
    if not _is_address(given.base_url):
        wrong.append(FieldError("base_url", "connection.url", {}))
    if not given.name.strip():
        wrong.append(FieldError("name", "field.required", {}))
    for setting in connector.settings:
        value = hidden.get(setting.key) or settings.get(setting.key, "")
        if setting.required and not value:
            wrong.append(FieldError(setting.key, "field.required", {}))
        elif setting.kind not in MANY_LINES and len(value.splitlines()) > 1:
            wrong.append(FieldError(setting.key, "connection.text", {"most": MAX_SETTING}))
        elif len(value) > (most := MAX_FILE if setting.kind == "file" else MAX_SETTING) or not _shows(value):
            wrong.append(FieldError(setting.key, "connection.text", {"most": most}))
        elif value and setting.choices and value not in dict(setting.choices):
            wrong.append(FieldError(setting.key, "connection.choice", {"value": value}))
        elif value and setting.kind == "number" and not value.isdecimal():
            wrong.append(FieldError(setting.key, "connection.number", {}))
    for kind in given.documents or ():
        if kind not in connector.documents:
            wrong.append(FieldError("documents", "connection.document_unknown", {"kind": kind[:40]}))
    same = select(func.count()).where(
        ErpConnection.tenant_id == ctx.tenant_id,
        ErpConnection.name == given.name,
        ErpConnection.id != (connection_id or ctx.tenant_id),
    )
    if ctx.session.scalar(same):
        wrong.append(FieldError("name", "connection.name_taken", {}))
    if wrong:
        raise Invalid(wrong)


def usual(connector: Connector) -> list[str]:
    """What goes out where nobody chose: sales orders, or the first kind of a connector that takes none."""
    return [SALES_ORDER] if SALES_ORDER in connector.documents else list(connector.documents[:1])


def kinds_of(connector: Connector, given: NewConnection, kept: Sequence[str]) -> list[str]:
    """The kinds that go out: those asked for, else those that did."""
    asked = kept if given.documents is None else given.documents
    return [kind for kind in connector.documents if kind in asked]


def addresses(base_url: str, settings: Mapping[str, str]) -> dict[str, str]:
    """Every place a connection may carry its secrets to: its address, and those among its settings (where tokens are made)."""
    return {"": base_url, **{key: value for key, value in settings.items() if "://" in value[:20]}}


def host_keys(settings: Mapping[str, str]) -> dict[str, str]:
    """By what a connection knows the host it gives its secrets to, where that is no certificate: SSH."""
    return {key: value for key, value in settings.items() if key.endswith(HOST_KEY)}


def _is_address(text: str) -> bool:
    """An http or https address with a host and nothing that could carry secrets or surprises."""
    try:
        url = urlsplit(text)
        usable = url.scheme in ("http", "https") and bool(url.hostname) and (url.port is None or url.port > 0)
    except ValueError:
        return False
    return usable and not (url.username or url.password or url.query or url.fragment)


def _shows(value: str) -> bool:
    """Whether a text has nothing in it that nobody could see; lines and tabs are seen."""
    return value.translate({9: None, 10: None, 13: None}).isprintable()
