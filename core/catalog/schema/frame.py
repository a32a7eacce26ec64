"""What the shapes of this room share."""

from collections.abc import Sequence
from typing import Any

from marshmallow import validate
from marshmallow.fields import Field
from marshmallow.fields import String as MarshmallowString

from core.web import Schema, fields
from core.web.pager import MAX_PAGE


def choice(words: Sequence[str], **kwargs: Any) -> Field:
    """A text that is one of these words."""
    return MarshmallowString(validate=validate.OneOf(words), **kwargs)


class PageQuery(Schema):
    """`after` is the `next` of the page before."""

    limit = fields.Integer(load_default=25, validate=validate.Range(1, MAX_PAGE))
    after = fields.Text(max=1000)


class CountAnswer(Schema):
    count = fields.Integer()
