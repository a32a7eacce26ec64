"""Queries over documents: field keys, a filter in a small SQL dialect, an order, a page.

Asking for any field of the lines gives one row per line, the head repeated; fields of two kinds of lines give every pair
of them. The filter knows `= <> > >= < <= like in and or` with parentheses, text in quotes and numbers.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import partial
from itertools import product
from typing import Any

from connectors.kingdee.simulator.form import Entry, Form
from connectors.kingdee.simulator.forms import form_of
from connectors.kingdee.simulator.shapes import Problem
from connectors.kingdee.simulator.store import Document, Store

TOKEN = re.compile(r"\s*(?:'((?:[^']|'')*)'|(<>|>=|<=|[=<>(),])|([\w.\u4e00-\u9fff]+|-?\d+(?:\.\d+)?))")
Row = tuple[
    Document, dict[str, dict[str, Any] | None]
]  # a document and one line of each kind that was asked for
Test = Callable[[Row], bool]
COUNT = "COUNT(1)"  # asked for alone it answers one row: how many there are
NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


class Reader:
    """Reads the value of a field key from a row of one form."""

    def __init__(self, store: Store, form: Form) -> None:
        self.store = store
        self.form = form

    def check(self, key: str) -> None:
        bare, _, inner = key.partition(".")
        entry_pk = self.form.entry.pk if self.form.entry else ""
        known = bare in self.form.all_keys() or bare == entry_pk or bare.startswith("F_")
        target = self.form.target_of(bare)
        if not known or (inner and (not target or inner not in form_of(target).all_keys())):  # type: ignore[union-attr]
            raise Problem(9, f"元数据中标识为{inner if known else bare}的字段不存在")

    def value(self, row: Row, key: str) -> Any:
        document, lines = row
        bare, _, inner = key.partition(".")
        if bare == self.form.pk:
            return document.id
        if bare == self.form.number:
            return document.number
        entry = self.form.entry_of(bare)
        held = lines.get(entry.key) if entry else document.head
        if entry and bare in (entry.id_key, entry.pk):
            return held[entry.pk] if held else None
        value = held.get(bare) if held else None
        target = self.form.target_of(bare)
        if not target or value in (None, ""):
            return value
        referred = self.store.by_number(target, str(value))
        if referred is None:
            return None
        if not inner:
            return referred.id
        return Reader(self.store, form_of(target)).value((referred, {}), inner)  # type: ignore[arg-type]

    def rows(self, document: Document, entries: list[Entry]) -> Iterator[Row]:
        """The document once for each line; a document without lines of a kind is there once, with none."""
        main = self.form.entry.key if self.form.entry else ""
        nothing: list[Any] = [None]
        kinds = [document.lines_of(entry.key, main) or nothing for entry in entries]
        for lines in product(*kinds):
            yield document, {entry.key: line for entry, line in zip(entries, lines, strict=True)}


def run(
    store: Store, data: dict[str, Any], orgs: frozenset[str], lag: float = 0.0
) -> tuple[list[str], list[list[Any]]]:
    """Keys and rows of a query, cut to the organisations the user may see. Raises Problem.

    With `lag` a bill that was first saved less than so many seconds ago is not found yet.
    """
    form = form_of(str(data.get("FormId") or ""))
    if form is None:
        raise Problem(5, "业务对象不存在")
    keys = [key.strip() for key in str(data.get("FieldKeys") or "").split(",") if key.strip()]
    if not keys:
        raise Problem(8, "FieldKeys不能为空")
    reader = Reader(store, form)
    counting = [key.upper() for key in keys] == [COUNT]
    if counting:
        keys = [form.pk]
    for key in keys:
        reader.check(key)
    where = str(data.get("FilterString") or "")
    test, filter_keys, after = _parse(where, reader)
    orders = [part.split() for part in str(data.get("OrderString") or "").split(",") if part.strip()]
    for order in orders:
        reader.check(order[0])
    start, limit = int(data.get("StartRow") or 0), int(data.get("Limit") or 0)
    top = int(data.get("TopRowCount") or 0)
    if limit > 10000:
        raise Problem(8, "Limit不能超过10000")
    end = start + (limit or 2000)
    asked = [form.entry_of(key.partition(".")[0]) for key in [*keys, *filter_keys, *(o[0] for o in orders)]]
    entries = [entry for entry in form.entries if entry in asked]
    by_id = [order[0] for order in orders] == [form.pk] and orders[0][1:] in ([], ["ASC"])
    rows: list[Row] = []
    born = time.monotonic() - lag
    with store.lock:
        for document in _candidates(store, form, where, after):
            if form.org and str(document.head.get(form.org) or "") not in orgs:
                continue
            if lag and form.is_bill and document.born > born:
                continue
            rows += [row for row in reader.rows(document, entries) if test(row)]
            if by_id and len(rows) >= end and not counting:
                break  # they stand in this order already
        for key, *direction in reversed(orders) if not by_id else ():
            backwards = bool(direction) and direction[0].upper() == "DESC"
            rows.sort(key=partial(_rank, reader, key), reverse=backwards)
        if counting:
            return [COUNT], [[len(rows)]]
        rows = rows[start:end]
        if top:
            rows = rows[:top]
        return keys, [[reader.value(row, key) for key in keys] for row in rows]


def _candidates(store: Store, form: Form, where: str, after: int) -> list[Document]:
    """All documents behind an id, or those a plain `number = 'x'` or `id in (...)` names."""
    exact = re.fullmatch(rf"\s*{form.number}\s*=\s*'((?:[^']|'')*)'\s*", where) if form.number else None
    if exact:
        return store.all_by_number(form.id, exact.group(1).replace("''", "'"))
    listed = re.fullmatch(rf"\s*{form.pk}\s+in\s*\(([\d\s,]+)\)\s*", where)
    if listed:
        found = (store.by_id(form.id, int(id)) for id in listed.group(1).split(","))
        return sorted(filter(None, found), key=lambda document: document.id)
    return list(store.all(form.id, after))


def _rank(reader: Reader, key: str, row: Row) -> tuple[int, Any]:
    return _sortable(reader.value(row, key))


def _sortable(value: Any) -> tuple[int, Any]:
    if value is None:
        return (0, 0)
    return (1, Decimal(str(value))) if isinstance(value, int | Decimal) else (2, str(value))


def _parse(text: str, reader: Reader) -> tuple[Test, list[str], int]:
    """The test a filter is, the keys it reads, and the id that every row it lets through lies behind."""
    tokens = _tokens(text)
    if not tokens:
        return (lambda _: True), [], 0
    keys: list[str] = []
    position = depth = after = 0
    only_and = True

    def peek() -> str:
        return tokens[position][1].lower() if position < len(tokens) and tokens[position][0] != "text" else ""

    def take() -> tuple[str, str]:
        nonlocal position
        if position >= len(tokens):
            raise Problem(8, "过滤条件不完整")
        position += 1
        return tokens[position - 1]

    def operand() -> str:
        kind, value = take()
        if kind == "sign" or (kind == "word" and not NUMBER.fullmatch(value)):
            raise Problem(8, f"过滤条件有误：{value}")
        return value

    def either() -> Test:
        nonlocal only_and
        left = both()
        while peek() == "or":
            only_and = only_and and depth > 0
            take()
            left = _or(left, both())
        return left

    def both() -> Test:
        left = one()
        while peek() == "and":
            take()
            left = _and(left, one())
        return left

    def one() -> Test:
        nonlocal depth, after
        if peek() == "(":
            take()
            depth += 1
            inside = either()
            depth -= 1
            take()
            return inside
        kind, key = take()
        if kind != "word":
            raise Problem(8, f"过滤条件有误：{key}")
        if NUMBER.fullmatch(key):  # the usual always-true condition 1=1
            _, _, (_, other) = (kind, key), take(), take()
            holds = key == other
            return lambda _: holds
        reader.check(key)
        keys.append(key)
        operator = take()[1].lower()
        if operator == "in":
            take()
            values = [operand()]
            while peek() == ",":
                take()
                values.append(operand())
            take()
            return lambda row: any(_compare("=", reader.value(row, key), value) for value in values)
        wanted = operand()
        if depth == 0 and key == reader.form.pk and operator == ">" and wanted.isdecimal():
            after = max(after, int(wanted))
        return lambda row: _compare(operator, reader.value(row, key), wanted)

    test = either()
    if position != len(tokens):
        raise Problem(8, f"过滤条件有误：{text}")
    return test, keys, after if only_and else 0


def _and(left: Test, right: Test) -> Test:
    return lambda row: left(row) and right(row)


def _or(left: Test, right: Test) -> Test:
    return lambda row: left(row) or right(row)


def _tokens(text: str) -> list[tuple[str, str]]:
    tokens: list[tuple[str, str]] = []
    position = 0
    text = text.rstrip()
    while position < len(text):
        match = TOKEN.match(text, position)
        if not match:
            raise Problem(8, f"过滤条件有误：{text[position:]}")
        if match.group(1) is not None:
            tokens.append(("text", match.group(1).replace("''", "'")))
        else:
            tokens.append(("sign", match.group(2)) if match.group(2) else ("word", match.group(3)))
        position = match.end()
    return tokens


def _compare(operator: str, value: Any, wanted: str) -> bool:
    if value is None:
        return False
    if operator == "like":
        pattern = "".join(".*" if c == "%" else "." if c == "_" else re.escape(c) for c in wanted)
        return re.fullmatch(pattern, str(value), re.IGNORECASE | re.DOTALL) is not None
    left: Any
    right: Any
    if isinstance(value, int | Decimal) and NUMBER.fullmatch(wanted):
        left, right = Decimal(str(value)), Decimal(wanted)
    else:
        left, right = str(value).replace("T", " "), wanted.replace("T", " ")
    answers = {
        "=": left == right,
        "<>": left != right,
        ">": left > right,
        ">=": left >= right,
        "<": left < right,
        "<=": left <= right,
    }
    if operator not in answers:
        raise Problem(8, f"不支持的运算符：{operator}")
    return answers[operator]
