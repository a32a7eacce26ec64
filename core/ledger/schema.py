"""The books as JSON. Amounts are text with two decimals; debit is positive."""

from marshmallow import validate

from core.web import Schema, fields


class AccountAnswer(Schema):
    id = fields.UUID(required=True)
    code = fields.Text(required=True)
    name_en = fields.Text(required=True)
    name_zh = fields.Text(required=True)
    nature = fields.Text(required=True)
    partner_id = fields.UUID(required=True, allow_none=True)
    currency = fields.Text(required=True)
    balance = fields.Money(required=True)


class AccountList(Schema):
    items = fields.List(fields.Nested(AccountAnswer), required=True)


class StatementQuery(Schema):
    after = fields.Text(load_default=None, max=300)
    limit = fields.Integer(load_default=50, validate=validate.Range(min=1, max=200))


class EntryAnswer(Schema):
    id = fields.UUID(required=True)
    at = fields.DateTime(required=True)
    kind = fields.Text(required=True)
    ref = fields.Text(required=True)
    label = fields.Text(required=True)
    amount = fields.Money(required=True)
    balance = fields.Money(required=True)


class StatementAnswer(Schema):
    account = fields.Nested(AccountAnswer, required=True)
    items = fields.List(fields.Nested(EntryAnswer), required=True)
    next = fields.Text(required=True, allow_none=True)
