"""The client against the simulator: ways to log in, calls, and every odd answer sorted by remedy."""

import base64
from dataclasses import replace
from decimal import Decimal

import pytest

from connectors.kingdee import wire
from connectors.kingdee.client import Account, Password, SignedHeaders, literal
from connectors.kingdee.simulator import DEMO_ACCOUNT
from connectors.kingdee.system import Kingdee
from tests.connectors.conftest import WAYS, order
from tongshang.connect import Access, FixSettings, LeaseLost, Rejected, RetryLater, SyncError, Uncertain

FORM = "SAL_SaleOrder"


@pytest.mark.parametrize("way", WAYS)
def test_an_order_goes_from_save_to_audit_by_every_way_of_login(client_of, way):
    client = client_of(way)
    saved = client.save(FORM, order())
    assert saved.number == "TS-1"
    client.submit(FORM, "TS-1")
    client.audit(FORM, "TS-1")
    fields = (
        "FID",
        "FBillNo",
        "FDocumentStatus",
        "FCustId.FNumber",
        "FMaterialId.FNumber",
        "FQty",
        "FAllAmount",
    )
    ((fid, *rest),) = client.query(FORM, fields, f"FBillNo = {literal('TS-1')}")
    assert str(fid) == saved.id
    assert rest == ["TS-1", "C", "CUST0001", "BRG-6204", Decimal("120"), Decimal("4380.00")]


def test_view_answers_with_names_that_lack_the_f(client_of):
    client = client_of()
    client.save(FORM, order())
    bill = client.view(FORM, number="TS-1")
    assert (bill["BillNo"], bill["CustId"]["Number"]) == ("TS-1", "CUST0001")
    assert bill["SaleOrderEntry"][0]["TaxPrice"] == Decimal("36.5")
    assert bill["SaleOrderFinance"][0]["BillAllAmount"] == Decimal("4380")


@pytest.mark.parametrize(
    ("way", "wrong"),
    [
        ("password", {"credentials": Password("nonsense")}),
        ("signed", {"credentials": SignedHeaders(DEMO_ACCOUNT.app_id, "0" * 32)}),
        ("signed", {"account": Account("", "another", "demo")}),
        ("signed", {"account": Account("", DEMO_ACCOUNT.acct_id, "nobody")}),
        ("signed", {"account": Account("", DEMO_ACCOUNT.acct_id, "demo", org="999")}),
        ("sign", {"account": Account("", "another", "demo")}),
    ],
)
def test_wrong_credentials_ask_for_settings_after_at_most_two_tries(kingdee, client_of, way, wrong):
    if "account" in wrong:
        wrong = {"account": replace(wrong["account"], base_url=kingdee.url)}
    client = client_of(way, **wrong)
    with pytest.raises(FixSettings):
        client.query("BD_MATERIAL", ["FNumber"])
    assert sum(kingdee.store.calls.values()) <= 2


def test_the_number_of_an_organisation_keeps_its_zeros(kingdee, client_of):
    account = Account(kingdee.url, DEMO_ACCOUNT.acct_id, "demo", org="0100")
    headers = client_of(account=account)._headers(account.url("x"))
    assert base64.b64decode(headers["X-Kd-Appdata"]).decode().endswith(",demo,2052,0100")
    values = {"way": "signed", "app_id": DEMO_ACCOUNT.app_id}
    link = Kingdee().open(Access(kingdee.url, "0100", values, {"app_secret": "x"}), client_of().http)
    assert link.client.account.org == "0100"


def test_a_stamp_from_another_hour_is_refused(client_of):
    with pytest.raises(FixSettings):
        client_of("signed", seconds=lambda: 1_000_000).query("BD_MATERIAL", ["FNumber"])


@pytest.mark.parametrize(("way", "service"), [("password", "ValidateUser"), ("secret", "LoginByAppSecret")])
@pytest.mark.parametrize("mode", ["call_limit", "lock_conflict"])
def test_a_login_that_meets_a_busy_server_is_no_matter_of_settings(kingdee, client_of, way, service, mode):
    kingdee.faults.set([{"match": service, "mode": mode, "times": 1}])
    client = client_of(way)
    with pytest.raises(RetryLater):
        client.save(FORM, order())
    assert client.save(FORM, order()).number == "TS-1"


@pytest.mark.parametrize("way", ["password", "sign", "secret"])
def test_a_lost_session_is_opened_again_once_and_the_write_done_once(kingdee, client_of, way):
    client = client_of(way)
    client.query("BD_MATERIAL", ["FNumber"])
    kingdee.desk.lose()
    client.save(FORM, order())
    assert len(list(kingdee.store.all(FORM))) == 1


def test_losing_a_session_twice_is_for_a_person_only_where_nothing_was_ever_let_in(kingdee, client_of):
    kingdee.faults.set([{"match": "ExecuteBillQuery", "mode": "session_lost", "times": 2}])
    client = client_of()
    with pytest.raises(FixSettings, match="kingdee.session_lost"):
        client.query("BD_Currency", ["FNumber"], limit=1)
    kingdee.faults.set([])
    client.query("BD_Currency", ["FNumber"], limit=1)
    kingdee.faults.set([{"match": "ExecuteBillQuery", "mode": "session_lost", "times": 2}])
    with pytest.raises(RetryLater, match="kingdee.session_lost"):
        client.query("BD_Currency", ["FNumber"], limit=1)


