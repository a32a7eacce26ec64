"""What comes in and goes out: the settings, requests, quotes, awards and talk over JSON."""

from decimal import Decimal

from marshmallow import validate
from marshmallow.fields import String as Word

import tongshang as ts
from tongshang import fields


class Settings(ts.Schema):
    """How an enterprise asks and quotes."""

    tell_winning_price = fields.Boolean(
        load_default=False,
        metadata={
            "title": "Tell the losers the winning total",
            "hint": "Otherwise they hear only that somebody else was chosen.",
        },
    )
    days_open = fields.Integer(
        load_default=3,
        validate=validate.Range(min=1, max=90),
        metadata={"title": "Days a new request stays open", "hint": "Fills in the deadline of a new request."},
    )
    valid_days = fields.Integer(
        load_default=14,
        validate=validate.Range(min=1, max=365),
        metadata={"title": "Days a new quote is valid", "hint": "Fills in the validity of a new quote."},
    )


class ItemIn(ts.Schema):
    """A line of a request: a product (`sku_id`) or words (`text`), or both."""

    sku_id = fields.UUID(load_default=None, allow_none=True)
    text = fields.Text(load_default="", max=200)
    spec = fields.Text(load_default="", max=500)
    quantity = fields.Quantity(required=True)
    unit = fields.Text(required=True, min=1, max=20)


class HeadIn(ts.Schema):
    """What a request says beside its lines."""

    title = fields.Text(required=True, min=1, max=120)
    closes_at = fields.DateTime(load_default=None, allow_none=True)
    deliver_by = fields.Date(load_default=None, allow_none=True)
    ship_to = fields.Text(load_default="", max=300)
    payment_wish = fields.Text(load_default="", max=300)
    note = fields.Text(load_default="", max=2000)
    sealed = fields.Boolean(load_default=False)
    audience = Word(load_default="chosen", validate=validate.OneOf(("chosen", "partners")))


class RequestIn(HeadIn):
    """A whole request. `sellers` are invited by name; `audience` partners invites every partner on publishing, too."""

    lines = fields.List(fields.Nested(ItemIn), required=True, validate=validate.Length(min=1, max=200))
    sellers = fields.List(fields.UUID(), load_default=list, validate=validate.Length(max=100))


class ExtendIn(ts.Schema):
    closes_at = fields.DateTime(required=True)


class ReasonIn(ts.Schema):
    reason = fields.Text(required=True, min=1, max=500)


class SellersIn(ts.Schema):
    sellers = fields.List(fields.UUID(), required=True, validate=validate.Length(min=1, max=100))


class TalkIn(ts.Schema):
    """Something said; `to_all` tells every invited seller, without naming who asked."""

    body = fields.Text(required=True, min=1, max=2000)
    to_all = fields.Boolean(load_default=False)


class BetterIn(ts.Schema):
    """The wish for a better offer, and until when it is awaited."""

    body = fields.Text(required=True, min=1, max=2000)
    until = fields.DateTime(required=True)


class TierIn(ts.Schema):
    min_quantity = fields.Quantity(required=True)
    unit_price = fields.Price(required=True)


class OfferedIn(ts.Schema):
    """A price for a line. `option` 0 is as asked, above it an alternative; `quantity` null offers all that is asked."""

    line_no = fields.Integer(required=True, validate=validate.Range(min=1, max=1000))
    sku_code = fields.Text(required=True, min=1, max=80)
    unit_price = fields.Price(required=True)
    option = fields.Integer(load_default=0, validate=validate.Range(min=0, max=5))
    quantity = fields.Quantity(load_default=None, allow_none=True)
    vat_rate = fields.Decimal(6, load_default=Decimal("0.13"), minimum=Decimal(0))
    lead_days = fields.Integer(load_default=None, allow_none=True, validate=validate.Range(min=0, max=1000))
    remark = fields.Text(load_default="", max=300)
    tiers = fields.List(fields.Nested(TierIn), load_default=list, validate=validate.Length(max=10))


class QuoteHeadIn(ts.Schema):
    """What a quote says beside its prices."""

    valid_until = fields.DateTime(required=True)
    tax_included = fields.Boolean(load_default=True)
    prepay_percent = fields.Decimal(2, load_default=Decimal(0), minimum=Decimal(0))
    terms_days = fields.Integer(load_default=30, validate=validate.Range(min=0, max=365))
    remarks = fields.Text(load_default="", max=1000)


class QuoteIn(QuoteHeadIn):
    """A whole quote. `request_version` guards against quoting what has been amended meanwhile."""

    request_version = fields.Integer(load_default=None, allow_none=True)
    lines = fields.List(fields.Nested(OfferedIn), required=True, validate=validate.Length(min=1, max=400))


class ChoiceIn(ts.Schema):
    """So much of a quoted line; null takes all that is quoted and still wanted."""

    quote_line_id = fields.UUID(required=True)
    quantity = fields.Quantity(load_default=None, allow_none=True)


