"""Answers to reads: lists, single entities, what hangs on them, counts, and pages the server cuts by itself."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any
from urllib.parse import quote, urlencode

from connectors.sap.odata.simulator import names, query
from connectors.sap.odata.simulator.books import ITEM, ORDER, Books
from connectors.sap.odata.simulator.model import SETS, Set
from connectors.sap.odata.simulator.shapes import Refused, dumps, etag_of, shown, uri


class Reader:
    """One read of one caller: the version it speaks, where it thinks it is, and what it asks for."""

    def __init__(
        self, books: Books, base: str, version: int, asked: Mapping[str, str], *, exact: bool, extra: bool
    ) -> None:
        self.books, self.base, self.version, self.asked = books, base, version, asked
        self.exact = exact  # decimals as text
        self.extra = extra  # fields a customer added
        told = asked.get("$expand", "")
        self.paths = names_v4(told) if version == 4 else [path for path in told.split(",") if path]
        self.only = {name for name in asked.get("$select", "").split(",") if name}

    def entity(
        self, of: Set, row: query.Row, paths: Sequence[str] | None = None, top: bool = True
    ) -> dict[str, Any]:
        """A row as JSON, with what was asked to be expanded."""
        paths = self.paths if paths is None else paths
        key = [str(row[name] or "") for name in of.key]
        own = uri(self.base, of, key)
        made: dict[str, Any] = {}
        etag = self.etag(of, row)
        if self.version == 2:
            made["__metadata"] = {"id": own, "uri": own, "type": f"SRV.{of.type}"} | (
                {"etag": etag} if etag else {}
            )
        elif etag:
            made["@odata.etag"] = etag
        wanted = self.only if top else set()
        for name, one in of.fields.items():
            if not wanted or name in wanted:
                told = names.shown_field(of.name, name) if self.version == 4 else name
                made[told] = shown(row[name], one, self.version, self.exact)
        if self.version == 4 and of.name == ITEM and not wanted:
            made["TaxAmount"] = format(self._tax(row), "f") if self.exact else self._tax(row)
        if self.extra:
            made |= {"YY1_CustomerRemark_SDH": None, "YY1_Weight_SDH": "1.50", "ZZFLAG": "X"}
        for name, way in of.ways.items():
            told = names.WAYS.get(name, name) if self.version == 4 else name
            inner = [path.partition("/")[2] for path in paths if path.partition("/")[0] == told]
            if inner or told in paths:
                to = SETS[way.to]
                rows = [
                    self.entity(to, row, [path for path in inner if path], top=False)
                    for row in self.books.below(of.name, row, name)
                ]
                made[told] = rows if self.version == 4 else {"results": rows}
            elif self.version == 2 and not wanted:
                made[name] = {"__deferred": {"uri": f"{own}/{name}"}}
        return made

    def etag(self, of: Set, row: query.Row) -> str:
        """In V4 whatever belongs to an order carries the order's ETag; in V2 only what has one of its own."""
        if self.version == 4 and of.name != ORDER:
            return etag_of(self.books.tables[ORDER][(row["SalesOrder"],)], SETS[ORDER])
        return etag_of(row, of)

    def _tax(self, item: query.Row) -> Decimal:
        prices = self.books.below(ITEM, item, "to_PricingElement")
        taxes = (one["ConditionAmount"] for one in prices if one["ConditionClass"] == "D")
        return sum(taxes, Decimal(0))

    def list(self, of: Set, rows: Sequence[query.Row], path: str, page: int | None) -> dict[str, Any]:
        """A page of rows under the query, with where the rest is. Raises Refused."""
        asked = self.asked
        try:
            test = query.condition_of(asked["$filter"], of) if asked.get("$filter") else None
            if path == of.name and of.name != ORDER and self._by_key(of):
                rows = [*self._behind(of, test, int(asked["$top"]))]
            elif test is not None:
                rows = [row for row in rows if test(row)]
            rows = query.sorted_rows(rows, asked.get("$orderby") or ",".join(of.key), of)
            skip, top = int(asked.get("$skip") or 0), int(asked.get("$top") or len(rows))
            start = int(asked.get("$skiptoken") or 0)
        except ValueError as error:  # query.Wrong is one
            raise Refused(400, "/IWCOR/CX_DS_EXPR_SYNTAX_ERROR/002", str(error)) from None
        count, rows = len(rows), rows[skip : skip + top]
        part = rows[start : start + page] if page else rows[start:]
        found = [self.entity(of, row) for row in part]
        more = start + len(part) < len(rows)
        if self.version == 4:
            made: dict[str, Any] = {"@odata.context": f"$metadata#{path}"}
            if asked.get("$count") == "true":
                made["@odata.count"] = count
            made["value"] = found
            if more:
                made["@odata.nextLink"] = self._next(path, start + len(part))
            return made
        inner: dict[str, Any] = {"results": found}
        if asked.get("$inlinecount") == "allpages":
            inner["__count"] = str(count)
        if more:
            inner["__next"] = self._next(path, start + len(part))
        return {"d": inner}

    def _by_key(self, of: Set) -> bool:
        """Whether so many rows behind a key are asked for: then the others need no look."""
        asked = self.asked
        told = asked.get("$filter", "")
        return (
            asked.get("$orderby") == of.key[0]
            and asked.get("$top", "").isdecimal()
            and not asked.keys() & {"$inlinecount", "$count", "$skip", "$skiptoken"}
            and " or " not in told
            and "not " not in told
        )

    def _behind(self, of: Set, test: query.Test | None, top: int) -> Iterator[query.Row]:
        match = re.search(rf"\b{of.key[0]} gt '((?:[^']|'')*)'", self.asked.get("$filter", ""))
        first = match[1].replace("''", "'") if match else ""
        fitting = (row for row in self.books.behind(of.name, first) if test is None or test(row))
        return itertools.islice(fitting, top)

    def single(self, of: Set, row: query.Row) -> bytes:
        made = self.entity(of, row)
        return dumps({"d": made} if self.version == 2 else {"@odata.context": f"$metadata#{of.name}", **made})

    def _next(self, path: str, start: int) -> str:
        """The rest, at the address this server believes it has."""
        told = {name: value for name, value in self.asked.items() if name != "$skiptoken"}
        return f"{self.base}/{path}?{urlencode(told | {'$skiptoken': str(start)}, quote_via=quote)}"


def names_v4(told: str) -> list[str]:
    """`_Item($expand=_ItemPricingElement)` as paths: `_Item`, `_Item/_ItemPricingElement`."""
    made, depth = [""], 0
    for letter in told:
        depth += {"(": 1, ")": -1}.get(letter, 0)
        if letter == "," and not depth:
            made.append("")
        else:
            made[-1] += letter
    paths: list[str] = []
    for part in filter(None, made):
        name, _, inner = part.partition("(")
        paths.append(name)
        wanted = inner.rpartition(")")[0].removeprefix("$expand=")
        paths += [f"{name}/{path}" for path in names_v4(wanted)] if wanted else []
    return paths
