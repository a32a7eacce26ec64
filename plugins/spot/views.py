"""The pages of the cart."""

from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

from flask import Response, url_for

import tongshang as ts
from plugins.spot import schema, service
from tongshang import gettext as _

pages = ts.Pages("spot", prefix="/spot", template_folder=str(Path(__file__).parent / "templates"))
CART = ts.NavEntry(
    key="cart",
    endpoint="spot.cart",
    icon="cart",
    title=ts.lazy("Cart"),
    group="trade",
    permission="spot.cart.use",
    order=25,
    count=service.size,
    letter="b",
)

Errors = dict[str, list[str]]
LEVELS = {
    "contract": ts.lazy("Contract price"),
    "tenant": ts.lazy("Your own price"),
    "group": ts.lazy("Price of your group"),
    "public": ts.lazy("Public price"),
    "base": ts.lazy("Base price"),
}


@dataclass(frozen=True)
class Part:
    """A part of a unit price in words, with its amount for one base unit."""

    text: str
    amount: Decimal
    cheaper_elsewhere: bool = False


@dataclass(frozen=True)
class Row:
    """A line of the cart as the page shows it. `typed` is what stands in the quantity field, `wrong` what is wrong with it."""

    item_id: UUID
    code: str
    name: str
    spec: str
    url: str
    typed: str
    unit: str
    unit_price: Decimal | None
    tax_included: bool | None
    vat_rate: Decimal | None
    net: ts.Money | None
    tax: ts.Money | None
    gross: ts.Money | None
    parts: tuple[Part, ...]
    base_unit: str
    free: ts.Quantity | None
    problem: str | None
    wrong: tuple[str, ...] = ()
    focus: bool = False


@dataclass(frozen=True)
class Group:
    """One seller's part and the form that orders it. `key` makes a double click one order. `values` are as typed."""

    seller_id: UUID
    seller: str
    rows: tuple[Row, ...]
    net: ts.Money
    tax: ts.Money
    total: ts.Money
    approval_needed: bool
    orderable: bool
    may_order: bool
    order_url: str
    key: str
    values: dict[str, str] = field(default_factory=dict)
    errors: Errors = field(default_factory=dict)


@dataclass(frozen=True)
class PutPage:
    """A product that could not go into the cart as it was asked for, with what was typed."""

    sku_id: UUID
    quantity: str
    unit: str
    errors: Errors
    back_url: str


@dataclass(frozen=True)
class CartPage:
    """The cart by seller. `addresses` are choices for where the goods go, the default one first.

    `faults` are the quantities that cannot be, as (field, code of the product, sentence).
    """

    groups: tuple[Group, ...]
    lines: int
    addresses: tuple[tuple[str, str], ...]
    today: str
    change_url: str
    search_url: str
    faults: tuple[tuple[str, str, str], ...] = ()
    refused: tuple[str, ...] = ()


@pages.get("/cart", permission="spot.cart.use")
def cart(ctx: ts.Context) -> Response:
    return _cart(ctx)


@pages.post("/cart", permission="spot.cart.use")
def add(ctx: ts.Context) -> Response:
    """From a product's page: put it in and show the cart."""
    typed = ts.form()
    sku_id = _product(typed)
    put: list[Any] = []

    def act() -> None:
        wish = ts.read_form(schema.NewItem(), {**typed, "quantity": _plain(typed.get("quantity", ""))})
        put.append(service.put(ctx, sku_id, wish["quantity"], wish["unit"]))

    if errors := ts.mend(ctx, act):
        back = url_for("catalog.listing", sku_id=sku_id)
        page = PutPage(sku_id, typed.get("quantity", ""), typed.get("unit", ""), _on_the_form(errors, schema.NewItem()), back)
        return ts.render("spot/put.html", page, 422)
    ts.flash(_("%(code)s is in the cart", code=put[0].code))
    return ts.redirect("spot.cart")


@pages.post("/cart/change", permission="spot.cart.use")
def change(ctx: ts.Context) -> Response:
    """All quantities of one seller's part at once, all or none; `remove` takes out the line whose button was pressed.

    Refused, the cart is shown again with every quantity as typed.
    """
    typed = ts.form()
    if gone := typed.get("remove"):
        service.take_out(ctx, _id(gone))
        ts.flash(_("Taken out of the cart"))
        return ts.redirect("spot.cart")
    if errors := ts.mend(ctx, lambda: service.change(ctx, _quantities(typed))):
        return _cart(ctx, typed=typed, errors=errors)
    ts.flash(_("Quantities changed"))
    return ts.redirect("spot.cart")


@pages.get("/cart/order/<uuid:seller_id>", permission="spot.cart.use")
def order_again(ctx: ts.Context, seller_id: UUID) -> Response:
    """Where somebody lands who loads the address of a form again."""
    return ts.redirect("spot.cart")


@pages.post("/cart/order/<uuid:seller_id>", permission="order.submit", idempotent=True)
def order(ctx: ts.Context, seller_id: UUID) -> Response:
    """Order one seller's part. What stands in the way is said on the cart, with everything typed kept."""
    typed = ts.form()
    made: list[Any] = []

    def act() -> None:
        made.append(service.order(ctx, seller_id, **ts.read_form(schema.OrderWish(), typed)))

    if errors := ts.mend(ctx, act):
        return _cart(ctx, seller_id, typed, errors)
    placed = made[0]
    if placed.approval_needed:
        ts.flash(_("The order waits for a colleague's approval"), tone="warn")
    else:
        ts.flash(_("Order %(number)s is with the seller", number=placed.number))
    return ts.redirect("orders.detail", order_id=placed.id)


@pages.get("/cart/change", permission="spot.cart.use")
def change_again(ctx: ts.Context) -> Response:
    """Where somebody lands who loads the address of that form again."""
    return ts.redirect("spot.cart")


