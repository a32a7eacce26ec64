"""Orders into SAP by function and by message: once, found again, changed, cancelled, whatever breaks."""

from __future__ import annotations

import threading
from importlib import import_module

import pytest

from connectors.sap.soap.simulator import Simulator
from connectors.sap.soap.system import SapBulk, SapSoap
from core.sync.conformance import ConnectorConformance
from tests.connectors.sap_soap_house import BASE, Desk, nobody, order
from tests.sync.conftest import BUYER_CODE
from tongshang.connect import Ambiguous, Rejected, RetryLater, Uncertain, differences

CREATE, CHANGE = "Z_TS_SALESORDER_CREATE", "Z_TS_SALESORDER_CHANGE"
CANCEL, READ = "Z_TS_SALESORDER_CANCEL", "Z_TS_SALESORDER_READ"
BULK = "SalesOrderBulkRequest"


class TestSapSoap(ConnectorConformance):
    connector = SapSoap


class TestSapBulk(ConnectorConformance):
    connector = SapBulk


@pytest.mark.parametrize(
    ("door", "key"), [("soap", "sap_soap"), ("soap.bulk", "sap_bulk"), ("idoc", "sap_idoc")]
)
def test_each_connector_has_a_door_of_its_own(door, key):
    assert import_module(f"connectors.sap.{door}").connector().key == key


@pytest.fixture
def sap():
    with Simulator() as simulator:
        simulator.world.merge(BASE)
        yield simulator


@pytest.fixture
def desk(sap):
    made = Desk(sap)
    yield made
    made.close()


# -- one link


@pytest.mark.parametrize("kind", ["soamanager", "icf", "bulk"])
def test_an_order_lands_changes_and_is_cancelled(sap, desk, kind):
    link = desk.link(kind)
    bill = link.bill(order(), nobody)
    found = link.send(bill, None)
    assert differences(bill, found) == [] and found.finished
    assert (bill.partner, bill.learned) == ("217", {("partner", next(iter(bill.learned))[1]): "217"})
    (held,) = sap.state()["orders"]
    assert (held["sold_to"], held["reference"], held["total"]) == ("0000000217", "SO-1", "12316.00")
    assert [item[0] for item in held["items"]] == ["000010", "000020"]
    smaller = link.bill(order("SO-1", ("BRG-6204", "pcs", "10", "365.00"), version=2), nobody)
    assert differences(smaller, link.send(smaller, link.find("SO-1"))) == []
    after = link.cancel(link.find("SO-1"))
    assert after.cancelled and not after.finished
    assert len(sap.state()["orders"]) == 1


def test_numbers_of_digits_alone_travel_padded_and_come_back_bare(sap, desk):
    link = desk.link()
    bill = link.bill(order("SO-1", ("004711", "pcs", "3", "30.00")), nobody)
    assert bill.lines[0].material == "4711"
    assert differences(bill, link.send(bill, None)) == []
    assert sap.state()["orders"][0]["items"][0][1] == "000000000000004711"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"partner_code": "UNKNOWN"}, "sap.customer_missing"),
        ({"partner_code": "TWICE"}, "sap.customer_ambiguous"),
        ({"partner_code": ""}, "sap.customer_missing"),
        ({"currency": "XTS"}, "sap.currency_missing"),
        ({"reference": "S" * 36}, "sap.reference_too_long"),
    ],
)
def test_an_order_without_a_counterpart_is_rejected_before_anything_is_sent(sap, desk, changes, code):
    with pytest.raises(Rejected) as refused:
        desk.link().bill(order(**changes), nobody)
    assert refused.value.code == code


def test_a_unit_without_a_word_is_rejected_until_it_is_mapped(desk):
    wanted = order("SO-1", ("BRG-6204", "sheet", "1", "10.00"))
    with pytest.raises(Rejected, match="sheet"):
        desk.link().bill(wanted, nobody)
    assert desk.link(units="sheet=BLT").bill(wanted, nobody).lines[0].unit == "BLT"


def test_what_sap_refuses_is_told_in_its_words_with_class_and_number(sap, desk):
    link = desk.link()
    bill = link.bill(order("SO-1", ("NO-SUCH", "pcs", "1", "10.00")), nobody)
    with pytest.raises(Rejected, match="V1 382 Material NO-SUCH is not defined"):
        link.send(bill, None)
    assert sap.state()["orders"] == []


