"""SOAP from the customer's WSDL: what is read, what is refused, and a check that names the step that fails."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from connectors.sap.soap.client import Client
from connectors.sap.soap.simulator import DEMO_BULK, DEMO_VALUES, ICF, Simulator
from connectors.sap.soap.simulator import description as wsdl
from tests.connectors.sap_soap_house import BASE, ICF_WSDL, Desk, nobody, order
from tongshang.connect import FixSettings, differences

SAMPLES = Path(__file__).parents[3] / "shared" / "erp-samples" / "soap"
CREATE, READ = "Z_TS_SALESORDER_CREATE", "Z_TS_SALESORDER_READ"


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


def orders(sap):
    return sap.state()["orders"]


# -- the WSDL


@pytest.mark.parametrize(
    ("sample", "operation", "path"),
    [
        ("sap-rfc-style.wsdl", CREATE, "/sap/bc/soap/rfc"),
        ("sap-soamanager-style.wsdl", "Z_SO_CREATE", "/sap/bc/srt/rfc/sap/zws_so/100/zws_so/b"),
    ],
)
def test_both_shapes_of_samples_are_read(desk, sample, operation, path):
    if not SAMPLES.is_dir():
        pytest.skip("the samples are not here")
    client = desk.link(wsdl=(SAMPLES / sample).read_text()).client
    found = client.operation(operation)
    assert (found.path, found.one_way) == (path, False)
    assert found.answer in (f"{operation}.Response", f"{operation}Response")


def test_the_host_of_the_wsdl_is_never_called(desk, sap):
    client = desk.link().client
    assert wsdl.INNER_HOST in DEMO_VALUES["wsdl"]
    assert client.url(client.operation(CREATE)).startswith(sap.url + "/sap/bc/srt/rfc/")
    assert client.url(client.operation(CREATE)).endswith("?sap-client=100")
    client.base_url = sap.url + "/own/path?sap-client=200"
    assert client.url(client.operation(CREATE)) == sap.url + "/own/path?sap-client=200"


def test_the_port_can_be_named_and_soap_1_1_comes_first(desk):
    assert desk.link().client.operation(CREATE).port == "zts_orders_b"
    link = desk.link(port="zts_orders_b_soap12")
    assert link.client.operation(CREATE).port == "zts_orders_b_soap12"
    bill = link.bill(order(), nobody)
    assert differences(bill, link.send(bill, None)) == []
    with pytest.raises(FixSettings, match="zts_orders_b_soap12") as refused:
        desk.link(port="nonsense").client.operation(CREATE)
    assert refused.value.code == "sap.port_missing"


def test_fields_in_mixed_case_style_need_no_settings(desk):
    style = DEMO_VALUES["wsdl"]
    for plain in ("SALESDOCUMENT", "PURCH_NO_C", "TARGET_QTY", "SOLD_TO"):
        style = style.replace(
            f'"{plain}"', '"' + "".join(part.capitalize() for part in plain.split("_")) + '"'
        )
    operation = desk.link(wsdl=style).client.operation(CREATE)
    assert operation.takes["PURCHNOC"].name == "PurchNoC"
    assert operation.takes["ITEMS"].inner["TARGETQTY"].decimal


EVIL = {
    "dtd": '<?xml version="1.0"?><!DOCTYPE definitions SYSTEM "http://127.0.0.1:{port}/evil.dtd">',
    "entity": '<?xml version="1.0"?><!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
    "laughs": '<?xml version="1.0"?><!DOCTYPE d [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>',
}


@pytest.mark.parametrize("trick", EVIL)
def test_a_wsdl_with_a_document_type_is_refused_unread(desk, sap, trick):
    plain = DEMO_VALUES["wsdl"].partition("?>")[2]
    steps = desk.check(wsdl=EVIL[trick].replace("{port}", str(sap.port)) + plain)
    assert (steps[-1].name, steps[-1].ok) == ("wsdl", False)
    assert "sap.wsdl_unreadable" in steps[-1].said and "DTD" in steps[-1].said
    assert {done.operation for done in sap.calls.last} == {"GET"} and len(sap.calls.last) == 1  # the probe


@pytest.mark.parametrize(
    "brought",
    [
        '<xsd:import namespace="urn:x" schemaLocation="http://127.0.0.1:{port}/inner.xsd"/>',
        '<xsd:include schemaLocation="file:///etc/passwd"/>',
        '<xsd:include schemaLocation="other.xsd"/>',
        '<xsd:redefine schemaLocation="http://169.254.169.254/latest/meta-data"/>',
    ],
)
def test_an_import_is_named_and_nothing_is_fetched(desk, sap, brought):
    brought = brought.replace("{port}", str(sap.port))
    text = DEMO_VALUES["wsdl"].replace("<xsd:simpleType", brought + "<xsd:simpleType", 1)
    steps = desk.check(wsdl=text)
    assert (steps[-1].name, steps[-1].ok) == ("wsdl", False)
    wanted = brought.partition('schemaLocation="')[2].partition('"')[0]
    assert "sap.wsdl_import" in steps[-1].said and wanted in steps[-1].said
    assert [done.kind for done in sap.calls.last] == ["/"]


def test_an_import_of_another_wsdl_is_refused_too(desk):
    text = DEMO_VALUES["wsdl"].replace(
        "<wsdl:types>", '<wsdl:import namespace="urn:x" location="http://10.0.0.1/x?wsdl"/><wsdl:types>', 1
    )
    with pytest.raises(FixSettings, match=r"10\.0\.0\.1"):
        _ = desk.link(wsdl=text).client.operations


def test_the_soap_encoding_schema_is_bundled_and_not_fetched(desk, sap):
    brought = (
        '<xsd:import namespace="http://schemas.xmlsoap.org/soap/encoding/" '
        'schemaLocation="http://schemas.xmlsoap.org/soap/encoding/"/>'
    )
    text = DEMO_VALUES["wsdl"].replace("<xsd:simpleType", brought + "<xsd:simpleType", 1)
    assert CREATE in desk.link(wsdl=text).client.operations
    assert list(sap.calls.last) == []


@pytest.mark.parametrize("text", ["", "no xml", "<a/>", "<definitions", "<definitions xmlns='x'/>", "\x00"])
def test_what_is_no_wsdl_is_said_to_be_none(desk, text):
    steps = desk.check(wsdl=text)
    assert not steps[-1].ok and steps[-1].said.startswith("sap.wsdl_")


def test_types_that_contain_each_other_end_and_those_that_multiply_are_refused(desk):
    def kind(name: str, *inner: str) -> str:
        fields = "".join(
            f'<xsd:element name="F{n}" type="tns:{t}" minOccurs="0"/>' for n, t in enumerate(inner)
        )
        return f'<xsd:complexType name="{name}"><xsd:sequence>{fields}</xsd:sequence></xsd:complexType>'

    def with_types(*types: str) -> str:
        more = '<xsd:element name="DEEP" type="tns:T0" minOccurs="0"/>'
        text = DEMO_VALUES["wsdl"].replace("<xsd:simpleType", "".join(types) + "<xsd:simpleType", 1)
        begin = f'<xsd:element name="{CREATE}"><xsd:complexType><xsd:sequence>'
        return text.replace(begin, begin + more, 1)

    turning = [kind("T0", "T1", "T1"), kind("T1", "T0", "date10")]
    found = desk.link(wsdl=with_types(*turning)).client.operation(CREATE).takes
    assert found["DEEP"].inner["F0"].inner["F0"].inner == {}
    bomb = [kind(f"T{n}", *[f"T{n + 1}"] * 8) for n in range(12)] + [kind("T12", "date10")]
    with pytest.raises(FixSettings, match="20000 fields"):
        _ = desk.link(wsdl=with_types(*bomb)).client.operations


@pytest.mark.parametrize("kind", ["group", "attributeGroup"])
@pytest.mark.parametrize(("last", "said"), [("<xsd:annotation/>", "100000 fields"), ('<xsd:{kind} ref="tns:G0"/>', "themselves")])
def test_groups_that_multiply_or_turn_are_refused_before_they_are_unfolded(desk, kind, last, said):
    def group(no: int, inner: str) -> str:
        inner = inner if kind == "attributeGroup" else f"<xsd:sequence>{inner}</xsd:sequence>"
        return f'<xsd:{kind} name="G{no}">{inner}</xsd:{kind}>'

    twice = "".join(group(no, f'<xsd:{kind} ref="tns:G{no + 1}"/>' * 2) for no in range(40))
    bomb = twice + group(40, last.format(kind=kind))
    text = DEMO_VALUES["wsdl"].replace("<xsd:simpleType", bomb + "<xsd:simpleType", 1)
    with pytest.raises(FixSettings, match=said):
        _ = desk.link(wsdl=text).client.operations


def test_unions_of_unions_are_refused_too(desk):
    def union(no: int) -> str:
        return f'<xsd:simpleType name="U{no}"><xsd:union memberTypes="tns:U{no + 1} tns:U{no + 1}"/></xsd:simpleType>'

    last = '<xsd:simpleType name="U40"><xsd:restriction base="xsd:string"/></xsd:simpleType>'
    bomb = "".join(union(no) for no in range(40)) + last
    text = DEMO_VALUES["wsdl"].replace("<xsd:simpleType", bomb + "<xsd:simpleType", 1)
    with pytest.raises(FixSettings, match="100000 fields"):
        _ = desk.link(wsdl=text).client.operations


def test_reading_a_wsdl_opens_no_door_to_files(desk):
    link = desk.link()
    _ = link.client.operations
    assert set(link.client.http.adapters) == {"https://", "http://"}
    assert "Zeep" not in link.client.http.headers["User-Agent"]
    with pytest.raises(FixSettings):
        link.client.wire.load("file:///etc/passwd")


# -- the check


def test_a_check_goes_from_the_address_to_the_first_answer(desk):
    for kind in ("soamanager", "icf", "bulk", "idoc"):
        steps = desk.check(kind)
        assert [step.ok for step in steps] == [True] * len(steps), steps
        assert steps[0].name == "address" and steps[-1].name == "read"


@pytest.mark.parametrize("name", ["BAPI_SALESORDER_CREATEFROMDAT2", "SalesOrderCreateFromDat2"])
def test_a_bare_bapi_is_refused_with_the_reason(desk, sap, name):
    steps = desk.check("icf", op_create=name)
    assert (steps[-1].name, steps[-1].ok) == ("functions", False)
    assert "sap.bare_bapi" in steps[-1].said and "does not commit" in steps[-1].said
    link = desk.link("icf", op_create=name)
    with pytest.raises(FixSettings, match="does not commit"):
        link.send(link.bill(order(), nobody), None)
    assert orders(sap) == []


def test_why_a_bare_bapi_is_refused(desk, sap):
    """The simulator does as SAP does: the BAPI answers success, and after the call there is nothing."""
    client = desk.link("icf").client
    client.operation = lambda name: client.operations[name]
    given = {
        "SOLDTO": "0000000217",
        "PURCHNOC": "SO-9",
        "ITEMS": [{"MATERIAL": "BRG-6204", "TARGETQTY": Decimal(1), "TARGETQU": "ST"}],
    }
    told = client.call("BAPI_SALESORDER_CREATEFROMDAT2", given, write=True)
    client.call("BAPI_TRANSACTION_COMMIT", {}, write=True)
    assert told["SALESDOCUMENT"] and told["RETURN"][0]["TYPE"] == "S"
    assert (orders(sap), sap.state()["lost"]) == ([], ["SO-9"])


@pytest.mark.parametrize(
    ("more", "step", "code"),
    [
        ({"password": "wrong"}, "read", "http.forbidden"),
        ({"sap_client": "999"}, "read", "http.forbidden"),
        ({"op_create": "Z_OTHER"}, "functions", "sap.operation_missing"),
        ({"op_read": ""}, "functions", "sap.operation_missing"),
        ({"names": "reference=ZZ_REF"}, "parameters", "sap.parameter_missing"),
        ({"base_url": "/nowhere"}, "read", "http.not_found"),
    ],
)
def test_a_check_names_the_step_that_fails(desk, sap, more, step, code):
    if "base_url" in more:
        more = {"base_url": sap.url + more["base_url"]}
    steps = desk.check(**more)
    assert (steps[-1].name, steps[-1].ok) == (step, False)
    assert steps[-1].said.startswith(code)


def test_a_parameter_that_nothing_fills_is_named_until_a_constant_does(desk):
    demanded = DEMO_VALUES["wsdl"].replace(
        '<xsd:element name="SOLD_TO" type="xsd:string" minOccurs="0"/>',
        '<xsd:element name="SOLD_TO" type="xsd:string"/><xsd:element name="PLANT" type="xsd:string"/>',
    )
    steps = desk.check(wsdl=demanded)
    assert "sap.parameter_unfilled" in steps[-1].said and "PLANT" in steps[-1].said
    assert all(step.ok for step in desk.check(wsdl=demanded, constants="PLANT=1000"))


def test_a_one_way_service_and_functions_are_told_apart(desk):
    steps = desk.check(wsdl=DEMO_BULK["wsdl"], op_create="SalesOrderBulkRequest_In")
    assert "sap.one_way" in steps[-1].said
    steps = desk.check("bulk", op_create=CREATE)
    assert "sap.not_one_way" in steps[-1].said


def test_a_client_by_hand_reads_the_old_style_with_its_dot(desk, sap):
    client: Client = desk.link("icf").client
    assert client.operation(READ).answer == f"{READ}.Response"
    assert client.url(client.operation(READ)).startswith(sap.url + ICF)
    assert client.call(READ, {"PURCHNOC": "none"}, write=False)["ORDERS"] == ""
    assert len(wsdl.soamanager()) < 1_000_000 and len(ICF_WSDL) < 1_000_000
