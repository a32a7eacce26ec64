"""The quick way to answer says exactly what marshmallow says."""

import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from types import SimpleNamespace
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from core.web import Schema, fields
from core.web.dumping import dumper, written


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
    quick, of_many = dumper(Outer(), many=False), dumper(Outer(), many=True)
    assert json.loads(written(quick(row))) == Outer().dump(row)
    assert json.loads(written(of_many([row, row]))) == Outer(many=True).dump([row, row])


@pytest.mark.parametrize(
    "other",
    [
        {"title": 7},
        {"id": str(UUID(int=7))},
        {"day": datetime(2026, 11, 23, 8, 0, 0, 5, tzinfo=timezone(timedelta(hours=8)))},
        {"at": datetime(2026, 11, 23, 8, 0, 0, 250000, tzinfo=ZoneInfo("Asia/Shanghai"))},
        {"total": None, "title": None, "id": None, "lines": None},
        {"absent": "here"},
    ],
    ids=lambda other: "-".join(other),
)
def test_values_of_other_types_are_dumped_the_same_way_round(other):
    quick = dumper(Outer(), many=False)
    for row in (ROW, {**ROW, **other}, ROW):
        assert json.loads(written(quick(row))) == Outer().dump(row)


def test_one_field_is_dumped_like_many():
    assert dumper(Inner(only=["price"]), many=False)({"price": Decimal("1.500000")}) == {"price": "1.5"}


def test_a_computed_field_is_left_to_marshmallow():
    assert dumper(Computed(), many=False)({"n": 21}) == {"double": 42}


def test_what_no_schema_describes_is_written_with_its_exact_decimals():
    assert written({"total": Decimal("1E+2"), "id": UUID(int=7), 3: None}) == (
        b'{"total":"100","id":"00000000-0000-0000-0000-000000000007","3":null}'
    )


def test_what_has_no_json_form_is_not_guessed():
    with pytest.raises(TypeError, match="object"):
        written({"thing": object()})
