"""Invoices and payments as JSON. Amounts are text with two decimals; red invoices are negative."""

from decimal import Decimal

from marshmallow import validate
from marshmallow.fields import String

from core.web import Schema, fields

ZERO = Decimal(0)
MOST = validate.Range(max=Decimal(10) ** 12)


class InvoiceQuery(Schema):
    side = String(validate=validate.OneOf(("all", "buyer", "seller")), load_default="all")
    state = String(validate=validate.OneOf(("issued", "part_paid", "paid", "credited")), load_default=None)
    after = fields.Text(max=300, load_default=None)
    limit = fields.Integer(load_default=50, validate=validate.Range(min=1, max=200))


class PaymentQuery(InvoiceQuery):
    state = String(validate=validate.OneOf(("announced", "confirmed", "rejected")), load_default=None)


class InvoiceAnswer(Schema):
    id = fields.UUID(required=True)
    number = fields.Text(required=True)
    kind = fields.Text(required=True)
    state = fields.Text(required=True)
    order_id = fields.UUID(required=True)
    currency = fields.Text(required=True)
    net = fields.Money(required=True)
    tax = fields.Money(required=True)
    total = fields.Money(required=True)
    settled = fields.Money(required=True)
    credited = fields.Money(required=True)
    open = fields.Money(required=True)
    issued_on = fields.Date(required=True)
    due_on = fields.Date(required=True)


class InvoiceRowAnswer(InvoiceAnswer):
    side = fields.Text(required=True)
    order_number = fields.Text(required=True, allow_none=True)
    partner_id = fields.UUID(required=True)
    partner_zh = fields.Text(required=True)
    partner_en = fields.Text(required=True, allow_none=True)


class InvoiceList(Schema):
    items = fields.List(fields.Nested(InvoiceRowAnswer), required=True)
    next = fields.Text(required=True, allow_none=True)


class BilledLineAnswer(Schema):
    line_id = fields.UUID(required=True)
    no = fields.Integer(required=True)
    sku_code = fields.Text(required=True)
    name_zh = fields.Text(required=True)
    name_en = fields.Text(required=True)
    unit = fields.Text(required=True)
    quantity = fields.Quantity(required=True)
    unit_price = fields.Price(required=True)
    tax_incl = fields.Boolean(required=True)
    vat_rate = fields.Decimal(6, required=True)
    net = fields.Money(required=True)
    tax = fields.Money(required=True)
    gross = fields.Money(required=True)


class SettledAnswer(Schema):
    """`kind` is payment (`what` is its number) or write_off (`what` is the reason)."""

    kind = fields.Text(required=True)
    what = fields.Text(required=True)
    amount = fields.Money(required=True)
    at = fields.DateTime(required=True)


class InvoiceDetailAnswer(Schema):
    """The payee's fields are empty where the seller itself is to be paid."""

    invoice = fields.Nested(InvoiceRowAnswer, required=True, attribute="row")
    reason = fields.Text(required=True)
    original_id = fields.UUID(required=True, allow_none=True)
    buyer_title = fields.Text(required=True)
    buyer_code = fields.Text(required=True)
    seller_title = fields.Text(required=True)
    seller_code = fields.Text(required=True)
    payee_name = fields.Text(required=True)
    payee_bank = fields.Text(required=True)
    payee_account = fields.Text(required=True)
    payee_reason = fields.Text(required=True)
    lines = fields.List(fields.Nested(BilledLineAnswer), required=True)
    settled_by = fields.List(fields.Nested(SettledAnswer), required=True)


class CreditLineIn(Schema):
    line_id = fields.UUID(required=True)
    quantity = fields.Quantity(required=True, validate=MOST)


class CreditIn(Schema):
    """What to take back: `lines` by quantity, or an `amount` off (VAT included), or neither for all of it.

    `refund` sends paid money back at once under `bank_ref`; else it stays as the buyer's credit.
    """

    reason = fields.Text(required=True, min=1, max=500)
    lines = fields.List(
        fields.Nested(CreditLineIn),
        load_default=None,
        allow_none=True,
        validate=validate.Length(min=1, max=500),
    )
    amount = fields.Money(load_default=None, allow_none=True, above=ZERO, validate=MOST)
    refund = fields.Boolean(load_default=False)
    bank_ref = fields.Text(max=100, load_default="")


class ReasonIn(Schema):
    reason = fields.Text(required=True, min=1, max=500)


class ShareIn(Schema):
    invoice_id = fields.UUID(required=True)
    amount = fields.Money(required=True, above=ZERO, validate=MOST)


class PaidIn(Schema):
    """Money for one invoice or one order. `bank_ref` is the bank's own reference of the transfer."""

    amount = fields.Money(required=True, above=ZERO, validate=MOST)
    bank_ref = fields.Text(required=True, min=1, max=100)
    note = fields.Text(max=500, load_default="", allow_none=True)


class PaymentIn(PaidIn):
    """Money for several invoices of one seller: exactly as `split` says, or `invoice_ids` oldest due first."""

    invoice_ids = fields.List(fields.UUID(), load_default=list, validate=validate.Length(max=200))
    split = fields.List(fields.Nested(ShareIn), load_default=list, validate=validate.Length(max=200))


class ConfirmIn(Schema):
    """`bank_ref` corrects the announced reference; `split` puts the money on other invoices than announced."""

    bank_ref = fields.Text(max=100, min=1, load_default=None, allow_none=True)
    split = fields.List(fields.Nested(ShareIn), load_default=list, validate=validate.Length(max=200))


class AllocateIn(Schema):
    split = fields.List(fields.Nested(ShareIn), load_default=list, validate=validate.Length(max=200))


class RefundIn(ReasonIn):
    amount = fields.Money(required=True, above=ZERO, validate=MOST)
    bank_ref = fields.Text(required=True, min=1, max=100)


class PaymentAnswer(Schema):
    id = fields.UUID(required=True)
    number = fields.Text(required=True)
    state = fields.Text(required=True)
    order_id = fields.UUID(required=True, allow_none=True)
    currency = fields.Text(required=True)
    amount = fields.Money(required=True)
    allocated = fields.Money(required=True)
    refunded = fields.Money(required=True)
    unapplied = fields.Money(required=True)
    bank_ref = fields.Text(required=True)
    note = fields.Text(required=True)
    announced_at = fields.DateTime(required=True)
    decided_at = fields.DateTime(required=True, allow_none=True)


class PaymentRowAnswer(PaymentAnswer):
    side = fields.Text(required=True)
    order_number = fields.Text(required=True, allow_none=True)
    partner_id = fields.UUID(required=True)
    partner_zh = fields.Text(required=True)
    partner_en = fields.Text(required=True, allow_none=True)


class PaymentList(Schema):
    items = fields.List(fields.Nested(PaymentRowAnswer), required=True)
    next = fields.Text(required=True, allow_none=True)