def test_a_session_lost_inside_a_query_answer_is_seen(kingdee, client_of):
    kingdee.faults.set([{"match": "ExecuteBillQuery", "mode": "session_lost", "times": 1}])
    assert client_of("password").query("BD_MATERIAL", ["FNumber"], "", "FNumber")[0] == ["BRG-6204"]


def test_names_that_speak_of_sessions_are_not_a_lost_session(kingdee, client_of):
    kingdee.world.merge({"materials": [{"number": "S-1", "name": "会话信息已丢失，请重新登录 session"}]})
    assert client_of().query("BD_MATERIAL", ["FName"], "FNumber='S-1'") == [
        ["会话信息已丢失，请重新登录 session"]
    ]


@pytest.mark.parametrize(
    ("mode", "committed"),
    [
        ("drop_before", 0),
        ("drop_after", 1),
        ("timeout_before", 0),
        ("timeout_after", 1),
        ("status_500_after", 1),
        ("html_200", 1),
        ("cut_body", 1),
    ],
)
def test_a_write_without_a_readable_answer_is_uncertain(kingdee, client_of, mode, committed):
    kingdee.faults.set([{"match": {"service": "Save"}, "mode": mode, "times": 1, "seconds": 0.6}])
    with pytest.raises(Uncertain):
        client_of(timeout=(0.5, 0.5)).save(FORM, order())
    if mode.startswith("timeout"):
        kingdee.faults.set([])
    assert len(list(kingdee.store.all(FORM))) == committed


@pytest.mark.parametrize(
    "mode", ["drop_before", "timeout_before", "status_500_after", "html_200", "cut_body"]
)
def test_a_read_without_a_readable_answer_may_be_repeated(kingdee, client_of, mode):
    kingdee.faults.set([{"match": "ExecuteBillQuery", "mode": mode, "times": 1, "seconds": 0.6}])
    client = client_of(timeout=(0.5, 0.5))
    with pytest.raises(RetryLater):
        client.query("BD_MATERIAL", ["FNumber"])
    assert client.query("BD_MATERIAL", ["FNumber"], "", "FNumber")[0] == ["BRG-6204"]


@pytest.mark.parametrize(
    ("mode", "code"), [("lock_conflict", "kingdee.locked"), ("call_limit", "kingdee.call_limit")]
)
def test_a_busy_server_is_asked_again_later(kingdee, client_of, mode, code):
    kingdee.faults.set([{"mode": mode, "times": 1}])
    with pytest.raises(RetryLater) as later:
        client_of().save(FORM, order())
    assert later.value.code == code
    assert list(kingdee.store.all(FORM)) == []


def test_a_server_that_refuses_connections_was_not_reached(kingdee, client_of):
    kingdee.faults.set([{"match": "Save", "mode": "refuse", "times": 1, "seconds": 0.6}])
    client = client_of()
    with pytest.raises(Uncertain):
        client.save(FORM, order())  # this one was accepted and dropped
    seen: SyncError | None = None
    for _ in range(200):
        try:
            client.query("BD_MATERIAL", ["FNumber"])
        except SyncError as error:
            seen = error
            if error.code == "unreachable.tcp":
                break
    assert seen is not None and seen.code == "unreachable.tcp"


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"FCustId": {"FNumber": "NOBODY"}}, "kingdee.validation", "FCustId"),
        ({"FCustId": {"FNumber": "CUST0002"}}, "kingdee.validation", "FCustId"),
        ({"FCustId": None}, "kingdee.validation", "FCustId"),
        ({"FSaleOrgId": {"FNumber": "200"}}, "kingdee.validation", "FSaleOrgId"),
        ({"FSaleOrderEntry": []}, "kingdee.validation", "FSaleOrderEntry"),
    ],
)
def test_a_document_the_server_does_not_want_is_rejected_with_its_field(client_of, change, code, field):
    with pytest.raises(Rejected) as refused:
        client_of().save(FORM, {k: v for k, v in (order() | change).items() if v is not None})
    assert (refused.value.code, refused.value.field) == (code, field)


def test_lines_before_the_finance_block_lose_their_price(client_of):
    model = order()
    turned = {key: model[key] for key in model if key != "FSaleOrderFinance"}
    turned["FSaleOrderFinance"] = model["FSaleOrderFinance"]
    with pytest.raises(Rejected, match="含税单价"):
        client_of().save(FORM, turned)


def test_a_number_can_be_given_once(client_of):
    client = client_of()
    client.save(FORM, order())
    with pytest.raises(Rejected, match="已存在"):
        client.save(FORM, order())


def test_a_missing_field_of_a_query_is_named(client_of):
    with pytest.raises(Rejected, match="FCustomerID"):
        client_of().query(FORM, ["FCustomerID"])


