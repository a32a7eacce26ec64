"""The forms about goods that an order's page offers, the list of shipments, and one shipment with its receipts."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, overload
from uuid import UUID

from flask import Response, request, url_for

from core import fulfilment, tenancy
from core.fulfilment import finding
from core.fulfilment.finding import ShipmentView
from core.kernel import Context, FieldError, Invalid
from core.orders.views.asking import Given, fields_named, order_act
from core.orders.views.frame import figure
from core.web import NavEntry, Pages, render
from core.web import gettext as _
from core.web.i18n import CHINESE, language, lazy
from core.web.page import Crumb, here
from core.web.pager import cut, decode

pages = Pages("fulfilment", prefix="/fulfilment")
NAV = [
    NavEntry(
        key="shipments", endpoint="fulfilment.shipments", icon="truck", title=lazy("Shipments"), group="fulfilment",
        permission="shipment.view", order=20,
    )
]  # fmt: skip
PAGE = 50


@dataclass(frozen=True)
class ShipmentRow:
    """A shipment in the list; `lines` counts its lines."""

    number: str
    href: str
    partner: str
    order_number: str | None
    order_href: str
    carrier: str
    waybill: str
    shipped_at: object
    lines: int
    state: tuple[str, str]


@dataclass(frozen=True)
class ShipmentsPage:
    """One side's shipments, newest first; `views` are the tabs."""

    rows: tuple[ShipmentRow, ...]
    views: tuple[tuple[str, str, bool, None], ...]
    partner_title: str
    first_url: str | None
    next_url: str | None


@dataclass(frozen=True)
class LineView:
    """A shipped line: names in the reader's language, quantities in `unit`."""

    no: int
    code: str
    name: str
    unit: str
    quantity: Decimal
    received: Decimal
    lots: tuple[str, ...]


@dataclass(frozen=True)
class ShipmentPage:
    """One shipment, with every receipt of it."""

    shipment: ShipmentView
    partner: str
    state: tuple[str, str]
    lines: tuple[LineView, ...]
    units: dict[int, str]
    order_href: str


@pages.get("", permission="shipment.view")
def shipments(ctx: Context) -> Response:
    """What was sent, or what is coming in."""
    side = "buyer" if request.args.get("side") == "buyer" else "seller"
    found = finding.recent(ctx, side, before=_before(request.args.get("after")), limit=PAGE)
    page = cut(found, PAGE, lambda row: (row.id,))
    cards = tenancy.cards(ctx, [_partner(row, side) for row in page.rows])
    rows = tuple(
        ShipmentRow(
            row.number, url_for("fulfilment.shipment", shipment_id=row.id), _name(cards[_partner(row, side)]),
            row.order_number, url_for("orders.detail", order_id=row.order_id), row.carrier, row.waybill,
            row.shipped_at, len(row.lines), _state(row),
        )
        for row in page.rows
    )  # fmt: skip
    views = tuple(
        (text, url_for("fulfilment.shipments", side=key), key == side, None)
        for key, text in (("seller", _("Shipped to buyers")), ("buyer", _("Coming from sellers")))
    )
    title = _("Buying enterprise") if side == "seller" else _("Selling enterprise")
    first = here(after=None) if request.args.get("after") else None
    return render(
        "fulfilment/shipments.html",
        ShipmentsPage(rows, views, title, first, here(after=page.next) if page.next else None),
    )


@pages.get("/shipments/<uuid:shipment_id>", permission="shipment.view")
def shipment(ctx: Context, shipment_id: UUID) -> Response:
    """One shipment and what was counted of it."""
    found = finding.shipment(ctx, shipment_id)
    side = "buyer" if found.buyer_id == ctx.tenant_id else "seller"
    card = tenancy.card(ctx, _partner(found, side))
    lines = tuple(
        LineView(
            line.line_no, line.sku_code, line.name_zh if language() == CHINESE or not line.name_en else line.name_en,
            line.unit, line.quantity, line.received, line.lots,
        )
        for line in found.lines
    )  # fmt: skip
    page = ShipmentPage(
        found, _name(card), _state(found), lines, {line.no: line.unit for line in lines},
        url_for("orders.detail", order_id=found.order_id),
    )  # fmt: skip
    crumbs = (Crumb(_("Shipments"), url_for("fulfilment.shipments", side=side)),)
    return render("fulfilment/shipment.html", page, crumbs=crumbs)


