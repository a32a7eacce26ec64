"""The quick way to answer says exactly what marshmallow says."""

from datetime import UTC, date, datetime
from decimal import Decimal
from types import SimpleNamespace
from uuid import UUID

import pytest

from core.web import Schema, fields
from core.web.dumping import dumper


class Inner(Schema):
    no = fields.Integer()
    price = fields.Price(allow_none=True)


class Outer(Schema):
    id = fields.UUID()
    name = fields.Text(attribute="title")
    total = fields.Money()
    quantity = fields.Quantity()
    at = fields.DateTime(allow_none=True)
    day = fields.Date()
    open = fields.Boolean()
    lines = fields.List(fields.Nested(Inner))
    first = fields.Nested(Inner, allow_none=True)
    tags = fields.List(fields.Text())
    anything = fields.Dict()
    absent = fields.Text()


class Computed(Schema):
    double = fields.Method("doubled")

    def doubled(self, value):
        return value["n"] * 2


ROW = {
    "id": UUID(int=7),
    "title": "螺纹钢 𠮷",
    "total": Decimal("1130"),
    "quantity": Decimal("53.180000"),
    "at": datetime(2026, 11, 23, 8, tzinfo=UTC),
    "day": date(2026, 11, 23),
    "open": True,
    "lines": [{"no": 10, "price": Decimal("4280.000001")}, {"no": 20, "price": None}],
    "first": None,
    "tags": ["a", "b"],
    "anything": {"k": "v"},
}


@pytest.mark.parametrize("make", [dict, lambda row: SimpleNamespace(**row)], ids=["dict", "object"])
def test_the_quick_dump_equals_marshmallows(make):
    row = make(ROW)
    assert dumper(Outer(), many=False)(row) == Outer().dump(row)
    assert dumper(Outer(), many=True)([row, row]) == Outer(many=True).dump([row, row])


def test_a_computed_field_is_left_to_marshmallow():
    assert dumper(Computed(), many=False)({"n": 21}) == {"double": 42}
