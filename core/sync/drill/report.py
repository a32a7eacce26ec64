"""The report of a drill, sealed with a key that only this installation has, so that a signature under it means something.

The key is Ed25519 and comes from the installation's master key (HKDF); its public half stands in every report and on the page
of every drill. Whoever signs an ERP off notes it once, and checks each report with `run.py connector verify FILE --key KEY`.
"""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

FORMAT = "tongshang-drill-1"
PURPOSE = b"tongshang: report of a fault drill"


@dataclass(frozen=True)
class Report:
    """What a sealed report says, and whose key sealed it."""

    facts: Mapping[str, Any]
    key: str


class Unreadable(ValueError):
    """No report of ours, or one that was changed."""


def public_key(master_key: bytes) -> str:
    """The key that stands in this installation's reports, as base64 of 32 bytes."""
    raw = _private(master_key).public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return base64.b64encode(raw).decode()


def sealed(facts: Mapping[str, Any], master_key: bytes) -> dict[str, Any]:
    """The report with its key and signature."""
    told = {"format": FORMAT, **facts}
    signature = _private(master_key).sign(_plain(told))
    return {"report": told, "key": public_key(master_key), "signature": base64.b64encode(signature).decode()}


def readable(text: str) -> dict[str, Any]:
    """A report file as JSON; raises Unreadable."""
    try:
        found = json.loads(text, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"no JSON: {error}") from None
    if not isinstance(found, dict) or set(found) != {"report", "key", "signature"}:
        raise Unreadable("a report has the parts report, key and signature")
    if not isinstance(found["report"], dict) or found["report"].get("format") != FORMAT:
        raise Unreadable(f"the report is not of the format {FORMAT}")
    return found


def verified(found: Mapping[str, Any], key: str | None = None) -> Report:
    """What the report says, when its signature is right (and its key the given one); raises Unreadable."""
    if key is not None and key != found["key"]:
        raise Unreadable("another installation made it: its key is another one")
    try:
        public = Ed25519PublicKey.from_public_bytes(base64.b64decode(found["key"], validate=True))
        public.verify(base64.b64decode(found["signature"], validate=True), _plain(found["report"]))
    except (ValueError, TypeError) as error:
        raise Unreadable(f"key or signature cannot be read: {error}") from None
    except InvalidSignature:
        raise Unreadable("the report was changed after it was sealed") from None
    return Report(found["report"], found["key"])


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose names stand once: of two only the last is signed, and a person reads the first."""
    if len(dict(pairs)) != len(pairs):
        raise ValueError("a name stands twice")
    return dict(pairs)


def _private(master_key: bytes) -> Ed25519PrivateKey:
    seed = HKDF(algorithm=SHA256(), length=32, salt=None, info=PURPOSE).derive(master_key)
    return Ed25519PrivateKey.from_private_bytes(seed)


def _plain(told: Mapping[str, Any]) -> bytes:
    """One spelling: sorted keys, no spaces, UTF-8. JSONB keeps no order of keys, so none is relied on."""
    return json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
