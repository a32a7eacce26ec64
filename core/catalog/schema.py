"""What comes in and goes out over JSON."""

from collections.abc import Sequence
from typing import Any

from marshmallow import validate
from marshmallow.fields import Field
from marshmallow.fields import String as MarshmallowString

from core.catalog.csvfile import CHARSETS
from core.catalog.finding import SORTS
from core.catalog.model import AUDIENCES, STATUSES
from core.web import Schema, fields
from core.web.pager import MAX_PAGE
from core.work import STATES


def choice(words: Sequence[str], **kwargs: Any) -> Field:
    """A text that is one of these words."""
    return MarshmallowString(validate=validate.OneOf(words), **kwargs)


class PageQuery(Schema):
    """`after` is the `next` of the page before."""

    limit = fields.Integer(load_default=25, validate=validate.Range(1, MAX_PAGE))
    after = fields.Text(max=1000)


class ListingQuery(PageQuery):
    q = fields.Text(max=100, load_default="")
    category = fields.Text(max=300)
    seller = fields.UUID()
    sort = choice(SORTS, load_default="code")


class ListingAnswer(Schema):
    """`own_price` is what the asking enterprise pays per base unit, from the smallest quantity on."""

    sku_id = fields.UUID()
    seller_id = fields.UUID()
    seller_name = fields.Text()
    code = fields.Text()
    part_no = fields.Text()
    name_zh = fields.Text()
    name_en = fields.Text()
    spec = fields.Text()
    base_uom = fields.Text()
    category = fields.Text(attribute="category_path")
    attributes = fields.Dict()
    weight_kg = fields.Quantity(allow_none=True)
    public_price = fields.Price(allow_none=True)
    own_price = fields.Price(allow_none=True)
    own_level = fields.Text(allow_none=True)
    currency = fields.Text()
    tax_incl = fields.Boolean()
    tax_class = fields.Text()
    status = fields.Text()


class FacetAnswer(Schema):
    value = fields.Text()
    name_zh = fields.Text()
    name_en = fields.Text()
    hits = fields.Integer()


class ListingsAnswer(Schema):
    """`total` is exact up to 1000; 1001 means more than that."""

    rows = fields.List(fields.Nested(ListingAnswer))
    next = fields.Text(allow_none=True)
    total = fields.Integer()
    categories = fields.List(fields.Nested(FacetAnswer))
    sellers = fields.List(fields.Nested(FacetAnswer))


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


class ListingPriceQuery(Schema):
    """For how much to explain the price."""

    quantity = fields.Quantity()
    uom = fields.Text(max=20)


class ListingDetailAnswer(Schema):
    listing = fields.Nested(ListingAnswer)
    units = fields.List(fields.Text())
    tiers = fields.List(fields.Nested(TierAnswer))
    price = fields.Nested(PriceAnswer, allow_none=True)


class ConversionSchema(Schema):
    """One `uom` is `factor` base units."""

    uom = fields.Text(required=True, max=20)
    factor = fields.Quantity(required=True)
    kind = choice(("fixed", "theoretical"), load_default="fixed")


class ProductQuery(PageQuery):
    q = fields.Text(max=100, load_default="")
    status = choice(STATUSES)
    category = fields.Text(max=300)


class ProductBody(Schema):
    """A product. `attributes` are checked against its category; numbers as text."""

    code = fields.Text(required=True, min=1, max=64)
    name_zh = fields.Text(required=True, min=1, max=200)
    name_en = fields.Text(load_default="", max=200)
    category = fields.Text(load_default="", max=300)
    spec = fields.Text(load_default="", max=200)
    base_uom = fields.Text(load_default="pcs", max=20)
    tax_class = fields.Text(load_default="goods", max=20)
    weight_kg = fields.Quantity(load_default=None, allow_none=True)
    part_no = fields.Text(load_default="", max=64)
    attributes = fields.Dict(keys=fields.Text(max=60), values=fields.Text(max=200), load_default=dict)
    conversions = fields.List(fields.Nested(ConversionSchema), load_default=None, allow_none=True)


