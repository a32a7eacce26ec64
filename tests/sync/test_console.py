"""What the console says: reasons in the reader's words, calls as they went, what a run left out, questions before acts."""

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from connectors.generic.files.system import Files
from connectors.kingdee.simulator import DEMO_ACCOUNT
from core.kernel import uuid7
from core.sync.contract import Setting
from core.sync.views.frame import STEPS, every, pretty, step_rows, wire_text
from core.sync.views.saying import REASONS, in_words
from core.sync.views.setup import CURES
from core.web.i18n import words
from tests.sync.test_setup_pages import FIELDS
from tests.sync.test_sync_pages import act, app, signed_in, texts, troubled  # noqa: F401

SAID = {
    "[Errno 111] Connection refused": "没有服务在监听",
    "erp.example: tcp: [Errno 113] No route to host": "erp.example：没有到达该主机的路由",
    "[Errno -2] Name or service not known": "没有这个域名",
    "10.0.0.7 port 8443 is not public and the operator has not allowed it": "10.0.0.7 端口 8443",
    "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed certificate (_ssl.c:1006)": "自签名",
    "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: certificate has expired (_ssl.c:1006)": "证书已过期",
    "certificate verify failed: Hostname mismatch, certificate is not valid for 'erp.example'. (_ssl.c:1)": "erp.example",
    "[SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:1006)": "不是 TLS",
    "HTTPConnectionPool(host='erp.example', port=80): Read timed out. (read timeout=10)": "没有按时应答",
    "answer cut at 12 of 900 bytes": "共 900 字节，收到 12 字节",
}


@pytest.fixture
def chinese(app: Any) -> Any:  # noqa: F811
    with app.test_request_context("/", headers={"Accept-Language": "zh-CN"}):
        yield app


@pytest.mark.parametrize("said", SAID)
def test_what_the_line_says_is_told_in_chinese(chinese: Any, said: str) -> None:
    told = in_words(said)
    assert SAID[said] in told and not re.search(r"Errno|SSL|refused|bytes", told)


def test_every_reason_has_its_chinese_and_the_rest_stays_as_it_came(chinese: Any) -> None:
    assert not [sentence for _pattern, sentence in REASONS if not words().knows("zh-CN", sentence)]
    assert in_words("物料 HRP-1 不存在") == "物料 HRP-1 不存在"
    assert in_words("") == ""


def test_every_step_of_a_check_has_its_words_and_a_cure(chinese: Any) -> None:
    asked = re.compile(r'(?:Step\(|^ +\(|^ +name = )"([a-z]+)"(?:, (?:self\.)?_look|, True|, False|$)', re.MULTILINE)
    used = {name for file in Path("connectors").rglob("system.py") for name in asked.findall(file.read_text(encoding="utf-8"))}
    assert {"wsdl", "folders", "find", "read"} <= used <= set(STEPS), used - set(STEPS)
    assert used <= set(CURES)
    told = [*STEPS.values(), *CURES.values()]
    assert not [sentence for sentence in told if not words().knows("zh-CN", sentence)]


def test_a_step_names_what_cannot_flow_by_its_title(chinese: Any) -> None:
    said = "A-1; sales_order (SAL_SaleOrder): the number of the salesperson is missing; stock (STK_Inventory): 没有权限"
    step = {"name": "read", "ok": True, "said": said}
    ((_what, _done, told),) = step_rows(SimpleNamespace(connector="kingdee", checked={"steps": [step]}))  # type: ignore[arg-type]
    assert told == "A-1; 销售订单 (SAL_SaleOrder)：缺少销售员编码; 库存 (STK_Inventory)：没有权限"


def test_intervals_are_told_in_the_largest_whole_unit(chinese: Any) -> None:
    assert [every(minutes) for minutes in (15, 60, 90, 360, 1440)] == ["每 15 分钟", "每小时", "每 90 分钟", "每 6 小时", "每天"]


