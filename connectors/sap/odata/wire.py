"""What travels: JSON of OData V2 and V4, its dates and decimals, literals of a filter, and errors in every shape.

V2 writes decimals as text and dates as `/Date(ms)/`, V4 writes numbers and ISO dates; some gateways mix both. So every
reader here takes either. Whatever cannot be read raises `Unreadable`, and never passes for an empty answer.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal, InvalidOperation
from typing import Any

from tongshang.connect import read_json

TICKS = re.compile(r"/Date\((-?\d{1,15})([+-]\d{1,4})?\)/")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
CLOCK = re.compile(r"PT(?:(\d{1,2})H)?(?:(\d{1,2})M)?(?:(\d{1,2})(?:\.\d+)?S)?")
LONGEST_SENTENCE = 500
LARGEST_ERROR = 200_000  # bytes of an XML error that are read


class Unreadable(ValueError):
    """The body is no answer of the service: a page of something in between, or a piece of an answer."""


@dataclass(frozen=True)
class Complaint:
    """Why a service said no: its code, its sentence with the details, and the field it points at."""

    code: str
    message: str
    target: str = ""
    codes: tuple[str, ...] = ()  # its own and those of its details: which of them leads differs by release


@dataclass(frozen=True)
class Rows:
    """Entities of one answer, the count when it was asked for, and where the rest is (empty: there is none)."""

    entities: tuple[Mapping[str, Any], ...]
    count: int | None
    next: str


# -- out


def encode(value: Any) -> str:
    """JSON. Decimals are written as text, which V2 demands and V4 takes with IEEE754Compatible; floats are refused."""
    if isinstance(value, Decimal):
        return json.dumps(decimal_text(value))
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{json.dumps(str(k))}:{encode(v)}" for k, v in value.items()) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return "[" + ",".join(encode(v) for v in value) + "]"
    if isinstance(value, float):
        raise TypeError("a float is not exact: use Decimal")
    return json.dumps(value, ensure_ascii=False)


def decimal_text(value: Decimal) -> str:
    """`120`, `36.5`: no exponent, no trailing zeros."""
    if not value.is_finite():
        raise ValueError(f"no number: {value}")
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def ticks(day: date) -> str:
    """A day as V2 JSON carries it: midnight of the wall calendar, counted as if it were UTC."""
    return f"/Date({(day - EPOCH.date()).days * 86_400_000})/"


def iso_day(value: Any) -> Any:
    """A day of V2 JSON as V4 writes it; anything else stays as it is."""
    match = TICKS.fullmatch(value) if isinstance(value, str) else None
    return (EPOCH + timedelta(milliseconds=int(match[1]))).date().isoformat() if match else value


def literal(value: str) -> str:
    """A text literal of a filter or a key."""
    return "'" + value.replace("'", "''") + "'"


def day_literal(day: date) -> str:
    return f"datetime'{day.isoformat()}T00:00:00'"


def moment_literal(moment: datetime) -> str:
    return f"datetimeoffset'{moment.astimezone(UTC).strftime('%Y-%m-%dT%H:%M:%S')}Z'"


# -- in


def read(body: bytes) -> Any:
    """The value of a JSON answer, numbers with a point as `Decimal`. Raises Unreadable."""
    try:
        text = body.decode("utf-8-sig").strip()
    except UnicodeDecodeError as error:
        raise Unreadable(f"not UTF-8: {error}") from None
    if text.startswith("<"):
        raise Unreadable("a page instead of an answer: is this the API host, and a technical user?")
    try:
        return read_json(text)
    except ValueError as error:
        raise Unreadable(f"no whole JSON: {error}") from None


def entity(value: Any) -> Mapping[str, Any]:
    """The one entity of an answer, V2 (`{"d": {...}}`) or V4 (the object itself). Raises Unreadable."""
    inner = value.get("d", value) if isinstance(value, dict) else None
    if not isinstance(inner, dict) or "results" in inner or "value" in inner or "error" in inner or not inner:
        raise Unreadable("no single entity in the answer")
    return inner


def rows(value: Any) -> Rows:
    """The entities of a list answer, V2 or V4. Raises Unreadable."""
    if not isinstance(value, dict):
        raise Unreadable("no list in the answer")
    if "d" in value:
        inner = value["d"]
        if isinstance(inner, list):  # services of the oldest kind leave the envelope out
            inner = {"results": inner}
        if not isinstance(inner, dict):
            raise Unreadable("no list in the answer")
        found, count, link = inner.get("results"), inner.get("__count"), inner.get("__next")
    else:
        found, count, link = value.get("value"), value.get("@odata.count"), value.get("@odata.nextLink")
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        raise Unreadable("no list in the answer")
    return Rows(tuple(found), _count(count), str(link or ""))


def sets(value: Any) -> list[str]:
    """The names of the sets in a service document, V2 or V4; empty when it is none."""
    if not isinstance(value, dict):
        return []
    inner = value.get("d", value)
    if not isinstance(inner, dict):
        return []
    told = inner.get("EntitySets", inner.get("value"))
    named = (
        [one.get("name") if isinstance(one, dict) else one for one in told] if isinstance(told, list) else []
    )
    return [one for one in named if isinstance(one, str)]


def many(row: Mapping[str, Any], name: str) -> tuple[Mapping[str, Any], ...]:
    """The rows behind an expanded navigation property; empty when SAP left it out. Raises Unreadable when it was not expanded."""
    value = row.get(name)
    if isinstance(value, dict):
        if "__deferred" in value:
            raise Unreadable(f"{name} was asked for and not expanded")
        value = value.get("results")
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise Unreadable(f"{name} holds no rows")
    return tuple(value)


def etag(row: Mapping[str, Any]) -> str:
    """The ETag of an entity, empty when it carries none."""
    metadata = row.get("__metadata")
    told = metadata.get("etag") if isinstance(metadata, dict) else row.get("@odata.etag")
    return str(told or "")


def text(row: Mapping[str, Any], name: str) -> str:
    """A text, empty for null and for a field this system does not have. Raises Unreadable for a structure."""
    value = row.get(name)
    if value is None:
        return ""
    if isinstance(value, dict | list):
        raise Unreadable(f"{name} is no text")
    return str(value).strip()


def number(row: Mapping[str, Any], name: str) -> Decimal:
    """A decimal sent as text or as a number; null counts as zero. Raises Unreadable."""
    value = row.get(name)
    if value is None or value == "":
        return Decimal(0)
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise Unreadable(f"{name} is no number")
    try:
        found = Decimal(value.strip() if isinstance(value, str) else value)
    except InvalidOperation:
        raise Unreadable(f"{name} is no number: {str(value)[:40]}") from None
    if not found.is_finite() or abs(found.adjusted()) > 40:
        raise Unreadable(f"{name} is no number: {str(value)[:40]}")
    return found


def flag(row: Mapping[str, Any], name: str) -> bool:
    value = row.get(name)
    return value is True or str(value).lower() in ("true", "x")


def moment(row: Mapping[str, Any], name: str) -> datetime | None:
    """A point in time, V2 or V4; one without an offset is read as UTC. None for null and initial dates."""
    value = row.get(name)
    if value in (None, ""):
        return None
    told = str(value)
    try:
        if match := TICKS.fullmatch(told):
            found = EPOCH + timedelta(milliseconds=int(match[1]))
            if match[2]:
                found = found.astimezone(timezone(timedelta(minutes=int(match[2]))))
        else:
            found = datetime.fromisoformat(told)
    except (ValueError, OverflowError):
        raise Unreadable(f"{name} is no date: {told[:40]}") from None
    if found.tzinfo is None:
        found = found.replace(tzinfo=UTC)
    return found if found.year > 1 else None


def day(row: Mapping[str, Any], name: str) -> date | None:
    """A calendar day: the wall date of a date without a zone. None for null and for the initial date."""
    found = moment(row, name)
    return found.date() if found else None


def clock(row: Mapping[str, Any], name: str) -> str:
    """An Edm.Time as `11:30:00`; midnight when it is missing or cannot be read."""
    match = CLOCK.fullmatch(text(row, name))
    parts = match.groups() if match else (None, None, None)
    return ":".join(f"{int(part or 0):02}" for part in parts)


# -- errors


def complaint(body: bytes) -> Complaint | None:
    """The error inside a body, in JSON of either version or in XML; None when it holds none."""
    if body.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<"):
        return _xml_complaint(body)
    try:
        value = read(body)
    except Unreadable:
        return None
    told = value.get("error") if isinstance(value, dict) else None
    if not isinstance(told, dict):
        return None
    inner = told.get("innererror")
    details = (inner.get("errordetails") if isinstance(inner, dict) else None) or told.get("details")
    code = str(told.get("code") or "")
    said, codes = [_sentence(told.get("message"))], [code]
    target = str(told.get("target") or "")
    for detail in details if isinstance(details, list) else ():
        if isinstance(detail, dict) and str(detail.get("severity", "error")) in ("error", "abort", ""):
            said.append(_sentence(detail.get("message")))
            codes.append(str(detail.get("code") or ""))
            target = target or str(detail.get("target") or "")
    whole = "; ".join(dict.fromkeys(filter(None, said)))
    known = tuple(dict.fromkeys(filter(None, codes)))
    return Complaint(code, whole[:LONGEST_SENTENCE] or "no reason given", target, known)


def messages(header: str) -> list[str]:
    """What a `sap-message` (one object) or `sap-messages` (a list) header says, as `severity code: sentence`."""
    try:
        value = json.loads(header) if header else []
    except (ValueError, RecursionError):
        return [header[:LONGEST_SENTENCE]]
    return [f"{severity} {code}: {said}" for severity, code, said in _messages(value)]


def _messages(value: Any) -> Iterator[tuple[str, str, str]]:
    for one in value if isinstance(value, list) else [value]:
        if isinstance(one, dict):
            severity = str(one.get("severity") or one.get("numericSeverity") or "info")
            yield severity, str(one.get("code") or ""), _sentence(one.get("message"))
            if isinstance(one.get("details"), list):
                yield from _messages(one["details"])


def _xml_complaint(body: bytes) -> Complaint | None:
    """An `<error>` document; anything else behind a `<` is a page, not an error."""
    from lxml import etree  # type: ignore[import-untyped]

    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, huge_tree=False
    )
    try:
        root = etree.fromstring(body[:LARGEST_ERROR], parser)
    except (etree.XMLSyntaxError, ValueError):
        return None
    if root.getroottree().docinfo.doctype or etree.QName(root).localname != "error":
        return None
    told = {etree.QName(one).localname: (one.text or "").strip() for one in root if isinstance(one.tag, str)}
    code, said = told.get("code", ""), told.get("message", "")[:LONGEST_SENTENCE]
    return Complaint(code, said or "no reason given", codes=(code,) if code else ())


def _sentence(value: Any) -> str:
    """A message, which is a text (V4, SAP) or an object around one (V2, the CAP adapter)."""
    if isinstance(value, dict):
        value = value.get("value")
    return value.strip() if isinstance(value, str) else ""


def _count(value: Any) -> int | None:
    told = str(value).strip() if value is not None else ""
    if not told:
        return None
    if not told.isdecimal():
        raise Unreadable(f"the count is no number: {told[:40]}")
    return int(told)