def _quantities(typed: dict[str, str]) -> dict[UUID, Decimal]:
    """The typed quantities by line. Invalid names every one that is none: `quantity.<line>`."""
    wanted: dict[UUID, Decimal] = {}
    errors: list[ts.FieldError] = []
    for name, text in typed.items():
        if not name.startswith("q-"):
            continue
        item_id = _id(name.removeprefix("q-"))
        try:
            wanted[item_id] = ts.read_form(schema.NewQuantity(), {"quantity": _plain(text)})["quantity"]
        except ts.Invalid as wrong:
            errors += [ts.FieldError(f"quantity.{item_id}", each.code, each.values) for each in wrong.errors]
    if errors:
        raise ts.Invalid(errors)
    return wanted


def _plain(text: str) -> str:
    """A number as people type it, without what only parts its digits: `1,234.50`."""
    return text.replace(",", "").replace("，", "").replace(" ", "")


def _cart(
    ctx: ts.Context, at: UUID | None = None, typed: dict[str, str] | None = None, errors: Errors | None = None
) -> Response:
    groups, faults = service.cart(ctx), errors or {}
    wrong = _wrong(groups, typed or {}, faults) if at is None else {}
    may_order = ctx.allows("order.submit")
    places = [_address(one) for one in ts.addresses(ctx)]
    page = CartPage(
        groups=tuple(
            _group(
                found, may_order, typed if found.seller_id == at else None, errors if found.seller_id == at else None,
                typed if at is None else None, wrong,
            )
            for found in groups
        ),
        lines=sum(len(found.lines) for found in groups),
        addresses=tuple((text, text) for text in places),
        today=ctx.now.date().isoformat(),
        change_url=url_for("spot.change"),
        search_url=url_for("catalog.search"),
        faults=tuple(
            (f"f-q-{line.id}", line.code, sentence)
            for found in groups
            for line in found.lines
            for sentence in wrong.get(line.id, ())
        ),
        refused=() if wrong or at is not None else tuple(each for sentences in faults.values() for each in sentences),
    )
    return ts.render("spot/cart.html", page, 422 if errors else 200)


def _wrong(
    groups: tuple[service.SellerCart, ...], typed: dict[str, str], errors: Errors
) -> dict[UUID, tuple[str, ...]]:
    """What is wrong with the typed quantities, by line. A sole quantity needs no name of its own."""
    found = {}
    for line in (line for group in groups for line in group.lines):
        if f"q-{line.id}" in typed and (said := errors.get(f"quantity.{line.id}") or errors.get("quantity")):
            found[line.id] = tuple(said)
    return found


def _group(
    found: service.SellerCart,
    may_order: bool,
    typed: dict[str, str] | None,
    errors: Errors | None,
    quantities: dict[str, str] | None,
    wrong: dict[UUID, tuple[str, ...]],
) -> Group:
    def money(amount: Decimal) -> ts.Money:
        return ts.Money(amount, found.currency)

    return Group(
        seller_id=found.seller_id,
        seller=found.seller,
        rows=tuple(_row(line, found.currency, quantities or {}, wrong) for line in found.lines),
        net=money(found.net),
        tax=money(found.tax),
        total=money(found.total),
        approval_needed=found.approval_needed,
        orderable=found.orderable,
        may_order=may_order,
        order_url=url_for("spot.order", seller_id=found.seller_id),
        key=str(ts.uuid7()),
        values=typed or {},
        errors=_on_the_form(errors or {}, schema.OrderWish()),
    )


def _row(
    line: service.CartLine, currency: str, quantities: dict[str, str], wrong: dict[UUID, tuple[str, ...]]
) -> Row:
    def money(amount: Decimal | None) -> ts.Money | None:
        return None if amount is None else ts.Money(amount, currency)

    chinese = ts.language().startswith("zh")
    return Row(
        item_id=line.id,
        code=line.code,
        name=line.name_zh if chinese else line.name_en or line.name_zh,
        spec=line.spec,
        url=url_for("catalog.listing", sku_id=line.sku_id),
        typed=quantities.get(f"q-{line.id}", f"{line.quantity.normalize():f}"),
        unit=line.unit,
        unit_price=line.unit_price,
        tax_included=line.tax_included,
        vat_rate=line.vat_rate,
        net=money(line.net),
        tax=money(line.tax),
        gross=money(line.gross),
        parts=tuple(_part(each) for each in line.components),
        base_unit=line.base_unit,
        free=None if line.free is None else ts.Quantity(line.free, line.unit),
        problem=line.problem,
        wrong=wrong.get(line.id, ()),
        focus=line.id == next(iter(wrong), None),
    )


def _part(component: Any) -> Part:
    amount = component.base + component.adj
    if component.reason == "list":
        return Part(str(LEVELS.get(component.level, component.level)), amount, component.flag == "cheaper_elsewhere")
    if component.reason == "graduated":
        return Part(_("Mean over the tiers passed"), amount)
    return Part(_(component.reason), amount)


def _address(one: Any) -> str:
    place = "".join(part for part in (one.province, one.city, one.district, one.street) if part)
    return f"{place}，{one.contact} {one.phone}"


def _on_the_form(errors: Errors, shape: ts.Schema) -> Errors:
    """Errors of what the form has no field for are said at its head."""
    known = shape.fields
    kept: Errors = {}
    for name, sentences in errors.items():
        kept.setdefault(name if name in known else "_form", []).extend(sentences)
    return kept


def _product(typed: dict[str, str]) -> UUID:
    try:
        return UUID(typed.get("sku_id", ""))
    except ValueError:
        raise ts.Invalid.one("sku_id", "id.not_an_id") from None


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise ts.NotFound("spot.not_in_cart") from None
