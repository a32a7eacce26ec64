"""Offers: the list to buy from, one's own, the form that publishes one, and the page of one."""

from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from flask import Response, url_for

import tongshang as ts
from plugins.presale import reading, schema, service
from plugins.presale.model import LIVE, Offer
from plugins.presale.rules import rules
from plugins.presale.service.reserving import Wish
from plugins.presale.views.frame import (
    EDIT,
    MAKE,
    VIEW,
    WAITING,
    Errors,
    State,
    Term,
    named,
    pages,
    quantity,
    said,
    share,
    shown_time,
    state_of,
    tabs,
    terms,
    typed_time,
    zone_of,
)
from plugins.presale.views.reservations import Row as Reserved
from plugins.presale.views.reservations import row as reserved_row
from tongshang import gettext as _

ROWS = 6
TIMES = ("opens_at", "closes_at", "balance_opens", "balance_closes")


@dataclass(frozen=True)
class OfferRow:
    """An offer in a list. `share` is the percentage reserved of the cap, or of the minimum without one."""

    url: str
    number: str
    title: str
    seller: str
    products: str
    state: State
    closes_at: Any
    price: ts.Money
    unit: str
    from_price: bool
    taken: ts.Quantity
    least: ts.Quantity | None
    most: ts.Quantity | None
    share: int


@dataclass(frozen=True)
class OffersPage:
    """A list of offers. `new_url` None: this reader publishes none."""

    title: str
    tabs: list[Any]
    rows: tuple[OfferRow, ...]
    own: bool
    new_url: str | None


@dataclass(frozen=True)
class ItemRow:
    """A product of the offer with its price for one unit."""

    id: UUID
    code: str
    name: str
    spec: str
    url: str
    price: ts.Money
    final: bool
    tax_included: bool
    vat_rate: Decimal


@dataclass(frozen=True)
class WaitRow:
    """Somebody in line. `mine` shows the acts of its buyer."""

    id: UUID
    who: str
    quantity: ts.Quantity
    state: State
    until: Any
    mine: bool
    offered: bool
    open: bool


@dataclass(frozen=True)
class OfferPage:
    """One offer. `form` is reserve, wait or nothing; `key` makes a double click one reservation."""

    offer_id: UUID
    number: str
    title: str
    note: str
    seller: str
    own: bool
    state: State
    terms: tuple[Term, ...]
    items: tuple[ItemRow, ...]
    unit: str
    taken: ts.Quantity
    least: ts.Quantity | None
    most: ts.Quantity | None
    share: int
    free: ts.Quantity | None
    closes_at: Any
    form: str
    choices: tuple[tuple[str, str], ...]
    addresses: tuple[tuple[str, str], ...]
    reservations: tuple[Reserved, ...]
    waiting: tuple[WaitRow, ...]
    may_withdraw: bool
    may_price: bool
    key: str
    values: dict[str, str] = field(default_factory=dict)
    errors: Errors = field(default_factory=dict)


@dataclass(frozen=True)
class NewPage:
    """The form of a new offer, with what was typed."""

    values: dict[str, str]
    errors: Errors
    rows: tuple[int, ...]
    key: str


@pages.get("", permission=VIEW)
def index(ctx: ts.Context) -> Response:
    """Presales of others."""
    return _list(ctx, "other")


@pages.get("/own", permission=EDIT)
def own(ctx: ts.Context) -> Response:
    """One's own presales."""
    return _list(ctx, "own")


@pages.get("/new", permission=EDIT)
def new(ctx: ts.Context) -> Response:
    own_rules = rules(ctx)
    day = timedelta(days=1)
    values = {
        "opens_at": shown_time(ctx, ctx.now),
        "closes_at": shown_time(ctx, ctx.now + 7 * day),
        "balance_opens": shown_time(ctx, ctx.now + 14 * day),
        "balance_closes": shown_time(ctx, ctx.now + 17 * day),
        "ship_by": (ctx.now + 45 * day).astimezone(zone_of(ctx)).date().isoformat(),
        "earnest_percent": f"{own_rules.earnest_percent.normalize():f}",
        "earnest_kind": own_rules.earnest_kind,
        "price_kind": "fixed",
        "factor": "1",
        "premium": "0",
        "cost_cap": "0",
    }
    return _form(values, {})