def test_a_page_where_the_service_should_be_asks_for_another_address(kingdee, client_of):
    client = client_of(account=Account(kingdee.url + "/nowhere", DEMO_ACCOUNT.acct_id, "demo"))
    with pytest.raises(FixSettings) as refused:
        client.query("BD_MATERIAL", ["FNumber"])
    assert refused.value.code == "http.not_found"


def test_pages_follow_each_other_without_gap_or_overlap(kingdee, client_of):
    kingdee.world.merge({"materials": [{"number": f"M{i:04}", "name": "x"} for i in range(23)]})
    pages = list(
        client_of().pages("BD_MATERIAL", ["FNumber"], "FNumber like 'M%'", "FMATERIALID ASC", size=10)
    )
    assert [start for start, _ in pages] == [10, 20, 23]
    assert [row["FNumber"] for _, rows in pages for row in rows] == [f"M{i:04}" for i in range(23)]


def test_nothing_is_written_once_the_lease_is_lost(kingdee, client_of):
    def gone():
        raise LeaseLost

    with pytest.raises(LeaseLost):
        client_of(before_write=gone).save(FORM, order())
    assert list(kingdee.store.all(FORM)) == []


@pytest.mark.parametrize("way", WAYS)
def test_no_secret_reaches_the_trace(kingdee, client_of, way):
    client = client_of(way)
    client.query("BD_MATERIAL", ["FNumber"])
    kingdee.desk.lose()
    client.save(FORM, order(FNote="联系 13812345678"))
    text = "".join(e.request + e.response + e.url for e in client.trace.exchanges)
    secrets = [
        DEMO_ACCOUNT.app_secret,
        DEMO_ACCOUNT.users["demo"].password,
        "13812345678",
        *kingdee.desk._logins,
    ]
    assert [secret for secret in secrets if secret in text] == []
    assert "TS-1" in text


def test_the_stock_service_answers_internal_ids(kingdee, client_of):
    (row,) = client_of().inventory("100", ["BRG-6204"])
    assert (row["FBaseQty"], row["FBaseAvbQty"], row["FBASELOCKQTY"]) == (500, 480, 20)
    assert row["FMaterialId"] == kingdee.store.by_number("BD_MATERIAL", "BRG-6204").id


def test_data_centres_need_no_login(client_of):
    (centre,) = client_of(credentials=Password("wrong")).data_centres()
    assert centre["Id"] == DEMO_ACCOUNT.acct_id


def test_metadata_lists_the_fields_of_a_form(client_of):
    assert {"FBillNo", "FCustId", "FTaxPrice"} <= client_of().fields_of(FORM)


# -- answers, without a server


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("response_error:系统异常".encode(), wire.Refusal),
        (b'response_error:{"Message":"x"}', wire.Refusal),
        (b'"response_error:inside text"', wire.Refusal),
        (b"<html>login</html>", wire.Unreadable),
        (b'{"Result":{"Resp', wire.Unreadable),
        (b"", wire.Unreadable),
        ("会话".encode("gb18030"), wire.Unreadable),
    ],
)
def test_bodies_that_are_no_answers_are_told_apart(body, error):
    with pytest.raises(error):
        wire.read(body)


def test_json_inside_a_json_text_is_unwrapped():
    assert wire.read(b'"{\\"a\\":1.50}"') == {"a": Decimal("1.50")}


def test_one_row_with_one_object_is_an_error_only_when_it_carries_a_status():
    lost = [[{"Result": {"ResponseStatus": {"IsSuccess": False, "MsgCode": 1, "Errors": []}}}]]
    assert wire.status_of(lost).session_lost
    assert wire.status_of(lost[0]).session_lost
    assert wire.status_of([["BRG-6204", None]]) is None
    assert wire.status_of([]) is None


def test_the_failed_half_of_a_push_counts():
    status = {
        "IsSuccess": "true",
        "MsgCode": 0,
        "Errors": None,
        "SuccessEntitys": [{"Id": "7", "Number": "X"}],
    }
    failed = {"IsSuccess": False, "MsgCode": 11, "Errors": [{"FieldName": None, "Message": "no rule"}]}
    both = {"Result": {"ConvertResponseStatus": failed, "ResponseStatus": status}}
    assert (wire.status_of(both).ok, wire.status_of(both).message) == (False, "no rule")
    assert [entity.number for entity in wire.status_of(both).entities] == ["X"]  # one was made all the same
    assert wire.status_of({"Result": {"ResponseStatus": status}}).entities[0].id == "7"


def test_decimals_travel_exactly_and_keys_in_their_order():
    assert (
        wire.encode({"b": Decimal("36.50"), "a": ["吨", None, True]})
        == '{"b":36.50,"a":["\\u5428",null,true]}'
    )
    with pytest.raises(TypeError):
        wire.encode({"price": 36.5})


def test_an_answer_of_another_service_is_response_error(kingdee, client_of):
    client = client_of()
    url = client.account.url("Kingdee.BOS.WebApi.ServicesStub.DynamicFormService.Nonsense")
    body = client.http.post(url, data='{"formid":"BD_UNIT"}', headers=client._headers(url)).text
    assert body.startswith("response_error:")
