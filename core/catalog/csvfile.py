"""Comma-separated files, in and out: the character set is declared, sizes are capped, and no cell becomes a
formula.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator
from decimal import Decimal

from core.kernel import Invalid

CHARSETS = {"utf-8": "utf-8-sig", "gb18030": "gb18030"}
MAX_BYTES = 20_000_000
MAX_ROWS = 200_000
MAX_FIELD = 2_000
MAX_COLUMNS = 100

REMARKS = ("#row", "#reason")
"""Columns of the file of refused rows that say where a row stood and why it was refused; passed over when it comes back."""

_FORMULA = re.compile(r"(^|[,;\t|])[=+\-@\t\r＝＋－＠]")
_NUMBER = re.compile(r"^-?\d+(\.\d+)?$")


def read(content: bytes, charset: str) -> tuple[list[str], Iterator[tuple[int, dict[str, str]]]]:
    """The header without remarks, and the rows with their numbers, the header being row 1. Invalid when the file as a whole
    is unusable.
    """
    if charset not in CHARSETS:
        raise Invalid.one("charset", "import.charset", charset=charset)
    if len(content) > MAX_BYTES:
        raise Invalid.one("file", "import.too_large", max=MAX_BYTES // 1_000_000)
    try:
        body = content.decode(CHARSETS[charset])
    except UnicodeDecodeError as wrong:
        raise Invalid.one("charset", "import.not_in_charset", charset=charset, at=wrong.start) from None
    if "\x00" in body:
        raise Invalid.one("file", "import.binary")
    lines = csv.reader(io.StringIO(body, newline=""), strict=True)
    header = [name.strip() for name in _next(lines) or []]
    if not header or len(header) > MAX_COLUMNS:
        raise Invalid.one("file", "import.no_header")
    if len(set(header)) != len(header):
        raise Invalid.one("file", "import.column_twice")
    return [name for name in header if name not in REMARKS], _rows(header, lines)


def _rows(header: list[str], lines: Iterator[list[str]]) -> Iterator[tuple[int, dict[str, str]]]:
    number = 1
    while (cells := _next(lines)) is not None:
        number += 1
        if number - 1 > MAX_ROWS:
            raise Invalid.one("file", "import.too_many_rows", max=MAX_ROWS)
        if not any(cell.strip() for cell in cells):
            continue
        if any(len(cell) > MAX_FIELD for cell in cells):
            raise Invalid.one("file", "import.field_too_long", row=number, max=MAX_FIELD)
        cells += [""] * (len(header) - len(cells))
        row = zip(header, cells, strict=False)
        yield number, {name: _unguarded(cell.strip()) for name, cell in row if name not in REMARKS}


def _next(lines: Iterator[list[str]]) -> list[str] | None:
    try:
        return next(lines, None)
    except csv.Error as wrong:
        raise Invalid.one("file", "import.not_csv", why=str(wrong)) from None


def write(header: Iterable[str], rows: Iterable[Iterable[str | Decimal | None]]) -> bytes:
    """A file that Excel opens with its Chinese intact. Text a spreadsheet would calculate gets a leading
    apostrophe.
    """
    out = io.StringIO(newline="")
    lines = csv.writer(out)
    lines.writerow(list(header))
    lines.writerows([guarded(cell) for cell in row] for row in rows)
    return out.getvalue().encode("utf-8-sig")


def guarded(cell: str | Decimal | None) -> str:
    """A cell as it may stand in an export: real numbers as numbers, would-be formulas as text."""
    if cell is None:
        return ""
    if isinstance(cell, Decimal):
        return f"{cell:f}"
    if _FORMULA.search(cell) and not _NUMBER.match(cell):
        return f"'{cell}"
    return cell


def _unguarded(cell: str) -> str:
    """A cell of an earlier export without the apostrophe that guarded it."""
    return cell[1:] if cell.startswith("'") and guarded(cell[1:]) == cell else cell
