"""The practice SAP is true to its protocol: sessions, ETags, locks, paging, errors in its own shapes, and its page."""

import json
import subprocess
import sys
from xml.etree import ElementTree

import pytest
import requests

from connectors.sap.odata.simulator import DEMO, Gateway
from connectors.sap.odata.simulator.model import SERVICES, SETS
from connectors.sap.odata.simulator.query import Wrong, condition_of
from tests.connectors import sap_house

gateway = sap_house.gateway
ORDERS = "/sap/opu/odata/sap/API_SALES_ORDER_SRV"
PRODUCTS = "/sap/opu/odata/sap/API_PRODUCT_SRV"
BODY = {
    "SalesOrderType": "OR",
    "SalesOrganization": "1010",
    "SoldToParty": "10100001",
    "PurchaseOrderByCustomer": "PO-1",
    "to_Item": [{"Material": "BRG-6204", "RequestedQuantity": "5"}],
}


@pytest.fixture
def http():
    with requests.Session() as made:
        made.trust_env = False
        made.auth = (DEMO.user, DEMO.password)
        made.headers["Accept"] = "application/json"
        yield made


@pytest.fixture
def post(gateway, http):
    """A write in a CSRF session."""
    token = http.get(gateway.url + ORDERS + "/", headers={"x-csrf-token": "Fetch"}).headers["x-csrf-token"]

    def make(path, body, method="POST", **headers):
        told = {"x-csrf-token": token, "Content-Type": "application/json", **headers}
        data = body if isinstance(body, str) else json.dumps(body)
        return http.request(method, gateway.url + ORDERS + path, data=data, headers=told)

    return make


def test_nobody_gets_in_without_a_password(gateway):
    answer = requests.get(gateway.url + ORDERS + "/", timeout=2)
    assert answer.status_code == 401 and answer.headers["Content-Type"].startswith("text/html")


def test_a_token_is_worth_nothing_without_its_cookies(gateway, http):
    fetched = http.get(gateway.url + ORDERS + "/", headers={"x-csrf-token": "Fetch"})
    assert {cookie.name for cookie in http.cookies} == {"SAP_SESSIONID_TSP_100", "sap-XSRF_TSP_100"}
    headers = {"x-csrf-token": fetched.headers["x-csrf-token"]}
    url = gateway.url + ORDERS + "/A_SalesOrder"
    for name in ("SAP_SESSIONID_TSP_100", "sap-XSRF_TSP_100"):
        kept = {cookie.name: cookie.value for cookie in http.cookies if cookie.name != name}
        answer = requests.post(url, json=BODY, auth=http.auth, headers=headers, cookies=kept, timeout=2)
        assert (answer.status_code, answer.headers["x-csrf-token"]) == (403, "Required")
    assert http.post(url, json=BODY, headers=headers).status_code == 201


def test_an_order_comes_back_with_number_etag_and_warnings(gateway, post):
    made = post("/A_SalesOrder", BODY)
    assert made.status_code == 201
    held = made.json()["d"]
    assert (held["SalesOrder"], held["TotalNetAmount"]) == ("4711", "0.000")
    assert held["__metadata"]["etag"] == made.headers["ETag"]
    assert made.headers["Location"].startswith("http://s4hana.internal:8000/")
    told = json.loads(post("/A_SalesOrder", BODY).headers["sap-message"])
    assert [one["code"] for one in told["details"]] == ["V4/115", "V4/115"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"SoldToParty": "1"}, "VP/199"),
        ({"SalesOrganization": "9"}, "V1/312"),
        ({"to_Item": [{"Material": "NO", "RequestedQuantity": "1"}]}, "V1/382"),
        ({"to_Item": [{"Material": "BRG-6204"}]}, "V1/201"),
        (
            {"to_Item": [{"Material": "BRG-6204", "RequestedQuantity": "1.2345"}]},
            "/IWCOR/CX_DS_EDM_FACET_ERROR/011",
        ),
        ({"PurchaseOrderByCustomer": "X" * 36}, "/IWCOR/CX_DS_EDM_FACET_ERROR/010"),
        ({"NoSuchField": 1}, "/IWCOR/CX_DS_EP_PROPERTY_ERROR/003"),
    ],
)
def test_a_wrong_order_is_refused_and_leaves_nothing(gateway, post, change, code):
    answer = post("/A_SalesOrder", BODY | change)
    assert answer.status_code == 400 and answer.json()["error"]["code"] == code
    assert gateway.books.rows("A_SalesOrder") == gateway.books.rows("A_SalesOrderItem") == []


def test_errors_come_as_xml_when_json_was_not_asked_for(gateway, http):
    answer = http.get(gateway.url + ORDERS + "/A_SalesOrder('1')", headers={"Accept": "*/*"})
    assert answer.status_code == 404
    root = ElementTree.fromstring(answer.content)
    assert root.tag.endswith("error") and "not found" in root[1].text


