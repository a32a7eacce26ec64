"""Files of products as they come in and go out."""

from core.catalog.csvfile import CHARSETS
from core.catalog.schema.frame import choice
from core.web import Schema, fields
from core.work import STATES


class ImportBody(Schema):
    """A CSV file, its bytes in base64. Larger ones go through the portal's import page."""

    file_name = fields.Text(load_default="products.csv", max=120)
    charset = choice(tuple(CHARSETS), load_default="utf-8")
    content = fields.Text(required=True, max=28_000_000)


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
