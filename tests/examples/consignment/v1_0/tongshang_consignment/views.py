"""The page of goods on consignment: what lies where, and the form that reports usage."""

from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from flask import Response

import tongshang as ts
from tongshang import gettext as _
from tongshang_consignment import schema, service

TEMPLATES = str(Path(__file__).parent / "templates")

pages = ts.Pages("consignment", prefix="/consignment", template_folder=TEMPLATES)
STOCK = ts.NavEntry(
    key="consignment",
    endpoint="consignment.index",
    icon="stock",
    title=ts.lazy("Consignment"),
    group="trade",
    permission="consignment.stock.view",
    order=70,
)


@dataclass(frozen=True)
class Row:
    """Goods with who has them. `may_report` shows the form; `key` makes a double click one report."""

    id: UUID
    code: str
    name: str
    other: str
    here: bool
    laid: ts.Quantity
    left: ts.Quantity
    may_report: bool
    key: str


@dataclass(frozen=True)
class StockPage:
    """All goods of both directions, and the sentences that stand in the way of a report."""

    rows: tuple[Row, ...]
    refused: tuple[str, ...] = ()


@pages.get("", permission="consignment.stock.view")
def index(ctx: ts.Context) -> Response:
    return _page(ctx)


@pages.post("/<uuid:stock_id>/usage", permission="consignment.usage.report", idempotent=True)
def report(ctx: ts.Context, stock_id: UUID) -> Response:
    typed = ts.form()
    made: list[str] = []

    def act() -> None:
        wish = ts.read_form(schema.NewUsage(), typed)
        made.append(service.report_usage(ctx, stock_id, wish["quantity"]).order_number)

    if errors := ts.mend(ctx, act):
        return _page(ctx, tuple(each for said in errors.values() for each in said))
    ts.flash(_("Usage reported; order %(number)s", number=made[0]))
    return ts.redirect("consignment.index")


def _page(ctx: ts.Context, refused: tuple[str, ...] = ()) -> Response:
    found = service.stock(ctx)
    names = ts.cards(ctx, [_other(ctx, each) for each in found])
    rows = tuple(
        Row(
            each.id,
            each.code,
            each.name_zh if ts.language().startswith("zh") else each.name_en,
            names[_other(ctx, each)].name if _other(ctx, each) in names else "—",
            each.buyer_id == ctx.tenant_id,
            ts.Quantity(each.laid, each.unit),
            ts.Quantity(each.left, each.unit),
            each.buyer_id == ctx.tenant_id and each.left > 0 and ctx.allows("consignment.usage.report"),
            str(ts.uuid7()),
        )
        for each in found
    )
    return ts.render("consignment/index.html", StockPage(rows, refused), 422 if refused else 200)


def _other(ctx: ts.Context, stock: service.ConsignmentStock) -> UUID:
    return stock.seller_id if stock.buyer_id == ctx.tenant_id else stock.buyer_id
