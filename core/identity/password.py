"""Passwords: argon2id, at least twelve characters, not among those every attacker tries first."""

import threading
import unicodedata
from functools import lru_cache
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from core.kernel import Invalid

SHORTEST = 12
LONGEST = 256

hasher = PasswordHasher()  # RFC 9106's choice for machines with little memory
_room = threading.BoundedSemaphore(
    2
)  # each hash takes 64 MiB for about 0.1 s; more at once would only be slower


def hash_password(password: str) -> str:
    with _room:
        return hasher.hash(_canonical(password))


def verify_password(stored: str | None, password: str) -> bool:
    """Whether the password fits. An unknown person (`stored` None) costs the same time and never fits."""
    with _room:
        try:
            fits = hasher.verify(stored or _nobody(), _canonical(password)[:LONGEST])
        except (VerificationError, InvalidHashError):
            return False
    return fits and stored is not None


def needs_rehash(stored: str) -> bool:
    return hasher.check_needs_rehash(stored)


def check_new_password(password: str, *names: str | None, field: str = "password") -> None:
    """Refuse a password that is short, well known, or made of the person's own names. Raises Invalid on `field`."""
    plain = _canonical(password)
    if len(plain) < SHORTEST:
        raise Invalid.one(field, "password.too_short", least=SHORTEST)
    if len(plain) > LONGEST:
        raise Invalid.one(field, "password.too_long", most=LONGEST)
    folded = plain.casefold()
    if folded in _breached() or len(set(folded)) < 4 or _doubled(folded):
        raise Invalid.one(field, "password.well_known")
    for name in names:
        own = (name or "").casefold().split("@")[0]
        if len(own) >= 4 and own in folded and len(folded) - len(own) < 6:
            raise Invalid.one(field, "password.own_name")


def _canonical(password: str) -> str:
    """One spelling whatever keyboard made it (NIST SP 800-63B asks for it)."""
    return unicodedata.normalize("NFKC", password)


def _doubled(text: str) -> bool:
    """Whether it is one short piece over and over: abcabcabcabc."""
    return text in (text + text)[1:-1] and (text + text).index(text, 1) <= 6


@lru_cache(maxsize=1)
def _breached() -> frozenset[str]:
    lines = (Path(__file__).parent / "breached.txt").read_text("utf-8").splitlines()
    return frozenset(line.strip().casefold() for line in lines if line and not line.startswith("#"))


@lru_cache(maxsize=1)
def _nobody() -> str:
    """A hash nobody's password fits, with the parameters of all others."""
    return hasher.hash("there is nobody of this name")
