"""The practice SAP by itself: true SOAP on a real socket, seen by clients that are not ours."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys

import pytest
import requests

from connectors.sap.soap.simulator import BULK, ICF, IDOC_XML, PASSWORD, SOAMANAGER, USER, Simulator
from connectors.sap.soap.simulator import description as wsdl
from connectors.sap.soap.simulator.functions import FUNCTIONS
from tests.connectors.sap_soap_house import BASE

CREATE, READ = "Z_TS_SALESORDER_CREATE", "Z_TS_SALESORDER_READ"
ITEM = {
    "ITM_NUMBER": "000010",
    "MATERIAL": "BRG-6204",
    "TARGET_QTY": 2,
    "TARGET_QU": "ST",
    "GROSS_AMOUNT": 20,
}


@pytest.fixture
def sap():
    with Simulator() as simulator:
        simulator.world.merge(BASE)
        yield simulator


@pytest.fixture
def http():
    with requests.Session() as made:
        made.trust_env = False
        made.auth = (USER, PASSWORD)
        yield made


@pytest.mark.parametrize(
    ("text", "path"),
    [(wsdl.soamanager(), SOAMANAGER)] + [(wsdl.icf(CREATE), ICF)],
    ids=["soamanager", "icf"],
)
def test_plain_zeep_in_strict_mode_works_against_it(sap, http, text, path):
    zeep = pytest.importorskip("zeep")
    client = zeep.Client(io.BytesIO(text.encode()), transport=zeep.Transport(session=http))
    binding = str(next(iter(next(iter(client.wsdl.services.values())).ports.values())).binding.name)
    service = client.create_service(binding, sap.url + path)
    told = service[CREATE](SOLD_TO="0000000217", PURCH_NO_C="X-1", CURRENCY="CNY", ITEMS={"item": [ITEM]})
    assert told.SALESDOCUMENT == "0000000001"
    assert [(row.TYPE, row.ID, row.NUMBER) for row in told.RETURN.item] == [("S", "V1", "311")]
    told = service[CREATE](SOLD_TO="0000000217", PURCH_NO_C="X-2", ITEMS={"item": []})
    assert not told.SALESDOCUMENT and told.RETURN.item[0].TYPE == "E"
    assert [one["reference"] for one in sap.state()["orders"]] == ["X-1"]


def test_a_server_fault_is_a_fault_to_strangers_too(sap, http):
    zeep = pytest.importorskip("zeep")
    client = zeep.Client(io.BytesIO(wsdl.icf(CREATE).encode()), transport=zeep.Transport(session=http))
    service = client.create_service(
        "{urn:sap-com:document:sap:rfc:functions}" + f"{CREATE}Binding", sap.url + ICF
    )
    sap.faults.set([{"mode": "soap_fault_busy"}])
    with pytest.raises(zeep.exceptions.Fault) as fault:
        service[CREATE](SOLD_TO="0000000217")
    assert fault.value.code.endswith("Server") and sap.state()["orders"] == []


def test_a_second_order_with_the_same_number_is_taken_as_sap_takes_it(sap):
    from connectors.sap.soap.simulator.functions import run

    given = {"SOLD_TO": "0000000217", "PURCH_NO_C": "X-1", "ITEMS": [ITEM]}
    numbers = [run(sap.world, FUNCTIONS[CREATE], given)["SALESDOCUMENT"] for _ in range(2)]
    assert numbers == ["0000000001", "0000000002"]
    assert len(sap.world.by_reference("X-1")) == 2


def test_without_a_login_or_with_another_client_nothing_is_done(sap, http):
    assert http.post(sap.url + ICF, auth=("x", "y"), data=b"<a/>").status_code == 401
    assert http.post(sap.url + ICF + "?sap-client=200", data=b"<a/>").status_code == 401
    answer = http.post(sap.url + ICF + "?sap-client=100", data=b"<a/>")
    assert answer.status_code == 500 and b"soap-env:Client" in answer.content
    assert http.post(sap.url + "/elsewhere", data=b"<a/>").status_code == 404
    assert http.post(sap.url + IDOC_XML, data=b"<a/>").status_code == 500


def test_descriptions_are_handed_out(sap, http):
    two = http.get(sap.url + f"/sap/bc/soap/wsdl?services={CREATE},{READ}").text
    assert two.count("<?xml") == 2 and f"{READ}.Response" in two
    assert "TABLE_OF_BAPIRET2" in http.get(sap.url + SOAMANAGER).text
    assert "SalesOrderBulkRequest" in http.get(sap.url + BULK).text


def test_a_waiting_idoc_is_posted_by_the_job(sap, http):
    from connectors.sap.soap.simulator import idocs

    head = "<EDI_DC40 SEGMENT='1'><MESTYP>ORDERS</MESTYP><ARCKEY>K</ARCKEY></EDI_DC40>"
    rows = (
        "<E1EDK01 SEGMENT='1'><CURCY>CNY</CURCY></E1EDK01>"
        "<E1EDKA1 SEGMENT='1'><PARVW>AG</PARVW><PARTN>0000000217</PARTN></E1EDKA1>"
        "<E1EDK02 SEGMENT='1'><QUALF>001</QUALF><BELNR>X-7</BELNR></E1EDK02>"
        "<E1EDP01 SEGMENT='1'><POSEX>000010</POSEX><MENGE>2</MENGE><MENEE>PCE</MENEE><NETWR>20</NETWR>"
        "<E1EDP19 SEGMENT='1'><QUALF>002</QUALF><IDTNR>BRG-6204</IDTNR></E1EDP19></E1EDP01>"
    )
    sap.faults.set([{"mode": "idoc_waits"}])
    body = f"<ORDERS05><IDOC BEGIN='1'>{head}{rows}</IDOC></ORDERS05>".encode()
    assert http.post(sap.url + IDOC_XML, data=body).status_code == 200
    assert (sap.state()["idocs"][0]["STATUS"], sap.state()["orders"]) == (idocs.WAITING, [])
    assert sap.admin_act("job", {}) == {"processed": 1}
    assert sap.state()["idocs"][0]["STATUS"] == idocs.POSTED
    assert sap.state()["orders"][0]["reference"] == "X-7"


@pytest.mark.parametrize("door", ["soap", "soap.bulk", "idoc"])
def test_it_runs_as_a_process_of_its_own(door):
    command = [sys.executable, "-m", f"connectors.sap.{door}.simulator", "--fault", "slow:0.5"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            told = json.loads(process.stdout.readline())
            assert told["username"] == USER and told["password"] == PASSWORD
            state = requests.get(told["admin"] + "/state", timeout=5).json()
            assert state["orders"] == []
        finally:
            process.terminate()
            process.wait(10)


NODE = """
const soap = require('soap'), fs = require('fs');
const [,, url, file, user, password] = process.argv;
soap.createClient(file, {endpoint: url}, (error, client) => {
  if (error) throw error;
  client.setSecurity(new soap.BasicAuthSecurity(user, password));
  const item = {ITM_NUMBER: '000010', MATERIAL: 'BRG-6204', TARGET_QTY: 2, TARGET_QU: 'ST', GROSS_AMOUNT: 20};
  client.Z_TS_SALESORDER_CREATE({SOLD_TO: '0000000217', PURCH_NO_C: 'N-1', CURRENCY: 'CNY', ITEMS: {item: [item]}},
    (error, told) => { if (error) throw error; console.log(told.SALESDOCUMENT); });
});
"""


def test_the_soap_package_of_node_works_against_it(sap, tmp_path):
    node = shutil.which("node")
    probe = [node or "node", "-e", "require('soap')"]
    if node is None or subprocess.run(probe, capture_output=True, check=False).returncode:
        pytest.skip("node with its package `soap` is not here; `npm install soap` and NODE_PATH bring it")
    file, script = tmp_path / "orders.wsdl", tmp_path / "client.js"
    file.write_text(wsdl.soamanager(), encoding="utf-8")
    script.write_text(NODE, encoding="utf-8")
    done = subprocess.run(
        [node, str(script), sap.url + SOAMANAGER, str(file), USER, PASSWORD],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.strip() == "0000000001"
    assert sap.state()["orders"][0]["reference"] == "N-1"


SERVER = """
const soap = require('soap'), http = require('http'), fs = require('fs');
const held = [], text = (v) => v && v.$value !== undefined ? v.$value : v;
const list = (v) => v === undefined || v === null ? [] : Array.isArray(v) ? v : [v];
const said = (type, id, number, message) => ({item: [{TYPE: type, ID: id, NUMBER: number, MESSAGE: message}]});
const calls = {
  Z_TS_SALESORDER_CREATE: (given) => {
    const number = String(held.length + 1).padStart(10, '0');
    held.push({number, ...given});
    return {SALESDOCUMENT: number, RETURN: said('S', 'V1', '311', 'saved')};
  },
  Z_TS_SALESORDER_READ: (given) => {
    const found = held.filter((one) => text(one.PURCH_NO_C) === text(given.PURCH_NO_C));
    const rows = (one) => list(one.ITEMS && one.ITEMS.item);
    const sum = (one) => rows(one).reduce((all, row) => all + Number(text(row.GROSS_AMOUNT)), 0).toFixed(2);
    return {
      ORDERS: {item: found.map((one) => ({SALESDOCUMENT: one.number, PURCH_NO_C: text(one.PURCH_NO_C),
        SOLD_TO: text(one.SOLD_TO), CURRENCY: text(one.CURRENCY), GROSS_TOTAL: sum(one), REJECTED: ''}))},
      ORDER_ITEMS: {item: found.flatMap((one) => rows(one).map((row) => ({SALESDOCUMENT: one.number,
        ITM_NUMBER: text(row.ITM_NUMBER), MATERIAL: text(row.MATERIAL), TARGET_QTY: text(row.TARGET_QTY),
        TARGET_QU: text(row.TARGET_QU), GROSS_AMOUNT: text(row.GROSS_AMOUNT), REJECTED: ''})))},
      RETURN: '',
    };
  },
};
const server = http.createServer((_, answer) => answer.end('elsewhere'));
server.listen(0, '127.0.0.1', () => {
  const port = {zts_orders_b: calls, zts_orders_b_soap12: calls};
  soap.listen(server, '/orders', {zts_orders_srv: port}, fs.readFileSync(process.argv[2], 'utf8'), () =>
    console.log(server.address().port));
});
"""


def test_our_client_works_against_a_server_we_did_not_write(tmp_path):
    from tests.connectors.sap_soap_house import Desk, order
    from tongshang.connect import differences

    node = shutil.which("node")
    probe = [node or "node", "-e", "require('soap')"]
    if node is None or subprocess.run(probe, capture_output=True, check=False).returncode:
        pytest.skip("node with its package `soap` is not here; `npm install soap` and NODE_PATH bring it")
    text = wsdl.soamanager([CREATE, READ])
    file, script = tmp_path / "orders.wsdl", tmp_path / "server.js"
    file.write_text(text, encoding="utf-8")
    script.write_text(SERVER, encoding="utf-8")
    with subprocess.Popen([node, str(script), str(file)], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            port = int(process.stdout.readline())

            class There:
                url, port = "", 0

            There.url, There.port = f"http://127.0.0.1:{port}/orders", port
            desk = Desk(There())  # type: ignore[arg-type]
            link = desk.link(wsdl=text)
            bill = link.bill(order(), lambda kind, _: "217" if kind == "partner" else None)
            assert link.find("SO-1") is None
            assert differences(bill, link.send(bill, None)) == []
            desk.close()
        finally:
            process.terminate()
            process.wait(10)
