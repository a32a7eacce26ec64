"""A mapping is kept in versions, compared, gone back to and carried in a file; what is wrong with one is said with its place."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from core.kernel import Conflict, Forbidden, Invalid, NotFound
from core.sync.mapping import service
from core.sync.mapping.model import SyncMapping

NOTE = {"target": "FNote", "value": "'通商 ' + order.buyer_po", "type": "text", "format": "", "default": "", "table": ""}
CHANNEL = {"target": "FSaleOrderEntry[].F_TS_CHANNEL", "value": "text(line.no)"}
GROUP = {"field": "group", "value": "first(row['FMaterialGroup'], '其他')"}


def document(**more):
    return {"tables": {"units": {"pcs": "Pcs"}}, "out": {"sales_order": [NOTE]}, "in": {}} | more


def codes(error):
    return {(each.path, each.code) for each in error.value.errors}


def test_before_the_first_version_nothing_is_mapped(acting):
    found = acting(service.read_mapping)
    assert (found.no, found.document, found.at) == (0, {"tables": {}, "out": {}, "in": {}}, None)


def test_each_save_is_a_version_and_the_newest_is_in_force(acting, house):
    assert acting(service.save_mapping, document(), 0, "备注").no == 1
    assert acting(service.save_mapping, document(out={"sales_order": [CHANNEL]}), 1).no == 2
    found = acting(service.read_mapping)
    assert (found.no, found.author) == (2, "陈工")
    assert [rule["target"] for rule in found.document["out"]["sales_order"]] == [CHANNEL["target"]]
    assert acting(service.read_mapping, 1).note == "备注"
    with pytest.raises(NotFound):
        acting(service.read_mapping, 3)
    trail = house.sql("SELECT action FROM ts.audit_entry WHERE action = 'connection.mapping'")
    assert len(trail) == 2


def test_saying_the_same_again_makes_no_version(acting):
    acting(service.save_mapping, document(), 0)
    assert acting(service.save_mapping, document(), 1).no == 1


def test_who_did_not_see_the_newest_version_is_told_and_changes_nothing(acting):
    acting(service.save_mapping, document(), 0)
    with pytest.raises(Conflict) as refused:
        acting(service.save_mapping, document(tables={}), 0)
    assert (refused.value.code, refused.value.values["no"]) == ("mapping.changed", 1)
    assert acting(service.read_mapping).document["tables"]


def test_of_two_at_once_one_wins(acting, house):
    def save(n):
        try:
            return acting(service.save_mapping, document(tables={"units": {"pcs": f"P{n}"}}), 0).no
        except Conflict as refused:
            return refused.code

    with ThreadPoolExecutor(4) as pool:
        ended = list(pool.map(save, range(4)))
    assert sorted(map(str, ended)) == ["1", "mapping.changed", "mapping.changed", "mapping.changed"]


def test_versions_are_compared_line_by_line(acting):
    acting(service.save_mapping, document(), 0)
    wanted = {"tables": {"units": {"pcs": "Stk", "t": "T"}}, "out": {"sales_order": [NOTE | {"default": "-"}, CHANNEL]}}
    acting(service.save_mapping, wanted, 1)
    found = {each.path: (each.before, each.after) for each in acting(service.compare, 1, 2)}
    assert found["tables.units.pcs"] == ("Pcs", "Stk")
    assert found["tables.units.t"] == ("", "T")
    assert found["out.sales_order.FNote"] == (NOTE["value"], f"{NOTE['value']} · default -")
    assert found[f"out.sales_order.{CHANNEL['target']}"] == ("", CHANNEL["value"])
    assert acting(service.compare, 2, 2) == []


def test_going_back_is_a_new_version(acting):
    acting(service.save_mapping, document(), 0)
    acting(service.save_mapping, document(tables={}), 1)
    assert acting(service.undo_mapping, 1, 2).no == 3
    assert acting(service.read_mapping).document["tables"] == {"units": {"pcs": "Pcs"}}
    assert acting(service.undo_mapping, 0, 3).document == {"tables": {}, "out": {}, "in": {}}


def test_the_order_of_a_table_is_kept(acting):
    rows = {"zz": "1", "a": "1", "mmmm": "2"}
    acting(service.save_mapping, {"tables": {"units": rows}}, 0)
    assert list(acting(service.read_mapping).document["tables"]["units"]) == list(rows)


def test_a_file_is_taken_back_as_it_was(acting, house):
    acting(service.save_mapping, document(**{"in": {"products": [GROUP]}}), 0)
    file = acting(service.exported)
    before = acting(service.read_mapping).document
    acting(service.undo_mapping, 0, 1)
    assert acting(service.imported, b"\xef\xbb\xbf" + file, 2).no == 3
    assert acting(service.read_mapping).document == before


@pytest.mark.parametrize(
    ("file", "path", "code"),
    [
        (b"", "file", "mapping.not_json"),
        (b"[1]", "file", "mapping.not_an_object"),
        (b"{" * 5000, "file", "mapping.not_json"),
        (b'{"format": 1, "connector": "kingdee", "tables": {"units": {"a": "1", "a": "2"}}}', "file", "mapping.not_json"),
        (b'{"format": 9}', "format", "mapping.file_format"),
        (b'{"format": 1, "connector": "sap"}', "connector", "mapping.other_connector"),
        (b'{"format": 1, "connector": "kingdee", "more": 1}', "more", "field.unknown"),
        (b'{"format": 1, "connector": "kingdee", "out": {"invoice": []}}', "out.invoice", "mapping.section_unknown"),
        (
            b'{"format": 1, "connector": "kingdee", "out": {"sales_order": [{"target": "A", "value": "nobody"}]}}',
            "out.sales_order.0.value",
            "mapping.expr.name",
        ),
    ],
)
def test_a_file_with_a_fault_is_refused_whole_with_the_path(acting, file, path, code):
    with pytest.raises(Invalid) as refused:
        acting(service.imported, file, 0)
    assert codes(refused) == {(path, code)}
    assert acting(service.read_mapping).no == 0


@pytest.mark.parametrize(
    ("way", "rule", "path", "code"),
    [
        ("out", {"target": "", "value": "1"}, "target", "mapping.target"),
        ("out", {"target": "A..B", "value": "1"}, "target", "mapping.target"),
        ("out", {"target": "A[]", "value": "1"}, "target", "mapping.target"),
        ("out", {"target": "A", "value": "line.no"}, "value", "mapping.line_in_head"),
        ("out", {"target": "A", "value": ""}, "value", "mapping.expr.empty"),
        ("out", {"target": "A", "value": "order.buyer"}, "value", "mapping.expr.field"),
        ("out", {"target": "A", "value": "1", "type": "money"}, "type", "choice.unknown"),
        ("out", {"target": "A", "value": "1", "type": "number", "format": "11"}, "format", "mapping.format"),
        ("out", {"target": "A", "value": "today", "type": "date", "format": "%Y"}, "format", "mapping.format"),
        ("out", {"target": "A", "value": "1", "type": "flag", "format": "X"}, "format", "mapping.format"),
        ("out", {"target": "A", "value": "1", "table": "nowhere"}, "table", "mapping.table_unknown"),
        ("out", {"target": "A", "value": "1", "more": "1"}, "more", "field.unknown"),
        ("out", {"target": "A", "value": "1", "default": "x" * 201}, "default", "connection.text"),
        ("in", {"field": "external_id", "value": "1"}, "field", "mapping.field_unknown"),
        ("in", {"field": "name", "value": "1", "type": "number"}, "type", "mapping.type_of_field"),
        ("in", {"field": "name", "value": "order.total"}, "value", "mapping.expr.name"),
    ],
)  # fmt: skip
def test_a_wrong_rule_is_refused_where_it_is_wrong(acting, way, rule, path, code):
    section = "sales_order" if way == "out" else "products"
    with pytest.raises(Invalid) as refused:
        acting(service.save_mapping, {way: {section: [rule]}}, 0)
    assert codes(refused) == {(f"{way}.{section}.0.{path}", code)}


def test_two_rules_for_one_place_are_refused(acting):
    with pytest.raises(Invalid) as refused:
        acting(service.save_mapping, document(out={"sales_order": [NOTE, NOTE]}), 0)
    assert codes(refused) == {("out.sales_order.1.target", "mapping.twice")}


@pytest.mark.parametrize("rows", [{"": "x"}, {"a": ""}, {"a": "x" * 201}, {"a\n": "b\x00"}, {"a": 1}, ["a"], None])
def test_a_table_holds_short_lines_of_text(acting, rows):
    with pytest.raises(Invalid):
        acting(service.save_mapping, {"tables": {"units": rows}}, 0)


@pytest.mark.parametrize("wrong", [None, [], 1, {"tables": []}, {"out": []}, {"out": {"sales_order": [1]}}, {"in": {"x": 1}}])
def test_what_is_no_mapping_is_refused(acting, wrong):
    with pytest.raises(Invalid):
        acting(service.save_mapping, wrong, 0)


def test_only_who_may_change_connections_changes_mappings(house):
    from core.kernel import Actor

    with house.app.acting(house.seller, Actor.system("test"), {"connection.view": None}) as ctx:
        assert service.read_mapping(ctx, house.connection_id).no == 0
        for verb, args in ((service.save_mapping, ({}, 0)), (service.undo_mapping, (0, 0)), (service.imported, (b"{}", 0))):
            with pytest.raises(Forbidden):
                verb(ctx, house.connection_id, *args)
    with house.app.acting(house.seller, Actor.system("test"), {}) as ctx, pytest.raises(Forbidden):
        service.read_mapping(ctx, house.connection_id)


def test_another_enterprise_sees_nothing_of_it(acting, house):
    acting(service.save_mapping, document(), 0)
    with house.app.system(house.buyer, "test") as ctx:
        with pytest.raises(NotFound):
            service.read_mapping(ctx, house.connection_id)
        assert ctx.session.query(SyncMapping).count() == 0


def test_a_version_is_never_rewritten(acting, house):
    acting(service.save_mapping, document(), 0)
    for change in ("UPDATE ts.sync_mapping SET note = 'x'", "DELETE FROM ts.sync_mapping"):
        with pytest.raises(Exception, match="permission denied"):
            house.sql(change)


def test_an_exported_file_is_plain_json_that_people_read(acting):
    acting(service.save_mapping, document(), 0)
    told = json.loads(acting(service.exported))
    assert (told["format"], told["connector"]) == (1, "kingdee")
    assert told["tables"] == {"units": {"pcs": "Pcs"}}
