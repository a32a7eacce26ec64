"""The simulator: what Axis says on the wire, sessions, the life of a bill, and the drill master's side."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from connectors.kingdee.eas.simulator import DEMO, Simulator
from connectors.kingdee.eas.simulator.books import AUDITED, SAVED, SUBMITTED, VOID, Books, Refusal
from connectors.kingdee.eas.wsdls import LOGINS
from tests.connectors.eas_house import BASE, link_to, nobody, order
from tongshang.connect import Rejected, RetryLater

ROOT = Path(__file__).parents[2]


@pytest.fixture
def eas():
    with Simulator() as simulator:
        simulator.books.merge(BASE)
        yield simulator


def envelope(operation: str, *arguments: str) -> bytes:
    parts = "".join(f"<in{at}>{value}</in{at}>" for at, value in enumerate(arguments))
    return (
        '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body>'
        f'<n:{operation} xmlns:n="urn:any">{parts}</n:{operation}></e:Body></e:Envelope>'
    ).encode()


def post(eas: Simulator, service: str, body: bytes, **headers: str) -> requests.Response:
    told = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": '""', **headers}
    return requests.post(f"{eas.url}/ormrpc/services/{service}", data=body, headers=told, timeout=5)


LOGIN = (DEMO.user, DEMO.password, DEMO.solution, DEMO.data_centre, "L2", "1")


def test_a_login_answers_a_bean_behind_references(eas):
    answer = post(eas, "EASLogin", envelope("login", *LOGIN))
    assert answer.status_code == 200 and "JSESSIONID" in answer.cookies
    assert '<loginReturn href="#id0"/>' in answer.text
    assert '<multiRef id="id1"' in answer.text and 'xsi:type="soapenc:string"' in answer.text


def test_a_refused_login_is_a_null_session_with_status_200(eas):
    answer = post(eas, "EASLogin", envelope("login", DEMO.user, "wrong", *LOGIN[2:]))
    assert answer.status_code == 200
    assert '<sessionId xsi:type="soapenc:string" xsi:nil="true"/>' in answer.text


def test_the_wsdl_names_a_foreign_host_and_turns_its_overloads(eas):
    seen = set()
    for at in range(len(LOGINS)):
        eas.overload = at
        text = requests.get(f"{eas.url}/ormrpc/services/EASLogin?wsdl", timeout=5).text
        assert "http://eas-app-01:6888/ormrpc/services/EASLogin" in text and str(eas.port) not in text
        seen.add(text.rpartition('<wsdl:operation name="login" parameterOrder="')[2].partition('"')[0])
    assert len(seen) == len(LOGINS)


@pytest.mark.parametrize(
    ("service", "body", "code"),
    [
        ("WSSCMWebServiceFacade", envelope("queryBill", "{}"), "Server.userException"),
        ("WSSCMWebServiceFacade", envelope("dropBill", "{}"), "Client"),
        ("EASLogin", envelope("login", "a"), "Client"),
        ("EASLogin", b"<broken", "Client"),
    ],
)
def test_what_cannot_be_called_is_a_fault_with_status_500(eas, service, body, code):
    answer = post(eas, service, body)
    assert answer.status_code == 500
    assert f"<faultcode>soapenv:{code}" in answer.text


def test_a_session_without_its_cookie_is_not_admitted(eas):
    link = link_to(eas)
    link.find("X")
    id = link.facade.session.sign_in()
    head = f'<e:Header><s:SessionId xmlns:s="http://login.webservice.bos.kingdee.com">{id}</s:SessionId></e:Header>'
    body = envelope("queryBill", '{"number":"X"}').replace(b"<e:Body>", head.encode() + b"<e:Body>")
    cookie = link.wire.http.cookies["JSESSIONID"]
    assert "session invalid" in post(eas, "WSSCMWebServiceFacade", body).text
    assert '"success":true' in post(eas, "WSSCMWebServiceFacade", body, Cookie=f"JSESSIONID={cookie}").text


def test_another_service_is_not_found(eas):
    assert post(eas, "WSNothing", envelope("x")).status_code == 404


def test_a_bill_lives_from_saved_to_audited_and_back_to_void(eas):
    link = link_to(eas)
    found = link.send(link.bill(order(), nobody), None)
    assert (found.status, found.finished) == (AUDITED, True)
    with pytest.raises(RetryLater):
        link.facade.carry("cancel", {"number": "TS-1"})  # an audited bill is opened first
    assert link.cancel(found).status == VOID
    assert [one.state for one in eas.books.orders.values()] == [VOID]


def test_a_number_can_be_given_once_unless_the_site_lets_it():
    books = Books(unique=True)
    books.put("TS-1", {}, "")
    with pytest.raises(Refusal, match="已存在"):
        books.put("TS-1", {}, "")
    books.unique = False
    books.put("TS-1", {}, "")
    assert [row["baseStatus"] for row in books.find("TS-1")] == [SAVED, SAVED]


def test_states_are_kept():
    books = Books()
    made = books.put("TS-1", {}, "")
    with pytest.raises(Refusal):
        books.move("TS-1", "", (SUBMITTED,), AUDITED)
    books.move("TS-1", made.id, (SAVED,), SUBMITTED)
    with pytest.raises(Refusal):
        books.put("TS-1", {}, made.id)
    with pytest.raises(Refusal):
        books.move("TS-2", "", (SAVED,), SUBMITTED)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"orderCustomer": {"number": "NOBODY"}}, "orderCustomer"),
        ({"currency": None}, "currency"),
        ({"totalTaxAmount": 1}, "totalTaxAmount"),
        ({"entry": []}, "entry"),
    ],
)
def test_a_bill_that_is_wrong_is_refused_with_its_field(eas, change, field):
    link = link_to(eas)
    bill = {**link.bill(order(), nobody).body, **change}
    with pytest.raises(Rejected) as refused:
        link.facade.take_in(bill)
    assert (refused.value.code, refused.value.field) == ("eas.validation", field)
    assert eas.books.orders == {}


def test_the_drill_master_steers(eas):
    sim = eas.admin
    requests.post(f"{sim}/lock", json={"number": "TS-1"}, timeout=5).raise_for_status()
    requests.post(f"{sim}/overload", json={"index": 2}, timeout=5).raise_for_status()
    requests.post(f"{sim}/unique", json={"yes": "no"}, timeout=5).raise_for_status()
    requests.post(f"{sim}/world", json={"materials": [{"number": "NEW", "name": "新料"}]}, timeout=5)
    state = requests.get(f"{sim}/state", timeout=5).json()
    assert (state["locked"], state["overload"], state["unique"]) == (["TS-1"], 2, False)
    link = link_to(eas)
    with pytest.raises(RetryLater) as held:
        link.send(link.bill(order(), nobody), None)
    assert held.value.code == "eas.locked"
    requests.post(f"{sim}/unlock", json={"number": "TS-1"}, timeout=5).raise_for_status()
    assert link.send(link.bill(order(), nobody), None).finished
    assert requests.post(f"{sim}/lose", json={}, timeout=5).json() == {"lost": 1}
    asked = requests.post(
        f"{sim}/faults", json=[{"mode": "soap_fault", "match": "auditBill"}], timeout=5
    ).json()
    assert asked["faults"][0]["match"] == {"operation": "auditBill"}
    page = requests.get(sim, headers={"Accept": "text/html"}, timeout=5).text
    assert "Kingdee EAS" in page and "TS-1" in page and DEMO.password in page
    assert requests.post(f"{sim}/nothing", json={}, timeout=5).status_code == 404


def test_it_runs_as_a_process_and_loads_a_world(tmp_path):
    world = tmp_path / "world.json"
    world.write_text(json.dumps(BASE), encoding="utf-8")
    command = [sys.executable, "-m", "connectors.kingdee.eas.simulator", "--world", str(world)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    try:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        asked = envelope("login", ready["user"], ready["password"], "eas", ready["dcName"], "L2", "1")
        told = {"SOAPAction": '""', "Content-Type": "text/xml"}
        answer = requests.post(
            f"{ready['url']}/ormrpc/services/EASLogin", data=asked, headers=told, timeout=5
        )
        assert "xsi:nil" not in answer.text
        state = requests.get(f"{ready['admin']}/state", timeout=5).json()
        assert state["sessions"] == 1
    finally:
        process.terminate()
        process.communicate()
    assert process.returncode == 0
