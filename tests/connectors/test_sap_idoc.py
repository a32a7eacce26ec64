"""IDocs: orders out in SAP's segments, deliveries and invoices in, and an acceptance that proves nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import select

from connectors.sap.idoc import orders, segments
from connectors.sap.idoc.system import SapIdoc
from connectors.sap.soap import xml
from connectors.sap.soap.simulator import IDOC_SOAP, IDOC_XML, Simulator, idocs
from core.orders import TradeOrder
from core.sync import enqueue
from core.sync.conformance import ConnectorConformance
from tests.conftest import make_unit
from tests.connectors.sap_soap_house import BASE, Desk, SapHouse, nobody, order
from tongshang.connect import (
    Rejected,
    RemoteLine,
    RetryLater,
    Uncertain,
    differences,
)

SAMPLE = Path(__file__).parents[3] / "shared" / "erp-samples" / "idoc" / "orders05.example.xml"
AT = datetime(2026, 11, 22, 19, 30, tzinfo=UTC)
DOORS = {"soap": IDOC_SOAP, "xml": IDOC_XML}


class TestSapIdoc(ConnectorConformance):
    connector = SapIdoc


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


# -- segments


def test_the_sample_is_read_and_written_again_alike():
    if not SAMPLE.is_file():
        pytest.skip("the sample is not here")
    (idoc,) = segments.read(SAMPLE.read_bytes())
    assert (idoc.basic_type, idoc.control["MESTYP"], idoc.control["CREDAT"]) == (
        "ORDERS05",
        "ORDERS",
        "20261122",
    )
    assert idoc.top.first("E1EDKA1", PARVW="AG")["PARTN"] == "0010100001"
    assert [one["ORGID"] for one in idoc.top.all("E1EDK14")] == ["1010", "10", "00", "OR"]
    assert segments.read(segments.write(idoc)) == [idoc]


def test_our_order_has_the_segments_of_the_sample_in_its_order(desk):
    """The same order as in the sample, built by us: the same fields with the same values, segment by segment."""
    if not SAMPLE.is_file():
        pytest.skip("the sample is not here")
    (sample,) = segments.read(SAMPLE.read_bytes())
    link = desk.link("idoc", doc_type="OR")
    wanted = order("TS-2026-000123", ("BRG-6204-2RS", "pcs", "120", "4380.00"))
    wanted = replace(wanted, lines=(replace(wanted.lines[0], name="Deep groove bearing"),))
    bill = link.bill(wanted, lambda kind, _: "10100001" if kind == "partner" else None)
    made = orders.order(bill, link.layout, link.partners, AT)
    assert made.top == sample.top
    assert {**made.control, "ARCKEY": ""} == {**sample.control, "ARCKEY": ""}


def test_what_is_special_in_xml_travels_and_comes_back():
    top = segments.Segment("")
    top.add("E1EDP19", KTEXT='轴承 <6204> & "co"')
    idoc = segments.Idoc("ORDERS05", {"TABNAM": "EDI_DC40", "MESTYP": "ORDERS"}, top)
    assert segments.read(segments.write(idoc)) == [idoc]
    assert segments.read(segments.enveloped(segments.write(idoc))) == [idoc]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<ORDERS05/>",
        b"<ORDERS05><IDOC BEGIN='1'/></ORDERS05>",
        b"<ORDERS05><IDOC BEGIN='1'><E1EDK01 SEGMENT='1'/></IDOC></ORDERS05>",
        b"<!DOCTYPE x SYSTEM 'http://127.0.0.1/'><ORDERS05/>",
        b"<ORDERS05><IDOC><EDI_DC40 SEGMENT='1'><DOCNUM>1</DOCNUM><DOCNUM>2</DOCNUM></EDI_DC40></IDOC></ORDERS05>",
    ],
)
def test_what_is_no_idoc_is_refused(body):
    with pytest.raises(xml.Unreadable):
        segments.read(body)


@pytest.mark.parametrize(
    ("quantity", "amount", "price", "per"),
    [("120", "4380.00", "36.50", 1), ("1000", "36.50", "3.65", 100), ("3", "10.00", "3333.33", 1000)],
)
def test_prices_have_two_places_and_a_quantity_they_are_for(quantity, amount, price, per):
    line = RemoteLine("M", Decimal(quantity), "ST", Decimal(0), Decimal(amount))
    assert orders.priced(line) == (Decimal(price), per)


# -- out


@pytest.mark.parametrize("door", DOORS)
def test_an_order_lands_changes_and_is_cancelled(sap, desk, door):
    link = desk.link("idoc", door=door, idoc_path=DOORS[door])
    bill = link.bill(order(), nobody)
    assert differences(bill, link.send(bill, None)) == []
    for lines in (
        (("BRG-6204", "pcs", "5", "50.00"),),
        (("BRG-6204", "pcs", "5", "50.00"), ("4711", "pcs", "1", "9.00")),
    ):
        changed = link.bill(order("SO-1", *lines, version=2), nobody)
        assert differences(changed, link.send(changed, link.find("SO-1"))) == []
    assert link.cancel(link.find("SO-1")).cancelled
    assert len(sap.state()["orders"]) == 1
    assert {one["STATUS"] for one in sap.state()["idocs"]} == {idocs.POSTED}


def test_an_idoc_that_waits_is_waited_for_and_not_sent_again(sap, desk):
    sap.faults.set([{"match": "IDOC", "mode": "idoc_waits", "times": 1}])
    link = desk.link("idoc")
    bill = link.bill(order(), nobody)
    with pytest.raises(Uncertain):
        link.send(bill, None)
    with pytest.raises(RetryLater, match="status 64") as later:
        link.find("SO-1")
    assert later.value.code == "sap.idoc_waiting"
    sap.admin_act("job", {})
    assert differences(bill, link.find("SO-1")) == []


def test_an_idoc_that_failed_is_refused_and_blocks_a_second_until_it_is_put_away(sap, desk):
    link = desk.link("idoc")
    bill = link.bill(order("SO-1", ("NO-SUCH", "pcs", "1", "10.00")), nobody)
    with pytest.raises(Rejected, match="Material NO-SUCH") as refused:
        link.send(bill, None)
    assert refused.value.code == "sap.idoc_failed"
    with pytest.raises(Rejected, match="BD87"):
        link.find("SO-1")
    sap.world.idocs[0]["STATUS"] = "68"
    assert link.find("SO-1") is None


def test_without_a_status_function_an_acceptance_is_uncertain_until_the_order_is_seen(sap, desk):
    sap.faults.set([{"match": "IDOC", "mode": "look_up_lag", "seconds": 60, "times": 1}])
    link = desk.link("idoc", op_status="")
    with pytest.raises(Uncertain) as unknown:
        link.send(link.bill(order(), nobody), None)
    assert unknown.value.code == "sap.accepted"
    assert link.find("SO-1") is None
    steps = desk.check("idoc", op_status="")
    assert "no function tells the status" in next(step.said for step in steps if step.name == "functions")


@pytest.mark.parametrize(
    ("mode", "committed"),
    [("drop_before", 0), ("drop_after", 1), ("status_500_after", 1), ("html_500", 1), ("soap_fault_busy", 0)],
)
@pytest.mark.parametrize("door", DOORS)
def test_a_post_without_an_answer_is_uncertain(sap, desk, door, mode, committed):
    sap.faults.set([{"match": "IDOC", "mode": mode, "times": 1}])
    link = desk.link("idoc", door=door, idoc_path=DOORS[door])
    with pytest.raises(Uncertain):
        link.send(link.bill(order(), nobody), None)
    assert len(sap.state()["orders"]) == committed


def test_a_login_page_instead_of_an_acceptance_leads_to_the_look(sap, desk):
    sap.faults.set([{"match": "IDOC", "mode": "html_200", "times": 1, "commit": False}])
    link = desk.link("idoc")
    with pytest.raises(Uncertain):
        link.send(link.bill(order(), nobody), None)
    assert sap.state()["orders"] == []


def test_a_unit_without_an_iso_word_is_rejected(desk):
    link = desk.link("idoc", units="sheet=BLT")
    with pytest.raises(Rejected, match="ISO unit for sheet"):
        link.bill(order("SO-1", ("BRG-6204", "sheet", "1", "10.00")), nobody)


@pytest.mark.parametrize("missing", ["our_port", "their_partner", "sap_client"])
def test_the_check_wants_both_partners(desk, missing):
    steps = desk.check("idoc", **{missing: ""})
    assert (steps[-1].name, steps[-1].ok) == ("partners", False) and missing in steps[-1].said


@pytest.mark.parametrize(
    "mode", ["drop_before", "drop_after", "timeout_after", "bad_charset", "idoc_waits", "status_500_after"]
)
@pytest.mark.parametrize("intent", ["create", "change", "cancel"])
def test_through_the_engine_there_is_one_order(fresh_db, worker_db, sap, monkeypatch, mode, intent):
    from connectors.sap.soap import wire

    monkeypatch.setattr(wire, "PATIENCE", (0.3, 0.3))
    house = SapHouse(make_unit(fresh_db), make_unit(worker_db), sap, "idoc")
    engine = house.engine()
    order_id = house.order("SO-1")
    if intent != "create":
        assert house.push(engine)[-1] == "done"
        if intent == "change":
            house.sql(
                "UPDATE ts.order_line SET quantity = 100, gross = 3650, net = 3230.09, tax = 419.91 WHERE no = 1"
            )
            house.sql("UPDATE ts.trade_order SET total = 11586, net = 10253.10, tax = 1332.90")
        with house.app.system(house.seller, "test") as ctx:
            row = ctx.session.scalar(select(TradeOrder).where(TradeOrder.id == order_id))
            enqueue(ctx, row, intent, 4)
    sap.faults.set([{"match": "IDOC", "mode": mode, "times": 1, "seconds": 0.5}])
    ended = house.push(engine, rounds=3)
    if mode == "idoc_waits":
        assert "done" not in ended[-1:] and len(sap.world.waiting) == 1
        sap.admin_act("job", {})
        house.later(600)
    assert house.push(engine)[-1:] == ["done"] or ended[-1] == "done"
    (held,) = house.orders()["SO-1"]
    assert (held["total"], held["cancelled"]) == {
        "create": ("12316.00", False),
        "change": ("11586.00", False),
        "cancel": ("12316.00", True),
    }[intent]
