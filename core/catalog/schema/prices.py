"""Prices as they come in and go out."""

from decimal import Decimal

from marshmallow import validate

from core.catalog.explaining import VERDICTS
from core.catalog.model import AUDIENCES
from core.catalog.schema.frame import PageQuery, choice
from core.web import Schema, fields


class TierAnswer(Schema):
    level = fields.Text()
    list_name = fields.Text()
    ladder = fields.Text()
    currency = fields.Text()
    tax_incl = fields.Boolean()
    min_qty = fields.Quantity(above=None)
    price = fields.Price()
    valid_to = fields.DateTime(allow_none=True)


class ComponentAnswer(Schema):
    level = fields.Text()
    row_id = fields.UUID(allow_none=True)
    base = fields.Price()
    adj = fields.Decimal(6)
    reason = fields.Text()
    flag = fields.Text(allow_none=True)


class AmountsAnswer(Schema):
    net = fields.Money()
    tax = fields.Money()
    gross = fields.Money()


class PriceAnswer(Schema):
    """The price for a quantity, explained: the components sum to the unit price of one base unit."""

    qty = fields.Quantity()
    uom = fields.Text()
    base_qty = fields.Quantity()
    unit_price = fields.Price()
    tax_incl = fields.Boolean()
    vat_rate = fields.Decimal(4)
    currency = fields.Text()
    components = fields.List(fields.Nested(ComponentAnswer))
    amounts = fields.Nested(AmountsAnswer)


class PriceListBody(Schema):
    """Who the prices are for: everybody (public), a price group, one customer, or as a last resort (base)."""

    name = fields.Text(required=True, min=1, max=100)
    audience = choice(AUDIENCES, load_default="public")
    group = fields.Text(load_default=None, allow_none=True, max=40)
    customer_id = fields.UUID(load_default=None, allow_none=True)
    currency = fields.Text(load_default="CNY", min=3, max=3)
    tax_incl = fields.Boolean(load_default=True)
    ladder = choice(("volume", "graduated"), load_default="volume")
    valid_from = fields.DateTime(load_default=None, allow_none=True)
    valid_to = fields.DateTime(load_default=None, allow_none=True)


class PriceListAnswer(Schema):
    id = fields.UUID()
    name = fields.Text()
    audience = fields.Text()
    group = fields.Text(attribute="group_code", allow_none=True)
    customer_id = fields.UUID(allow_none=True)
    currency = fields.Text()
    tax_incl = fields.Boolean()
    ladder = fields.Text()
    valid_from = fields.DateTime()
    valid_to = fields.DateTime(allow_none=True)
    version = fields.Integer()


class NewPriceSchema(Schema):
    sku_id = fields.UUID(required=True)
    min_qty = fields.Quantity(required=True, above=None)
    price = fields.Price(required=True)


class PricesBody(Schema):
    """Tiers that replace all earlier ones of the products they name."""

    prices = fields.List(fields.Nested(NewPriceSchema), required=True, validate=validate.Length(1, 1000))


class PriceListChange(Schema):
    """Name and validity anew; for whom a list is stays."""

    name = fields.Text(required=True, min=1, max=100)
    valid_from = fields.DateTime(required=True)
    valid_to = fields.DateTime(load_default=None, allow_none=True)


class PriceListDetailAnswer(Schema):
    """`customer` is the name of the enterprise it is for, empty for other audiences."""

    list = fields.Nested(PriceListAnswer)
    customer = fields.Text()
    products = fields.Integer()


class PricesQuery(PageQuery):
    q = fields.Text(max=100, load_default="")


class ListedTierAnswer(Schema):
    min_qty = fields.Quantity(above=None)
    price = fields.Price()


class ListedProductAnswer(Schema):
    sku_id = fields.UUID()
    code = fields.Text()
    name_zh = fields.Text()
    name_en = fields.Text()
    base_uom = fields.Text()
    tiers = fields.List(fields.Nested(ListedTierAnswer))


class ListedProductsAnswer(Schema):
    rows = fields.List(fields.Nested(ListedProductAnswer))
    next = fields.Text(allow_none=True)


class ExplainQuery(Schema):
    """Whose price for how much; the product is one's own."""

    customer_id = fields.UUID(required=True)
    sku_id = fields.UUID(required=True)
    quantity = fields.Quantity(load_default=Decimal(1))
    uom = fields.Text(max=20)


class CandidateAnswer(Schema):
    tier = fields.Nested(TierAnswer)
    reached = fields.Boolean()
    verdict = choice(VERDICTS)


class ExplanationAnswer(Schema):
    """The price and every list that was looked at, in the order they are searched."""

    price = fields.Nested(PriceAnswer)
    cheaper_elsewhere = fields.Boolean()
    candidates = fields.List(fields.Nested(CandidateAnswer))


class MemberAnswer(Schema):
    partner_id = fields.UUID()
    name = fields.Text()
    version = fields.Integer()


class PriceGroupAnswer(Schema):
    """A customer group: who is in it (set with the partner's terms) and the lists that speak to it."""

    code = fields.Text()
    members = fields.List(fields.Nested(MemberAnswer))
    lists = fields.List(fields.Nested(PriceListAnswer))