@order_act(pages, "/orders/<uuid:order_id>/ship", permission="shipment.create")
def ship(ctx: Context, order_id: UUID, typed: Given) -> str:
    """Send goods."""
    portions = [fulfilment.Portion(line, quantity) for line, quantity in _figures(typed, "qty").items()]
    names = {f"lines.{i}.{what}": f"qty-{one.line_id}" for i, one in enumerate(portions) for what in ("line_id", "quantity")}
    with fields_named({**_first(typed, "qty"), **names}):
        made = fulfilment.ship(
            ctx,
            order_id,
            portions,
            typed.get("carrier", "")[:200],
            typed.get("waybill", "")[:100],
            typed.get("note", "")[:1000],
        )
    return _("Shipment %(number)s is on its way", number=made.number)


@order_act(pages, "/orders/<uuid:order_id>/receive", permission="receipt.create")
def receive(ctx: Context, order_id: UUID, typed: Given) -> str:
    """Count goods in."""
    received, rejected = _figures(typed, "qty", "rejected")
    nothing = Decimal(0)
    accepted = nothing if "later" in typed else None
    counts = [
        fulfilment.Count(
            line, received.get(line, nothing), rejected.get(line, nothing), accepted, typed.get(f"reason-{line}", "")[:500],
        )
        for line in dict.fromkeys((*received, *rejected))
    ]  # fmt: skip
    shown = {"line_id": "qty", "received": "qty", "rejected": "rejected", "accepted": "rejected", "reason": "reason"}
    names = {f"lines.{i}.{what}": f"{field}-{one.line_id}" for i, one in enumerate(counts) for what, field in shown.items()}
    with fields_named({**_first(typed, "qty"), **names}):
        made = fulfilment.receive(
            ctx, _uuid(typed.get("document_id", ""), "document_id"), counts, typed.get("note", "")[:1000]
        )
    return _("Receipt %(number)s is entered", number=made.number)


@order_act(pages, "/orders/<uuid:order_id>/inspect", permission="receipt.create")
def inspect(ctx: Context, order_id: UUID, typed: Given) -> str:
    """Decide about received goods."""
    accepted, rejected = _figures(typed, "accepted", "rejected")
    nothing = Decimal(0)
    verdicts = [
        fulfilment.Verdict(
            line,
            accepted.get(line, nothing),
            rejected.get(line, nothing),
            typed.get(f"reason-{line}", "")[:500],
        )
        for line in dict.fromkeys((*accepted, *rejected))
    ]
    shown = {"receipt_line_id": "accepted", "accepted": "accepted", "reason": "reason"}
    names = {
        f"lines.{i}.{what}": f"{field}-{one.receipt_line_id}"
        for i, one in enumerate(verdicts)
        for what, field in shown.items()
    }
    with fields_named({**_first(typed, "accepted"), **names}):
        if not verdicts:
            raise Invalid.one("lines", "receipt.no_lines")
        made = fulfilment.inspect(ctx, _uuid(typed.get("document_id", ""), "document_id"), verdicts)
    return _("Receipt %(number)s is inspected", number=made.number)


@order_act(pages, "/orders/<uuid:order_id>/excess", permission="receipt.create")
def excess(ctx: Context, order_id: UUID, typed: Given) -> str:
    """Keep or return what came too much."""
    keep = typed.get("decision") == "accept"
    _each(ctx, typed, fulfilment.accept_excess if keep else fulfilment.return_excess)
    return _("The excess is accepted") if keep else _("The excess goes back")


