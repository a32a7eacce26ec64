"""What comes in and goes out over JSON."""

from marshmallow import validate

from core.web import Schema, fields
from core.web.pager import MAX_PAGE


class StockQuery(Schema):
    """`state` is out (nothing free) or promised; `after` is the `next` of the page before."""

    q = fields.Text(max=100, load_default="")
    warehouse = fields.UUID()
    state = fields.Text(max=10)
    limit = fields.Integer(load_default=50, validate=validate.Range(1, MAX_PAGE))
    after = fields.Text(max=1000)


class LevelAnswer(Schema):
    """In base units; `free` is on hand and promised to nobody."""

    sku_id = fields.UUID()
    code = fields.Text()
    name_zh = fields.Text()
    name_en = fields.Text()
    spec = fields.Text()
    base_uom = fields.Text()
    warehouse_id = fields.UUID()
    warehouse = fields.Text()
    on_hand = fields.Quantity(above=None)
    hard = fields.Quantity(above=None)
    soft = fields.Quantity(above=None)
    free = fields.Quantity(above=None)


class LevelsAnswer(Schema):
    rows = fields.List(fields.Nested(LevelAnswer))
    next = fields.Text(allow_none=True)


class LotAnswer(Schema):
    id = fields.UUID()
    warehouse_id = fields.UUID()
    lot_no = fields.Text()
    heat_no = fields.Text()
    expires_on = fields.Date(allow_none=True)
    on_hand = fields.Quantity(above=None)
    held = fields.Quantity(above=None)


class MoveAnswer(Schema):
    id = fields.UUID()
    warehouse_id = fields.UUID()
    lot_id = fields.UUID()
    kind = fields.Text()
    qty = fields.Decimal(6)
    reason = fields.Text()
    order_id = fields.UUID(allow_none=True)
    by = fields.Text()
    at = fields.DateTime()


class StockAnswer(Schema):
    """A product's stock over all warehouses, its lots and its latest moves."""

    on_hand = fields.Quantity(above=None)
    hard = fields.Quantity(above=None)
    soft = fields.Quantity(above=None)
    free = fields.Quantity(above=None)
    lots = fields.List(fields.Nested(LotAnswer))
    moves = fields.List(fields.Nested(MoveAnswer))


class ReceiptRow(Schema):
    """Goods that came in."""

    sku_id = fields.UUID(required=True)
    warehouse_id = fields.UUID(required=True)
    qty = fields.Quantity(required=True)
    lot_no = fields.Text(load_default=None, allow_none=True, max=60)
    heat_no = fields.Text(load_default="", max=60)
    expires_on = fields.Date(load_default=None, allow_none=True)


class ReceiptBody(Schema):
    rows = fields.List(fields.Nested(ReceiptRow), required=True, validate=validate.Length(1, 200))


class AdjustmentBody(Schema):
    """A correction: `qty` is the change, below zero when goods are missing."""

    sku_id = fields.UUID(required=True)
    warehouse_id = fields.UUID(required=True)
    qty = fields.Decimal(6, required=True)
    lot_no = fields.Text(load_default=None, allow_none=True, max=60)
    reason = fields.Text(required=True, min=1, max=200)


class CountRow(Schema):
    """What lies there now."""

    sku_id = fields.UUID(required=True)
    warehouse_id = fields.UUID(required=True)
    qty = fields.Quantity(required=True, above=None)


class CountBody(Schema):
    rows = fields.List(fields.Nested(CountRow), required=True, validate=validate.Length(1, 200))
    reason = fields.Text(required=True, min=1, max=200)


class UnmovedAnswer(Schema):
    sku_id = fields.UUID()
    warehouse_id = fields.UUID()
    change = fields.Decimal(6)
    free = fields.Decimal(6)


class CountAnswer(Schema):
    """Figures that were not set, because they would take promised goods."""

    refused = fields.List(fields.Nested(UnmovedAnswer))


class WarehouseBody(Schema):
    """Stock is taken from warehouses with a low `rank` first."""

    code = fields.Text(required=True, min=1, max=40)
    name = fields.Text(required=True, min=1, max=100)
    address = fields.Text(load_default="", max=300)
    rank = fields.Integer(load_default=100, validate=validate.Range(0, 10_000))


class WarehouseAnswer(Schema):
    id = fields.UUID()
    code = fields.Text()
    name = fields.Text()
    address = fields.Text()
    rank = fields.Integer()
