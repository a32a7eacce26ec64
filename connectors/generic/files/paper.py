"""A document written down: CSV or a workbook with a row for each line, XML, or one line of JSON."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from connectors.generic.files.place import LONGEST_NAME, plain
from connectors.generic.files.workbook import workbook
from connectors.generic.shapes import LAYOUTS, Layout
from tongshang.connect import Access, FixSettings, Rejected

FORMULA = re.compile(r"^\s*[=+\-@\t\r＝＋－＠]|[,;\t|][=+\-@＝＋－＠]")
SUFFIX = {"csv": ".csv", "xlsx": ".xlsx", "xml": ".xml", "jsonl": ".jsonl"}
SEPARATORS = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|"}
NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
LONGEST_REFERENCE = 120


def piece(reference: str) -> str:
    """A reference as a part of a file's name: no two references share one, and none leads elsewhere."""
    told = quote(reference, safe="").replace(".", "%2E").replace("~", "%7E")
    if not told or len(told) > LONGEST_REFERENCE:
        raise Rejected("files.reference", f"{reference!r} cannot be part of a file's name", field="reference")
    return told


def name_of(pattern: str, reference: str, version: int, act: str, suffix: str, *, file: str = "") -> str:
    """The name of a document's file; raises FixSettings for a pattern that would give two documents one name.

    In the name of an answer `{file}` may stand for the name of the file it answers, without its ending.
    """
    places = {"{reference}": piece(reference), "{version}": str(version), "{act}": act}
    if file and "{file}" in pattern:
        places = {"{file}": file}
    for place in places:
        if place not in pattern:
            raise FixSettings("files.pattern", f"{pattern!r} lacks {place}")
    for place, value in places.items():
        pattern = pattern.replace(place, value)
    name = pattern + suffix
    if not plain(name) or "{" in name or name.endswith(".part"):
        raise FixSettings("files.pattern", f"{name[:LONGEST_NAME]!r} is no name of a file")
    return name


def numbers_in(name: str, access: Access) -> str:
    """The form of numbers in a file; only in CSV are they written as people of a country write them."""
    return access["number_form"] or "plain" if name.lower().endswith((".csv", ".txt", ".tsv")) else "plain"


def written(
    form: str,
    body: Mapping[str, Any],
    names: Mapping[str, str],
    *,
    kind: str,
    encoding: str,
    separator: str,
    numbers: str = "plain",
) -> bytes:
    """The bytes of a document's file. Raises Rejected for text that the encoding has no letters for."""
    layout = LAYOUTS[kind]
    if form == "xml":
        return _xml(body, names, layout, "order" if kind == "sales_order" else kind)
    if form == "jsonl":
        return (json.dumps(_named(body, names, layout), ensure_ascii=False, default=_exact) + "\n").encode()
    if form == "xlsx":
        return workbook(_rows(body, names, layout))
    text = _csv(_rows(body, names, layout), SEPARATORS.get(separator, ","), "," if numbers == "european" else ".")
    try:
        return text.encode(encoding)
    except UnicodeEncodeError as error:
        said = f"{encoding} has no {error.object[error.start : error.end]!r}"
        raise Rejected("files.encoding", said) from None


def cell(value: Any, point: str = ".") -> str:
    """One cell: a number as it is, text that a spreadsheet would take for a formula behind an apostrophe."""
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return format(value, "f").replace(".", point)
    if isinstance(value, int):
        return str(value)
    told = str(value).replace("\x00", "").replace("\r\n", " ").replace("\n", " ")
    return f"'{told}" if FORMULA.search(told) else told


def _rows(body: Mapping[str, Any], names: Mapping[str, str], layout: Layout) -> Iterator[list[Any]]:
    """The names of the columns, then a row for each line with the head repeated; one row where there are no lines."""
    yield [names[name] for name in (*layout.head, *layout.line)]
    head = [body.get(name) for name in layout.head]
    for line in body["lines"] or [{}]:
        yield [*head, *(line.get(name) for name in layout.line)]


def _csv(rows: Iterator[list[Any]], separator: str, point: str) -> str:
    out = io.StringIO(newline="")
    table = csv.writer(out, delimiter=separator, lineterminator="\r\n")
    table.writerow(next(rows))  # names of columns are as they were told
    table.writerows([cell(value, point) for value in row] for row in rows)
    return out.getvalue()


def _named(body: Mapping[str, Any], names: Mapping[str, str], layout: Layout) -> dict[str, Any]:
    head = {names[name]: body.get(name, "") for name in layout.head}
    return head | {
        "lines": [{names[name]: line.get(name, "") for name in layout.line} for line in body["lines"]]
    }


def _xml(body: Mapping[str, Any], names: Mapping[str, str], layout: Layout, root: str) -> bytes:
    from lxml import etree

    def element(parent: Any, name: str, value: Any) -> None:
        told = format(value, "f") if isinstance(value, Decimal) else "" if value is None else str(value)
        etree.SubElement(parent, name).text = NOT_XML.sub("", told)

    try:
        document = etree.Element(root)
        for name in layout.head:
            element(document, names[name], body.get(name))
        lines = etree.SubElement(document, "lines")
        for line in body["lines"]:
            row = etree.SubElement(lines, "line")
            for name in layout.line:
                element(row, names[name], line.get(name))
    except ValueError as error:
        raise FixSettings("files.column_name", f"columns: {error}") from None
    written: bytes = etree.tostring(document, xml_declaration=True, encoding="UTF-8", pretty_print=True)
    return written


def _exact(value: Any) -> str:
    if isinstance(value, Decimal):
        return format(value, "f")
    raise TypeError(f"{type(value).__name__} has no place in a file")
