"""What comes in and goes out: the plugin's settings, the cart over JSON, and the form of an order."""

from decimal import Decimal
from typing import Any

from marshmallow import validate

import tongshang as ts
from tongshang import fields

PERCENT = validate.Range(min=Decimal(0), max=Decimal(100))


class Settings(ts.Schema):
    """How an enterprise sells on the spot."""

    prepay = fields.Boolean(
        load_default=False,
        metadata={"title": "Payment in advance", "hint": "An order starts only when all of it is paid."},
    )
    penalty_percent = fields.Decimal(
        2,
        load_default=Decimal(0),
        validate=PERCENT,
        metadata={
            "title": "Penalty for leaving a confirmed order alone (%)",
            "hint": "0: leaving needs both sides, and costs nothing.",
        },
    )
    auto_confirm_limit = fields.Decimal(
        2,
        load_default=None,
        allow_none=True,
        minimum=Decimal(0),
        metadata={
            "title": "Confirm by itself up to",
            "hint": "Orders up to this total, VAT included. Empty: a person confirms every order.",
        },
    )


class NewItem(ts.Schema):
    """A product to put into the cart. Without a unit the quantity is in the product's base unit."""

    sku_id = fields.UUID(required=True)
    quantity = fields.Quantity(required=True)
    unit = fields.Text(load_default=None, allow_none=True, max=20)


class NewQuantity(ts.Schema):
    quantity = fields.Quantity(required=True)


class OrderWish(ts.Schema):
    """What a buyer says about the order of one seller's goods in the cart."""

    buyer_po = fields.Text(load_default=None, allow_none=True, max=60)
    ship_to = fields.Text(load_default=None, allow_none=True, max=300)
    delivery_date = fields.Date(load_default=None, allow_none=True)
    note = fields.Text(load_default=None, allow_none=True, max=1000)


class CartOrder(OrderWish):
    """The same over JSON."""

    seller_id = fields.UUID(required=True)


class ComponentAnswer(ts.Schema):
    """A part of the unit price, of one base unit: `base` or `adj`, and where it comes from."""

    level = fields.Text()
    base = fields.Decimal(6)
    adj = fields.Decimal(6)
    reason = fields.Text()
    flag = fields.Text(allow_none=True)


class LineAnswer(ts.Schema):
    """A line of the cart. Without a price it says why in `problem`. `unit_price` is of one `unit`, `free` in `unit`."""

    id = fields.UUID()
    sku_id = fields.UUID()
    code = fields.Text()
    name_zh = fields.Text()
    name_en = fields.Text()
    spec = fields.Text()
    quantity = fields.Decimal(6)
    unit = fields.Text()
    unit_price = fields.Decimal(6, allow_none=True)
    tax_included = fields.Boolean(allow_none=True)
    vat_rate = fields.Decimal(6, allow_none=True)
    net = fields.Money(allow_none=True)
    tax = fields.Money(allow_none=True)
    gross = fields.Money(allow_none=True)
    components = fields.List(fields.Nested(ComponentAnswer))
    base_unit = fields.Text()
    free = fields.Decimal(6, allow_none=True)
    problem = fields.Text(allow_none=True)


class GroupAnswer(ts.Schema):
    """One seller's part of the cart: what becomes one order."""

    seller_id = fields.UUID()
    seller = fields.Text()
    currency = fields.Text()
    lines = fields.List(fields.Nested(LineAnswer))
    net = fields.Money()
    tax = fields.Money()
    total = fields.Money()
    approval_needed = fields.Boolean()
    orderable = fields.Boolean()


class CartAnswer(ts.Schema):
    groups = fields.List(fields.Nested(GroupAnswer))


class ItemAnswer(ts.Schema):
    """A line as it stands in the cart now."""

    id = fields.UUID()
    sku_id = fields.UUID()
    seller_id = fields.UUID()
    quantity = fields.Decimal(6)
    unit = fields.Text()


class PlacedAnswer(ts.Schema):
    """The order that was made. `number` is None while it waits for a colleague's approval."""

    order_id = fields.UUID()
    number = fields.Text(allow_none=True)
    state = fields.Text()
    total = fields.Money()
    currency = fields.Text()
    approval_needed = fields.Boolean()


def placed(order: Any) -> dict[str, Any]:
    return {
        "order_id": order.id,
        "number": order.number,
        "state": order.state,
        "total": order.total,
        "currency": order.currency,
        "approval_needed": order.approval_needed,
    }
