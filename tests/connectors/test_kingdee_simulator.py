"""The simulator: life of a bill, queries, state that survives, and Kingdee's own client against it."""

import json
import os
import signal
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest
import requests

from connectors.kingdee.client import Account, Client, SignedHeaders
from connectors.kingdee.simulator import DEMO_ACCOUNT, Simulator
from connectors.kingdee.simulator.__main__ import main
from tests.connectors.conftest import APP, BASE, order
from tongshang.connect import OutboundRule, Rejected, session

FORM = "SAL_SaleOrder"
ROOT = Path(__file__).parents[2]


def test_a_bill_lives_from_created_to_gone(client_of):
    client = client_of()

    def state() -> list[str]:
        return client.query(FORM, ["FDocumentStatus", "FCancelStatus"], "FBillNo='TS-1'")[0]

    client.save(FORM, order())
    assert state() == ["A", "A"]
    assert client.query(FORM, ["FDate"], "FDate >= '2026-11-22'") == [["2026-11-22T00:00:00"]]  # a day has a time there
    with pytest.raises(Rejected):
        client.audit(FORM, "TS-1")
    client.submit(FORM, "TS-1")
    client.audit(FORM, "TS-1")
    assert state() == ["C", "A"]
    for refused in (lambda: client.delete(FORM, "TS-1"), lambda: client.operate(FORM, "Cancel", "TS-1")):
        with pytest.raises(Rejected):
            refused()
    client.unaudit(FORM, "TS-1")
    client.operate(FORM, "Cancel", "TS-1")
    assert state() == ["D", "B"]
    client.delete(FORM, "TS-1")
    assert client.query(FORM, ["FBillNo"], "FBillNo='TS-1'") == []


def test_an_update_drops_the_lines_it_does_not_name_unless_told_otherwise(client_of):
    client = client_of()
    second = order()["FSaleOrderEntry"][0] | {
        "FMaterialId": {"FNumber": "RB-HRB400E-16"},
        "FUnitID": {"FNumber": "t"},
    }
    saved = client.save(FORM, order(FSaleOrderEntry=[order()["FSaleOrderEntry"][0], second]))
    lines = client.query(FORM, ["FSaleOrderEntry_FEntryID", "FQty"], "FBillNo='TS-1'")
    one = {"FEntryID": lines[0][0], "FQty": Decimal(7)}
    client.save(FORM, {"FID": int(saved.id), "FSaleOrderEntry": [one]}, IsDeleteEntry="false")
    assert [row[1] for row in client.query(FORM, ["FSaleOrderEntry_FEntryID", "FQty"], "FBillNo='TS-1'")] == [
        7,
        120,
    ]
    client.save(FORM, {"FID": int(saved.id), "FSaleOrderEntry": [one]})
    assert len(client.query(FORM, ["FSaleOrderEntry_FEntryID"], "FBillNo='TS-1'")) == 1


@pytest.mark.parametrize(
    ("where", "numbers"),
    [
        ("FNumber = 'BRG-6204'", ["BRG-6204"]),
        ("FNumber like 'RB%' and FDocumentStatus='C'", ["RB-HRB400E-16"]),
        ("FNumber in ('BRG-6204','X')", ["BRG-6204"]),
        ("FNumber >= 'C' or FName like '%轴承%'", ["BRG-6204", "RB-HRB400E-16"]),
        ("(FNumber <> 'BRG-6204')", ["RB-HRB400E-16"]),
        (
            "FModifyDate >= '2020-01-01 00:00:00' and FModifyDate <= '2999-01-01'",
            ["BRG-6204", "RB-HRB400E-16"],
        ),
        ("FBaseUnitId.FNumber = 't'", ["RB-HRB400E-16"]),
        ("1=1", ["BRG-6204", "RB-HRB400E-16"]),
        ("FNumber = 'it''s'", []),
    ],
)
def test_filters_select_what_they_say(client_of, where, numbers):
    assert client_of().query("bd_material", ["FNumber"], where, "FNumber ASC") == [[n] for n in numbers]


@pytest.mark.parametrize(
    "where", ["FNumber ==", "FNumber ~ 'x'", "Nope = 'x'", "(FNumber = 'x'", "FNumber = 'x' xor"]
)
def test_a_filter_that_cannot_be_read_is_refused(client_of, where):
    with pytest.raises(Rejected):
        client_of().query("BD_MATERIAL", ["FNumber"], where)


def test_a_user_sees_only_his_organisations(kingdee, client_of):
    kingdee.world.merge({"organisations": [{"number": "200"}], "materials": [{"number": "Z", "org": "200"}]})
    assert client_of().query("BD_MATERIAL", ["FNumber"], "FNumber='Z'") == []


