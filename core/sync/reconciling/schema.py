"""Days and differences over JSON."""

from core.web import Schema, fields


class TallyBody(Schema):
    day = fields.Date(required=True)


class TallyRow(Schema):
    """One day of a connection: how many orders each side holds and their sums by currency; `checked` of `total` so far."""

    id = fields.UUID()
    connection_id = fields.UUID()
    kind = fields.Text()
    day = fields.Date()
    state = fields.Text()
    asked_by = fields.Text()
    asked_at = fields.DateTime()
    ended_at = fields.DateTime(allow_none=True)
    ours = fields.Integer()
    theirs = fields.Integer()
    our_sums = fields.Dict()
    their_sums = fields.Dict()
    under_way = fields.Integer()
    checked = fields.Integer()
    total = fields.Integer()
    differing = fields.Integer()
    said = fields.Text()


class TalliesAnswer(Schema):
    rows = fields.List(fields.Nested(TallyRow))


class DifferenceRow(Schema):
    """`kind` is missing_there, missing_here, differs, cancelled_there or alive_there; `act` replay, look or cancel."""

    id = fields.UUID()
    reference = fields.Text()
    kind = fields.Text()
    act = fields.Text()
    currency = fields.Text()
    ours = fields.Money(allow_none=True)
    theirs = fields.Money(allow_none=True)
    document_id = fields.UUID(allow_none=True)
    object_id = fields.UUID(allow_none=True)
    acted_by = fields.Text()
    acted_at = fields.DateTime(allow_none=True)


class DifferencesAnswer(Schema):
    rows = fields.List(fields.Nested(DifferenceRow))
