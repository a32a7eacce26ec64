"""What others wrote: CSV, XLSX, XML and lines of JSON as rows, within bounds, or a reason why the file is not read."""

from __future__ import annotations

import csv
import io
import json
import re
import struct
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from connectors.generic.values import exact, no_number

MOST_ROWS, MOST_COLUMNS, LONGEST_CELL = 200_000, 300, 10_000
MOST_ENTRIES, MOST_UNPACKED, MOST_RATIO = 200, 100 * 1024 * 1024, 100
SMALL = 64 * 1024  # bytes of an entry below which a ratio proves nothing: a few empty cells pack very well
DEEPEST, SHEET_SECONDS = 64, 30.0
MOST_PARTS = 2_000_000  # tags of XML, or lists and objects of JSON: four bytes of a file are a hundred in memory
SHEET = Path(__file__).with_name("sheet.py")
DOCTYPE = re.compile(rb"<!\s*(DOCTYPE|ENTITY)", re.IGNORECASE)

Row = dict[str, Any]


class Unfit(ValueError):
    """The file is not read, and why. `code` is stable."""

    def __init__(self, code: str, said: str) -> None:
        super().__init__(said)
        self.code, self.said = code, said


def rows_of(
    name: str,
    data: bytes,
    *,
    encoding: str = "utf-8",
    separator: str = ",",
    sheet: str = "",
    record: str = "",
) -> tuple[bool, Iterator[Row]]:
    """(whether each row is flat, the rows), by the file's ending and its first bytes. Raises Unfit, also later on."""
    ending = name.lower().rpartition(".")[2]
    if not data.strip():
        raise Unfit("files.empty", "the file is empty")
    zipped = data[:4] == b"PK\x03\x04"
    if zipped != (ending == "xlsx"):
        raise Unfit("files.not_what_it_says", f"the contents are not those of .{ending}")
    if ending in ("csv", "txt", "tsv"):
        return True, _table(_csv(data, encoding, separator))
    if ending == "xlsx":
        return True, _table(_xlsx(data, sheet))
    if ending == "xml":
        return False, _xml(data, record)
    if ending in ("json", "jsonl", "ndjson"):
        return False, _json(data)
    raise Unfit("files.ending", f".{ending} is none of csv, txt, tsv, xlsx, xml, json, jsonl")


def _table(lines: Iterator[Sequence[str]]) -> Iterator[Row]:
    """Rows by the names of the first line; empty lines are passed over."""
    names = [name.strip() for name in next(lines, [])]
    if not any(names):
        raise Unfit("files.no_header", "the first line has no names of columns")
    if len(set(filter(None, names))) != len([name for name in names if name]):
        raise Unfit("files.no_header", "two columns have the same name")
    for no, line in enumerate(lines, 2):
        if no > MOST_ROWS:
            raise Unfit("files.too_many_rows", f"more than {MOST_ROWS} rows")
        if any(cell.strip() for cell in line):
            if len(line) > len(names) and any(cell.strip() for cell in line[len(names) :]):
                raise Unfit(
                    "files.broken_row", f"row {no} has more cells than the header; another separator?"
                )
            yield {name: cell for name, cell in zip(names, line, strict=False) if name} | {"#row": no}


# -- CSV


def _csv(data: bytes, encoding: str, separator: str) -> Iterator[Sequence[str]]:
    if b"\x00" in data:
        raise Unfit("files.encoding", "the file has zero bytes; is it UTF-16?")
    try:
        told = data.decode("utf-8-sig" if encoding.lower().startswith("utf-8") else encoding)
    except UnicodeDecodeError as error:
        raise Unfit("files.encoding", f"not {encoding}: byte {error.start}") from None
    try:
        for line in csv.reader(io.StringIO(told, newline=""), delimiter=separator, strict=True):
            if len(line) > MOST_COLUMNS:
                raise Unfit("files.too_many_columns", f"more than {MOST_COLUMNS} columns")
            if any(len(cell) > LONGEST_CELL for cell in line):
                raise Unfit(
                    "files.broken_row", f"a cell of more than {LONGEST_CELL} letters; a quote left open?"
                )
            yield line
    except csv.Error as error:
        raise Unfit("files.broken_row", str(error)) from None


# -- XLSX


def _xlsx(data: bytes, sheet: str) -> Iterator[Sequence[str]]:
    check_zip(data)
    asked = [sys.executable, "-I", str(SHEET), str(MOST_ROWS), str(MOST_COLUMNS), sheet]
    try:
        done = subprocess.run(asked, input=data, capture_output=True, timeout=SHEET_SECONDS, env=_bare())  # noqa: S603
    except subprocess.TimeoutExpired:
        raise Unfit("files.sheet", f"the workbook was not read within {SHEET_SECONDS:.0f} s") from None
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2][:300]
        raise Unfit("files.sheet", said or "the workbook takes more memory or time than a workbook may")
    for line in done.stdout.splitlines():
        yield json.loads(line)


