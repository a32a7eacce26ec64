"""Trying a mapping on real orders and records: true answers, and nothing written there or here."""

from dataclasses import asdict
from datetime import date
from decimal import Decimal

import pytest

from core.kernel import Forbidden, NotFound
from core.sync import FixSettings
from core.sync.mapping import service, trial
from core.sync.mapping.unmapped import fix, unmapped

NOTE = {"target": "FNote", "value": "'PO ' + order.buyer_po"}
CHANNEL = {"target": "FSaleOrderEntry[].F_TS_NO", "value": "line.no", "type": "number"}


def counted(house):
    """How many rows every table of ours has, and what the ERP was asked to do beside reading."""
    tables = [row[0] for row in house.sql("SELECT tablename FROM pg_tables WHERE schemaname = 'ts' ORDER BY 1")]
    found = {}
    for name in tables:
        if house.sql(f"SELECT has_table_privilege('ts.{name}', 'SELECT')")[0][0]:
            found[name] = house.sql(f"SELECT count(*), md5(string_agg(t::text, '' ORDER BY t::text)) FROM ts.{name} t")[0]
    written = {
        name: count for name, count in house.kingdee.store.calls.items() if not name.startswith(("ExecuteBillQuery", "Login"))
    }
    return found, written, house.bills()


def document_id(house, reference):
    return house.sql(f"SELECT id FROM ts.sync_document WHERE reference = '{reference}' ORDER BY version DESC")[0][0]


@pytest.fixture
def sent(house, engine):
    """One order that landed under the mapping of the first version."""
    with house.app.system(house.seller, "陈工") as ctx:
        service.save_mapping(ctx, house.connection_id, {"out": {"sales_order": [NOTE]}}, 0)
    house.order("SO-1")
    assert house.push(engine) == ["done"]
    return house


def test_the_rules_go_out_with_the_next_document(sent):
    (bill,) = sent.bills()["SO-1"]
    assert "PO PO-77" in str(bill)


def test_a_link_is_opened_anew_when_the_mapping_changes(sent, engine, acting):
    """Links are kept per thread; a table that changed must not wait for the worker to be restarted."""
    sent.order("SO-2")
    acting(service.save_mapping, {"tables": {"units": {"pcs": "nothing-like-it"}}}, 1)
    assert sent.push(engine) != ["done"]
    acting(service.save_mapping, {"tables": {}}, 2)
    sent.order("SO-3")
    sent.push(engine)
    assert sent.states()["SO-3"] == "done"


def test_a_preview_shows_what_would_be_sent_and_what_the_rules_change(sent, acting):
    document = {"tables": {}, "out": {"sales_order": [NOTE, CHANNEL]}, "in": {}}
    before = counted(sent)
    found = acting(trial.preview_out, document_id(sent, "SO-1"), sent.rules(), document)
    assert counted(sent) == before
    assert found.body["FNote"] == "PO PO-77" and found.code == ""
    assert {each.path: (each.before, each.after) for each in found.changes} == {
        "FNote": ("通商 PO-77", "PO PO-77"),
        "FSaleOrderEntry[0].F_TS_NO": ("", "1"),
        "FSaleOrderEntry[1].F_TS_NO": ("", "2"),
    }


def test_a_preview_says_why_a_document_cannot_go(sent, acting):
    wrong = {"tables": {}, "out": {"sales_order": [{"target": "FNote", "value": "1 / 0"}]}, "in": {}}
    found = acting(trial.preview_out, document_id(sent, "SO-1"), sent.rules(), wrong)
    assert (found.code, found.field) == ("mapping.expression", "FNote")
    sent.sql("DELETE FROM ts.external_ref")
    sent.kingdee.world.merge({"customers": [{"number": "C0217", "name": "别人", "tax_code": "X"}]})
    found = acting(trial.preview_out, document_id(sent, "SO-1"), sent.rules())
    assert found.code == "kingdee.customer_missing"


def test_a_preview_of_a_stream_reads_real_rows_and_stores_none(house, acting):
    rule = {"field": "name", "value": "row['FName'] + ' ' + row['FNumber']"}
    before = counted(house)
    found = acting(trial.preview_in, "products", house.rules(), {"in": {"products": [rule]}})
    assert counted(house) == before
    told = {each.item["code"]: each for each in found}
    assert told["BRG-6204"].item["name"] == "深沟球轴承 6204 BRG-6204"
    assert [asdict(each) for each in told["BRG-6204"].changes] == [
        {"path": "name", "before": "深沟球轴承 6204", "after": "深沟球轴承 6204 BRG-6204"}
    ]
    with pytest.raises(NotFound):
        acting(trial.preview_in, "nothing", house.rules())


def test_a_dry_run_compares_with_what_was_sent_last_and_writes_nothing(sent, acting, engine):
    sent.order("SO-2")
    changed = {"out": {"sales_order": [{"target": "FNote", "value": "'new ' + order.reference"}]}}
    before = counted(sent)
    found = acting(trial.dry_run, 10, sent.rules(), changed)
    assert counted(sent) == before
    assert [each.reference for each in found] == ["SO-2", "SO-1"]  # what waits comes first
    fresh, last = found
    assert fresh.against == "rules"
    assert {each.path: each.after for each in fresh.changes} == {"FNote": "new SO-2"}
    assert last.against == "sent"
    told = {each.path: (each.before, each.after) for each in last.changes}
    assert told["FNote"] == ("PO PO-77", "new SO-1")
    assert not {path for path in told if path.startswith("FSaleOrderEntry") and "FQty" in path}


def test_a_dry_run_makes_as_many_as_asked_for(sent, acting):
    for n in range(2, 6):
        sent.order(f"SO-{n}")
    assert len(acting(trial.dry_run, 3, sent.rules())) == 3


