"""The OData client: its bytes, its sessions, and what it makes of every answer a gateway may give."""

import threading
from decimal import Decimal
from http.cookiejar import DefaultCookiePolicy

import pytest
import requests

from connectors.sap.odata import multipart, wire
from connectors.sap.odata.addresses import System, v2, v4
from connectors.sap.odata.client import Change
from connectors.sap.odata.mapping import ORDERS, PRODUCTS
from connectors.sap.odata.refusals import sorted_error
from connectors.sap.odata.signin import Basic, ClientCredentials, Token
from connectors.sap.odata.simulator import DEMO
from tests.connectors import sap_house
from tongshang.connect import FixSettings, Rejected, RetryLater, Stop, Uncertain

gateway, client_of = sap_house.gateway, sap_house.client_of

ORDER = {
    "SalesOrderType": "OR",
    "SalesOrganization": "1010",
    "SoldToParty": "10100001",
    "PurchaseOrderByCustomer": "TS-9",
    "TransactionCurrency": "CNY",
    "to_Item": {"results": [{"Material": "BRG-6204", "RequestedQuantity": Decimal("5")}]},
}
ORDERS_V4 = v4("api_salesorder", "salesorder")


# -- sessions


@pytest.mark.parametrize("way", ["any", "slash", "bare", "get"])
def test_the_csrf_token_is_found_whichever_way_the_system_hands_it_out(gateway, client_of, way):
    gateway.csrf_by = way
    assert wire.text(client_of().create(ORDERS, "A_SalesOrder", ORDER), "SalesOrder") == "4711"


@pytest.mark.parametrize("mode", ["csrf_expired", "session_lost"])
def test_an_expired_session_is_renewed_once(gateway, client_of, mode):
    client = client_of()
    client.create(ORDERS, "A_SalesOrder", ORDER)
    gateway.faults.set([{"mode": mode, "match": "create", "times": 1}])
    client.create(ORDERS, "A_SalesOrder", ORDER)
    assert gateway.calls["create A_SalesOrder"] == 3
    assert len(gateway.books.rows("A_SalesOrder")) == 2


def test_a_token_refused_again_is_tried_later_and_not_asked_for_for_ever(gateway, client_of):
    gateway.faults.set([{"mode": "session_lost", "match": "create"}])
    with pytest.raises(RetryLater, match="sap.session_lost"):
        client_of().create(ORDERS, "A_SalesOrder", ORDER)
    assert gateway.calls["create A_SalesOrder"] == 2


def test_a_token_refused_because_cookies_do_not_get_through_is_for_a_person(gateway, client_of):
    client = client_of()
    client.http.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    with pytest.raises(FixSettings, match="sap.csrf"):
        client.create(ORDERS, "A_SalesOrder", ORDER)
    assert gateway.calls["create A_SalesOrder"] == 2