def _bare() -> dict[str, str]:
    """An environment in which the reader finds this code and nothing else of ours."""
    return {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"}


def check_zip(data: bytes) -> None:
    """Raise Unfit unless the archive unpacks to something of a bearable size, counted and not believed."""
    total = 0
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            if len(entries) > MOST_ENTRIES:
                raise Unfit("files.zip", f"more than {MOST_ENTRIES} parts")
            if sum(entry.file_size for entry in entries) > MOST_UNPACKED:
                raise Unfit("files.zip", f"unpacks to more than {MOST_UNPACKED} bytes")
            for entry in entries:
                if ".." in entry.filename.replace("\\", "/").split("/") or entry.filename.startswith("/"):
                    raise Unfit("files.zip", f"a part named {entry.filename[:60]!r}")
                if entry.file_size > SMALL and entry.file_size > MOST_RATIO * max(entry.compress_size, 1):
                    raise Unfit("files.zip", f"{entry.filename[:60]} unpacks to {entry.file_size} bytes")
                with archive.open(entry) as part:
                    while chunk := part.read(65536):
                        total += len(chunk)
                        if total > MOST_UNPACKED:
                            raise Unfit("files.zip", f"unpacks to more than {MOST_UNPACKED} bytes")
    except (
        zipfile.BadZipFile,
        zlib.error,
        struct.error,
        LookupError,
        RuntimeError,
        NotImplementedError,
        EOFError,
        OSError,
        ValueError,
    ) as error:
        if isinstance(error, Unfit):
            raise
        raise Unfit("files.zip", f"no whole workbook: {error}") from None


# -- XML


def _xml(data: bytes, record: str) -> Iterator[Row]:
    from lxml import etree

    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        huge_tree=False,
        load_dtd=False,
        dtd_validation=False,
        remove_comments=True,
        remove_pis=True,
    )
    if DOCTYPE.search(data):
        raise Unfit("files.xml", "a document type or entity has no place here")
    if data.count(b"<") > MOST_PARTS:
        raise Unfit("files.xml", f"more than {MOST_PARTS} tags")
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise Unfit("files.xml", f"no whole XML: {error}") from None
    if root.getroottree().docinfo.doctype:  # written in another encoding than the bytes above
        raise Unfit("files.xml", "a document type or entity has no place here")
    elements = root.iter(f"{{*}}{record}") if record else iter(root)
    for no, element in enumerate(elements, 1):
        if no > MOST_ROWS:
            raise Unfit("files.too_many_rows", f"more than {MOST_ROWS} records")
        value = _value(element, 1)
        yield (value if isinstance(value, dict) else {"value": value}) | {"#row": no}


def _value(element: Any, depth: int) -> Any:
    """An element as text, or as an object: children by name (a list where a name repeats), attributes as `@name`."""
    if depth > DEEPEST:
        raise Unfit("files.xml", f"nested deeper than {DEEPEST}")
    told: dict[str, Any] = {f"@{_local(name)}": value for name, value in element.attrib.items()}
    for child in element:
        name, value = _local(child.tag), _value(child, depth + 1)
        if name not in told:
            told[name] = value
        elif isinstance(told[name], list):
            told[name].append(value)
        else:
            told[name] = [told[name], value]
    own = (element.text or "").strip()
    if not told:
        return own[:LONGEST_CELL]
    return told | ({"#text": own[:LONGEST_CELL]} if own else {})


def _local(name: Any) -> str:
    return str(name).rpartition("}")[2]


# -- JSON


def _json(data: bytes) -> Iterator[Row]:
    """One object a line, or one list of objects, or one object."""
    try:
        told = data.decode("utf-8-sig").strip()
        if told.count("[") + told.count("{") > MOST_PARTS:
            raise ValueError(f"more than {MOST_PARTS} lists and objects")
        try:
            whole = json.loads(told, parse_float=exact, parse_constant=no_number)
            parts = whole if isinstance(whole, list) else [whole]
        except ValueError:
            lines = [line for line in told.splitlines() if line.strip()]
            parts = [json.loads(line, parse_float=exact, parse_constant=no_number) for line in lines]
    except (ValueError, RecursionError) as error:
        raise Unfit("files.json", f"no whole JSON in UTF-8: {error}") from None
    if len(parts) > MOST_ROWS:
        raise Unfit("files.too_many_rows", f"more than {MOST_ROWS} records")
    for no, part in enumerate(parts, 1):
        yield (part if isinstance(part, dict) else {"value": part}) | {"#row": no}