def test_a_document_that_is_locked_is_tried_later_and_stays_as_it_was(sap, desk):
    link = desk.link()
    bill = link.bill(order(), nobody)
    found = link.send(bill, None)
    sap.admin_act("lock", {"number": "1"})
    with pytest.raises(RetryLater, match="V1 042") as later:
        link.cancel(found)
    assert later.value.code == "sap.locked" and later.value.after
    sap.admin_act("unlock", {"number": "1"})
    assert link.cancel(found).cancelled


def test_a_function_that_forgets_to_commit_is_found_out(sap, desk):
    sap.faults.set([{"match": CREATE, "mode": "no_commit"}])
    link = desk.link()
    with pytest.raises(Uncertain, match="does it commit") as unknown:
        link.send(link.bill(order(), nobody), None)
    assert unknown.value.code == "sap.vanished"
    assert (sap.state()["orders"], sap.state()["lost"]) == ([], ["SO-1"])


def test_two_orders_with_our_reference_are_for_a_person(sap, desk):
    link = desk.link()
    bill = link.bill(order(), nobody)
    first = link.send(bill, None)
    link.tell("op_create", link.site.tree(bill), document=True)
    for look in (lambda: link.find("SO-1"), lambda: link.send(bill, None)):
        with pytest.raises(Ambiguous, match="stands on 1, 2") as refused:
            look()
        assert refused.value.code == "sap.reference_ambiguous"
    assert link.count("SO-1") == 3
    for number in ("0000000002", "0000000003"):
        link.tell("op_cancel", {"SALESDOCUMENT": number})
    assert link.find("SO-1") == first  # a cancelled one beside a living one is no second
    assert link.count("SO-1") == 1


def test_a_reader_whose_table_has_another_name_says_not_none_but_unreadable(sap, desk):
    with pytest.raises(RetryLater, match="no HEADERS"):
        desk.link(names="orders=HEADERS").find("SO-1")


def test_functions_that_are_missing_refuse_and_do_not_guess(sap, desk):
    from connectors.sap.soap.simulator import description

    link = desk.link(wsdl=description.soamanager([CREATE, READ]))
    found = link.send(link.bill(order(), lambda kind, _: "217" if kind == "partner" else None), None)
    with pytest.raises(Rejected, match=CANCEL):
        link.cancel(found)
    with pytest.raises(Rejected) as refused:
        link.bill(order("SO-2"), nobody)
    assert refused.value.code == "sap.customer_missing"


def test_hand_made_tables_go_before_everything(sap, desk):
    from dataclasses import replace

    from connectors.sap.soap.link import FunctionLink
    from connectors.sap.soap.system import client_of, site_of
    from tests.connectors.sap_soap_house import access

    tables = {"partners": {BUYER_CODE: "0000000300"}, "materials": {"BRG-6204": "4711"}}
    told = replace(access(sap), tables=tables)
    bill = FunctionLink(client_of(told, desk.http()), site_of(told, SapSoap.names), told).bill(
        order(), nobody
    )
    assert (bill.partner, bill.lines[0].material) == ("300", "4711")


def test_a_bulk_message_is_uncertain_until_the_order_is_seen(sap, desk):
    sap.faults.set([{"match": BULK, "mode": "look_up_lag", "seconds": 0.3, "times": 1}])
    link = desk.link("bulk")
    bill = link.bill(order(), nobody)
    with pytest.raises(Uncertain) as unknown:
        link.send(bill, None)
    assert unknown.value.code == "sap.accepted"
    threading.Event().wait(0.35)
    assert differences(bill, link.find("SO-1")) == []


def test_a_bulk_message_that_fails_there_never_looks_like_a_success(sap, desk):
    link = desk.link("bulk")
    with pytest.raises(Uncertain):
        link.send(link.bill(order("SO-1", ("NO-SUCH", "pcs", "1", "10.00")), nobody), None)
    assert "SO-1" in sap.state()["troubles"][0]


@pytest.mark.parametrize("mode", ["html_200", "soap_fault_busy", "html_500"])
def test_a_page_instead_of_an_acceptance_is_no_acceptance(sap, desk, mode):
    sap.faults.set([{"match": BULK, "mode": mode, "times": 1, "commit": False}])
    link = desk.link("bulk")
    with pytest.raises(Uncertain):
        link.send(link.bill(order(), nobody), None)
    assert sap.state()["orders"] == []