def test_state_survives_a_kill_and_the_process_speaks_its_address(tmp_path):
    world = tmp_path / "world.json"
    world.write_text(json.dumps(BASE, default=str), encoding="utf-8")
    command = [sys.executable, "-m", "connectors.kingdee.simulator", "--state", str(tmp_path / "k3.db")]

    def run(*more: str) -> tuple[subprocess.Popen, str]:
        process = subprocess.Popen([*command, *more], stdout=subprocess.PIPE, text=True, cwd=ROOT)
        assert process.stdout is not None
        return process, json.loads(process.stdout.readline())["url"]

    def client(url: str) -> Client:
        http = session([OutboundRule.parse("127.0.0.1:1024-65535")])
        return Client(http, Account(url, DEMO_ACCOUNT.acct_id, "demo"), SignedHeaders(*APP))

    process, url = run("--world", str(world))
    client(url).save(FORM, order())
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    process, url = run()
    assert client(url).query(FORM, ["FBillNo", "FCustId.FNumber"]) == [["TS-1", "CUST0001"]]
    process.terminate()
    process.communicate()
    assert process.returncode == 0


def test_a_taken_port_is_said_plainly(kingdee, capsys):
    assert main(["--port", str(kingdee.port)]) == 1
    assert "try another --port" in capsys.readouterr().err


def test_the_drill_master_sets_faults_and_sees_the_state(kingdee):
    sim = kingdee.admin
    refused = requests.post(f"{sim}/faults", json=[{"mode": "explode"}], timeout=5)
    assert (refused.status_code, "unknown mode" in refused.text) == (400, True)
    requests.post(f"{sim}/seed", json={"seed": 7}, timeout=5).raise_for_status()
    asked = [{"match": {"service": "Save"}, "mode": "call_limit", "probability": 0.5}]
    assert requests.post(f"{sim}/faults", json=asked, timeout=5).json()["faults"][0]["mode"] == "call_limit"
    assert requests.get(f"{sim}/faults", timeout=5).json()["modes"]["cut_body"]
    state = requests.get(f"{sim}/state?form=BD_MATERIAL", timeout=5).json()
    assert [one["number"] for one in state["documents"]["BD_MATERIAL"]] == ["BRG-6204", "RB-HRB400E-16"]
    requests.delete(f"{sim}/faults", timeout=5).raise_for_status()
    assert requests.get(f"{sim}/faults", timeout=5).json()["faults"] == []
    world = {"materials": [{"number": "NEW", "name": "新料"}]}
    requests.post(f"{sim}/world", json=world, timeout=5).raise_for_status()
    assert requests.get(f"{sim}/nothing", timeout=5).status_code == 404


def test_the_same_seed_gives_the_same_trouble():
    def run() -> list[bool]:
        with Simulator(seed=3) as simulator:
            simulator.faults.set([{"mode": "slow", "probability": 0.5}])
            return [simulator.faults.pick("Save", "", "") is not None for _ in range(20)]

    assert run() == run()


@pytest.mark.filterwarnings("ignore")
def test_kingdees_own_client_works_against_it(kingdee):
    sdk_module = pytest.importorskip(
        "k3cloud_webapi_sdk.main", reason="install kingdee.cdp.webapi.sdk to run Kingdee's own client"
    )
    sdk = sdk_module.K3CloudApiSdk(kingdee.url)
    sdk.InitConfig(DEMO_ACCOUNT.acct_id, "通商集成", *APP, kingdee.url, org_num=100)

    def said(text: str) -> dict:
        return json.loads(text)["Result"]["ResponseStatus"]

    assert json.loads(sdk.GetDataCenters())[0]["Id"] == DEMO_ACCOUNT.acct_id
    model = json.loads(json.dumps(order("SDK-1"), default=float))
    saved = json.loads(sdk.Save(FORM, {"Model": model, "NeedReturnFields": ["FBillNo"]}))
    assert saved["Result"]["NeedReturnData"] == [{"FBillNo": "SDK-1"}]
    numbers = {"CreateOrgId": 0, "Numbers": ["SDK-1"], "Ids": ""}
    assert said(sdk.Submit(FORM, numbers))["IsSuccess"]
    assert said(sdk.Audit(FORM, numbers))["IsSuccess"]
    assert sdk.cookiesStore.SID
    ask = {"FormId": FORM, "FieldKeys": "FBillNo,FDocumentStatus,FQty", "FilterString": "FBillNo='SDK-1'"}
    assert json.loads(sdk.ExecuteBillQuery(ask)) == [["SDK-1", "C", 120]]
    assert json.loads(sdk.BillQuery(ask))[0]["FDocumentStatus"] == "C"
    assert json.loads(sdk.View(FORM, {"Number": "SDK-1"}))["Result"]["Result"]["BillNo"] == "SDK-1"
    assert said(sdk.Audit(FORM, numbers))["MsgCode"] == 12
    assert said(sdk.UnAudit(FORM, numbers))["IsSuccess"]
    assert said(sdk.ExcuteOperation(FORM, "Cancel", numbers))["IsSuccess"]
    batch = {"Model": [order("SDK-2"), order("SDK-2"), order("SDK-3")]}
    answer = said(sdk.BatchSaveQuery(FORM, json.loads(json.dumps(batch, default=float))))
    assert [one["DIndex"] for one in answer["SuccessEntitys"]] == [0, 2]
    assert [one["DIndex"] for one in answer["Errors"]] == [1]
    sdk.InitConfig(DEMO_ACCOUNT.acct_id, "通商集成", APP[0], "wrong", kingdee.url)
    assert json.loads(sdk.ExecuteBillQuery(ask))[0][0]["Result"]["ResponseStatus"]["MsgCode"] == 1
