"""A webhook: the other system calls us with records, signed and within a window of time, and is answered in JSON."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any

from connectors.generic.records import KINDS, Reader
from connectors.generic.rest import wire
from connectors.generic.values import pick, text
from tongshang.connect import Access, Heard, Incoming, Push, PushAnswer, PushRefused, SkipRecord

LONGEST = 2 * 1024 * 1024  # bytes of one call; the platform's door takes no more
MOST = 5000  # records of one call
WINDOW = 300  # seconds
OUR_KINDS = {key: key for key in KINDS}


def hear(access: Access, push: Push) -> Heard:
    """The records of a call, all of them or none. Raises PushRefused."""
    if push.method != "POST":
        raise _refused("rest.hook_method", f"{push.method}: only POST is heard", 405)
    if len(push.body) > LONGEST:
        raise _refused("rest.hook_too_long", f"more than {LONGEST} bytes", 413)
    _check_signature(access, push)
    try:
        told = wire.read(push.body)
    except wire.Unreadable as error:
        raise _refused("rest.hook_unreadable", str(error), 400) from None
    kind = _kind(access, told)
    path = access["hook_list"] or "records"
    rows = pick(told, path)
    rows = [rows] if isinstance(rows, dict) else rows
    if not isinstance(rows, list) or len(rows) > MOST:
        raise _refused("rest.hook_unreadable", f"{path}: a list of at most {MOST} records is wanted", 400)
    records = _records(Reader(access, kind), rows)
    name = push.headers.get((access["hook_key_header"] or "Idempotency-Key").lower(), "").strip()[:200]
    key = name or hashlib.sha256(push.body).hexdigest()
    return Heard(key, records, _answer({"ok": True, "kind": kind, "records": len(records)}), kind)


def _check_signature(access: Access, push: Push) -> None:
    secret = access["hook_secret"]
    if not secret:
        raise _refused("rest.hook_closed", "no secret is set for calls of this system", 401)
    stamp = push.headers.get((access["hook_stamp_header"] or "X-Timestamp").lower(), "").strip()
    told = push.headers.get((access["hook_sign_header"] or "X-Signature").lower(), "")
    parts = [stamp.encode("utf-8", "replace"), push.body]
    if not told or not wire.signed_right(secret, parts, access["hook_sign_form"], told):
        raise _refused("rest.hook_signature", "the signature is wrong", 401)
    try:
        at = _moment(stamp)
    except (ValueError, OverflowError, OSError):
        raise _refused("rest.hook_clock", "no time of sending that can be read", 401) from None
    window = int(access["hook_window"] or WINDOW)
    if abs((push.at - at).total_seconds()) > window:
        raise _refused("rest.hook_clock", f"sent more than {window} s from now by our clock", 401)


def _moment(stamp: str) -> datetime:
    """Seconds or milliseconds since 1970, or ISO 8601 with a zone."""
    if stamp.isascii() and stamp.isdigit() and len(stamp) <= 13:
        seconds, rest = divmod(int(stamp), 1000) if len(stamp) > 11 else (int(stamp), 0)
        return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest * 1000)
    found = datetime.fromisoformat(stamp.replace("Z", "+00:00"))
    if found.tzinfo is None:
        raise ValueError("no zone")
    return found


def _kind(access: Access, told: Any) -> str:
    """Our kind of record for the sender's word."""
    path = access["hook_kind"] or "kind"
    found = pick(told, path)
    word = "" if isinstance(found, dict | list) else text(found)
    theirs = {there: ours for ours, there in access.table("hook_kinds", OUR_KINDS).items()}
    kind = theirs.get(word, "")
    if kind not in KINDS:
        raise _refused("rest.hook_kind", f"{path}: {word[:100]!r} is no kind of record", 422)
    return kind


def _records(reader: Reader, rows: list[Any]) -> tuple[Incoming, ...]:
    """All records, or a refusal that names each that cannot be used: the sender mends and sends the call again."""
    good: list[Incoming] = []
    wrong: list[dict[str, Any]] = []
    for no, row in enumerate(rows):
        try:
            good.append(reader.record(row))
        except SkipRecord as error:
            wrong.append({"index": no, "code": error.code, "message": error.message})
    if wrong:
        answer = _answer({"ok": False, "error": "rest.hook_records", "records": wrong[:100]}, 422)
        first = wrong[0]
        said = f"{len(wrong)} of {len(rows)} cannot be used; {first['index']}: {first['message']}"
        raise PushRefused("rest.hook_records", said, answer)
    return tuple(good)


def _answer(value: dict[str, Any], status: int = 200) -> PushAnswer:
    return PushAnswer(wire.encode(value).encode(), status)


def _refused(code: str, said: str, status: int) -> PushRefused:
    return PushRefused(code, said, _answer({"ok": False, "error": code, "message": said}, status))
