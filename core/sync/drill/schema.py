"""Drills over JSON."""

from core.web import Schema, fields


class DrillIn(Schema):
    """`name` is the connection's own name, as a sign that its system is meant."""

    name = fields.Text(required=True, max=80)


class ResultAnswer(Schema):
    """One case: which trouble fell on which intent, what became of it, and how many documents lie there in the end."""

    trouble = fields.Text()
    intent = fields.Text()
    reference = fields.Text()
    state = fields.Text()
    cause = fields.Text()
    said = fields.Text()
    tries = fields.Integer()
    calls = fields.Integer()
    there = fields.Integer()
    number = fields.Text()
    passed = fields.Boolean()
    left = fields.Boolean()
    milliseconds = fields.Integer()


class DrillAnswer(Schema):
    id = fields.UUID()
    state = fields.Text()
    asked_by = fields.Text()
    asked_at = fields.DateTime()
    ended_at = fields.DateTime(allow_none=True)
    total = fields.Integer()
    said = fields.Text()
    results = fields.List(fields.Nested(ResultAnswer))


class DrillsAnswer(Schema):
    rows = fields.List(fields.Nested(DrillAnswer))