@order_act(pages, "/orders/<uuid:order_id>/take-back", permission="shipment.create")
def take_back(ctx: Context, order_id: UUID, typed: Given) -> str:
    """Have rejected goods back."""
    _each(ctx, typed, fulfilment.take_back)
    return _("Rejected goods are back")


@order_act(pages, "/orders/<uuid:order_id>/reverse", permission="receipt.reverse")
def reverse(ctx: Context, order_id: UUID, typed: Given) -> str:
    """Take a receipt back."""
    made = fulfilment.reverse_receipt(
        ctx, _uuid(typed.get("receipt_id", ""), "receipt_id"), typed.get("reason", "")[:500]
    )
    return _("Receipt %(number)s is reversed", number=made.number)


@order_act(pages, "/orders/<uuid:order_id>/short-close", permission="line.short_close")
def short_close(ctx: Context, order_id: UUID, typed: Given) -> str:
    """Give up the rest of a line."""
    closed = fulfilment.short_close(
        ctx, order_id, _uuid(typed.get("line_id", ""), "line_id"), typed.get("reason", "")[:500]
    )
    return _("The line is closed short") if closed.state == "done" else _("The other side is asked to agree")


@order_act(pages, "/orders/<uuid:order_id>/agree-short", permission="line.short_close")
def agree_short(ctx: Context, order_id: UUID, typed: Given) -> str:
    """Answer the wish to give up the rest of a line."""
    line = _uuid(typed.get("line_id", ""), "line_id")
    if typed.get("decision") == "refuse":
        fulfilment.refuse_short_close(ctx, order_id, line)
        return _("The line stays open")
    fulfilment.short_close(ctx, order_id, line, "")
    return _("The line is closed short")


def _each(ctx: Context, typed: Given, verb: Callable[[Context, UUID, Decimal], object]) -> None:
    """One verb for every line with a quantity."""
    chosen = _figures(typed, "qty")
    if not chosen:
        with fields_named(_first(typed, "qty")):
            raise Invalid.one("lines", "receipt.no_lines")
    for line, quantity in chosen.items():
        with fields_named({"quantity": f"qty-{line}"}):
            verb(ctx, line, quantity)


def _first(typed: Given, prefix: str) -> dict[str, str]:
    """Where nothing was entered at all, the first quantity is the one to begin with."""
    name = next((name for name in typed if name.startswith(f"{prefix}-")), None)
    return {"lines": name} if name else {}


@overload
def _figures(typed: Given, one: str, /) -> dict[UUID, Decimal]: ...
@overload
def _figures(typed: Given, one: str, other: str, /) -> tuple[dict[UUID, Decimal], dict[UUID, Decimal]]: ...
def _figures(typed: Given, *prefixes: str) -> Any:
    """The fields `<prefix>-<id>` as quantities by id; empty and zero ones are left out. Invalid names every wrong one."""
    found: dict[str, dict[UUID, Decimal]] = {prefix: {} for prefix in prefixes}
    errors: list[FieldError] = []
    for name, text in typed.items():
        prefix, _dash, ident = name.partition("-")
        if prefix not in found:
            continue
        try:
            if quantity := figure(name, text):
                found[prefix][_uuid(ident, name)] = quantity
        except Invalid as wrong:
            errors += wrong.errors
    if errors:
        raise Invalid(errors)
    return found[prefixes[0]] if len(prefixes) == 1 else tuple(found.values())


def _uuid(text: str, path: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Invalid.one(path, "id.not_an_id") from None


def _before(cursor: str | None) -> UUID | None:
    keys = decode(cursor, 1)
    return _uuid(keys[0], "after") if keys else None


def _partner(row: ShipmentView, side: str) -> UUID:
    return row.seller_id if side == "buyer" else row.buyer_id


def _name(card: tenancy.EnterpriseCard) -> str:
    return card.name if language() == CHINESE or not card.name_en else card.name_en


def _state(row: ShipmentView) -> tuple[str, str]:
    return (_("Arrived"), "ok") if row.arrived else (_("On the road"), "acc")
