"""The verbs of the cart: put in, change, take out, look, order. Prices are asked anew each time the cart is looked at."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Select, case, delete, func, literal, select, update
from sqlalchemy.dialects.postgresql import insert

import tongshang as ts
from plugins.spot.model import CartItem

MOST_LINES = 200
MOST = Decimal(1_000_000_000)
ZERO = Decimal(0)


@dataclass(frozen=True)
class CartLine:
    """A line as it is read: what it would cost now, or the code of what is wrong with it.

    `unit_price` is of one `unit`; net, tax and gross are of the line. `components` explain the price of one base unit.
    `free` is how much the seller could ship of it, in `unit`.
    """

    id: UUID
    sku_id: UUID
    code: str
    name_zh: str
    name_en: str
    spec: str
    quantity: Decimal
    unit: str
    unit_price: Decimal | None = None
    tax_included: bool | None = None
    vat_rate: Decimal | None = None
    net: Decimal | None = None
    tax: Decimal | None = None
    gross: Decimal | None = None
    components: tuple[Any, ...] = ()
    base_unit: str = ""
    free: Decimal | None = None
    problem: str | None = None


@dataclass(frozen=True)
class SellerCart:
    """One seller's part of the cart, which becomes one order. `total` includes VAT."""

    seller_id: UUID
    seller: str
    currency: str
    lines: tuple[CartLine, ...]
    net: Decimal
    tax: Decimal
    total: Decimal
    approval_needed: bool
    orderable: bool


def put(ctx: ts.Context, sku_id: UUID, quantity: Decimal, unit: str | None = None) -> CartItem:
    """Put a product into the cart. In the same unit it adds to what is there, in another one it takes its place.

    Invalid for a product that cannot be bought now, and says why.
    """
    ctx.require("spot.cart.use")
    _sane(quantity)
    sku = _buyable(ctx, sku_id, quantity, unit).sku
    if _size(ctx) >= MOST_LINES:
        raise ts.Refused("spot.cart_full", limit=MOST_LINES)
    table = CartItem.__table__
    wish = insert(table).values(
        id=ts.uuid7(), tenant_id=ctx.tenant_id, owner_id=owner(ctx), sku_id=sku.sku_id, seller_id=sku.seller_id,
        code=sku.code, name_zh=sku.name_zh, name_en=sku.name_en, spec=sku.spec, quantity=quantity,
        unit=unit or sku.base_uom, added_at=ctx.now,
    )  # fmt: skip
    summed = case(
        (table.c.unit == wish.excluded.unit, table.c.quantity + wish.excluded.quantity), else_=wish.excluded.quantity
    )
    item_id = ctx.session.scalar(
        wish.on_conflict_do_update(
            index_elements=["tenant_id", "owner_id", "sku_id"],
            index_where=table.c.order_id.is_(None),
            set_={"quantity": func.least(summed, literal(MOST)), "unit": wish.excluded.unit},
        ).returning(table.c.id)
    )
    return _item(ctx, item_id)


def change(ctx: ts.Context, wanted: Mapping[UUID, Decimal]) -> None:
    """Give lines of the cart other quantities; zero takes one out. NotFound for a line that is not in it.

    Invalid names each quantity that cannot be: `quantity`, or `quantity.<item>` where several lines change.
    """
    ctx.require("spot.cart.use")
    wrong = [item_id for item_id, quantity in wanted.items() if not ZERO <= quantity <= MOST]
    if wrong:
        paths = ["quantity"] if len(wanted) == 1 else [f"quantity.{item_id}" for item_id in wrong]
        raise ts.Invalid([ts.FieldError(path, "spot.quantity", {"most": MOST}) for path in paths])
    mine = {item.id: item for item in ctx.session.scalars(in_cart(ctx).with_for_update())}
    for item_id, quantity in wanted.items():
        item = mine.get(item_id)
        if item is None:
            raise ts.NotFound("spot.not_in_cart")
        if quantity:
            item.quantity = quantity
        else:
            ctx.session.delete(item)
    ctx.session.flush()


def take_out(ctx: ts.Context, item_id: UUID) -> None:
    """Take one line out. NotFound for one that is not in the cart."""
    change(ctx, {item_id: ZERO})


def cart(ctx: ts.Context) -> tuple[SellerCart, ...]:
    """The person's cart by seller, priced now, with what is in stock. Five statements, however much is in it."""
    ctx.require("spot.cart.use")
    items = list(ctx.session.scalars(in_cart(ctx).order_by(CartItem.seller_id, CartItem.code, CartItem.id)))
    prices = ts.own_prices(ctx, [ts.Wanted(item.sku_id, item.quantity, item.unit) for item in items])
    offers = ts.on_offer(ctx, [item.sku_id for item in items]) if items else {}
    names = ts.cards(ctx, [item.seller_id for item in items])
    threshold = ts.trade_settings(ctx).approval_threshold
    by_seller: dict[UUID, list[CartLine]] = {}
    currencies: dict[UUID, str] = {}
    for item in items:
        price = prices.get(item.sku_id)
        by_seller.setdefault(item.seller_id, []).append(_line(item, price, offers.get(item.sku_id)))
        currencies.setdefault(item.seller_id, price.currency if price else "CNY")
    return tuple(
        _of_seller(seller, names[seller].name if seller in names else "—", currencies[seller], lines, threshold)
        for seller, lines in by_seller.items()
    )


