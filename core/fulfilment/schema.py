"""Shipments and receipts as JSON. Quantities are text in the order line's unit."""

from decimal import Decimal

from marshmallow import validate
from marshmallow.fields import String

from core.web import Schema, fields

ZERO = Decimal(0)
MOST = validate.Range(max=Decimal(10) ** 9)


class ShipmentQuery(Schema):
    side = String(validate=validate.OneOf(("buyer", "seller")), load_default="seller")
    after = fields.Text(max=300, load_default=None)
    limit = fields.Integer(load_default=50, validate=validate.Range(min=1, max=200))


class PortionIn(Schema):
    line_id = fields.UUID(required=True)
    quantity = fields.Quantity(required=True, validate=MOST)


class ShipmentIn(Schema):
    lines = fields.List(fields.Nested(PortionIn), required=True, validate=validate.Length(min=1, max=500))
    carrier = fields.Text(max=200, load_default="")
    waybill = fields.Text(max=100, load_default="")
    note = fields.Text(max=1000, load_default="")


class CountIn(Schema):
    """`line_id` is the order line. Without `accepted` all that is not rejected is accepted."""

    line_id = fields.UUID(required=True)
    received = fields.Quantity(required=True, validate=MOST)
    rejected = fields.Decimal(6, minimum=ZERO, load_default=ZERO)
    accepted = fields.Decimal(6, minimum=ZERO, load_default=None, allow_none=True)
    reason = fields.Text(max=500, load_default="")


class ReceiptIn(Schema):
    lines = fields.List(fields.Nested(CountIn), required=True, validate=validate.Length(min=1, max=500))
    note = fields.Text(max=1000, load_default="")


class VerdictIn(Schema):
    receipt_line_id = fields.UUID(required=True)
    accepted = fields.Decimal(6, minimum=ZERO, load_default=ZERO)
    rejected = fields.Decimal(6, minimum=ZERO, load_default=ZERO)
    reason = fields.Text(max=500, load_default="")


class InspectionIn(Schema):
    lines = fields.List(fields.Nested(VerdictIn), required=True, validate=validate.Length(min=1, max=500))


class PiecesIn(Schema):
    """How many; None means all of them."""

    quantity = fields.Quantity(load_default=None, allow_none=True, validate=MOST)


class ReasonIn(Schema):
    reason = fields.Text(required=True, min=1, max=500)


class ShortCloseIn(Schema):
    """`reason` may be empty only where the other side's request is agreed to."""

    line_id = fields.UUID(required=True)
    reason = fields.Text(max=500, load_default="")


class LineIn(Schema):
    line_id = fields.UUID(required=True)


class LoadedAnswer(Schema):
    line_id = fields.UUID(required=True)
    line_no = fields.Integer(required=True)
    sku_code = fields.Text(required=True)
    name_zh = fields.Text(required=True)
    name_en = fields.Text(required=True)
    unit = fields.Text(required=True)
    quantity = fields.Quantity(required=True)
    received = fields.Quantity(required=True)
    lots = fields.List(fields.Text(), required=True)


class CountedAnswer(Schema):
    id = fields.UUID(required=True)
    line_id = fields.UUID(required=True)
    line_no = fields.Integer(required=True)
    received = fields.Quantity(required=True)
    accepted = fields.Quantity(required=True)
    rejected = fields.Quantity(required=True)
    undecided = fields.Quantity(required=True)
    over_held = fields.Quantity(required=True)
    returned = fields.Quantity(required=True)
    reason = fields.Text(required=True)


class ReceiptAnswer(Schema):
    id = fields.UUID(required=True)
    number = fields.Text(required=True)
    received_by = fields.Text(required=True)
    received_at = fields.DateTime(required=True)
    note = fields.Text(required=True)
    reversed_at = fields.DateTime(required=True, allow_none=True)
    reversed_why = fields.Text(required=True, allow_none=True)
    lines = fields.List(fields.Nested(CountedAnswer), required=True)


class ShipmentAnswer(Schema):
    id = fields.UUID(required=True)
    number = fields.Text(required=True)
    order_id = fields.UUID(required=True)
    order_number = fields.Text(required=True, allow_none=True)
    buyer_id = fields.UUID(required=True)
    seller_id = fields.UUID(required=True)
    carrier = fields.Text(required=True)
    waybill = fields.Text(required=True)
    note = fields.Text(required=True)
    shipped_by = fields.Text(required=True)
    shipped_at = fields.DateTime(required=True)
    arrived = fields.Boolean(required=True)
    lines = fields.List(fields.Nested(LoadedAnswer), required=True)
    receipts = fields.List(fields.Nested(ReceiptAnswer), required=True)


class ShipmentList(Schema):
    items = fields.List(fields.Nested(ShipmentAnswer), required=True)
    next = fields.Text(required=True, allow_none=True)


class ShortCloseAnswer(Schema):
    """`state` open waits for the other side; done took effect; refused did not."""

    id = fields.UUID(required=True)
    order_id = fields.UUID(required=True)
    line_id = fields.UUID(required=True, attribute="order_line_id")
    quantity = fields.Quantity(required=True)
    reason = fields.Text(required=True)
    side = fields.Text(required=True)
    state = fields.Text(required=True)
