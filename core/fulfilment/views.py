"""The forms about goods that an order's page offers, the list of shipments, and one shipment with its receipts."""

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from uuid import UUID

from flask import Response, request, url_for

from core import fulfilment, tenancy
from core.fulfilment import finding
from core.fulfilment.finding import ShipmentView
from core.kernel import Context, Invalid
from core.web import NavEntry, Pages, flash, form, redirect, render
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


@pages.post("/orders/<uuid:order_id>/ship", permission="shipment.create", idempotent=True)
def ship(ctx: Context, order_id: UUID) -> Response:
    typed = form()
    portions = [fulfilment.Portion(line, quantity) for line, quantity in _figures(typed, "qty")]
    made = fulfilment.ship(
        ctx,
        order_id,
        portions,
        typed.get("carrier", "")[:200],
        typed.get("waybill", "")[:100],
        typed.get("note", "")[:1000],
    )
    return _done(_("Shipment %(number)s is on its way", number=made.number), order_id)


@pages.post("/orders/<uuid:order_id>/receive", permission="receipt.create", idempotent=True)
def receive(ctx: Context, order_id: UUID) -> Response:
    typed = form()
    rejected = dict(_figures(typed, "rejected"))
    accepted = Decimal(0) if "later" in typed else None
    counts = [
        fulfilment.Count(
            line, quantity, rejected.get(line, Decimal(0)), accepted, typed.get(f"reason-{line}", "")[:500],
        )
        for line, quantity in _figures(typed, "qty")
    ]  # fmt: skip
    made = fulfilment.receive(
        ctx, _uuid(typed.get("document_id", ""), "document_id"), counts, typed.get("note", "")[:1000]
    )
    return _done(_("Receipt %(number)s is entered", number=made.number), order_id)


@pages.post("/orders/<uuid:order_id>/inspect", permission="receipt.create", idempotent=True)
def inspect(ctx: Context, order_id: UUID) -> Response:
    typed = form()
    accepted, rejected = dict(_figures(typed, "accepted")), dict(_figures(typed, "rejected"))
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
    if not verdicts:
        raise Invalid.one("lines", "receipt.no_lines")
    made = fulfilment.inspect(ctx, _uuid(typed.get("document_id", ""), "document_id"), verdicts)
    return _done(_("Receipt %(number)s is inspected", number=made.number), order_id)


@pages.post("/orders/<uuid:order_id>/excess", permission="receipt.create", idempotent=True)
def excess(ctx: Context, order_id: UUID) -> Response:
    typed = form()
    decide = fulfilment.accept_excess if typed.get("decision") == "accept" else fulfilment.return_excess
    chosen = _figures(typed, "qty")
    if not chosen:
        raise Invalid.one("lines", "receipt.no_lines")
    for line, quantity in chosen:
        decide(ctx, line, quantity)
    return _done(
        _("The excess is accepted") if decide is fulfilment.accept_excess else _("The excess goes back"),
        order_id,
    )


@pages.post("/orders/<uuid:order_id>/take-back", permission="shipment.create", idempotent=True)
def take_back(ctx: Context, order_id: UUID) -> Response:
    chosen = _figures(form(), "qty")
    if not chosen:
        raise Invalid.one("lines", "receipt.no_lines")
    for line, quantity in chosen:
        fulfilment.take_back(ctx, line, quantity)
    return _done(_("Rejected goods are back"), order_id)


@pages.post("/orders/<uuid:order_id>/reverse", permission="receipt.reverse", idempotent=True)
def reverse(ctx: Context, order_id: UUID) -> Response:
    typed = form()
    made = fulfilment.reverse_receipt(
        ctx, _uuid(typed.get("receipt_id", ""), "receipt_id"), typed.get("reason", "")[:500]
    )
    return _done(_("Receipt %(number)s is reversed", number=made.number), order_id)


@pages.post("/orders/<uuid:order_id>/short-close", permission="line.short_close", idempotent=True)
def short_close(ctx: Context, order_id: UUID) -> Response:
    typed = form()
    closed = fulfilment.short_close(
        ctx, order_id, _uuid(typed.get("line_id", ""), "line_id"), typed.get("reason", "")[:500]
    )
    return _done(
        _("The line is closed short") if closed.state == "done" else _("The other side is asked to agree"),
        order_id,
    )


@pages.post("/orders/<uuid:order_id>/agree-short", permission="line.short_close", idempotent=True)
def agree_short(ctx: Context, order_id: UUID) -> Response:
    typed = form()
    line = _uuid(typed.get("line_id", ""), "line_id")
    if typed.get("decision") == "refuse":
        fulfilment.refuse_short_close(ctx, order_id, line)
        return _done(_("The line stays open"), order_id)
    fulfilment.short_close(ctx, order_id, line, "")
    return _done(_("The line is closed short"), order_id)


def _done(text: str, order_id: UUID) -> Response:
    flash(text)
    return redirect("orders.detail", order_id=order_id)


def _figures(typed: dict[str, str], prefix: str) -> list[tuple[UUID, Decimal]]:
    """`qty-<id>` fields as (id, quantity); empty and zero ones are left out."""
    found = []
    for name, text in typed.items():
        head, _dash, ident = name.partition("-")
        plain = text.strip().replace(",", "").replace("，", "").replace(" ", "")
        if head != prefix or not plain:
            continue
        try:
            quantity = Decimal(plain)
        except InvalidOperation:
            raise Invalid.one(name, "decimal.not_a_number") from None
        if not quantity.is_finite() or abs(quantity) > 10**9 or quantity != round(quantity, 6):
            raise Invalid.one(name, "decimal.out_of_range")
        if quantity:
            found.append((_uuid(ident, name), quantity))
    return found


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
