"""Categories as they come in and go out."""

from marshmallow import validate

from core.catalog.schema.frame import choice
from core.web import Schema, fields


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
    retired_at = fields.DateTime(allow_none=True)
    version = fields.Integer()


class CategoryEditBody(Schema):
    """All names and attributes anew; attributes that are not named are asked for no longer."""

    name_zh = fields.Text(required=True, min=1, max=60)
    name_en = fields.Text(required=True, min=1, max=60)
    attributes = fields.List(
        fields.Nested(AttributeSchema), load_default=list, validate=validate.Length(max=60)
    )


class CategoryMoveBody(Schema):
    """`parent` is the path of the category to stand below; empty for the top."""

    parent = fields.Text(load_default="", max=240)
    version = fields.Integer(required=True)


class CategoryVersionBody(Schema):
    version = fields.Integer(required=True)


class CategoryUseAnswer(Schema):
    """Own products on the category, those of them in front of buyers, products and shelves below it, and how many
    of its products state each attribute.
    """

    products = fields.Integer()
    listed = fields.Integer()
    below = fields.Integer()
    shelves = fields.Integer()
    stated = fields.Dict()


class CategoryDetailAnswer(Schema):
    category = fields.Nested(CategoryAnswer)
    own = fields.Boolean()
    attributes = fields.List(fields.Nested(AttributeSchema))
    use = fields.Nested(CategoryUseAnswer)
