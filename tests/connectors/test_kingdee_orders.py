"""Orders out to K/3 Cloud in full: kept lines, batches, Push, references that are not unique, look-ups that lag."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
import requests

from connectors.kingdee.client import Saved
from connectors.kingdee.simulator import DEMO_ACCOUNT, Simulator
from connectors.kingdee.simulator.__main__ import make
from connectors.kingdee.system import Kingdee, KingdeeLink
from tests.connectors.conftest import order
from tongshang.connect import (
    Access,
    Ambiguous,
    FixSettings,
    LineOut,
    OrderOut,
    OutboundRule,
    Rejected,
    RetryLater,
    Uncertain,
    differences,
    session,
)

ORDER = "SAL_SaleOrder"
ENTRY = "FSaleOrderEntry_FEntryID"


@pytest.fixture
def link_of(kingdee: Simulator) -> Iterator[Callable[..., KingdeeLink]]:
    opened = []

    def make(**settings: str) -> KingdeeLink:
        http = session([OutboundRule.parse(f"127.0.0.1:{kingdee.port}")])
        opened.append(http)
        values = {"way": "signed", "acct_id": DEMO_ACCOUNT.acct_id, "username": "demo", "saler": "XS01"}
        values |= {"app_id": DEMO_ACCOUNT.app_id} | settings
        access = Access(kingdee.url, "100", values, {"app_secret": DEMO_ACCOUNT.app_secret})
        return Kingdee().open(access, http)

    yield make
    for http in opened:
        http.close()


def sold(number: str, *lines: tuple[int, str, str, str, str]) -> OrderOut:
    """An order of ours; a line is its number, material, unit, quantity, gross."""
    made = tuple(
        LineOut(no, uuid4(), code, code, unit, Decimal(quantity), Decimal("0.13"), Decimal(gross))
        for no, code, unit, quantity, gross in lines
    )
    total = sum((line.gross for line in made), Decimal(0))
    return OrderOut(
        object_id=uuid4(),
        reference=number,
        version=1,
        partner_id=uuid4(),
        partner_name="锡安达机电",
        partner_code="91320200MA1N2PQR3X",
        buyer_po="PO-7",
        currency="CNY",
        total=total,
        ordered_on=date(2026, 11, 22),
        delivery_on=None,
        ship_to="",
        note="",
        lines=made,
    )


BEARINGS = (1, "BRG-6204", "pcs", "120", "4380.00")
REBAR = (2, "RB-HRB400E-16", "t", "2", "7936.00")


def nobody(*_: Any) -> None:
    return None


def test_a_changed_order_keeps_its_lines_and_loses_only_those_we_dropped(client_of, link_of):
    link = link_of()
    bill = link.bill(sold("TS-1", BEARINGS, REBAR), nobody)
    found = link.send(bill, None)
    keys = [ENTRY, "FMaterialId.FNumber", "FQty", "FEntryNote"]
    before = client_of().query(ORDER, keys, "FBillNo='TS-1'", f"{ENTRY} ASC")
    assert [row[3] for row in before] == ["1", "2"]
    more = link.bill(sold("TS-1", (1, "BRG-6204", "pcs", "100", "3650.00"), REBAR), nobody)
    changed = link.send(more, found)
    assert changed.finished and differences(more, changed) == []
    after = client_of().query(ORDER, keys, "FBillNo='TS-1'", f"{ENTRY} ASC")
    assert [row[0] for row in after] == [row[0] for row in before]
    assert [row[2] for row in after] == [100, 2]
    fewer = link.bill(sold("TS-1", REBAR), nobody)
    link.send(fewer, changed)
    assert [row[0] for row in client_of().query(ORDER, keys, "FBillNo='TS-1'")] == [before[1][0]]


def test_a_reference_may_live_in_a_field_of_the_site(kingdee, link_of):
    link = link_of(fields="order.reference=F_TS_Order")
    bill = link.bill(sold("TS-1", BEARINGS), nobody)
    assert "FBillNo" not in bill.body and bill.body["F_TS_Order"] == "TS-1"
    found = link.send(bill, None)
    assert found.finished and found.number.startswith("XSDD")
    assert link.find("TS-1") == found and link.find(found.number) is None
    answer = requests.post(f"{kingdee.admin}/ship", json={"order": found.number}, timeout=5)
    assert answer.status_code == 200
    stream = link.stream("deliveries")
    ((row,),) = (page.rows for page in stream.pull(None, None))
    assert (stream.to_core(row).reference, stream.to_core(row).lines[0].line) == ("TS-1", 1)
    void = link_of(fields="order.reference=F_TS_Order")
    other = void.send(void.bill(sold("TS-2", BEARINGS), nobody), None)
    assert void.cancel(other).cancelled


def test_an_order_goods_left_for_is_not_changed_any_more(kingdee, link_of):
    link = link_of()
    found = link.send(link.bill(sold("TS-1", BEARINGS), nobody), None)
    requests.post(
        f"{kingdee.admin}/ship", json={"order": "TS-1", "quantity": 20}, timeout=5
    ).raise_for_status()
    for act in (
        lambda: link.send(link.bill(sold("TS-1", REBAR), nobody), found),
        lambda: link.cancel(found),
    ):
        with pytest.raises(Rejected) as refused:
            act()
        assert "下游单据" in refused.value.message
    assert link.find("TS-1") == found


def test_a_look_up_that_lags_leaves_the_outcome_open_and_finds_it_later(kingdee, link_of):
    link = link_of()
    bill = link.bill(sold("TS-1", BEARINGS), nobody)
    kingdee.faults.set([{"match": {"kind": ORDER}, "mode": "look_up_lag", "seconds": 60}])
    with pytest.raises(Uncertain) as open_:
        link.send(bill, None)
    assert open_.value.code == "kingdee.vanished"
    assert link.find("TS-1") is None
    with pytest.raises(Uncertain):  # the number is taken, so the first one is there
        link.send(bill, None)
    kingdee.faults.set([])
    found = link.find("TS-1")
    assert found is not None and found.finished
    assert len(list(kingdee.store.all(ORDER))) == 1


def test_a_reference_that_is_there_twice_is_a_matter_for_people(kingdee, link_of):
    switched = requests.post(f"{kingdee.admin}/unique", json={"on": False}, timeout=5)
    assert switched.json() == {"unique": False}
    link = link_of()
    bill = link.bill(sold("TS-1", BEARINGS), nobody)
    link.send(bill, None)
    with pytest.raises(Uncertain):
        link.send(bill, None)
    with pytest.raises(Ambiguous) as twice:
        link.find("TS-1")
    assert twice.value.code == "kingdee.reference_twice"
    assert len(list(kingdee.store.all(ORDER))) == 2


def test_the_program_takes_references_that_are_not_unique(tmp_path):
    world = tmp_path / "world.json"
    world.write_text('{"customers": [{"number": "C9", "name": "世界"}]}', encoding="utf-8")
    with make(world=world, unique=False) as simulator:
        assert simulator.services.unique is False
        assert simulator.store.by_number("BD_Customer", "C9") is not None


def test_lines_before_the_finance_head_lose_the_tax_price(client_of):
    """Why the order of the keys of a model is kept."""
    model = order()
    entries = model.pop("FSaleOrderEntry")
    finance = model.pop("FSaleOrderFinance")
    with pytest.raises(Rejected) as refused:
        client_of().save(ORDER, {**model, "FSaleOrderEntry": entries, "FSaleOrderFinance": finance})
    assert refused.value.field == "FTaxPrice"
    client_of().save(ORDER, {**model, "FSaleOrderFinance": finance, "FSaleOrderEntry": entries})


def test_changing_one_line_leaves_the_others(client_of):
    client = client_of()
    second = order()["FSaleOrderEntry"][0] | {
        "FMaterialId": {"FNumber": "RB-HRB400E-16"},
        "FUnitID": {"FNumber": "t"},
    }
    saved = client.save(ORDER, order(FSaleOrderEntry=[order()["FSaleOrderEntry"][0], second]))
    first, other = client.query(ORDER, [ENTRY, "FQty"], "FBillNo='TS-1'", f"{ENTRY} ASC")
    client.change_lines(ORDER, int(saved.id), "FSaleOrderEntry", [{"FEntryID": first[0], "FQty": Decimal(7)}])
    assert client.query(ORDER, [ENTRY, "FQty"], "FBillNo='TS-1'", f"{ENTRY} ASC") == [[first[0], 7], other]
    with pytest.raises(ValueError, match="FEntryID"):
        client.change_lines(ORDER, int(saved.id), "FSaleOrderEntry", [{"FQty": Decimal(7)}])


# -- many at once


def test_a_batch_is_asked_for_until_it_is_done_and_each_packet_has_its_own_end(kingdee, client_of):
    client = client_of()
    client.save(ORDER, order("TS-2"))
    models = [order("TS-1"), order("TS-2"), order("TS-3", FCustId={"FNumber": "NONE"}), order("TS-4")]
    first, taken, wrong, last = client.save_many(ORDER, models, pause=0.01)
    assert isinstance(first, Saved) and isinstance(last, Saved)
    assert (first.number, last.number) == ("TS-1", "TS-4")
    assert isinstance(taken, Rejected) and "已存在" in taken.message
    assert isinstance(wrong, Rejected) and wrong.field == "FCustId"
    assert kingdee.store.calls["QueryAsyncResult"] == 2
    assert sorted(document.number for document in kingdee.store.all(ORDER)) == ["TS-1", "TS-2", "TS-4"]


@pytest.mark.parametrize("mode", ["drop_after", "html_200", "cut_body", "status_500_after"])
@pytest.mark.parametrize("service", ["BatchSave", "QueryAsyncResult"])
def test_a_batch_whose_end_is_not_heard_is_uncertain(kingdee, client_of, mode, service):
    kingdee.faults.set([{"match": service, "mode": mode, "times": 1}])
    with pytest.raises(Uncertain):
        client_of().save_many(ORDER, [order("TS-1")], pause=0.01)
    assert len(list(kingdee.store.all(ORDER))) == 1


def test_a_batch_that_never_ends_is_given_up_as_uncertain(kingdee, client_of):
    with pytest.raises(Uncertain) as open_:
        client_of().save_many(ORDER, [order("TS-1")], pause=0.01, patience=-1)
    assert open_.value.code == "kingdee.batch_open"


@pytest.mark.parametrize("mode", ["call_limit", "lock_conflict"])
def test_a_question_for_the_end_that_is_refused_is_no_end(kingdee, client_of, mode):
    kingdee.faults.set([{"match": "QueryAsyncResult", "mode": mode, "times": 1}])
    with pytest.raises(Uncertain) as open_:
        client_of().save_many(ORDER, [order("TS-1")], pause=0.01)
    assert open_.value.code == "kingdee.batch_open"
    assert len(list(kingdee.store.all(ORDER))) == 1


def test_a_session_lost_while_a_batch_runs_is_renewed_to_hear_its_end(kingdee, client_of):
    client = client_of("password")
    kingdee.faults.set([{"match": "QueryAsyncResult", "mode": "session_lost", "times": 1}])
    (saved,) = client.save_many(ORDER, [order("TS-1")], pause=0.01)
    assert isinstance(saved, Saved) and saved.number == "TS-1"
    assert kingdee.store.calls["ValidateUser"] == 2


def test_a_door_shut_while_a_batch_runs_leaves_it_open(kingdee, client_of, monkeypatch):
    client = client_of()
    plain = client.answer

    def shut(service: str, body: Any, *, write: bool) -> Any:
        if service.endswith("QueryAsyncResult"):
            raise FixSettings("http.forbidden", "the server answered 403")
        return plain(service, body, write=write)

    monkeypatch.setattr(client, "answer", shut)
    with pytest.raises(Uncertain):
        client.save_many(ORDER, [order("TS-1")], pause=0.01)
    assert len(list(kingdee.store.all(ORDER))) == 1


@pytest.mark.parametrize(
    ("code", "kinds"),
    [
        (11, [Saved, Rejected, Uncertain]),
        (13, [Saved, RetryLater, Uncertain]),
        (2, [Saved, FixSettings, Uncertain]),
        (4, [Saved, Uncertain, Uncertain]),
        (6, [Saved, Uncertain, Uncertain]),
        (1, [Saved, Uncertain, Uncertain]),
    ],
)
def test_each_packet_has_the_end_its_code_says_and_silence_is_no_end(client_of, monkeypatch, code, kinds):
    client = client_of()
    status = {
        "IsSuccess": False,
        "MsgCode": code,
        "Errors": [{"FieldName": "", "Message": "no", "DIndex": 1}],
        "SuccessEntitys": [{"Id": 7, "Number": "TS-1", "DIndex": 0}, {"Id": "", "Number": "TS-3", "DIndex": 2}],
    }
    done = {"Status": 2, "TaskId": "t", "Result": {"Result": {"ResponseStatus": status}}}
    monkeypatch.setattr(client, "answer", lambda service, body, *, write: done)
    found = client.save_many(ORDER, [order("TS-1"), order("TS-2"), order("TS-3")], pause=0.01)
    assert [type(each) for each in found] == kinds


def test_a_server_that_refuses_every_packet_at_once_gives_each_its_own_reason(kingdee, client_of, link_of):
    """One that does not work batches off by itself; a number that is taken may be ours from a lost answer."""
    kingdee.services._begin = lambda caller, service, body: kingdee.services.answer(
        caller, service, {key: value for key, value in body.items() if key != "beginmethod"}
    )
    client_of().save(ORDER, order("TS-1"))
    link = link_of()
    bills = [link.bill(sold("TS-1", BEARINGS), nobody), link.bill(sold("TS-2", (1, "GONE", "pcs", "1", "1")), nobody)]
    taken, wrong = link.send_many(bills)
    assert (type(taken), taken.code) == (Uncertain, "kingdee.number_taken")
    assert isinstance(wrong, Rejected) and wrong.field == "FMaterialId" and "TS-1" not in wrong.message


# -- Push


def test_push_makes_a_bill_that_still_wants_its_audit(kingdee, client_of):
    client = client_of()
    client.save(ORDER, order())
    with pytest.raises(Rejected):
        client.push(ORDER, ["TS-1"], "SAL_OUTSTOCK")  # not audited yet
    client.submit(ORDER, "TS-1")
    client.audit(ORDER, "TS-1")
    (bill,) = client.push(ORDER, ["TS-1"], "SAL_OUTSTOCK")
    keys = ["FDocumentStatus", "FSoorDerno", "FRealQty", "FCustomerID.FNumber"]
    where = f"FBillNo = '{bill.number}'"
    assert client.query("SAL_OUTSTOCK", keys, where) == [["A", "TS-1", 120, "CUST0001"]]
    client.submit("SAL_OUTSTOCK", bill.number)
    client.audit("SAL_OUTSTOCK", bill.number)
    assert client.query("SAL_OUTSTOCK", keys, where)[0][0] == "C"
    assert client.view("SAL_OUTSTOCK", number=bill.number)["Entity"][0]["SoorDerno"] == "TS-1"
    with pytest.raises(Rejected) as full:
        client.push(ORDER, ["TS-1"], "SAL_OUTSTOCK")
    assert "源单关联数量" in full.value.message
    with pytest.raises(Rejected):
        client.push(ORDER, ["TS-1"], "BD_MATERIAL")


def test_a_push_that_was_done_in_part_is_not_called_refused(kingdee, client_of):
    client = client_of()
    for number in ("TS-1", "TS-2"):
        client.save(ORDER, order(number))
    client.submit(ORDER, "TS-1")
    client.audit(ORDER, "TS-1")
    with pytest.raises(Uncertain, match="XSCKD"):
        client.push(ORDER, ["TS-1", "TS-2"], "SAL_OUTSTOCK")
    assert len(list(kingdee.store.all("SAL_OUTSTOCK"))) == 1


def test_a_void_bill_gives_its_quantity_back(kingdee, client_of):
    client = client_of()
    client.save(ORDER, order())
    client.submit(ORDER, "TS-1")
    client.audit(ORDER, "TS-1")
    (bill,) = client.push(ORDER, ["TS-1"], "SAL_OUTSTOCK")
    client.operate("SAL_OUTSTOCK", "Cancel", bill.number)
    (again,) = client.push(ORDER, ["TS-1"], "SAL_OUTSTOCK")
    assert again.number != bill.number


def test_the_mapped_tables_of_the_console_come_before_the_settings(link_of, kingdee):
    http = session([OutboundRule.parse(f"127.0.0.1:{kingdee.port}")])
    values = {"way": "signed", "acct_id": DEMO_ACCOUNT.acct_id, "username": "demo", "saler": "XS01"}
    values |= {"app_id": DEMO_ACCOUNT.app_id, "units": "pcs=100pcs"}
    access = Access(kingdee.url, "100", values, {"app_secret": DEMO_ACCOUNT.app_secret})
    link = Kingdee().open(access, http)
    assert link.bill(sold("TS-1", BEARINGS), nobody).lines[0].unit == "100pcs"
    link = Kingdee().open(replace(access, tables={"units": {"pcs": "Pcs"}}), http)
    assert link.bill(sold("TS-1", BEARINGS), nobody).lines[0].unit == "Pcs"
    http.close()
