"""The mapping of a connection as JSON."""

from marshmallow import validate

from core.sync.mapping.trial import MOST_DOCUMENTS
from core.web import Schema, fields


class MappingAnswer(Schema):
    """One version. `document` holds `tables`, `out` and `in`, as a PUT takes them; its number is the ETag."""

    no = fields.Integer(required=True)
    document = fields.Dict(required=True)
    author = fields.Text(required=True)
    note = fields.Text(required=True)
    at = fields.DateTime(required=True, allow_none=True)


class MappingQuery(Schema):
    """A version; without it the one in force."""

    no = fields.Integer(strict=False, validate=validate.Range(0, 2**31 - 1))


class MappingIn(Schema):
    """The whole mapping; what is not named is taken away."""

    document = fields.Dict(required=True)
    note = fields.Text(load_default="", max=300)


class MappingFileIn(Schema):
    """A mapping that was exported, as it stands in its file."""

    file = fields.Dict(required=True)
    note = fields.Text(load_default="", max=300)


class MappingUndoIn(Schema):
    """The version to go back to; 0 is before the first."""

    no = fields.Integer(required=True, strict=True, validate=validate.Range(0, 2**31 - 1))
    note = fields.Text(load_default="", max=300)


class MappingVersionAnswer(Schema):
    no = fields.Integer(required=True)
    author = fields.Text(required=True)
    note = fields.Text(required=True)
    at = fields.DateTime(required=True, allow_none=True)


class MappingVersionsAnswer(Schema):
    rows = fields.List(fields.Nested(MappingVersionAnswer), required=True)


class MappingDiffQuery(Schema):
    """Two versions; 0 is before the first."""

    older = fields.Integer(required=True, validate=validate.Range(0, 2**31 - 1))
    newer = fields.Integer(required=True, validate=validate.Range(0, 2**31 - 1))


class MappingChangeAnswer(Schema):
    """One thing that differs, both sides as text."""

    path = fields.Text(required=True)
    before = fields.Text(required=True)
    after = fields.Text(required=True)


class MappingDiffAnswer(Schema):
    rows = fields.List(fields.Nested(MappingChangeAnswer), required=True)


class UnmappedAnswer(Schema):
    """A value without a counterpart: `ours` on the way out, `theirs` on the way in, the other side empty."""

    table = fields.Text(required=True)
    ours = fields.Text(required=True)
    theirs = fields.Text(required=True)
    name = fields.Text(required=True)
    count = fields.Integer(required=True)


class UnmappedListAnswer(Schema):
    rows = fields.List(fields.Nested(UnmappedAnswer), required=True)


class MappingFixIn(Schema):
    """Rows to add to a table, as `ours<TAB>theirs` lines; with `again` what waited for them is taken up."""

    table = fields.Text(required=True, min=1, max=40)
    rows = fields.Text(required=True, min=1, max=1_000_000)
    again = fields.Boolean(load_default=True)


class MappingFixAnswer(Schema):
    """The new version, and how many documents are on their way again."""

    no = fields.Integer(required=True)
    count = fields.Integer(required=True)


class PreviewOutIn(Schema):
    """An order's document to try, and a mapping that is not saved yet; without one the mapping in force is tried."""

    document_id = fields.UUID(required=True)
    document = fields.Dict()


class PreviewInIn(Schema):
    """A stream whose newest records are tried."""

    stream = fields.Text(required=True, min=1, max=40)
    document = fields.Dict()


class DryRunIn(Schema):
    """How many of the next documents are tried."""

    count = fields.Integer(load_default=10, strict=True, validate=validate.Range(1, MOST_DOCUMENTS))
    document = fields.Dict()


class SentAnswer(Schema):
    """A document as it would be sent. `against`: `changes` are against the message last `sent`, or against no `rules`."""

    document_id = fields.UUID(required=True)
    reference = fields.Text(required=True)
    body = fields.Raw(required=True)
    changes = fields.List(fields.Nested(MappingChangeAnswer), required=True)
    against = fields.Text(required=True)
    code = fields.Text(required=True)
    said = fields.Text(required=True)
    field = fields.Text(required=True)


class DryRunAnswer(Schema):
    rows = fields.List(fields.Nested(SentAnswer), required=True)


class StoredAnswer(Schema):
    """A record as it would be stored, and what the rules change of it."""

    external_id = fields.Text(required=True)
    row = fields.Raw(required=True)
    item = fields.Raw(required=True)
    changes = fields.List(fields.Nested(MappingChangeAnswer), required=True)
    code = fields.Text(required=True)
    said = fields.Text(required=True)
    field = fields.Text(required=True)


class PreviewInAnswer(Schema):
    rows = fields.List(fields.Nested(StoredAnswer), required=True)
