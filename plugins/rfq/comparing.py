"""The comparison of quotes: lines down, sellers across, the best price of each line, and what the best mix would cost.

Pure: from facts to a table. Only prices for the whole asked quantity, as asked, compete for best; alternatives and partial
offers are shown beside them. A quote that is out of date (expired, or against an older version) is shown and never best.
"""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

import tongshang as ts
from plugins.rfq.reading import Item, OfferedLine, Part, QuoteFacts, RequestFacts
from tongshang import gettext as _

ZERO = Decimal(0)
BASES = ("gross", "net")


@dataclass(frozen=True)
class Cell:
    """One offer. `whole` covers all that is asked; `standing` may be awarded; `best` is the lowest of its line."""

    line: OfferedLine
    invitation_id: UUID
    amount: Decimal
    unit_net: Decimal
    unit_gross: Decimal
    whole: bool
    standing: bool
    best: bool = False


@dataclass(frozen=True)
class Compared:
    """A line of the request with the offers of every seller, in the order of the columns; empty where there is none."""

    item: Item
    cells: tuple[tuple[Cell, ...], ...]
    best: Cell | None


@dataclass(frozen=True)
class Column:
    """One seller. `total` is of the lines it offers whole, as asked; `missing` counts the others."""

    part: Part
    quote: QuoteFacts
    total: Decimal
    net: Decimal
    gross: Decimal
    missing: int
    outdated: bool
    expired: bool
    lowest: bool = False


@dataclass(frozen=True)
class Matrix:
    """The whole comparison. `mix` is the sum of the best price of each line, `unserved` the lines nobody offers whole."""

    basis: str
    columns: tuple[Column, ...]
    rows: tuple[Compared, ...]
    mix: Decimal
    mix_net: Decimal
    mix_gross: Decimal
    unserved: int


def compare(facts: RequestFacts, now: datetime, basis: str = "gross") -> Matrix:
    """Put the standing quotes side by side; `basis` says whether gross or net amounts decide."""
    quoted = [(part, part.quote) for part in facts.invitations if part.quote is not None]
    usable = {
        quote.id: quote.request_version == facts.version and now < quote.valid_until for _part, quote in quoted
    }
    rows = tuple(_row(item, quoted, usable, basis) for item in facts.lines)
    columns = [_column(part, quote, rows, index, facts, now, basis) for index, (part, quote) in enumerate(quoted)]
    complete = [each.total for each in columns if not each.missing]
    lowest = min(complete) if complete else None
    best = [row.best for row in rows if row.best is not None]
    return Matrix(
        basis=basis,
        columns=tuple(_marked(each, lowest) for each in columns),
        rows=rows,
        mix=sum((cell.amount for cell in best), ZERO),
        mix_net=sum((cell.line.net for cell in best), ZERO),
        mix_gross=sum((cell.line.gross for cell in best), ZERO),
        unserved=len(rows) - len(best),
    )


def _marked(column: Column, lowest: Decimal | None) -> Column:
    is_lowest = lowest is not None and not column.missing and column.total == lowest
    return Column(**{**column.__dict__, "lowest": is_lowest})


def _row(
    item: Item, quoted: Sequence[tuple[Part, QuoteFacts]], usable: dict[UUID, bool], basis: str
) -> Compared:
    found = [
        [_cell(line, part, quote, item, usable[quote.id], basis) for line in quote.lines if line.line_no == item.no]
        for part, quote in quoted
    ]
    rivals = [cell for cells in found for cell in cells if _competes(cell)]
    least = min((cell.amount for cell in rivals), default=None)
    marked = tuple(
        tuple(Cell(**{**cell.__dict__, "best": _competes(cell) and cell.amount == least}) for cell in cells)
        for cells in found
    )
    best = next((cell for cells in marked for cell in cells if cell.best), None)
    return Compared(item, marked, best)


def _competes(cell: Cell) -> bool:
    return cell.whole and cell.standing and cell.line.option == 0


def _cell(line: OfferedLine, part: Part, quote: QuoteFacts, item: Item, standing: bool, basis: str) -> Cell:
    return Cell(
        line=line,
        invitation_id=part.id,
        amount=line.gross if basis == "gross" else line.net,
        unit_net=ts.round_to(line.net / line.quantity, 4),
        unit_gross=ts.round_to(line.gross / line.quantity, 4),
        whole=line.quantity >= item.quantity,
        standing=standing,
    )


def _column(
    part: Part, quote: QuoteFacts, rows: Sequence[Compared], index: int, facts: RequestFacts, now: datetime, basis: str
) -> Column:
    own = [cell for row in rows for cell in row.cells[index] if cell.whole and cell.line.option == 0]
    return Column(
        part=part,
        quote=quote,
        total=sum((cell.amount for cell in own), ZERO),
        net=sum((cell.line.net for cell in own), ZERO),
        gross=sum((cell.line.gross for cell in own), ZERO),
        missing=len(rows) - len(own),
        outdated=quote.request_version != facts.version,
        expired=now >= quote.valid_until,
    )


def as_csv(facts: RequestFacts, matrix: Matrix) -> str:
    """The comparison for a spreadsheet: one row for each offer, amounts as plain numbers, times in UTC."""
    out = io.StringIO()
    write = csv.writer(out, lineterminator="\r\n")
    write.writerow(
        [
            _("Line"), _("Product"), _("Specification"), _("Asked"), _("Unit"), _("Seller"), _("Option"), _("Offered product"),
            _("Offered"), _("Unit price"), _("Unit net"), _("VAT rate"), _("Net"), _("VAT"), _("Amount with VAT"),
            _("Lead time (days)"), _("Valid until"), _("Version"), _("Best"), _("Remark"),
        ]
    )  # fmt: skip
    for row in matrix.rows:
        for column, cells in zip(matrix.columns, row.cells, strict=True):
            for cell in cells:
                line = cell.line
                write.writerow(
                    [
                        row.item.no, _safe(row.item.text), _safe(row.item.spec), _plain(row.item.quantity), row.item.unit,
                        _safe(column.part.seller), line.option, _safe(line.sku_code), _plain(line.quantity),
                        _plain(line.unit_price), _plain(cell.unit_net), _plain(line.vat_rate), f"{line.net:.2f}",
                        f"{line.tax:.2f}", f"{line.gross:.2f}", "" if line.lead_days is None else line.lead_days,
                        column.quote.valid_until.isoformat(timespec="minutes"), column.quote.version,
                        1 if cell.best else 0, _safe(line.remark),
                    ]
                )  # fmt: skip
    return "\ufeff" + out.getvalue()


def _plain(value: Decimal) -> str:
    return f"{value.normalize():f}"


def _safe(text: str) -> str:
    """Text that a spreadsheet would run as a formula is shown as text."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
