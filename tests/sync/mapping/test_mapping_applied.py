"""Rules at work: laid over a message that goes out and a record that comes in, without touching what must stay."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest

from core.sync.contract import Access, Bill
from core.sync.incoming import DeliveryIn, MovedLine, PriceIn, ProductIn, StockIn
from core.sync.mapping.applied import NOTHING, overlay, ready, record
from core.sync.outcome import Rejected, RemoteLine, SkipRecord
from core.sync.outgoing import LineOut, OrderOut

LINES = tuple(
    LineOut(no, UUID(int=no), f"M{no}", f"料 {no}", "pcs", Decimal(no), Decimal("0.13"), Decimal(10 * no)) for no in (1, 2)
)
ORDER = OrderOut(
    UUID(int=9), "SO-1", 3, UUID(int=8), "锡安达机电", "9135", "PO-77", "CNY", Decimal("30.00"), date(2026, 11, 1),
    date(2026, 12, 5), "厦门", "", LINES,
)  # fmt: skip
BODY = {
    "FBillNo": "SO-1",
    "FCustId": {"FNumber": "C1"},
    "FNote": "通商",
    "FSaleOrderEntry": [{"FEntryID": 0, "FQty": Decimal(1)}, {"FEntryID": 0, "FQty": Decimal(2)}],
}
REMOTE = tuple(RemoteLine(f"M{no}", Decimal(no), "Pcs", Decimal(10), Decimal(10 * no)) for no in (1, 2))
BILL = Bill("SO-1", "C1", "PRE001", Decimal("30.00"), REMOTE, BODY)
FULL = {"type": "text", "format": "", "default": "", "table": ""}


def rules(*out, tables=None, **into):
    return ready({"tables": tables or {}, "out": {"sales_order": [FULL | each for each in out]},
                  "in": {name: [FULL | each for each in told] for name, told in into.items()}}, 1)  # fmt: skip


def sent(*out, tables=None, body=BODY, order=ORDER):
    return overlay(replace(BILL, body=body), order, rules(*out, tables=tables)).body


def test_without_rules_the_bill_is_the_connectors_own():
    assert overlay(BILL, ORDER, NOTHING) is BILL
    assert overlay(BILL, ORDER, rules()) is BILL


def test_a_rule_of_the_head_replaces_and_one_of_the_lines_goes_into_each():
    body = sent(
        {"target": "FNote", "value": "value + ' ' + order.buyer_po"},
        {"target": "FSaleOrderEntry[].F_TS", "value": "order.reference + '-' + text(line.no)"},
        {"target": "FSaleOrderEntry[].F_DAY", "value": "order.delivery_on", "type": "date", "format": "YYYYMMDD"},
    )
    assert body["FNote"] == "通商 PO-77"
    assert [entry["F_TS"] for entry in body["FSaleOrderEntry"]] == ["SO-1-1", "SO-1-2"]
    assert body["FSaleOrderEntry"][0]["F_DAY"] == "20261205"
    assert BODY["FNote"] == "通商" and "F_TS" not in BODY["FSaleOrderEntry"][0]


def test_a_new_field_of_the_head_stands_before_the_lines_and_a_new_part_is_made():
    body = sent({"target": "F_A", "value": "1", "type": "number"}, {"target": "F_B.FNumber", "value": "'x'"})
    assert list(body) == ["FBillNo", "FCustId", "FNote", "F_A", "F_B", "FSaleOrderEntry"]
    assert (body["F_A"], body["F_B"]) == (Decimal(1), {"FNumber": "x"})


def test_what_comes_to_nothing_leaves_the_field_and_makes_no_part():
    body = sent({"target": "FNote", "value": "None"}, {"target": "F_B.FNumber", "value": "None"})
    assert body == BODY
    assert sent({"target": "FNote", "value": "order.note"})["FNote"] == ""
    assert sent({"target": "FNote", "value": "order.note", "default": "无"})["FNote"] == "无"


def test_a_value_is_looked_up_and_a_default_stands_for_one_that_is_missing():
    rule = {"target": "FNote", "value": "order.currency", "table": "channels"}
    assert sent(rule, tables={"channels": {"CNY": "01"}})["FNote"] == "01"
    assert sent(rule | {"default": "99"}, tables={"channels": {}})["FNote"] == "99"
    with pytest.raises(Rejected) as refused:
        sent(rule, tables={"channels": {"USD": "02"}})
    assert (refused.value.code, refused.value.message, refused.value.field) == ("mapping.value_missing", "channels: CNY", "FNote")


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"target": "FNote", "value": "1 / 0"}, "division at character 1"),
        ({"target": "FNote", "value": "'a' + order.total"}, "number expected at character 1"),
        ({"target": "FCustId", "value": "'C2'"}, "has parts of its own"),
        ({"target": "FNote.FNumber", "value": "'C2'"}, "is a value and has no"),
        ({"target": "FCustId[].X", "value": "'C2'"}, "is no list"),
        ({"target": "FNothing[].X", "value": "'C2'"}, "is no list"),
    ],
)
def test_a_rule_that_fails_refuses_the_document_and_names_its_target(rule, said):
    with pytest.raises(Rejected) as refused:
        sent(rule)
    assert refused.value.code == "mapping.expression" and refused.value.field == rule["target"]
    assert said in refused.value.message


def test_the_reference_cannot_be_overwritten():
    """Found again by it after a lost answer: with another one a retry would make a second document."""
    with pytest.raises(Rejected) as refused:
        sent({"target": "FBillNo", "value": "'X-' + order.reference"})
    assert refused.value.code == "mapping.reference"
    assert sent({"target": "FBillNo", "value": "order.reference"})["FBillNo"] == "SO-1"


def test_a_list_that_is_not_the_lines_is_said():
    with pytest.raises(Rejected):
        sent({"target": "FSaleOrderEntry[].X", "value": "line.name"}, order=replace(ORDER, lines=LINES[:1]))


def test_lists_within_lines_and_lists_wrapped_by_odata_are_reached():
    body = {"to_Item": {"results": [{"to_Schedule": [{}, {}]}, {"to_Schedule": [{}]}]}}
    found = sent({"target": "to_Item[].to_Schedule[].X", "value": "line.no", "type": "number"}, body=body)
    assert [[each["X"] for each in item["to_Schedule"]] for item in found["to_Item"]["results"]] == [[1, 1], [2]]


def test_partners_and_materials_mapped_by_hand_go_before_what_is_known():
    mapping = rules(tables={"partners": {"9135": "C9"}, "materials": {"M2": "TM-2"}})
    lookup = mapping.lookup(lambda kind, id: f"known {kind}", ORDER)
    assert lookup("partner", ORDER.partner_id) == "C9"
    assert (lookup("product", UUID(int=1)), lookup("product", UUID(int=2))) == ("known product", "TM-2")
    by_name = rules(tables={"partners": {"锡安达机电": "C8"}})
    assert by_name.lookup(lambda *_: None, ORDER)("partner", ORDER.partner_id) == "C8"


PRODUCT = ProductIn("77", "M1", "螺栓", "pcs")
ROW = {"FNumber": "M1", "FName": "螺栓", "FMaterialGroup": {"FNumber": "G1"}, "FWeight": 1.5, "FStop": "B"}


def test_without_rules_a_record_is_the_connectors_own():
    assert record(ROW, PRODUCT, NOTHING) is PRODUCT
    mapping = rules(stock=[{"field": "warehouse", "value": "'W'"}])
    assert record(ROW, PRODUCT, mapping) is PRODUCT


def test_a_record_takes_its_fields_from_the_row():
    mapping = rules(products=[
        {"field": "group", "value": "row['FMaterialGroup']['FNumber']", "table": "groups"},
        {"field": "name", "value": "item.name + ' ' + text(row['FWeight'])"},
        {"field": "active", "value": "row['FStop'] == 'A'", "type": "flag"},
        {"field": "specification", "value": "row['nothing']", "default": "标准"},
    ], tables={"groups": {"紧固件": "G1", "杂件": "G1"}})  # fmt: skip
    found = record(ROW, PRODUCT, mapping)
    assert found == replace(PRODUCT, group="紧固件", name="螺栓 1.5", active=False, specification="标准")


def test_a_record_whose_rule_fails_is_left_out_by_its_name():
    with pytest.raises(SkipRecord) as left:
        record(ROW, PRODUCT, rules(products=[{"field": "name", "value": "row['FWeight'] + row['FName']"}]))
    assert (left.value.code, left.value.field) == ("mapping.expression", "M1")
    with pytest.raises(SkipRecord) as left:
        record(ROW, PRODUCT, rules(products=[{"field": "unit", "value": "row['FStop']", "table": "units"}]))
    assert (left.value.code, left.value.message) == ("mapping.value_missing", "units: B")


def test_numbers_and_days_come_in_typed():
    price = PriceIn("1", "M1", "pcs", "CNY", Decimal("9"))
    mapping = rules(prices=[
        {"field": "price", "value": "row['P'] / row['per']", "type": "number", "format": "4"},
        {"field": "from_day", "value": "row['day']", "type": "date"},
    ])  # fmt: skip
    found = record({"P": "x", "per": 3, "day": "2026-12-05T00:00:00"} | {"P": 10}, price, mapping)
    assert (found.price, found.from_day) == (Decimal("3.3333"), date(2026, 12, 5))


def test_their_material_becomes_ours_once_wherever_a_record_carries_it():
    mapping = rules(tables={"materials": {"A": "B", "B": "A"}})
    stock = StockIn("B@W", "B", "W", "pcs", Decimal(1))
    assert record({"FMaterialId": "B"}, stock, mapping).material == "A"
    turned = replace(stock, material="A")  # the connector looked it up by itself
    assert record({"FMaterialId": "B"}, turned, mapping).material == "A"
    delivery = DeliveryIn("1", "D1", "SO-1", date(2026, 12, 1), (MovedLine(1, "B", Decimal(1), "pcs"),))
    assert record({"lines": [{"m": "B"}]}, delivery, mapping).lines[0].material == "A"
    assert record({"FNumber": "B"}, replace(PRODUCT, code="B"), mapping).code == "A"


def test_tables_reach_the_connector():
    access = Access("", "", {"units": "pcs=Stk\nt=T"}, {}, {"units": {"pcs": "PC"}})
    assert access.table("units", {"kg": "KG"}) == {"kg": "KG", "t": "T", "pcs": "PC"}