@pages.post("/new", permission=EDIT, idempotent=True)
def publish(ctx: ts.Context) -> Response:
    """Publish it, or show the form again with what is wrong and everything typed."""
    typed = ts.form()
    made: list[Offer] = []

    def act() -> None:
        given = {name: typed_time(ctx, text) if name in TIMES else text for name, text in typed.items()}
        for name in ("note", "factor", "premium", "cost_cap", "price_kind"):
            if not given.get(name, "").strip():
                given.pop(name, None)
        shape = schema.OfferTerms()
        read = ts.read_form(shape, given)
        made.append(service.publish(ctx, service.NewOffer(items=_typed_items(typed), **read)))

    if errors := ts.mend(ctx, act):
        return _form(typed, errors)
    ts.flash(_("Presale %(number)s is published", number=made[0].number))
    return ts.redirect("presale.offer", offer_id=made[0].id)


@pages.get("/offers/<uuid:offer_id>", permission=VIEW)
def offer(ctx: ts.Context, offer_id: UUID) -> Response:
    return _page(ctx, offer_id)


@pages.post("/offers/<uuid:offer_id>/reserve", permission=MAKE, idempotent=True)
def reserve(ctx: ts.Context, offer_id: UUID) -> Response:
    """Reserve, or stand in line where it is full; what stands in the way is said beside the form."""
    typed = ts.form()
    made: list[Any] = []

    def act() -> None:
        if typed.get("wait"):
            read = ts.read_form(schema.NewWaiting(), typed)
            made.append(service.wait(ctx, offer_id, read["item_id"], read["quantity"]))
            return
        read = ts.read_form(schema.NewReservation(), typed)
        wish = Wish(read["buyer_po"], read["ship_to"], read["note"])
        made.append(service.reserve(ctx, offer_id, read["item_id"], read["quantity"], wish))

    if errors := ts.mend(ctx, act):
        return _page(ctx, offer_id, typed, errors)
    if typed.get("wait"):
        ts.flash(_("You are on the waiting list"))
        return ts.redirect("presale.offer", offer_id=offer_id)
    ts.flash(_("Reserved as order %(number)s", number=made[0].order_number))
    return ts.redirect("presale.reservation", reservation_id=made[0].id)


@pages.post("/waiting/<uuid:entry_id>/take", permission=MAKE, idempotent=True)
def take_place(ctx: ts.Context, entry_id: UUID) -> Response:
    made = service.take_place(ctx, entry_id)
    ts.flash(_("Reserved as order %(number)s", number=made.order_number))
    return ts.redirect("presale.reservation", reservation_id=made.id)


@pages.post("/waiting/<uuid:entry_id>/leave", permission=MAKE)
def leave_list(ctx: ts.Context, entry_id: UUID) -> Response:
    entry = service.leave_list(ctx, entry_id)
    ts.flash(_("You are not on the waiting list any more"))
    return ts.redirect("presale.offer", offer_id=entry.offer_id)


@pages.post("/offers/<uuid:offer_id>/withdraw", permission=EDIT)
def withdraw(ctx: ts.Context, offer_id: UUID) -> Response:
    service.withdraw(ctx, offer_id)
    ts.flash(_("The presale is withdrawn"))
    return ts.redirect("presale.offer", offer_id=offer_id)


@pages.post("/offers/<uuid:offer_id>/price", permission=EDIT)
def fix_price(ctx: ts.Context, offer_id: UUID) -> Response:
    service.fix_price(ctx, offer_id)
    ts.flash(_("The final price is fixed for all reservations"))
    return ts.redirect("presale.offer", offer_id=offer_id)


def _list(ctx: ts.Context, side: str) -> Response:
    found = reading.offers(ctx, side)
    items = reading.items(ctx, [each.id for each in found])
    cards = ts.cards(ctx, list({each.tenant_id for each in found})) if found else {}
    rows = tuple(_row(ctx, each, items[each.id], reading.name_of(cards.get(each.tenant_id))) for each in found)
    title = _("Your presales") if side == "own" else _("Presale")
    current = "own" if side == "own" else "index"
    new_url = url_for("presale.new") if ctx.allows(EDIT) else None
    return ts.render("presale/offers.html", OffersPage(title, tabs(ctx, current), rows, side == "own", new_url))


def _row(ctx: ts.Context, each: Offer, items: list[Any], seller: str) -> OfferRow:
    return OfferRow(
        url=url_for("presale.offer", offer_id=each.id),
        number=each.number,
        title=each.title,
        seller=seller,
        products=", ".join(item.code for item in items[:3]) + ("…" if len(items) > 3 else ""),
        state=state_of(ctx, each),
        closes_at=each.closes_at,
        price=ts.Money(ts.round2(min(item.price for item in items)), each.currency),
        unit=each.unit,
        from_price=len({item.price for item in items}) > 1,
        taken=ts.Quantity(each.taken, each.unit),
        least=quantity(each.min_total, each.unit),
        most=quantity(each.max_total, each.unit),
        share=share(each.taken, each.max_total or each.min_total),
    )