class ProductAnswer(Schema):
    id = fields.UUID()
    code = fields.Text()
    part_no = fields.Text()
    name_zh = fields.Text()
    name_en = fields.Text()
    category = fields.Text(attribute="category_path")
    spec = fields.Text()
    base_uom = fields.Text()
    tax_class = fields.Text()
    weight_kg = fields.Quantity(allow_none=True)
    attributes = fields.Dict()
    status = fields.Text()
    version = fields.Integer()
    updated_at = fields.DateTime()


class ProductsAnswer(Schema):
    rows = fields.List(fields.Nested(ProductAnswer))
    next = fields.Text(allow_none=True)


class ProductIdsBody(Schema):
    """At most 200 products at once."""

    ids = fields.List(fields.UUID(), required=True, validate=validate.Length(1, 200))


class CountAnswer(Schema):
    count = fields.Integer()


class AttributeSchema(Schema):
    """One attribute a category asks of its products."""

    key = fields.Text(required=True, min=1, max=40)
    name_zh = fields.Text(required=True, min=1, max=60)
    name_en = fields.Text(required=True, min=1, max=60)
    kind = choice(("text", "number", "enum"), load_default="text")
    unit = fields.Text(load_default=None, allow_none=True, max=20)
    choices = fields.List(fields.Text(min=1, max=60), load_default=list, validate=validate.Length(max=100))
    required = fields.Boolean(load_default=False)


class CategoryBody(Schema):
    """A shelf below the shelf at path `parent`."""

    code = fields.Text(required=True, min=1, max=60)
    parent = fields.Text(load_default="", max=240)
    name_zh = fields.Text(required=True, min=1, max=60)
    name_en = fields.Text(required=True, min=1, max=60)
    attributes = fields.List(
        fields.Nested(AttributeSchema), load_default=list, validate=validate.Length(max=60)
    )


class CategoryAnswer(Schema):
    id = fields.UUID()
    path = fields.Text()
    name_zh = fields.Text()
    name_en = fields.Text()


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


class NewPriceSchema(Schema):
    sku_id = fields.UUID(required=True)
    min_qty = fields.Quantity(required=True, above=None)
    price = fields.Price(required=True)


class PricesBody(Schema):
    """Tiers that replace all earlier ones of the products they name."""

    prices = fields.List(fields.Nested(NewPriceSchema), required=True, validate=validate.Length(1, 1000))


class ImportBody(Schema):
    """A CSV file, its bytes in base64. Larger ones go through the portal's import page."""

    file_name = fields.Text(load_default="products.csv", max=120)
    charset = choice(tuple(CHARSETS), load_default="utf-8")
    content = fields.Text(required=True, max=900_000)


class IssueAnswer(Schema):
    row_no = fields.Integer(attribute="place")
    field = fields.Text()
    code = fields.Text()
    detail = fields.Dict()


class ImportAnswer(Schema):
    """An import and how far it is: `done` of `rows` have been read, `refused` of them did not land."""

    id = fields.UUID()
    file_name = fields.Text()
    file_id = fields.UUID()
    charset = fields.Text()
    state = choice(STATES)
    stopping = fields.Boolean()
    rows = fields.Integer()
    done = fields.Integer()
    added = fields.Integer()
    changed = fields.Integer()
    unchanged = fields.Integer()
    refused = fields.Integer()
    reason = fields.Text(allow_none=True)
    by = fields.Text()
    at = fields.DateTime()
    started_at = fields.DateTime(allow_none=True)
    ended_at = fields.DateTime(allow_none=True)


class ImportDetailAnswer(Schema):
    """The first 500 reasons; all of them are in the file of refused rows."""

    run = fields.Nested(ImportAnswer)
    issues = fields.List(fields.Nested(IssueAnswer))
