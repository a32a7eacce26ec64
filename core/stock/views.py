"""The pages of stock: what there is, one product's lots and moves, correcting a figure, receiving goods."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from flask import Response, request, url_for
from sqlalchemy import select

from core.catalog import Product, find_product
from core.kernel import Context, Invalid
from core.stock import finding, service
from core.web import NavEntry, Pages, flash, form, redirect, render
from core.web.i18n import CHINESE, language, lazy
from core.web.i18n import gettext as _
from core.web.mending import Errors, mend
from core.web.page import Crumb, here
from core.web.pager import decode, encode

pages = Pages("stock")
PAGE = 50
NAV = [
    NavEntry(
        key="stock",
        endpoint="stock.levels",
        icon="stock",
        title=lazy("Stock"),
        group="fulfilment",
        permission="stock.view",
        order=30,
        letter="s",
    )
]
MOVE_WORDS = {
    "receipt": "Goods in",
    "shipment": "Goods out",
    "adjustment": "Corrected",
    "count": "Counted",
    "return": "Goods returned",
}


@dataclass(frozen=True)
class Level:
    """A row of the list, in base units of `uom`."""

    href: str
    name: str
    spec: str
    code: str
    warehouse: str
    uom: str
    on_hand: Decimal
    hard: Decimal
    soft: Decimal
    free: Decimal


@dataclass(frozen=True)
class LevelsPage:
    """`views` are tabs by state, `warehouses` (name, address that takes or leaves it, taken)."""

    q: str
    rows: tuple[Level, ...]
    views: tuple[tuple[str, str, bool, int | None], ...]
    warehouses: tuple[tuple[str, str, bool], ...]
    keep: dict[str, str]
    may_adjust: bool
    first_url: str | None
    next_url: str | None


@pages.get("/stock", permission="stock.view")
def levels(ctx: Context) -> Response:
    """What there is, by product and warehouse."""
    args = request.args
    state = args.get("state") if args.get("state") in ("out", "promised") else None
    chosen, after = args.get("warehouse", ""), args.get("after")
    rows, more = finding.find_levels(
        ctx,
        q=args.get("q", "")[:100],
        warehouse_id=_uuid(chosen),
        state=state,
        after=decode(after, 2),
        limit=PAGE,
    )
    page = LevelsPage(
        q=args.get("q", "")[:100],
        rows=tuple(_level(row) for row in rows),
        views=(
            (_("All"), here(state=None, after=None), state is None, None),
            (_("Nothing free"), here(state="out", after=None), state == "out", None),
            (_("Promised"), here(state="promised", after=None), state == "promised", None),
        ),
        warehouses=tuple(
            (
                each.name,
                here(warehouse=None if str(each.id) == chosen else each.id, after=None),
                str(each.id) == chosen,
            )
            for each in service.warehouses(ctx)
        ),
        keep={"state": state or "", "warehouse": chosen},
        may_adjust=ctx.allows("stock.adjust"),
        first_url=here(after=None) if after else None,
        next_url=here(after=encode(*more)) if more else None,
    )
    return render("stock/levels.html", page)


def _level(row: finding.LevelRow) -> Level:
    return Level(
        href=url_for("stock.item", sku_id=row.sku_id),
        name=_named(row),
        spec=row.spec,
        code=row.code,
        warehouse=row.warehouse,
        uom=row.base_uom,
        on_hand=row.on_hand,
        hard=row.hard,
        soft=row.soft,
        free=row.free,
    )


@dataclass(frozen=True)
class LotRow:
    """A lot with goods in it."""

    lot_no: str
    heat_no: str
    warehouse: str
    expires_on: date | None
    on_hand: Decimal


@dataclass(frozen=True)
class MoveRow:
    """Goods that came or went."""

    at: datetime
    kind: str
    reason: str
    by: str
    warehouse: str
    qty: Decimal


@dataclass(frozen=True)
class ItemPage:
    """One product's stock with the form that corrects it; `values` as typed."""

    code: str
    name: str
    spec: str
    uom: str
    product_url: str
    adjust_url: str
    on_hand: Decimal
    hard: Decimal
    soft: Decimal
    free: Decimal
    lots: tuple[LotRow, ...]
    moves: tuple[MoveRow, ...]
    warehouses: tuple[tuple[str, str], ...]
    may_adjust: bool
    values: Mapping[str, str] = field(default_factory=dict)
    errors: Errors = field(default_factory=dict)


@pages.get("/stock/<uuid:sku_id>", permission="stock.view")
def item(ctx: Context, sku_id: UUID) -> Response:
    """One product's stock."""
    return _item(ctx, sku_id, {}, {})


@pages.post("/stock/<uuid:sku_id>/adjust", permission="stock.adjust")
def adjust(ctx: Context, sku_id: UUID) -> Response:
    """Correct a figure."""
    values = form()

    def act() -> None:
        row = service.Incoming(sku_id, _warehouse(values), _number(values.get("quantity", "")))
        service.adjust(ctx, row, values.get("reason", ""))

    if errors := mend(ctx, act):
        return _item(ctx, sku_id, values, errors)
    flash(_("Figure corrected"))
    return redirect("stock.item", sku_id=sku_id)