def _page(
    ctx: ts.Context, offer_id: UUID, typed: dict[str, str] | None = None, errors: Errors | None = None
) -> Response:
    found = reading.offer(ctx, offer_id)
    mine = found.tenant_id == ctx.tenant_id
    items = reading.items(ctx, [found.id])[found.id]
    cards = ts.cards(ctx, [found.tenant_id, *(each.buyer_id for each in reading.waiting(ctx, found.id))])
    free = None if found.max_total is None else max(found.max_total - found.taken, Decimal(0))
    in_window = found.state == "open" and found.opens_at <= ctx.now < found.closes_at
    kind = "" if mine or not ctx.allows(MAKE) else "reserve" if in_window else ""
    if kind and free is not None and free == 0:
        kind = "wait"
    reserved = reading.reservations(ctx, offer_id=found.id)
    page = OfferPage(
        offer_id=found.id,
        number=found.number,
        title=found.title,
        note=found.note,
        seller=reading.name_of(cards.get(found.tenant_id)),
        own=mine,
        state=state_of(ctx, found),
        terms=terms(ctx, found),
        items=tuple(
            ItemRow(
                item.id, item.code, named(item), item.spec, url_for("catalog.listing", sku_id=item.sku_id),
                ts.Money(ts.round2(item.price), found.currency), found.priced, item.tax_included, item.vat_rate,
            )
            for item in items
        ),
        unit=found.unit,
        taken=ts.Quantity(found.taken, found.unit),
        least=quantity(found.min_total, found.unit),
        most=quantity(found.max_total, found.unit),
        share=share(found.taken, found.max_total or found.min_total),
        free=quantity(free, found.unit),
        closes_at=found.closes_at,
        form=kind,
        choices=tuple((str(item.id), f"{item.code} {named(item)}") for item in items),
        addresses=tuple((text, text) for text in map(_address, ts.addresses(ctx))) if kind else (),
        reservations=tuple(reserved_row(ctx, each) for each in reserved),
        waiting=tuple(
            WaitRow(
                each.id, reading.name_of(cards.get(each.buyer_id)), ts.Quantity(each.quantity, found.unit),
                said(WAITING, each.state), each.until, each.buyer_id == ctx.tenant_id and ctx.allows(MAKE),
                each.state == "offered", each.state in ("waiting", "offered"),
            )
            for each in reading.waiting(ctx, found.id)
        ),
        may_withdraw=mine and ctx.allows(EDIT) and found.state == "open"
        and not any(each.reservation.state in LIVE for each in reserved),
        may_price=mine and ctx.allows(EDIT) and not found.priced and found.state in ("open", "reached")
        and found.index_to is not None and ctx.now.date() > found.index_to,
        key=str(ts.uuid7()),
        values=typed or {},
        errors=errors or {},
    )  # fmt: skip
    crumbs = (ts.Crumb(_("Presale"), url_for("presale.own" if mine else "presale.index")),)
    return ts.render("presale/offer.html", page, 422 if errors else 200, crumbs=crumbs)


def _form(values: dict[str, str], errors: Errors) -> Response:
    page = NewPage(values, errors, tuple(range(ROWS)), str(ts.uuid7()))
    crumbs = (ts.Crumb(_("Your presales"), url_for("presale.own")),)
    return ts.render("presale/new.html", page, 422 if errors else 200, crumbs=crumbs)


def _typed_items(typed: dict[str, str]) -> tuple[service.NewItem, ...]:
    """The filled rows of the form; an empty code leaves its row out."""
    found = []
    for number in range(ROWS):
        code = typed.get(f"code-{number}", "").strip()
        if not code:
            continue
        wanted = {"code": code, "unit_price": typed.get(f"price-{number}", "")}
        percent = typed.get(f"vat-{number}", "").strip() or "13"
        read = ts.read_form(schema.NewItem(), wanted)
        rate = ts.read_form(schema.Percent(), {"percent": percent})["percent"] / 100
        found.append(service.NewItem(read["code"], read["unit_price"], True, rate))
    return tuple(found)


def _address(one: Any) -> str:
    place = "".join(part for part in (one.province, one.city, one.district, one.street) if part)
    return f"{place}，{one.contact} {one.phone}"
