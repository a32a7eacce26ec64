"""What comes in and goes out: the settings, goods laid in, usage reported."""

from decimal import Decimal

from marshmallow import validate

import tongshang as ts
from tongshang import fields


class Settings(ts.Schema):
    """How an enterprise sells on consignment."""

    settle_days = fields.Integer(
        load_default=30,
        validate=validate.Range(min=0, max=365),
        metadata={"title": "Days to pay after the invoice"},
    )
    confirm_usage = fields.Boolean(
        load_default=False,
        metadata={"title": "Confirm usage before billing", "hint": "Somebody of yours looks at every report first."},
    )


class NewStock(ts.Schema):
    """Goods to lay in at a buyer's. `unit_price` is of one base unit, VAT included; `vat_rate` 0.13 is 13 %."""

    buyer_id = fields.UUID(required=True)
    code = fields.Text(required=True, max=60)
    quantity = fields.Quantity(required=True)
    unit_price = fields.Price(required=True)
    vat_rate = fields.Decimal(6, load_default=Decimal("0.13"), minimum=Decimal(0))


class NewUsage(ts.Schema):
    quantity = fields.Quantity(required=True)


class StockAnswer(ts.Schema):
    """Goods on consignment, in `unit`."""

    id = fields.UUID()
    buyer_id = fields.UUID()
    seller_id = fields.UUID()
    sku_id = fields.UUID()
    code = fields.Text()
    unit = fields.Text()
    unit_price = fields.Price()
    laid = fields.Decimal(6)
    left = fields.Decimal(6)


class StocksAnswer(ts.Schema):
    stock = fields.List(fields.Nested(StockAnswer))


class UsageAnswer(ts.Schema):
    """A usage report with the order it made."""

    id = fields.UUID()
    stock_id = fields.UUID()
    quantity = fields.Decimal(6)
    order_id = fields.UUID()
    order_number = fields.Text()
    settled_at = fields.DateTime(allow_none=True)