def test_many_callers_fetch_the_token_once(gateway, client_of):
    client = client_of()
    threads = [threading.Thread(target=client.csrf, args=(ORDERS,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert gateway.calls["csrf"] <= 2  # a HEAD, and a GET where the HEAD cannot be read


def test_a_wrong_password_is_not_tried_until_the_user_is_locked(gateway, client_of):
    client = client_of(credentials=Basic(DEMO.user, "wrong"))
    with pytest.raises(FixSettings, match="sap.login_refused"):
        client.create(ORDERS, "A_SalesOrder", ORDER)
    assert sum(gateway.calls.values()) <= 2


def oauth(gateway, secret=DEMO.client_secret):
    return ClientCredentials(str(gateway.logins()["token_url"]), DEMO.client_id, secret)


def test_oauth_signs_in_once_and_renews_once_when_refused(gateway, client_of):
    client = client_of(credentials=oauth(gateway))
    client.page(PRODUCTS, "A_Product", {})
    client.create(ORDERS, "A_SalesOrder", ORDER)
    assert gateway.calls["token"] == 1
    gateway.desk.expire_tokens()
    client.page(PRODUCTS, "A_Product", {})
    assert gateway.calls["token"] == 2
    with pytest.raises(FixSettings, match="sap.token_refused.*Client unknown"):
        client_of(credentials=oauth(gateway, "wrong")).page(PRODUCTS, "A_Product", {})


def test_a_token_that_is_never_accepted_ends(gateway, client_of, monkeypatch):
    monkeypatch.setattr(gateway.desk, "who", lambda call: "")
    with pytest.raises(FixSettings, match="sap.login_refused"):
        client_of(credentials=oauth(gateway)).page(PRODUCTS, "A_Product", {})
    assert gateway.calls["token"] == 2


def test_a_token_is_replaced_a_minute_before_its_end():
    now, asked = [0.0], []

    def ask():
        asked.append(1)
        return f"t{len(asked)}", 600.0

    token = Token(ask, lambda: now[0])
    assert (token(), token()) == ("t1", "t1")
    now[0] = 541
    assert token() == "t2"
    assert token(stale="t1") == "t2"  # somebody else has replaced it already
    assert token(stale="t2") == "t3"


def test_secrets_are_in_no_trace(gateway, client_of):
    for credentials in (Basic(DEMO.user, DEMO.password), oauth(gateway)):
        client = client_of(credentials=credentials)
        client.create(ORDERS, "A_SalesOrder", ORDER)
        told = " ".join(str(exchange) for exchange in client.trace.exchanges)
        assert "create A_SalesOrder" in told
        for secret in (DEMO.password, DEMO.client_secret, client.token.held, client._csrf[ORDERS.path]):
            assert not secret or secret not in told


# -- pages


def test_pages_of_the_server_are_followed_on_the_address_we_know(gateway, client_of):
    gateway.page = 3
    gateway.load({"materials": [{"number": f"M{n}", "unit": "PC"} for n in range(8)]})
    client = client_of()
    pages = list(client.pages(PRODUCTS, "A_Product", {"$filter": "startswith(Product,'M')"}))
    assert [len(page.entities) for page in pages] == [3, 3, 2]
    assert pages[0].next.startswith(
        "http://s4hana.internal:8000/sap/opu/odata/sap/API_PRODUCT_SRV/A_Product?"
    )
    assert client.count(PRODUCTS, "A_Product", {"$filter": "startswith(Product,'M')"}) == 8


@pytest.mark.parametrize(
    "link",
    [
        "http://evil.example/collect?$skiptoken=1",
        "http://h/sap/opu/odata/sap/API_PRODUCT_SRV/../OTHER/A",
        "http://h/sap/opu/odata/sap/API_PRODUCT_SRV/%2e%2e/OTHER/A",
        "http://h/sap/opu/odata/sap/API_PRODUCT_SRV_EVIL/A",
        "/etc/passwd",
    ],
)
def test_a_link_out_of_the_service_is_not_followed(client_of, link):
    with pytest.raises(Stop, match="sap.next_link"):
        client_of().system.followed(PRODUCTS, link)


def test_a_link_keeps_path_and_query_and_gets_our_client(gateway, client_of):
    client = client_of(system=System(gateway.url + "/proxy/sap/opu/odata/sap/", "100"))
    root = f"{gateway.url}/proxy/sap/opu/odata/sap/API_PRODUCT_SRV"
    for link in ("http://in:1/sap/opu/odata/sap/API_PRODUCT_SRV/A?$skiptoken=2", "A?$skiptoken=2"):
        assert client.system.followed(PRODUCTS, link) == f"{root}/A?$skiptoken=2&sap-client=100"


# -- V4


def test_version_four_reads_pages_and_writes(gateway, client_of):
    gateway.page = 2
    client = client_of()
    for no in range(5):
        client.create(ORDERS, "A_SalesOrder", {**ORDER, "PurchaseOrderByCustomer": f"TS-{no}"})
    query = {"$count": "true", "$expand": "_Item", "$orderby": "SalesOrder"}
    pages = list(client.pages(ORDERS_V4, "SalesOrder", query))
    assert [len(page.entities) for page in pages] == [2, 2, 1] and pages[0].count == 5
    row = pages[0].entities[0]
    assert wire.number(wire.many(row, "_Item")[0], "RequestedQuantity") == 5
    assert isinstance(row["LastChangeDateTime"], str) and wire.moment(row, "LastChangeDateTime")
    values = {**ORDER, "_Item": [{"Product": "BRG-6204", "RequestedQuantity": Decimal("2.5")}]}
    del values["to_Item"]
    made = client.create(ORDERS_V4, "SalesOrder", values)
    path = f"SalesOrder('{made['SalesOrder']}')"
    held = client.one(ORDERS_V4, path)
    client.change(ORDERS_V4, Change(path, {"ShippingCondition": "01"}, wire.etag(held)))
    with pytest.raises(RetryLater, match="sap.changed_meanwhile"):
        client.change(ORDERS_V4, Change(path, {"ShippingCondition": "02"}, wire.etag(held)))
    with pytest.raises(Rejected, match="V1/382"):
        client.create(ORDERS_V4, "SalesOrder", {**values, "_Item": [{"Product": "NO"}]})


# -- changes


def test_etags_guard_changes(gateway, client_of):
    client = client_of()
    client.create(ORDERS, "A_SalesOrder", ORDER)
    path, values = "A_SalesOrder('4711')", {"ShippingCondition": "01"}
    with pytest.raises(Rejected, match="If-Match"):
        client.change(ORDERS, Change(path, values))
    etag = wire.etag(client.one(ORDERS, path))
    client.change(ORDERS, Change(path, values, etag))
    with pytest.raises(RetryLater, match="sap.changed_meanwhile"):
        client.change(ORDERS, Change(path, values, etag))
    client.change(ORDERS, Change(path, values, "*"))


def test_a_change_set_is_done_whole_or_not_at_all(gateway, client_of):
    client = client_of()
    client.create(ORDERS, "A_SalesOrder", ORDER)

    def write(method, path, values):
        head = {"Content-Type": "application/json", "If-Match": "*"}
        return multipart.Request(method, path, head, wire.encode(values).encode())

    def patch(code):
        return write("PATCH", "A_SalesOrder('4711')", {"ShippingCondition": code})

    def add(material):
        return write("POST", "A_SalesOrder('4711')/to_Item", {"Material": material, "RequestedQuantity": "1"})

    read = multipart.Request("GET", "A_SalesOrder('4711')?$format=json", {"Accept": "application/json"})
    for wrong in ([patch("07"), add("NO")], [patch("07"), patch("08")], [patch("07"), read]):
        failed, seen = client.batch(ORDERS, [wrong, read])
        assert len(failed) == 1 and failed[0].status == 400
        assert wire.entity(wire.read(seen[0].body))["ShippingCondition"] == ""
    (good,) = client.batch(ORDERS, [[patch("07"), add("BRG-6204")]])
    assert [part.status for part in good] == [204, 201]


def test_every_change_of_a_batch_has_its_own_verdict(gateway, client_of):
    client = client_of()
    client.create(ORDERS, "A_SalesOrder", ORDER)
    item = "A_SalesOrderItem(SalesOrder='4711',SalesOrderItem='10')"
    verdicts = client.changes(
        ORDERS,
        [
            Change("A_SalesOrder('4711')", {"ShippingCondition": "01"}, "*"),
            Change("A_SalesOrder('9999')", {"ShippingCondition": "01"}, "*"),
            Change(item, {"SalesDocumentRjcnReason": "61"}, "*"),
        ],
    )
    assert [type(verdict) for verdict in verdicts] == [type(None), Rejected, type(None)]


# -- answers sorted by remedy


@pytest.mark.parametrize(
    ("mode", "read", "write", "done"),
    [
        ("timeout_before", RetryLater, Uncertain, False),
        ("timeout_after", RetryLater, Uncertain, True),
        ("drop_before", RetryLater, Uncertain, False),
        ("drop_after", RetryLater, Uncertain, True),
        ("status_500_after", RetryLater, Uncertain, True),
        ("html_200", RetryLater, Uncertain, True),
        ("bad_charset", RetryLater, Uncertain, True),
        ("cut_body", RetryLater, Uncertain, True),
        ("maintenance_html", RetryLater, Uncertain, False),
        ("too_many_requests", RetryLater, RetryLater, False),
        ("locked", None, RetryLater, False),
        ("extra_field", None, None, True),
    ],
)
def test_what_a_fault_means_for_reads_and_writes(gateway, client_of, mode, read, write, done):
    client = client_of(timeout=(0.2, 0.2))
    client.csrf(ORDERS)
    gateway.faults.set([{"mode": mode, "match": name, "seconds": 0.5} for name in ("read", "create")])
    for expected, act in (
        (read, lambda: client.page(PRODUCTS, "A_Product", {})),
        (write, lambda: client.create(ORDERS, "A_SalesOrder", ORDER)),
    ):
        if expected is None:
            act()
        else:
            with pytest.raises(expected) as raised:
                act()
            assert type(raised.value) is expected
    assert (len(gateway.books.rows("A_SalesOrder")) == 1) is done


def test_refused_connections_were_not_sent(gateway, client_of):
    client = client_of()
    client.csrf(ORDERS)
    gateway.stop()
    with pytest.raises(RetryLater, match="unreachable.tcp"):
        client.create(ORDERS, "A_SalesOrder", ORDER)


@pytest.mark.parametrize(
    ("status", "headers", "body", "expected"),
    [
        (401, {}, b"<html>", FixSettings),
        (403, {}, b'{"error":{"code":"/IWFND/MED/022","message":{"value":"no"}}}', FixSettings),
        (403, {}, b'{"error":{"code":"/IWFND/MED/170","message":{"value":"No service"}}}', FixSettings),
        (404, {}, b'{"error":{"code":"/IWBEP/CM_MGW_RT/020","message":"gone"}}', Rejected),
        (302, {"location": "https://idp/saml"}, b"", FixSettings),
        (404, {}, b"<html>", FixSettings),
        (400, {}, b'{"error":{"code":"V1/302","message":"no"}}', Rejected),
        (
            400,
            {},
            '{"error":{"code":"V1/042","message":"销售凭证 4711 当前正由用户 X 处理"}}'.encode(),
            RetryLater,
        ),
        (400, {}, b"<html>proxy</html>", Uncertain),
        (409, {}, b"", RetryLater),
        (412, {}, b"", RetryLater),
        (423, {}, b"", RetryLater),
        (428, {}, b"", Rejected),
        (429, {"Retry-After": "7"}, b"", RetryLater),
        (500, {}, b'{"error":{"code":"X","message":"dump"}}', Uncertain),
        (502, {}, b"<html>", Uncertain),
        (503, {}, b"<html>", Uncertain),
        (503, {"retry-after": "7"}, b"<html>", Uncertain),
        (503, {}, b'{"error":{"code":"/IWFND/MED/170","message":"No service"}}', Uncertain),
        (400, {}, b'{"error":{"code":"V4/115","message":"already used"}}', Uncertain),
        (
            400,
            {},
            b'{"error":{"code":"SY/530","message":"no","details":[{"code":"V4/115","message":"exists"}]}}',
            Uncertain,
        ),
    ],
)
def test_every_status_of_a_write_has_its_remedy(status, headers, body, expected):
    error = sorted_error(status, headers, body, write=True)
    assert type(error) is expected
    if status == 429:
        assert error.after.total_seconds() == 7
    assert not isinstance(sorted_error(status, headers, body, write=False), Uncertain)


def test_a_system_that_is_down_says_when_to_read_again():
    error = sorted_error(503, {"retry-after": "7"}, b"<html>", write=False)
    assert (type(error), error.code, error.after.total_seconds()) == (RetryLater, "sap.unavailable", 7)


@pytest.mark.parametrize("page", [b"", b"<html><form>Sign in</form></html>"])
def test_a_page_is_no_yes_to_a_change_a_deletion_or_a_function(gateway, client_of, page):
    client = client_of()
    client.csrf(ORDERS)
    real = client.http.request

    def paged(*args, **told):
        response = real(*args, **told)
        response.status_code, response._content = 200, page
        return response

    client.http.request = paged
    for act in (
        lambda: client.change(ORDERS, Change("A_SalesOrder('1')", {}, "*")),
        lambda: client.delete(ORDERS, "A_SalesOrder('1')", "*"),
        lambda: client.invoke(ORDERS, "Cancel", {}),
    ):
        with pytest.raises(Uncertain, match="sap.unreadable"):
            act()


def test_a_token_that_is_refused_is_no_refusal_of_the_document_behind_it(gateway, client_of):
    client = client_of()
    client.http.request = lambda *_args, **_told: answered(404, b'{"error":{"code":"X","message":"gone"}}')
    with pytest.raises(FixSettings, match="sap.service_missing"):
        client.create(ORDERS, "A_SalesOrder", ORDER)
    client = client_of(credentials=ClientCredentials("http://localhost/token", "id", "secret"))
    client.http.request = lambda *_args, **_told: answered(405, b"")
    with pytest.raises(FixSettings, match="sap.token_refused"):
        client.create(ORDERS, "A_SalesOrder", ORDER)


def answered(status, body):
    made = requests.Response()
    made.status_code, made._content = status, body
    return made


@pytest.mark.parametrize("told", ["API_X_SRV;v=0002", "API_X_SRV%3bv%3D0002"])
def test_a_link_into_a_version_of_a_service_is_followed_however_it_is_written(told):
    system, service = System("https://s4.example.com", "100"), v2("API_X_SRV;v=0002")
    link = f"http://inner:8000/sap/opu/odata/sap/{told}/A_Set?$skiptoken=7"
    wanted = "https://s4.example.com/sap/opu/odata/sap/API_X_SRV;v=0002/A_Set?$skiptoken=7&sap-client=100"
    assert system.followed(service, link) == wanted
