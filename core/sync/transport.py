"""How a connection is reached: whom its TLS trusts, who we are there, how much at once and how often.

A certificate is verified against the public authorities; with `ca_pem` against these authorities alone; with a pinned
fingerprint the server must show exactly that certificate, whoever signed it (and its name, when `ca_pem` is given too, is
vouched for by the pin). There is no way to switch verification off.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

import requests
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from core import identity
from core.kernel import Conflict, Context, FieldError, Invalid
from core.sync.model import ErpConnection
from core.sync.outbound import OutboundRule, session
from core.sync.pacing import Pace, pace_of
from core.sync.service import CHECK, lock_connection, want
from core.sync.trusting import PUBLIC, Tls

MOST_AT_ONCE = 16
MOST_PER_MINUTE = 6000
LONGEST_SETTLE = 86_400  # seconds
LONGEST_PEM = 100_000  # characters
KEY = "PRIVATE KEY-----"  # how every private key in PEM begins and ends
FINGERPRINT = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Way:
    """The way to one connection's system."""

    tls: Tls = PUBLIC
    pace: Pace | None = None

    def session(self, rules: Sequence[OutboundRule]) -> requests.Session:
        """The guarded session over which its calls go. ValueError when its certificates cannot be read."""
        return session(rules, tls=self.tls, pace=self.pace)


PLAIN = Way()


def way_of(connection: ErpConnection) -> Way:
    tls = Tls(
        ca_pem=connection.ca_pem,
        pinned_sha256=connection.pinned_sha256,
        client_pem="\n".join(filter(None, (connection.client_cert_pem, connection.client_key))),
    )
    return Way(tls, pace_of(connection.id, connection.per_minute) if connection.per_minute else None)


@dataclass(frozen=True)
class Transport:
    """What a person tells about the way. `client_key` None keeps the key that is there; without a certificate it goes."""

    at_once: int | None = None  # documents under way at a time; None: as many as the platform thinks right
    per_minute: int | None = None  # calls; None: no limit
    ca_pem: str = ""
    pinned_sha256: str = ""
    client_cert_pem: str = ""
    client_key: str | None = None
    settle_seconds: int | None = None  # before a look after an unclear answer; None: as the connector says


def set_transport(ctx: Context, connection_id: UUID, version: int, given: Transport) -> ErpConnection:
    """Change the way to a connection's system and check it. Needs a fresh second factor; Conflict when somebody was faster."""
    ctx.require("connection.edit")
    identity.require_fresh_second_factor(ctx)
    connection = lock_connection(ctx, connection_id)
    if connection.version != version:
        raise Conflict("connection.changed", current=connection.version)
    pin = "".join(given.pinned_sha256.replace(":", "").split()).lower()
    key = (given.client_key or connection.client_key or "") if given.client_cert_pem.strip() else ""
    given = replace(given, pinned_sha256=pin, client_key=key)
    _check(given)
    connection.at_once, connection.per_minute = given.at_once, given.per_minute
    connection.settle_seconds = given.settle_seconds
    connection.ca_pem, connection.pinned_sha256 = given.ca_pem.strip(), pin
    connection.client_cert_pem, connection.client_key = given.client_cert_pem.strip(), key.strip() or None
    connection.version += 1
    want(ctx, connection_id, CHECK)
    ctx.record(
        "connection.transport",
        connection,
        at_once=given.at_once,
        per_minute=given.per_minute,
        settle_seconds=given.settle_seconds,
        pinned_sha256=pin,
        own_authorities=bool(given.ca_pem.strip()),
        client_certificate=bool(given.client_cert_pem.strip()),
    )
    return connection


def _check(given: Transport) -> None:
    wrong: list[FieldError] = []
    for name, value, most in (
        ("at_once", given.at_once, MOST_AT_ONCE),
        ("per_minute", given.per_minute, MOST_PER_MINUTE),
        ("settle_seconds", given.settle_seconds, LONGEST_SETTLE),
    ):
        if value is not None and not 1 <= value <= most:
            wrong.append(FieldError(name, "connection.out_of_range", {"most": most}))
    for name, text in (("ca_pem", given.ca_pem), ("client_cert_pem", given.client_cert_pem)):
        if KEY in text:
            wrong.append(FieldError(name, "connection.key_among_certificates", {}))
        elif text.strip() and not certificates(text):
            wrong.append(FieldError(name, "connection.no_certificate", {}))
    if given.pinned_sha256 and not FINGERPRINT.fullmatch(given.pinned_sha256):
        wrong.append(FieldError("pinned_sha256", "connection.no_fingerprint", {}))
    if given.client_cert_pem.strip() and not wrong:
        code = _misfit(given.client_cert_pem, given.client_key or "")
        if code:
            wrong.append(FieldError("client_key", code, {}))
    if wrong:
        raise Invalid(wrong)


@dataclass(frozen=True)
class Certificate:
    """A certificate by what people tell one from another; `sha256` is 64 hexadecimal digits."""

    subject: str
    issuer: str
    not_after: datetime
    sha256: str


def certificates(text: str) -> list[Certificate]:
    """The certificates in a PEM text, in their order; none when it is not one, or is too long."""
    try:
        return [
            Certificate(
                each.subject.rfc4514_string(),
                each.issuer.rfc4514_string(),
                each.not_valid_after_utc,
                each.fingerprint(SHA256()).hex(),
            )
            for each in _read(text)
        ]
    except ValueError:
        return []


def _read(text: str) -> list[x509.Certificate]:
    if not text.strip() or len(text) > LONGEST_PEM or "\x00" in text:
        return []
    return x509.load_pem_x509_certificates(text.encode())


def _misfit(certificate: str, key: str) -> str:
    """Why this is not the unencrypted key of the first certificate; empty when it is."""
    if not key.strip():
        return "connection.key_missing"
    try:
        public = load_pem_private_key(key.encode(), None).public_key()
    except TypeError:
        return "connection.key_encrypted"
    except (ValueError, UnsupportedAlgorithm):
        return "connection.key_unreadable"
    return "" if public == _read(certificate)[0].public_key() else "connection.no_key"
