"""Days and differences over JSON."""

from core.web import Schema, fields


class TallyBody(Schema):
    """Which day to count, of which kind of documents that go out here; sales orders when nothing is said."""

    day = fields.Date(required=True)
    kind = fields.Text(load_default="sales_order", max=40)


class TallyRow(Schema):
    """One kind and day of a connection: how many documents each side holds, sums by currency; `checked` of `total` so far."""

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
    """A document that is not the same on both sides.

    `kind` is missing_there, missing_here, differs, cancelled_there, alive_there or twice_there; `act` replay, look or cancel.
    """

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
