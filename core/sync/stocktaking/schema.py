"""Stock that differs, over JSON."""

from marshmallow import validate

from core.web import Schema, fields
from core.web.pager import MAX_PAGE


class StockMovesQuery(Schema):
    after = fields.Text(max=1000)
    limit = fields.Integer(load_default=25, validate=validate.Range(1, MAX_PAGE))


class RemoteMoveRow(Schema):
    """A move in a warehouse there, as it told us; no stock of ours followed it. `at` is when we heard of it."""

    id = fields.UUID()
    product_id = fields.UUID()
    code = fields.Text()
    warehouse = fields.Text()
    unit = fields.Text()
    quantity = fields.Quantity(above=None)
    reason = fields.Text()
    reference = fields.Text()
    day = fields.Date()
    at = fields.DateTime()


class RemoteMovesAnswer(Schema):
    rows = fields.List(fields.Nested(RemoteMoveRow))
    next = fields.Text(allow_none=True)


class StockDifferenceRow(Schema):
    """Where their last figure is not ours. `moved` there and `corrected` here are sums since `since`, when both were one at
    `agreed` (null: never, then since their first figure); `difference` is theirs less ours."""

    product_id = fields.UUID()
    code = fields.Text()
    name = fields.Text()
    warehouse = fields.Text()
    unit = fields.Text()
    ours = fields.Quantity(above=None)
    theirs = fields.Quantity(above=None)
    difference = fields.Quantity(above=None)
    told_at = fields.DateTime()
    agreed = fields.Quantity(above=None, allow_none=True)
    since = fields.DateTime()
    moved = fields.Quantity(above=None)
    corrected = fields.Quantity(above=None)
    unexplained = fields.Quantity(above=None)
    moves = fields.List(fields.Nested(RemoteMoveRow))


class StockDifferencesAnswer(Schema):
    rows = fields.List(fields.Nested(StockDifferenceRow))