def test_changes_need_the_etag_and_find_locks(gateway, post):
    etag = post("/A_SalesOrder", BODY).headers["ETag"]
    path, values = "/A_SalesOrder('4711')", {"ShippingCondition": "01"}
    assert post(path, values, "PATCH").status_code == 428
    assert post(path, values, "PATCH", **{"If-Match": etag}).status_code == 204
    assert post(path, values, "PATCH", **{"If-Match": etag}).status_code == 412
    merged = post(path, values, "POST", **{"If-Match": "*", "X-HTTP-Method": "MERGE"})
    assert merged.status_code == 204
    requests.post(f"{gateway.admin}/lock", json={"order": "4711"}, timeout=2).raise_for_status()
    locked = post(path, values, "PATCH", **{"If-Match": "*"})
    said = locked.json()["error"]["message"]["value"]
    assert said == "Sales document 4711 is currently being processed (by user MUELLER)"


def test_reading_only_sets_take_no_writes(gateway, post):
    assert post("/A_SalesOrderItem", {}).status_code == 405
    assert post("/A_SalesOrder('1')", {}, "DELETE").status_code == 405


def test_the_server_cuts_pages_and_names_a_host_of_its_own(gateway, http):
    gateway.page = 1
    query = {"$inlinecount": "allpages", "$orderby": "Product desc", "$select": "Product"}
    first = http.get(f"{gateway.url}{PRODUCTS}/A_Product", params=query).json()["d"]
    assert (first["__count"], [row["Product"] for row in first["results"]]) == ("2", ["RB-HRB400E-16"])
    rest = first["__next"].replace("http://s4hana.internal:8000", gateway.url)
    second = http.get(rest).json()["d"]
    assert [row["Product"] for row in second["results"]] == ["BRG-6204"] and "__next" not in second
    assert "to_Description" not in second["results"][0]


def test_decimals_are_text_and_dates_are_ticks(gateway, http):
    found = http.get(f"{gateway.url}/sap/opu/odata/sap/API_MATERIAL_STOCK_SRV/A_MatlStkInAcctMod").json()
    assert found["d"]["results"][0]["MatlWrhsStkQtyInMatlBaseUnit"] == "480.00000000000000"
    product = http.get(f"{gateway.url}{PRODUCTS}/A_Product('BRG-6204')").json()["d"]
    assert product["LastChangeDateTime"].endswith("+0000)/") and "+" not in product["CreationDate"]
    assert product["to_Description"]["__deferred"]["uri"].endswith("/to_Description")


ROW = {"Product": "O'Brien", "BaseUnit": "PC", "IsMarkedForDeletion": False, "GrossWeight": None}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Product eq 'O''Brien'", True),
        ("not (Product eq 'X') and BaseUnit ne 'KG'", True),
        ("Product eq 'X' or BaseUnit eq 'PC' and IsMarkedForDeletion eq true", False),
        ("(Product eq 'X' or BaseUnit eq 'PC') and IsMarkedForDeletion eq false", True),
        ("substringof('Bri',Product) and startswith(Product,'O')", True),
        ("GrossWeight gt 12.5M", False),
        ("LastChangeDateTime ge datetimeoffset'2026-11-22T00:00:00Z'", False),
    ],
)
def test_filters(text, expected):
    assert condition_of(text, SETS["A_Product"])(ROW) is expected


@pytest.mark.parametrize(
    "text", ["Nope eq 1", "Product", "Product eq", "Product eq 'x", "(Product eq 'x'", "a b c"]
)
def test_filters_that_mean_nothing(text):
    with pytest.raises(Wrong):
        condition_of(text, SETS["A_Product"])(ROW)


def test_every_description_is_whole_xml_of_the_sets(gateway, http):
    for name, service in SERVICES.items():
        answer = http.get(f"{gateway.url}/sap/opu/odata/sap/{name}/$metadata")
        text = ElementTree.tostring(ElementTree.fromstring(answer.content), encoding="unicode")
        assert all(f'Name="{each}"' in text for each in service.sets)


def test_its_page_shows_state_and_takes_faults(gateway, post):
    post("/A_SalesOrder", BODY)
    state = requests.get(f"{gateway.admin}/state", timeout=2).json()
    assert state["orders"][0]["reference"] == "PO-1" and state["rows"]["A_SalesOrderItem"] == 1
    page = requests.get(gateway.admin, headers={"Accept": "text/html"}, timeout=2).text
    assert "look_up_lag" in page and "PO-1" in page
    requests.post(f"{gateway.admin}/faults", json=[{"mode": "locked"}], timeout=2).raise_for_status()
    assert post("/A_SalesOrder", BODY).status_code == 400
    assert requests.post(f"{gateway.admin}/nonsense", json={}, timeout=2).status_code == 404


@pytest.mark.parametrize("mode", sorted(Gateway.modes))
def test_every_mode_of_its_own_can_be_set(gateway, post, mode):
    gateway.faults.set([{"mode": mode, "seconds": 0.1}])
    status = post("/A_SalesOrder", BODY).status_code
    expected = {"csrf_expired": 403, "session_lost": 403, "locked": 400, "too_many_requests": 429}
    assert status == (expected | {"maintenance_html": 503}).get(mode, 201)


@pytest.mark.slow
def test_it_runs_as_a_process_of_its_own():
    command = [sys.executable, "-m", "connectors.sap.odata.simulator", "--page", "2"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        answer = requests.get(f"{told['url']}{ORDERS}/", auth=(told["user"], told["password"]), timeout=5)
        process.terminate()
    assert "A_SalesOrder" in answer.json()["d"]["EntitySets"]