def _item(ctx: Context, sku_id: UUID, values: Mapping[str, str], errors: Errors) -> Response:
    product = find_product(ctx, sku_id)
    found = service.available(ctx, [sku_id])[sku_id]
    places = {each.id: each.name for each in service.warehouses(ctx)}
    page = ItemPage(
        code=product.code,
        name=_named(product),
        spec=product.spec,
        uom=product.base_uom,
        product_url=url_for("catalog.product", product_id=sku_id),
        adjust_url=url_for("stock.adjust", sku_id=sku_id),
        on_hand=found.on_hand,
        hard=found.hard,
        soft=found.soft,
        free=found.free,
        lots=tuple(
            LotRow(lot.lot_no, lot.heat_no, places[lot.warehouse_id], lot.expires_on, lot.on_hand)
            for lot in service.lots(ctx, sku_id)
        ),
        moves=tuple(
            MoveRow(
                move.at, _(MOVE_WORDS[move.kind]), move.reason, move.by, places[move.warehouse_id], move.qty
            )
            for move in service.moves(ctx, sku_id)
        ),
        warehouses=tuple((str(key), name) for key, name in places.items()),
        may_adjust=ctx.allows("stock.adjust"),
        values=values,
        errors=errors,
    )
    crumbs = [Crumb(_("Stock"), url_for("stock.levels")), Crumb(product.code)]
    return render("stock/item.html", page, status=422 if errors else 200, crumbs=crumbs)


@dataclass(frozen=True)
class ReceivePage:
    """The form for goods that came in; `values` as typed."""

    warehouses: tuple[tuple[str, str], ...]
    may_set_up: bool
    values: Mapping[str, str] = field(default_factory=dict)
    errors: Errors = field(default_factory=dict)


@pages.get("/stock/receive", permission="stock.adjust")
def receive_form(ctx: Context) -> Response:
    """Receive goods."""
    return _receiving(ctx, {"code": request.args.get("code", "")}, {})


@pages.post("/stock/receive", permission="stock.adjust")
def receive(ctx: Context) -> Response:
    """Bring the goods in, or show what is wrong."""
    values = form()
    received: list[UUID] = []

    def act() -> None:
        row = service.Incoming(
            _sku(ctx, values.get("code", "").strip()),
            _warehouse(values),
            _number(values.get("quantity", "")),
            values.get("lot_no", "").strip()[:60] or None,
            values.get("heat_no", "").strip()[:60],
            _day(values.get("expires_on", "")),
        )
        service.receive_stock(ctx, [row])
        received.append(row.sku_id)

    if errors := mend(ctx, act):
        return _receiving(ctx, values, errors)
    flash(_("Goods received"))
    return redirect("stock.item", sku_id=received[0])


@pages.post("/stock/warehouses", permission="warehouse.edit")
def add_warehouse(ctx: Context) -> Response:
    """Set up a warehouse."""
    values = form()
    code, name = values.get("code", "").strip(), values.get("name", "").strip()
    if not code or not name or len(code) > 40 or len(name) > 100:
        raise Invalid.one("code", "warehouse.code_and_name")
    service.add_warehouse(ctx, code, name)
    flash(_("Warehouse set up"))
    return redirect("stock.receive_form")


def _receiving(ctx: Context, values: Mapping[str, str], errors: Errors) -> Response:
    page = ReceivePage(
        warehouses=tuple((str(each.id), each.name) for each in service.warehouses(ctx)),
        may_set_up=ctx.allows("warehouse.edit"),
        values=values,
        errors=errors,
    )
    crumbs = [Crumb(_("Stock"), url_for("stock.levels")), Crumb(_("Bring goods in"))]
    return render("stock/receive.html", page, status=422 if errors else 200, crumbs=crumbs)


def _sku(ctx: Context, code: str) -> UUID:
    found = ctx.session.scalar(
        select(Product.id).where(Product.tenant_id == ctx.tenant_id, Product.code == code)
    )
    if found is None:
        raise Invalid.one("code", "product.code_unknown", product=code)
    return found


def _warehouse(values: Mapping[str, str]) -> UUID:
    chosen = _uuid(values.get("warehouse", ""))
    if chosen is None:
        raise Invalid.one("warehouse", "field.required")
    return chosen


def _number(text: str) -> Decimal:
    try:
        value = Decimal(text.replace(",", "").replace("\u2212", "-").strip())
    except InvalidOperation:
        raise Invalid.one("quantity", "decimal.not_a_number") from None
    if not value.is_finite() or abs(value) >= Decimal(10) ** 12:
        raise Invalid.one("quantity", "decimal.out_of_range")
    if value != round(value, 6):
        raise Invalid.one("quantity", "decimal.too_many_digits")
    return value


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise Invalid.one("expires_on", "date.not_a_date") from None


def _named(row: Any) -> str:
    return str(row.name_zh if language() == CHINESE or not row.name_en else row.name_en)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None
