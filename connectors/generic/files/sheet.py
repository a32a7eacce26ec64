"""Reads one workbook in a process of its own, which may take little memory and time: a workbook is somebody's program.

`python sheet.py ROWS COLUMNS SHEET < book.xlsx` (an empty SHEET is the first one) prints a JSON list of texts for each row.
One text that stands in a million cells is small in the workbook and large here, so what is printed is bounded too.
It needs nothing of the platform, so it is started without it.
"""

from __future__ import annotations

import io
import json
import sys
from datetime import date, datetime
from decimal import Decimal
from typing import Any

MEMORY = 1024 * 1024 * 1024  # bytes of address space
SECONDS = 20  # of processor time
LONGEST_CELL = 10_000  # characters
MOST_PRINTED = 100 * 1024 * 1024  # characters of all rows


def main(rows: int, columns: int, sheet: str) -> str:
    """Print the rows; answers what is wrong with the workbook, or nothing."""
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(sys.stdin.buffer.read()))
        if sheet and sheet not in book.sheet_names:
            return f"no sheet {sheet!r}; there are {', '.join(book.sheet_names)[:200]}"
        found = book.get_sheet_by_name(sheet) if sheet else book.get_sheet_by_index(0)
    except CalamineError as error:
        return f"no workbook: {error}"
    if found.height > rows or found.width > columns:
        return f"{found.height} rows and {found.width} columns; at most {rows} and {columns}"
    printed = 0
    for row in found.iter_rows():
        told = json.dumps([text(cell)[:LONGEST_CELL] for cell in row], ensure_ascii=False)
        printed += len(told)
        if printed > MOST_PRINTED:
            return f"the texts of its cells are longer than {MOST_PRINTED} characters"
        print(told)
    return ""


def text(cell: Any) -> str:
    """A cell as a person sees it. Workbooks keep numbers as binary floats; their shortest form is what was typed."""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        exact = Decimal(repr(cell))
        return format(exact.quantize(Decimal(1)) if exact == exact.to_integral_value() else exact, "f")
    if isinstance(cell, datetime | date):
        return cell.isoformat()
    return str(cell)


def _bounded() -> None:
    """Little memory and time from here on, where the system knows such bounds."""
    try:
        import resource
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))


if __name__ == "__main__":
    _bounded()
    wrong = main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
    if wrong:
        print(wrong, file=sys.stderr)
    sys.exit(1 if wrong else 0)
