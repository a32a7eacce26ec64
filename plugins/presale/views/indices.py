"""Price indices: the values a seller's formulas settle by, entered day by day and never changed."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from flask import Response
from sqlalchemy import select

import tongshang as ts
from plugins.presale import schema, service
from plugins.presale.model import IndexValue
from plugins.presale.views.frame import EDIT, Errors, pages, tabs
from tongshang import gettext as _

DAYS = 60


@dataclass(frozen=True)
class ValueRow:
    """The valid value of one day."""

    code: str
    day: date
    value: Decimal
    final: bool
    source: str
    by: str


@dataclass(frozen=True)
class IndexPage:
    """The values of the last sixty days, newest first, and the form for the next."""

    tabs: list[Any]
    rows: tuple[ValueRow, ...]
    today: str
    values: dict[str, str]
    errors: Errors


@pages.get("/indices", permission=EDIT)
def indices(ctx: ts.Context) -> Response:
    return _page(ctx, {}, {})


@pages.post("/indices", permission=EDIT)
def enter_value(ctx: ts.Context) -> Response:
    typed = ts.form()

    def act() -> None:
        service.enter_value(ctx, **ts.read_form(schema.NewValue(), typed))

    if errors := ts.mend(ctx, act):
        return _page(ctx, typed, errors)
    ts.flash(_("Value entered"))
    return ts.redirect("presale.indices")


def _page(ctx: ts.Context, typed: dict[str, str], errors: Errors) -> Response:
    today = ctx.now.date()
    codes = ctx.session.scalars(select(IndexValue.code).where(IndexValue.tenant_id == ctx.tenant_id).distinct()).all()
    found = [
        row
        for code in sorted(codes)
        for row in reversed(service.index_values(ctx, ctx.tenant_id, code, today - timedelta(days=DAYS), today))
    ]
    rows = tuple(
        ValueRow(each.code, each.day, each.value, each.status == "final", each.source, each.entered_by) for each in found
    )
    page = IndexPage(tabs(ctx, "indices"), rows, today.isoformat(), typed, errors)
    return ts.render("presale/indices.html", page, 422 if errors else 200)
