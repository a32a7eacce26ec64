"""A small workbook of one sheet, written down: texts as texts, never as formulas, and numbers as numbers."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any
from xml.sax.saxutils import escape

DIGITS = 15  # a workbook keeps numbers as binary floats, exact that far; a longer one is written as text
NOT_XML = dict.fromkeys([*range(9), 11, 12, *range(14, 32), 0xFFFE, 0xFFFF, *range(0xD800, 0xE000)])
LIKE_ESCAPES = "_x"  # `_x0041_` would be read as the letter A
MOMENT = (1980, 1, 1, 0, 0, 0)  # of every part, so that the same rows make the same bytes
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
TYPES = "application/vnd.openxmlformats-officedocument.spreadsheetml"
FRAME = {
    "[Content_Types].xml": f'<Types xmlns="{PACKAGE}/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{TYPES}.sheet.main+xml"/>'
    f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{TYPES}.worksheet+xml"/></Types>',
    "_rels/.rels": f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="r1" '
    f'Type="{RELATIONS}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{RELATIONS}"><sheets>'
    '<sheet name="Sheet1" sheetId="1" r:id="r1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="r1" '
    f'Type="{RELATIONS}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
}


def workbook(rows: Iterable[Sequence[Any]]) -> bytes:
    """The bytes of an XLSX with these rows on its only sheet. A cell is text, a whole number, a `Decimal` or None."""
    lines = "".join(
        f'<row r="{no}">{"".join(_cell(value, f"{_column(at)}{no}") for at, value in enumerate(row))}</row>'
        for no, row in enumerate(rows, 1)
    )
    parts = {**FRAME, "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{MAIN}"><sheetData>{lines}</sheetData></worksheet>'}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in parts.items():
            entry = zipfile.ZipInfo(name, MOMENT)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n{part}')
    return out.getvalue()


def _cell(value: Any, at: str) -> str:
    if value is None or value == "":
        return ""
    told = format(value, "f") if isinstance(value, Decimal) else str(value)
    if isinstance(value, Decimal | int) and sum(map(str.isdigit, told)) <= DIGITS:
        return f'<c r="{at}"><v>{told}</v></c>'
    text = escape(told.translate(NOT_XML).replace(LIKE_ESCAPES, "_x005F_x"))
    return f'<c r="{at}" t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'


def _column(at: int) -> str:
    """A to Z, then AA and so on; `at` counts from 0."""
    rest, letter = divmod(at, 26)
    return (_column(rest - 1) if rest else "") + chr(65 + letter)