def order(
    ctx: ts.Context,
    seller_id: UUID,
    *,
    buyer_po: str | None = None,
    ship_to: str | None = None,
    delivery_date: date | None = None,
    note: str | None = None,
) -> Any:
    """Order everything of one seller in the cart, or refuse and leave the cart as it is. Answers the order.

    Its lines leave the cart at once; they are forgotten when the order has reached the seller.
    """
    ctx.require("order.submit")
    if delivery_date is not None and delivery_date < ctx.now.astimezone(ZoneInfo(ts.trade_settings(ctx).timezone)).date():
        raise ts.Invalid.one("delivery_date", "spot.date_past")
    wanted = in_cart(ctx).where(CartItem.seller_id == seller_id).order_by(CartItem.code, CartItem.id).with_for_update()
    items = list(ctx.session.scalars(wanted))
    if not items:
        raise ts.Conflict("spot.nothing_to_order")
    placed = ts.place(
        ctx,
        ts.NewOrder(
            seller_id=seller_id,
            lines=[ts.WantedLine(item.sku_id, item.quantity, item.unit) for item in items],
            mode="spot",
            buyer_po=buyer_po,
            ship_to=ship_to or "",
            delivery_date=delivery_date,
            note=note or "",
        ),
    )
    ctx.session.execute(
        update(CartItem).where(CartItem.id.in_([item.id for item in items])).values(order_id=placed.id)
    )
    return placed


def forget_ordered(ctx: ts.Context, order_id: UUID) -> None:
    """The order has reached its seller: its lines need not come back."""
    ctx.session.execute(
        delete(CartItem).where(CartItem.tenant_id == ctx.tenant_id, CartItem.order_id == order_id)
    )


def give_back(ctx: ts.Context, order_id: UUID) -> None:
    """The order came to nothing: its lines lie in the cart again, unless the product is there already."""
    mine, there = CartItem.__table__, CartItem.__table__.alias()
    again = (
        select(there.c.id)
        .where(there.c.tenant_id == mine.c.tenant_id, there.c.owner_id == mine.c.owner_id)
        .where(there.c.sku_id == mine.c.sku_id, there.c.order_id.is_(None))
    )
    ctx.session.execute(
        update(mine)
        .where(mine.c.tenant_id == ctx.tenant_id, mine.c.order_id == order_id, ~again.exists())
        .values(order_id=None)
    )
    forget_ordered(ctx, order_id)


def owner(ctx: ts.Context) -> UUID:
    """Whose cart it is: the person's, or the key's that acts for no person."""
    whose = ctx.actor.person_id or ctx.actor.id
    if whose is None:
        raise ts.Forbidden("spot.nobody")
    return whose


def in_cart(ctx: ts.Context) -> Select[tuple[CartItem]]:
    return select(CartItem).where(
        CartItem.tenant_id == ctx.tenant_id, CartItem.owner_id == owner(ctx), CartItem.order_id.is_(None)
    )


def size(ctx: ts.Context) -> int:
    """How many lines the acting person has in the cart, for the menu."""
    return _size(ctx) if ctx.actor.person_id else 0


def _size(ctx: ts.Context) -> int:
    return ctx.session.scalar(select(func.count()).select_from(in_cart(ctx).subquery())) or 0


def _item(ctx: ts.Context, item_id: UUID | None) -> CartItem:
    found: CartItem = ctx.session.get_one(CartItem, item_id, populate_existing=True)
    return found


def _sane(quantity: Decimal) -> None:
    if not quantity.is_finite() or not ZERO < quantity <= MOST:
        raise ts.Invalid.one("quantity", "spot.quantity", most=MOST)


def _buyable(ctx: ts.Context, sku_id: UUID, quantity: Decimal, unit: str | None) -> ts.PricedLine:
    """The product with a price for this buyer; the refusals of pricing, with the fields of this form."""
    try:
        priced = ts.quote_lines(ctx, ctx.tenant_id, [ts.Wanted(sku_id, quantity, unit)])[0]
    except ts.Invalid as wrong:
        names = {"sku_id": "sku_id", "uom": "unit", "quantity": "quantity"}
        raise ts.Invalid(
            [
                ts.FieldError(names.get(error.path.rpartition(".")[2], error.path), error.code, error.values)
                for error in wrong.errors
            ]
        ) from None
    if priced.sku.seller_id == ctx.tenant_id:
        raise ts.Invalid.one("sku_id", "spot.own_goods")
    return priced


def _line(item: CartItem, price: ts.PricedLine | None, free: Decimal | None) -> CartLine:
    facts = (item.id, item.sku_id, item.code, item.name_zh, item.name_en, item.spec, item.quantity, item.unit)
    if price is None:
        return CartLine(*facts, problem="spot.no_price")
    amounts = price.amounts
    available = None if free is None else free / price.factor
    return CartLine(
        *facts,
        unit_price=ts.round_to(price.unit_price * price.factor, 6),
        tax_included=price.tax_incl,
        vat_rate=price.vat_rate,
        net=amounts.net,
        tax=amounts.tax,
        gross=amounts.gross,
        components=price.components,
        base_unit=price.sku.base_uom,
        free=None if available is None else ts.round_to(available, 6),
        problem="spot.short" if available is not None and available < item.quantity else None,
    )


def _of_seller(
    seller_id: UUID, seller: str, currency: str, lines: list[CartLine], threshold: Decimal | None
) -> SellerCart:
    net = sum((line.net for line in lines if line.net is not None), ZERO)
    tax = sum((line.tax for line in lines if line.tax is not None), ZERO)
    total = net + tax
    return SellerCart(
        seller_id=seller_id,
        seller=seller,
        currency=currency,
        lines=tuple(lines),
        net=net,
        tax=tax,
        total=total,
        approval_needed=threshold is not None and total >= threshold,
        orderable=all(line.problem is None for line in lines),
    )