def test_a_link_of_a_trial_refuses_to_write(sent, acting, monkeypatch):
    """Even a connector that would write while it makes its message gets no further than its own promise."""
    from connectors.kingdee.filing import SalesOrders

    def writes(self, order, lookup):
        self.client.before_write()
        raise AssertionError("it went on")

    monkeypatch.setattr(SalesOrders, "bill", writes)
    found = acting(trial.preview_out, document_id(sent, "SO-1"), sent.rules())
    assert found.code == "mapping.trial"


def test_a_system_out_of_reach_is_said(sent, acting):
    with pytest.raises(trial.Asked) as refused:
        acting(trial.preview_in, "products", [])  # the operator allows no private address
    assert isinstance(refused.value, FixSettings)


def test_only_who_may_change_a_mapping_tries_one(sent):
    from core.kernel import Actor

    with sent.app.acting(sent.seller, Actor.system("test"), {"connection.view": None}) as ctx, pytest.raises(Forbidden):
        trial.dry_run(ctx, sent.connection_id, 1, sent.rules())


def test_a_customer_without_counterpart_is_listed_pasted_and_replayed(house, engine, acting):
    house.kingdee.world.merge({"customers": [{"number": "C0217", "name": "别人", "tax_code": "X"}]})
    house.order("SO-1")
    house.order("SO-2")
    house.push(engine)
    (missing,) = acting(unmapped)
    assert (missing.table, missing.ours, missing.name, missing.count) == ("partners", "91350100M000100Y43", "锡安达机电", 2)
    version, count = acting(fix, {"partners": {"91350100M000100Y43": "C0217"}}, 0)
    assert (version.no, count) == (1, 2)
    assert acting(unmapped) == []
    assert house.push(engine) == ["done", "done"]
    assert {number: len(bills) for number, bills in house.bills().items()} == {"SO-1": 1, "SO-2": 1}


def test_a_unit_without_counterpart_is_told_apart_from_those_that_have_one(house, engine, acting):
    house.order("SO-1")
    house.sql("UPDATE ts.sync_document SET body = jsonb_set(body, '{lines,0,unit}', '\"drum\"')")
    house.push(engine)
    (missing,) = acting(unmapped)
    assert (missing.table, missing.ours, missing.theirs, missing.count) == ("units", "drum", "", 1)


def test_a_pasted_unit_lets_its_document_pass(house, engine, acting):
    house.order("SO-1")
    house.sql("UPDATE ts.sync_document SET body = jsonb_set(body, '{lines,0,unit}', '\"drum\"')")
    house.push(engine)
    assert house.states() == {"SO-1": "failed"}
    acting(fix, {"units": {"drum": "Pcs"}}, 0)
    assert house.push(engine) == ["done"]


def test_a_record_left_out_for_its_unit_comes_in_once_the_unit_is_mapped(house, acting):
    house.kingdee.world.merge({"units": [{"number": "桶"}], "materials": [{"number": "OIL", "name": "油", "unit": "桶"}]})
    run(house, acting)
    (missing,) = acting(unmapped)
    assert (missing.table, missing.ours, missing.theirs, missing.streams) == ("units", "", "桶", {"products"})
    acting(fix, {"units": {"drum": "桶"}}, 0)
    assert acting(unmapped) == []
    assert house.sql("SELECT cursor FROM ts.sync_stream WHERE key = 'products'") == [(None,)]
    run(house, acting)
    assert house.sql("SELECT base_uom FROM ts.product WHERE code = 'OIL'") == [("drum",)]


def test_a_material_of_theirs_becomes_our_product(house, acting):
    run(house, acting)
    house.kingdee.world.merge({"materials": [{"number": "TM-1", "name": "轴承", "unit": "Pcs"}]})
    with house.app.system(house.seller, "陈工") as ctx:
        service.save_mapping(ctx, house.connection_id, {"tables": {"materials": {"BRG-6204": "TM-1"}}}, 0)
    run(house, acting)
    assert house.sql("SELECT code, name_zh FROM ts.product WHERE code IN ('TM-1', 'BRG-6204')") == [("BRG-6204", "轴承")]


def run(house, acting):
    """Fetch the products once."""
    from core.sync import sync_now

    acting(sync_now, "products")
    puller = house.puller()
    while claimed := puller.claim():
        puller.run(claimed)


def test_what_a_rule_leaves_out_is_listed_and_healed_too(house, acting):
    rule = {"field": "specification", "value": "row['FNumber']", "type": "text", "table": "specs"}
    acting(service.save_mapping, {"tables": {"specs": {"x": "nothing"}}, "in": {"products": [rule]}}, 0)
    run(house, acting)
    assert {(each.table, each.theirs) for each in acting(unmapped)} == {("specs", "BRG-6204"), ("specs", "RB-HRB400E-16")}
    acting(fix, {"specs": {"6204": "BRG-6204", "HRB400E": "RB-HRB400E-16"}}, 1)
    run(house, acting)
    assert dict(house.sql("SELECT code, spec FROM ts.product")) == {"BRG-6204": "6204", "RB-HRB400E-16": "HRB400E"}


def test_facts_of_an_order_are_what_rules_read(sent, acting):
    rules = [
        {"target": "F_A", "value": "order.total", "type": "number", "format": "1"},
        {"target": "F_B", "value": "order.delivery_on", "type": "date"},
        {"target": "F_C", "value": "order.partner_name == '锡安达机电'", "type": "flag", "format": "X/"},
    ]
    found = acting(trial.preview_out, document_id(sent, "SO-1"), sent.rules(), {"out": {"sales_order": rules}})
    assert (found.body["F_A"], found.body["F_B"], found.body["F_C"]) == (
        Decimal("12316.0"),
        date(2026, 12, 5).isoformat(),
        "X",
    )
