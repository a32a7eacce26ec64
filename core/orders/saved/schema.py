"""Saved views as JSON."""

from marshmallow import validate
from marshmallow.fields import String

from core.orders.saved.look import COLUMNS, SIDES, SORTS, USUAL
from core.orders.saved.service import LONGEST
from core.orders.states import ORDER
from core.web import Schema, fields


class ViewIn(Schema):
    """A view: its name, what it shows, in which order (empty: the newest first) and with which columns."""

    name = fields.Text(required=True, min=1, max=LONGEST)
    side = String(load_default="all", validate=validate.OneOf(SIDES))
    state = String(load_default=None, allow_none=True, validate=validate.OneOf(sorted(ORDER.states)))
    waiting = fields.Boolean(load_default=False)
    open = fields.Boolean(load_default=False)
    q = fields.Text(max=100, load_default="")
    sort = String(load_default="", validate=validate.OneOf(SORTS))
    columns = fields.List(
        String(validate=validate.OneOf(COLUMNS)),
        load_default=list(USUAL),
        validate=validate.Length(min=1, max=len(COLUMNS)),
    )
    default = fields.Boolean(load_default=False)


class ViewAnswer(Schema):
    id = fields.UUID(required=True)
    name = fields.Text(required=True)
    side = fields.Text(required=True)
    state = fields.Text(required=True, allow_none=True)
    waiting = fields.Boolean(required=True)
    open = fields.Boolean(required=True)
    q = fields.Text(required=True)
    sort = fields.Text(required=True)
    columns = fields.List(fields.Text(), required=True)
    default = fields.Boolean(required=True, attribute="is_default")


class ViewList(Schema):
    items = fields.List(fields.Nested(ViewAnswer), required=True)


class ViewedQuery(Schema):
    after = fields.Text(max=300, load_default=None)
    limit = fields.Integer(load_default=50, validate=validate.Range(min=1, max=200))