@pytest.mark.parametrize(
    ("url", "request_", "first"),
    [
        ("http://erp/Save", '{"a": 1}', "POST http://erp/Save"),
        ("http://erp/A_SalesOrder", "GET", "GET http://erp/A_SalesOrder"),
        ("http://erp/A_SalesOrder", 'PATCH {"a": 1}', "PATCH http://erp/A_SalesOrder"),
        ("DELETE http://erp/orders/1", "", "DELETE http://erp/orders/1"),
        ("files/out/order_1.csv", "a;b", "files/out/order_1.csv"),
    ],
)
def test_a_call_is_shown_with_the_method_it_had(chinese: Any, url: str, request_: str, first: str) -> None:
    told = wire_text({"url": url, "request": request_, "status": 200, "response": "", "milliseconds": 3}).splitlines()
    assert told[0] == first
    assert not any(line.startswith(("POST", "GET", "PATCH")) for line in told[1:])


def test_xml_is_opened_up_also_when_it_was_cut_off() -> None:
    assert pretty('<?xml version="1.0"?><a x="1"><b>1</b><c/><d><e>2</e></d></a>').splitlines() == [
        '<?xml version="1.0"?>',
        '<a x="1">',
        "  <b>1</b>",
        "  <c/>",
        "  <d>",
        "    <e>2</e>",
        "  </d>",
        "</a>",
    ]
    assert pretty("<a><b><c>cut of").splitlines() == ["<a>", "  <b>", "    <c>cut of"]


def test_a_run_lists_what_it_left_out_and_leads_to_the_one_that_told_it(house: Any, signed_in: Any) -> None:  # noqa: F811
    first, second = uuid7(), uuid7()
    for run in (first, second):
        house.sql(
            "INSERT INTO ts.sync_run (id, tenant_id, connection_id, stream, trigger, state, started_at, read, stored, skipped)"
            f" SELECT '{run}', tenant_id, id, 'stock', 'schedule', 'done', now(), 9, 7, 2 FROM ts.erp_connection"
        )
    for n in range(2):
        house.sql(
            "INSERT INTO ts.sync_issue (id, tenant_id, connection_id, run_id, external_id, code, said, record)"
            f" SELECT '{uuid7()}', tenant_id, id, '{first}', 'HRP-{n}', 'sync.below_promised', '12{n} / 80', '{{}}'"
            " FROM ts.erp_connection"
        )
    it = signed_in("it")
    assert f'href="/connections/runs/{first}"' in texts(it, f"/connections/{house.connection_id}")
    told = texts(it, f"/connections/runs/{first}")
    assert "HRP-0" in told and "HRP-1" in told and "121 / 80" in told and "Ship or release what" in told
    told = texts(it, f"/connections/runs/{second}")
    assert "2 more records were left out" in told and f'href="/connections/runs/{first}"' in told
    assert it.get(f"/connections/runs/{uuid7()}").status_code == 404


def test_a_cancelled_run_leads_back_to_its_connection(house: Any, signed_in: Any) -> None:  # noqa: F811
    run = uuid7()
    house.sql(
        "INSERT INTO ts.sync_run (id, tenant_id, connection_id, stream, trigger, state, started_at)"
        f" SELECT '{run}', tenant_id, id, 'stock', 'Li', 'running', now() FROM ts.erp_connection"
    )
    here = f"/connections/{house.connection_id}"
    assert act(signed_in("it"), here, f"/connections/runs/{run}/cancel").headers["Location"] == here


def test_replaying_all_is_asked_first_also_without_scripts(troubled: Any, signed_in: Any) -> None:  # noqa: F811
    it, here = signed_in("it"), f"/connections/{troubled.connection_id}"
    assert f'href="{here}/replay"' in texts(it, here)
    asked = texts(it, f"{here}/replay")
    assert "Replay 2 documents?" in asked and f'action="{here}/replay"' in asked
    act(it, f"{here}/replay", f"{here}/replay")
    assert troubled.states()["SO-2"] == "new" and troubled.states()["SO-3"] == "new"


