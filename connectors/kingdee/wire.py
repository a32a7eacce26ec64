"""What travels: JSON bodies with exact decimals and kept key order, and answers in Kingdee's odd shapes.

An answer may be an object, a list of rows, a list whose first cell is an error object, text that is JSON
inside JSON, `response_error:` and a sentence, an HTML page with status 200, or half of any of these.
`read` turns each into a value or into one of the errors sorted by remedy.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from tongshang.connect import read_json

SESSION_LOST = "会话信息已丢失"
ERROR_PREFIX = "response_error:"

CONTEXT_LOST = 1
NO_PERMISSION, EXCEPTION, DATABASE, LICENCE = 2, 4, 6, 7
LOCK_CONFLICT, CALL_LIMIT, ADMIN_FORBIDDEN = 13, 14, 15


class Unreadable(ValueError):
    """The body is no answer of the service: a page of something in between, or a piece of an answer."""


class Refusal(ValueError):
    """The service answered outside its envelope that it could not do the call."""


@dataclass(frozen=True)
class Complaint:
    field: str
    message: str
    index: int


@dataclass(frozen=True)
class Entity:
    id: str
    number: str
    index: int


@dataclass(frozen=True)
class Status:
    """A ResponseStatus: whether it worked, why not, and which documents it touched."""

    ok: bool
    code: int
    complaints: tuple[Complaint, ...] = ()
    entities: tuple[Entity, ...] = ()

    @property
    def session_lost(self) -> bool:
        if self.ok:
            return False
        return self.code == CONTEXT_LOST or any(SESSION_LOST in c.message for c in self.complaints)

    @property
    def message(self) -> str:
        return "; ".join(c.message for c in self.complaints if c.message) or f"MsgCode {self.code}"

    @property
    def field(self) -> str:
        return next((c.field for c in self.complaints if c.field), "")


def encode(value: Any) -> str:
    """JSON in the order of the keys, non-ASCII escaped, `Decimal` written as an exact number."""
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise ValueError(f"not a number JSON knows: {value}")
        return format(value, "f")
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{json.dumps(str(k))}:{encode(v)}" for k, v in value.items()) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return "[" + ",".join(encode(v) for v in value) + "]"
    if isinstance(value, float):
        raise TypeError("a float is not exact: use Decimal")
    return json.dumps(value)


def read(body: bytes) -> Any:
    """The value of an answer, numbers with a point as `Decimal`. Raises Unreadable or Refusal."""
    try:
        text = body.decode("utf-8-sig").strip()
    except UnicodeDecodeError as error:
        raise Unreadable(f"not UTF-8: {error}") from None
    if text.startswith(ERROR_PREFIX):
        raise Refusal(_sentence(text[len(ERROR_PREFIX) :].strip()))
    if text.startswith("<"):
        raise Unreadable("a page instead of an answer")
    value = _json(text)
    if isinstance(value, str) and value.startswith(ERROR_PREFIX):
        raise Refusal(_sentence(value[len(ERROR_PREFIX) :].strip()))
    if isinstance(value, str) and value[:1] in "{[":
        value = _json(value)
    return value


def status_of(value: Any) -> Status | None:
    """The ResponseStatus inside an answer, also where a query wraps it in lists; None when there is none.

    A Push carries a second one for the conversion: the first of the two that failed counts, with what both touched.
    """
    value = _unwrapped(value)
    if not isinstance(value, dict):
        return None
    result = value.get("Result")
    if isinstance(result, dict) and "ResponseStatus" not in result and isinstance(result.get("Result"), dict):
        result = result["Result"]
    if not isinstance(result, dict):
        return None
    told = [_status(result[key]) for key in ("ConvertResponseStatus", "ResponseStatus") if result.get(key)]
    found = [status for status in told if status is not None]
    if len(found) < len(told):
        return next((status for status in found if not status.ok), None)
    failed = next((status for status in found if not status.ok), None)
    if failed is None:
        return found[-1] if found else None
    return replace(failed, entities=tuple(entity for status in found for entity in status.entities))


def rows_of(value: Any) -> list[Any] | None:
    """The rows of a query answer; None when the answer is no list of rows."""
    if not isinstance(value, list) or not all(isinstance(row, list | dict) for row in value):
        return None
    return value


def _unwrapped(value: Any) -> Any:
    while isinstance(value, list) and len(value) == 1 and isinstance(value[0], list | dict):
        value = value[0]
    return value


def _status(raw: Mapping[str, Any]) -> Status | None:
    """None for something that is no ResponseStatus: then the answer says neither yes nor no."""
    if not isinstance(raw, dict) or "IsSuccess" not in raw:
        return None
    errors, entities = raw.get("Errors") or [], raw.get("SuccessEntitys") or []
    if not all(
        isinstance(part, list) and all(isinstance(e, dict) for e in part) for part in (errors, entities)
    ):
        return None
    return Status(
        ok=_true(raw["IsSuccess"]),
        code=_whole(raw.get("MsgCode")),
        complaints=tuple(
            Complaint(str(e.get("FieldName") or ""), str(e.get("Message") or ""), _whole(e.get("DIndex")))
            for e in errors
        ),
        entities=tuple(
            Entity(plain(e.get("Id")), plain(e.get("Number")), _whole(e.get("DIndex"))) for e in entities
        ),
    )


def plain(value: Any) -> str:
    """An id or a number as text; "" for anything that is neither text nor a whole number."""
    return str(value or "") if isinstance(value, str | int) and not isinstance(value, bool) else ""


def _whole(value: Any) -> int:
    """A small whole number, 0 for anything else."""
    text = str(value)
    return int(text) if text.isdecimal() and len(text) < 10 else 0


def _true(value: Any) -> bool:
    return value is True or str(value).lower() == "true"


def _json(text: str) -> Any:
    try:
        return read_json(text)
    except ValueError as error:  # not JSON, a number of thousands of digits, a nest of brackets
        raise Unreadable(f"no whole JSON: {error}") from None


def _sentence(text: str) -> str:
    """The message of a `response_error:` body, which may be a sentence or an object around one."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text or "no reason given"
    if isinstance(value, dict):
        return str(value.get("Message") or value.get("message") or text)
    return str(value)
