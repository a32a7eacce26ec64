"""Values on their way in and out: JSON of V2 and V4, ETags, keys in an address, and errors in the shapes SAP gives them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any
from urllib.parse import quote, unquote
from xml.sax.saxutils import escape

from connectors.sap.odata.simulator.model import Field, Set

EPOCH = date(1970, 1, 1)
JSON_DATE = re.compile(r"/Date\((-?\d+)(?:[+-]\d+)?\)/")
PREDICATE = re.compile(r"(?:(\w+)=)?(?:(?:guid|datetime)?'((?:[^']|'')*)'|([\w.-]+))")


class Refused(LookupError):
    """The gateway says no: a status, SAP's message class and number, its sentence, and the field."""

    def __init__(self, status: int, code: str, message: str, target: str = "") -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.target = status, code, message, target


def key_of(told: str, of: Set) -> tuple[str, ...]:
    """The key in `('4711')` or `(SalesOrder='4711',SalesOrderItem='10')`; leading zeros of item numbers fall away."""
    found: dict[str, str] = {}
    for match in PREDICATE.finditer(unquote(told)):
        value = (match[2] if match[2] is not None else match[3]).replace("''", "'")
        found[match[1] or of.key[0]] = value
    if set(found) != set(of.key):
        raise Refused(
            400, "/IWCOR/CX_OD_SVC_DECLARATIONS/001", f"The key predicate of {of.name} does not match"
        )
    return tuple(external(name, found[name]) for name in of.key)


def external(name: str, value: str) -> str:
    """Item numbers are seen without their leading zeros."""
    return (value.lstrip("0") or "0") if name.endswith("Item") and value.isdecimal() else value


def etag_of(row: Mapping[str, Any], of: Set) -> str:
    """The ETag of a row, empty when its type has none."""
    for one in of.fields.values():
        if one.etag and isinstance(row.get(one.name), datetime):
            stamp = row[one.name].astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")
            return f"W/\"datetimeoffset'{stamp}0Z'\""
    return ""


# -- in


def taken(value: Any, one: Field) -> Any:
    """A value of a request as the server keeps it. Raises Refused."""
    if value is None:
        return None
    wrong = Refused(400, "/IWCOR/CX_DS_EDM_ERROR/001", f"Property {one.name} has an invalid value", one.name)
    try:
        if one.kind == "s":
            if not isinstance(value, str):
                raise wrong
            if len(value) > one.length:
                raise Refused(
                    400, "/IWCOR/CX_DS_EDM_FACET_ERROR/010", f"{one.name}: facet MaxLength", one.name
                )
            return external(one.name, value)
        if one.kind == "d":
            if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
                raise wrong
            number = Decimal(value)
            if number != number.quantize(Decimal(1).scaleb(-one.scale)):
                raise Refused(400, "/IWCOR/CX_DS_EDM_FACET_ERROR/011", f"{one.name}: facet Scale", one.name)
            return number
        if one.kind in "to":
            match = JSON_DATE.fullmatch(str(value))
            moment = (
                datetime.fromtimestamp(int(match[1]) / 1000, UTC)
                if match
                else datetime.fromisoformat(str(value))
            )
            return moment.date() if one.kind == "t" else moment
        if one.kind == "b" and not isinstance(value, bool):
            raise wrong
    except (InvalidOperation, ValueError, OverflowError):
        raise wrong from None
    return value


# -- out


def shown(value: Any, one: Field, version: int, exact: bool = True) -> Any:
    """A value as JSON of this version carries it; V4 writes decimals as numbers unless the caller asked for text."""
    if value is None:
        return "" if one.kind == "s" else (False if one.kind == "b" else None)
    if one.kind == "d":
        number = value.quantize(Decimal(1).scaleb(-one.scale), ROUND_HALF_UP)
        return format(number, "f") if version == 2 or exact else number
    if one.kind == "t":
        if version == 4:
            return value.isoformat()
        return f"/Date({(value - EPOCH).days * 86_400_000})/"
    if one.kind == "o":
        if version == 4:
            return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        return f"/Date({(value - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)}+0000)/"
    return value


def dumps(value: Any) -> bytes:
    """JSON with exact numbers."""
    return _text(value).encode()


def ascii_dumps(value: Any) -> str:
    """JSON for a header, which has no letters beyond ASCII."""
    return json.dumps(value)


def _text(value: Any) -> str:
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{json.dumps(key)}:{_text(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(_text(inner) for inner in value) + "]"
    return json.dumps(value, ensure_ascii=False)


def uri(base: str, of: Set, key: Sequence[str]) -> str:
    literals = ["'" + quote(value.replace("'", "''"), safe="'") + "'" for value in key]
    if len(literals) == 1:
        return f"{base}/{of.name}({literals[0]})"
    return f"{base}/{of.name}({','.join(f'{n}={v}' for n, v in zip(of.key, literals, strict=True))})"


def error_json(refused: Refused, version: int, language: str) -> bytes:
    if version == 4:
        return dumps(
            {
                "error": {
                    "code": refused.code,
                    "message": refused.message,
                    "target": refused.target,
                    "details": [],
                }
            }
        )
    detail = {
        "code": refused.code,
        "message": refused.message,
        "propertyref": refused.target,
        "severity": "error",
        "target": refused.target,
    }
    inner = {"transactionid": "A5C1E0B2D4F6", "timestamp": "20261122101500.0000000", "errordetails": [detail]}
    message = {"lang": language.lower(), "value": refused.message}
    return dumps({"error": {"code": refused.code, "message": message, "innererror": inner}})


def error_xml(refused: Refused, language: str) -> bytes:
    """What the gateway answers when it does not know that JSON was wanted, or fails before it knows."""
    return (
        '<?xml version="1.0" encoding="utf-8"?>'
        '<error xmlns="http://schemas.microsoft.com/ado/2007/08/dataservices/metadata">'
        f'<code>{escape(refused.code)}</code><message xml:lang="{language.lower()}">'
        f"{escape(refused.message)}</message></error>"
    ).encode()