def test_cancelling_there_is_asked_first(troubled: Any, signed_in: Any) -> None:  # noqa: F811
    tally, row = uuid7(), uuid7()
    troubled.sql(
        "INSERT INTO ts.sync_tally (id, tenant_id, connection_id, day, state, asked_at, differing)"
        f" SELECT '{tally}', tenant_id, id, '2026-11-20', 'done', now(), 1 FROM ts.erp_connection"
    )
    troubled.sql(
        "INSERT INTO ts.sync_difference (id, tenant_id, tally_id, reference, kind, act, document_id, object_id)"
        f" SELECT '{row}', tenant_id, '{tally}', 'SO-2', 'alive_there', 'cancel', id, object_id FROM ts.sync_document"
        " WHERE reference = 'SO-2'"
    )
    it = signed_in("it")
    page = texts(it, f"/connections/{troubled.connection_id}/reconciling")
    assert f'href="/connections/reconciling/{row}/act"' in page and f'action="/connections/reconciling/{row}/act"' not in page
    asked = texts(it, f"/connections/reconciling/{row}/act")
    assert "Cancel SO-2 there?" in asked
    act(it, f"/connections/reconciling/{row}/act", f"/connections/reconciling/{row}/act")
    assert troubled.states()["SO-2"] == "new"


def test_the_list_says_what_flows_and_where_setting_up_goes_on(house: Any, signed_in: Any) -> None:  # noqa: F811
    it = signed_in("it")
    house.sql("UPDATE ts.sync_stream SET enabled = true WHERE key = 'stock'")
    assert "out: Sales order · in: Stock" in texts(it, "/connections")
    house.sql("UPDATE ts.erp_connection SET state = 'paused'")
    text = texts(it, "/connections")
    assert "Being set up" in text and f"/connections/{house.connection_id}/setup" in text


def test_systems_stand_by_what_they_are(signed_in: Any) -> None:  # noqa: F811
    text = texts(signed_in("it"), "/connections/choose")
    places = [text.index(f"connector={key}") for key in ("kingdee", "sap_odata", "qimen", "rest")]
    assert places == sorted(places)
    assert places[1] < text.index("Warehouse systems") < places[2] < text.index("Any other system") < places[3]


def test_after_a_bad_form_what_was_typed_stays_but_secrets(
    house: Any,
    signed_in: Any,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from connectors.kingdee.system import Kingdee

    asked = (*Kingdee.settings, Setting("gateway", "Gateway"), Setting("loud", "Loud", kind="flag", default="1"))
    monkeypatch.setattr(Kingdee, "settings", asked)
    it, new = signed_in("it"), "/connections/new?connector=kingdee"
    typed = {**FIELDS, "name": "金蝶云·星空", "saler": "XS77", "lcid": "1033", "gateway": "https://there.example"}
    typed |= {"base_url": "https://erp.example/k3cloud", "documents_shown": "1", "documents": "receipt"}
    put = act(it, new, "/connections/new", **typed)
    text = put.get_data(as_text=True)
    assert put.status_code == 422
    assert 'value="XS77"' in text and 'value="receipt" checked' in text and 'value="sales_order" checked' not in text
    assert DEMO_ACCOUNT.app_secret not in text and "Type it again" in text
    assert '<details open><summary class="b">More settings' in text and 'value="1033"' in text
    assert not re.search(r'name="loud" value="1"[^>]* checked', text)  # it has a default, and was not ticked
    assert "<details><summary" in texts(it, new)

    house.sql("""UPDATE ts.erp_connection SET settings = settings || '{"gateway": "https://there.example"}'""")
    here = f"/connections/{house.connection_id}/settings"
    kept = {name: value for name, value in FIELDS.items() if name not in ("connector", "app_secret")}
    put = act(it, here, here, version="1", **{**kept, "name": ""})  # what is locked is not sent
    text = put.get_data(as_text=True)
    assert put.status_code == 422 and "https://there.example" in text and 'name="gateway"' not in text


def test_a_private_key_is_typed_where_its_lines_stay(signed_in: Any) -> None:  # noqa: F811
    assert any(each.key == "private_key" and each.kind == "secret" for each in Files.settings)
    text = texts(signed_in("it"), "/connections/new?connector=files")
    assert re.search(r'<textarea[^>]* name="private_key"', text)
    assert re.search(r'<input[^>]* name="password" type="password"', text)
