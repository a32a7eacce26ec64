"""Throttling of everything that can be guessed: ten tries in fifteen minutes, per account and per address.

A try is counted in a short transaction of its own, before anything is compared. So it stays counted when the request
is refused and rolled back, and a hundred guesses sent at once are a hundred tries.
"""

import hashlib
import ipaddress
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text

from core.identity.principal import address
from core.kernel import Refused, uuid7

WAIT = 900  # seconds until the oldest try stops counting


class TooManyTries(Refused):
    """Too many wrong codes; `retry_after` in seconds."""

    status = 429


@dataclass(frozen=True)
class Try:
    """One counted try: whether it may be looked at, and how many are left after it."""

    id: UUID
    allowed: bool
    remaining: int


def count_try(session: Any, account: str, remote: str | None) -> Try:
    """Count a try on `account` (any text that names what is being opened)."""
    made = uuid7()
    values = {
        "id": made,
        "account": hashlib.sha256(account.encode()).digest(),
        "remote": _neighbourhood(remote),
    }
    with session.get_bind().engine.begin() as connection:
        row = connection.execute(text("SELECT * FROM auth.count_try(:id, :account, :remote)"), values).one()
    return Try(made, row.allowed, row.remaining)


def _neighbourhood(remote: str | None) -> str:
    """The address tries are counted on: an IPv6 subscriber owns a whole /64, so that is one address."""
    plain = address(remote)
    return str(ipaddress.ip_network(f"{plain}/64", strict=False)) if ":" in plain else plain


def settle_try(session: Any, tried: Try) -> None:
    """It was right: it no longer counts."""
    session.execute(text("SELECT auth.settle_try(:id)"), {"id": tried.id})


def guarded_try(session: Any, account: str, remote: str | None) -> Try:
    """Count a try and refuse it openly when there were too many. For people whose name is already known."""
    tried = count_try(session, account, remote)
    if not tried.allowed:
        raise TooManyTries("identity.too_many_tries", minutes=WAIT // 60, retry_after=WAIT)
    return tried
