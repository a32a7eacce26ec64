"""What a value must look like that comes from another system, and how to wound a row to see whether a connector minds."""

import base64
import copy
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, get_type_hints
from urllib.parse import quote


class Gone:
    """Stands for a field that is not there."""

    def __repr__(self) -> str:
        return "nothing"


GONE, EMPTY = Gone(), dict[str, Any]()
WOUNDS: tuple[Any, ...] = (GONE, None, "", "？不是", "NaN", [], EMPTY)
MOST_PLACES = 60  # of one row
LEAST_SECRET = 6  # letters; a shorter one stands in many words
NO_TEXT = {"None", "[]", "{}"}


def wounded(row: Mapping[str, Any]) -> Iterator[tuple[str, Any, dict[str, Any]]]:
    """(where, what stands there instead, the row) for every field of a row, by turns gone, empty and of another kind.

    What has fields of its own, or may have them where nothing is told, is never a text.
    """
    for place, value in list(_places(row))[:MOST_PLACES]:
        for what in WOUNDS:
            if isinstance(value, dict | list | None) and isinstance(what, str):
                continue
            made = copy.deepcopy(dict(row))
            inner: Any = made
            for step in place[:-1]:
                inner = inner[step]
            if what is GONE:
                del inner[place[-1]]
            else:
                inner[place[-1]] = what
            yield ".".join(map(str, place)), what, made


def _places(value: Any, so_far: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    if isinstance(value, dict):
        inner = value.items()
    elif isinstance(value, list):
        inner = enumerate(value[:1])  # type: ignore[assignment]
    else:
        return
    for step, each in inner:
        yield (*so_far, step), each
        yield from _places(each, (*so_far, step))


def unsound(record: Any) -> list[str]:
    """What is wrong with a record by the types of its fields; empty when it is sound."""
    if not is_dataclass(record) or isinstance(record, type):
        return [f"no record: {record!r}"]
    wrong = []
    kinds = get_type_hints(type(record))
    for field in fields(record):
        value, kind = getattr(record, field.name), kinds[field.name]
        if isinstance(value, tuple):
            wrong += [fault for each in value for fault in unsound(each)]
        elif type(value) not in _allowed(kind):
            wrong.append(f"{field.name} is {value!r}")
        elif isinstance(value, Decimal) and not value.is_finite():
            wrong.append(f"{field.name} is {value}")
        elif isinstance(value, str) and value in NO_TEXT:
            wrong.append(f"{field.name} is the word {value!r}")
    return wrong


def _allowed(kind: Any) -> set[type]:
    return set(getattr(kind, "__args__", (kind,)))


def inexact(value: Any, where: str = "") -> list[str]:
    """Every float in a value and all that hangs on it."""
    if isinstance(value, float):
        return [f"{where}: {value!r}"]
    if is_dataclass(value) and not isinstance(value, type):
        value = {field.name: getattr(value, field.name) for field in fields(value)}
    if isinstance(value, Mapping):
        return [fault for name, each in value.items() for fault in inexact(each, f"{where}.{name}")]
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [fault for no, each in enumerate(value) for fault in inexact(each, f"{where}.{no}")]
    return []


def measures(value: Any) -> set[Decimal | date]:
    """Every quantity, amount and day of a record."""
    if isinstance(value, Decimal | date):
        return {value}
    if is_dataclass(value) and not isinstance(value, type):
        return {each for field in fields(value) for each in measures(getattr(value, field.name))}
    return {each for part in value for each in measures(part)} if isinstance(value, tuple) else set()


def is_now(cursor: str | None) -> bool:
    """Whether a cursor may be the time by the clock, whatever its zone."""
    try:
        told = cursor or ""
        seconds = float(told) if told.replace(".", "", 1).isdigit() else math.nan
        if math.isnan(seconds):
            moment = datetime.fromisoformat(told)
        else:
            moment = datetime.fromtimestamp(seconds / 1000 if seconds > 1e11 else seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return False
    apart = datetime.now(UTC) - (moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    return abs(apart) < timedelta(days=1)


def shapes_of(secret: str) -> set[str]:
    """A secret as it may stand in a text: plain, in JSON, in an address, in base64, or a line of it. None for a short one."""
    if len(secret) < LEAST_SECRET:
        return set()
    plain = {
        secret,
        json.dumps(secret)[1:-1],
        quote(secret, safe=""),
        base64.b64encode(secret.encode()).decode(),
    }
    return plain | {line for line in secret.splitlines() if len(line) > 20 and "-----" not in line}
