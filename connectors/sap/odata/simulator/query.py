"""What `$filter` and `$orderby` mean: the comparisons, `and`, `or`, `not`, brackets, `substringof` and `startswith`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from connectors.sap.odata.simulator.model import Set

TOKEN = re.compile(
    r"\s*(?:(?P<typed>datetimeoffset|datetime|guid|time)'(?P<value>[^']*)'|(?P<text>'(?:[^']|'')*')"
    r"|(?P<day>\d{4}-\d{2}-\d{2})\b(?!T)|(?P<number>-?\d+(?:\.\d+)?)[MmLldf]?\b|(?P<word>[A-Za-z_]\w*)|(?P<mark>[(),]))"
)
COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "eq": lambda a, b: a == b,
    "ne": lambda a, b: a != b,
    "gt": lambda a, b: a > b,
    "ge": lambda a, b: a >= b,
    "lt": lambda a, b: a < b,
    "le": lambda a, b: a <= b,
}
Row = Mapping[str, Any]
Test = Callable[[Row], bool]


class Wrong(ValueError):
    """The query cannot be understood."""


def condition_of(text: str, of: Set) -> Test:
    """The filter as a test of a row. Raises Wrong."""
    reader = _Reader(text, of)
    found = reader.either()
    reader.end()
    return found


def sorted_rows(rows: Sequence[Row], text: str, of: Set) -> list[Row]:
    """Rows in the order asked for. Raises Wrong."""
    made = list(rows)
    for part in reversed([part.split() for part in text.split(",") if part.strip()]):
        if part[0] not in of.fields or part[1:] not in ([], ["asc"], ["desc"]):
            raise Wrong(f"Property {' '.join(part)} cannot be sorted by")
        made.sort(key=lambda row, name=part[0]: _sortable(row.get(name)), reverse=part[1:] == ["desc"])  # type: ignore[misc]
    return made


def _sortable(value: Any) -> tuple[bool, Any]:
    return value is not None, value if value is not None else 0


class _Reader:
    def __init__(self, text: str, of: Set) -> None:
        self.of, self.at, self.tokens = of, 0, self._tokens(text)

    @staticmethod
    def _tokens(text: str) -> list[tuple[str, Any]]:
        found: list[tuple[str, Any]] = []
        at, text = 0, text.strip()
        while at < len(text):
            match = TOKEN.match(text, at)
            if not match:
                raise Wrong(f"Invalid filter at {text[at : at + 20]!r}")
            at = match.end()
            if match["typed"]:
                found.append(("value", _typed(match["typed"], match["value"])))
            elif match["text"] is not None:
                found.append(("value", match["text"][1:-1].replace("''", "'")))
            elif match["day"]:  # as V4 writes one
                found.append(("value", _typed("datetime", match["day"])))
            elif match["number"]:
                found.append(("value", Decimal(match["number"])))
            else:
                found.append(("word", match["word"] or match["mark"]))
        return found

    def _next(self) -> tuple[str, Any]:
        if self.at >= len(self.tokens):
            raise Wrong("The filter ends too early")
        self.at += 1
        return self.tokens[self.at - 1]

    def _is(self, word: str) -> bool:
        if self.at < len(self.tokens) and self.tokens[self.at] == ("word", word):
            self.at += 1
            return True
        return False

    def end(self) -> None:
        if self.at != len(self.tokens):
            raise Wrong(f"Nothing may follow, but {self.tokens[self.at][1]!r} does")

    def either(self) -> Test:
        parts = [self.both()]
        while self._is("or"):
            parts.append(self.both())
        return lambda row: any(part(row) for part in parts)

    def both(self) -> Test:
        parts = [self.single()]
        while self._is("and"):
            parts.append(self.single())
        return lambda row: all(part(row) for part in parts)

    def single(self) -> Test:
        if self._is("not"):
            inner = self.single()
            return lambda row: not inner(row)
        if self._is("("):
            inner = self.either()
            self._must(")")
            return inner
        for name in ("substringof", "startswith"):
            if self._is(name):
                return self._call(name)
        left, (_, operator), right = self._operand(), self._next(), self._operand()
        if operator not in COMPARE:
            raise Wrong(f"Invalid operator {operator!r}")
        compare = COMPARE[operator]

        def test(row: Row) -> bool:
            a, b = _alike(left(row)), _alike(right(row))
            if a is None or b is None:
                return bool(operator in ("eq", "ne") and compare(a, b))
            if type(a) is not type(b):
                raise Wrong("Types of the comparison do not fit")
            return compare(a, b)

        return test

    def _call(self, name: str) -> Test:
        self._must("(")
        first = self._operand()
        self._must(",")
        second = self._operand()
        self._must(")")
        if name == "substringof":
            return lambda row: str(first(row)) in str(second(row) or "")
        return lambda row: str(first(row) or "").startswith(str(second(row)))

    def _must(self, mark: str) -> None:
        if not self._is(mark):
            raise Wrong(f"{mark!r} is missing")

    def _operand(self) -> Callable[[Row], Any]:
        kind, value = self._next()
        if kind == "value":
            return lambda _: value
        if value in ("true", "false", "null"):
            known = {"true": True, "false": False, "null": None}[value]
            return lambda _: known
        if value not in self.of.fields:
            raise Wrong(f"Property {value} not found in type {self.of.type}")
        return lambda row: row.get(value)


def _typed(kind: str, value: str) -> Any:
    try:
        if kind == "datetime":
            return datetime.fromisoformat(value).date()
        if kind == "datetimeoffset":
            found = datetime.fromisoformat(value)
            return found if found.tzinfo else found.replace(tzinfo=UTC)
    except ValueError:
        raise Wrong(f"Invalid literal {kind}'{value}'") from None
    return value


def _alike(value: Any) -> Any:
    """Days and moments compare only with their own kind; numbers are decimals."""
    if isinstance(value, datetime):
        return value.astimezone(UTC)
    if isinstance(value, int) and not isinstance(value, bool):
        return Decimal(value)
    return value
