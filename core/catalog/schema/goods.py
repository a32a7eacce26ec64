"""Listings and products as they come in and go out."""

from marshmallow import validate

from core.catalog.finding import SORTS
from core.catalog.model import STATUSES
from core.catalog.schema.frame import PageQuery, choice
from core.catalog.schema.prices import PriceAnswer, TierAnswer
from core.web import Schema, fields


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
