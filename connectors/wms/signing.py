"""Signatures and clocks of warehouse protocols: pure functions, checked against published algorithms.

All of them are MD5 over a shared secret, because the protocols say so; nothing else in the platform relies on
them. Times travel without a zone and are China's.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta, timezone
from urllib.parse import quote

CHINA = timezone(timedelta(hours=8))
WINDOW = timedelta(minutes=10)  # how far a sender's clock may be off
STAMP = "%Y-%m-%d %H:%M:%S"


def stamp(at: datetime) -> str:
    """`2026-11-22 19:30:00`, in China's time."""
    return at.astimezone(CHINA).strftime(STAMP)


def read_stamp(text: str) -> datetime:
    """The moment a stamp of a warehouse names; raises ValueError."""
    return datetime.strptime(text.strip(), STAMP).replace(tzinfo=CHINA)


def fresh(text: str, at: datetime, window: timedelta = WINDOW) -> bool:
    """Whether the stamp lies within the window around `at`."""
    try:
        return abs(read_stamp(text) - at) <= window
    except ValueError:
        return False


def same(given: str, expected: Iterable[str]) -> bool:
    """Whether the given signature is one of the expected; takes as long for a wrong one as for a right one."""
    told = given.encode("utf-8", "replace")
    return any([hmac.compare_digest(told, one.encode()) for one in expected])


def qimen(params: Mapping[str, str], body: bytes, secret: str, *, both_ends: bool = True) -> str:
    """Qimen: sorted names and values, then the body as it travels, the secret around it or only behind it."""
    plain = "".join(name + params[name] for name in sorted(params) if name != "sign" and params[name] != "")
    before = secret if both_ends else ""
    signed = before.encode() + plain.encode() + body + secret.encode()
    return hashlib.md5(signed).hexdigest().upper()


FLUX_VARIANTS = ("base64", "upper", "twice")


def flux(data: str, secret: str, variant: str = "base64") -> str:
    """FLUX: the value of `sign` before the form or URL encodes it once more.

    `base64` is the plain algorithm, `upper` is for sites that turn the text to upper case, `twice` for sites that
    expect it percent-encoded already. Raises ValueError for another variant.
    """
    if variant not in FLUX_VARIANTS:
        raise ValueError(f"unknown variant {variant!r}")
    digest = hashlib.md5(f"{secret}{data}{secret}".encode()).hexdigest()
    text = base64.b64encode(digest.encode()).decode()
    if variant == "upper":
        return text.upper()
    return quote(text, safe="") if variant == "twice" else text


def wangdiantong(params: Mapping[str, str], secret: str) -> str:
    """Wangdiantong: `LL-key:NNNN-value` sorted by key, lengths counted in characters, the secret behind."""
    parts = [
        f"{len(key):02d}-{key}:{len(value):04d}-{value}"
        for key, value in sorted(params.items())
        if key != "sign"
    ]
    return hashlib.md5((";".join(parts) + secret).encode()).hexdigest()