class AwardIn(ts.Schema):
    """What to award. `finish` false keeps the request undecided for further awards."""

    request_version = fields.Integer(required=True)
    choices = fields.List(fields.Nested(ChoiceIn), required=True, validate=validate.Length(min=1, max=400))
    finish = fields.Boolean(load_default=True)


class ListQuery(ts.Schema):
    """Which side's list, in which state; `after` is the id of the last row seen."""

    side = Word(load_default="buyer", validate=validate.OneOf(("buyer", "seller")))
    state = fields.Text(load_default=None, allow_none=True, max=20)
    after = fields.UUID(load_default=None, allow_none=True)


class ItemAnswer(ts.Schema):
    no = fields.Integer()
    sku_id = fields.UUID(allow_none=True)
    sku_code = fields.Text()
    text = fields.Text()
    spec = fields.Text()
    quantity = fields.Decimal(6)
    unit = fields.Text()


class TierAnswer(ts.Schema):
    min_quantity = fields.Decimal(6)
    unit_price = fields.Decimal(6)


class OfferedAnswer(ts.Schema):
    """A quoted line; amounts are of the quoted quantity."""

    id = fields.UUID()
    line_no = fields.Integer()
    option = fields.Integer()
    sku_id = fields.UUID()
    sku_code = fields.Text()
    text = fields.Text()
    quantity = fields.Decimal(6)
    unit = fields.Text()
    unit_price = fields.Decimal(6)
    vat_rate = fields.Decimal(6)
    lead_days = fields.Integer(allow_none=True)
    remark = fields.Text()
    net = fields.Money()
    tax = fields.Money()
    gross = fields.Money()
    tiers = fields.List(fields.Nested(TierAnswer))


class QuoteAnswer(ts.Schema):
    """One version of a quote. Sums are of the lines as asked, without alternatives."""

    id = fields.UUID()
    invitation_id = fields.UUID()
    version = fields.Integer()
    request_version = fields.Integer()
    valid_until = fields.DateTime()
    tax_included = fields.Boolean()
    prepay_percent = fields.Decimal(2)
    terms_days = fields.Integer()
    remarks = fields.Text()
    net = fields.Money()
    tax = fields.Money()
    gross = fields.Money()
    given_at = fields.DateTime()
    lines = fields.List(fields.Nested(OfferedAnswer))


class InvitationAnswer(ts.Schema):
    """One seller's part. `quote` is what stands, null where there is none or it is still sealed."""

    id = fields.UUID()
    seller_id = fields.UUID()
    seller = fields.Text()
    state = fields.Text()
    quote_version = fields.Integer()
    seen_at = fields.DateTime(allow_none=True)
    reason = fields.Text(allow_none=True)
    valid_until = fields.DateTime(allow_none=True)
    better_until = fields.DateTime(allow_none=True)
    result = fields.Text()
    winning_total = fields.Money(allow_none=True)
    quote = fields.Nested(QuoteAnswer, allow_none=True)


class RequestAnswer(ts.Schema):
    """A request as its reader may see it: a seller sees its own invitation only."""

    id = fields.UUID()
    buyer_id = fields.UUID()
    buyer = fields.Text()
    number = fields.Text(allow_none=True)
    title = fields.Text()
    state = fields.Text()
    version = fields.Integer()
    currency = fields.Text()
    sealed = fields.Boolean()
    audience = fields.Text()
    closes_at = fields.DateTime(allow_none=True)
    deliver_by = fields.Date(allow_none=True)
    ship_to = fields.Text()
    payment_wish = fields.Text()
    note = fields.Text()
    reason = fields.Text(allow_none=True)
    lines = fields.List(fields.Nested(ItemAnswer))
    invitations = fields.List(fields.Nested(InvitationAnswer))


class RowAnswer(ts.Schema):
    """A request in a list. `invitation_id` is the reader's own, for a seller; `quotes` counts those that stand, for the buyer."""

    id = fields.UUID()
    invitation_id = fields.UUID(allow_none=True)
    partner = fields.Text()
    number = fields.Text(allow_none=True)
    title = fields.Text()
    state = fields.Text()
    closes_at = fields.DateTime(allow_none=True)
    sellers = fields.Integer()
    quotes = fields.Integer()


class RowsAnswer(ts.Schema):
    rows = fields.List(fields.Nested(RowAnswer))
    next = fields.UUID(allow_none=True)


class AwardAnswer(ts.Schema):
    """An award and the order it became."""

    id = fields.UUID()
    seller_id = fields.UUID()
    order_id = fields.UUID(allow_none=True)
    state = fields.Text()
    total = fields.Money()


class AwardsAnswer(ts.Schema):
    awards = fields.List(fields.Nested(AwardAnswer))


class MessageAnswer(ts.Schema):
    id = fields.UUID()
    side = fields.Text()
    kind = fields.Text()
    body = fields.Text()
    said_by = fields.Text()
    said_at = fields.DateTime()


class TalkAnswer(ts.Schema):
    messages = fields.List(fields.Nested(MessageAnswer))


