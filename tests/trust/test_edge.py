"""The edge of the application: what it takes in, from whom, and what it says about itself."""

import base64
import re
from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient

from core.web.headers import answers_to
from tests.app.house import House


@pytest.fixture
def browser(house: House) -> Iterator[FlaskClient]:
    yield house.browser("hengke")


def token_of(client: FlaskClient) -> str:
    found = re.search(r'name="_csrf" value="([0-9a-f]+)"', client.get("/account").text)
    assert found
    return found.group(1)


@pytest.mark.parametrize("path", ["/", "/signin", "/nothing/here", "/api/v1/me", "/api/v1/nothing", "/healthz"])
def test_every_answer_carries_the_headers_of_the_house(house: House, path: str) -> None:
    answer = house.browser("hengke").get(path)
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"
    assert re.fullmatch(r"[0-9a-f]{16}", answer.headers["X-Trace-Id"])


def test_a_form_without_the_sessions_token_changes_nothing(house: House, browser: FlaskClient) -> None:
    good = token_of(browser)
    foreign = token_of(house.browser("zhuda"))
    for given in ({}, {"_csrf": ""}, {"_csrf": foreign}, {"_csrf": good[:-1]}, {"_csrf": good.upper() + "0"}):
        assert browser.post("/preferences", data={"lang": "en", **given}).status_code == 403
        assert browser.post("/signout", data=given).status_code == 403
    assert browser.get("/account").status_code == 200


@pytest.mark.parametrize(
    "header",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:9"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_form_of_another_site_changes_nothing_even_with_the_token(browser: FlaskClient, header: dict[str, str]) -> None:
    token = token_of(browser)
    assert browser.post("/signout", data={"_csrf": token}, headers=header).status_code == 403
    assert browser.get("/account").status_code == 200


def test_the_api_does_not_read_cookies(browser: FlaskClient) -> None:
    assert browser.get("/api/v1/me").status_code == 401
    assert browser.post("/api/v1/orders", json={}).status_code == 401


def test_pages_do_not_take_keys(house: House) -> None:
    answer = house.api("hengke")("GET", "/account")
    assert answer.status_code == 303


def test_an_ended_session_opens_nothing_at_once(house: House) -> None:
    client = house.browser("yongtai")
    token = token_of(client)
    stolen = client.get_cookie("ts_session")
    assert stolen is not None
    assert client.post("/signout", data={"_csrf": token}).status_code == 303
    other = house.app.test_client()
    other.set_cookie("ts_session", stolen.value)
    assert other.get("/account").status_code == 303


def test_a_revoked_key_opens_nothing_at_once(house: House) -> None:
    ask = house.api("zhuda")
    listed = ask("GET", "/api/v1/api-keys").json
    keys = listed if isinstance(listed, list) else listed["items"]
    mine = next(key for key in keys if key["name"] == "all of zhuda")
    assert ask("DELETE", f"/api/v1/api-keys/{mine['id']}").status_code in (200, 204)
    assert ask("GET", "/api/v1/me").status_code == 401


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b"\xff\xfe", 400),
        (b'{"a": NaN}', 400),
        (b'{"a": Infinity}', 400),
        (b"[]", 400),
        (b'{"a": ' + b"[" * 40 + b"]" * 40 + b"}", 400),
        (b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", 400),
        (b'{"seller_id": "x", "lines": [], "secret": 1}', 422),
        (b" " * ((1 << 20) + 1), 413),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_reason(house: House, body: bytes, status: int) -> None:
    answer = house.api("hengke")(
        "POST", "/api/v1/orders", data=body, headers={"Content-Type": "application/json", "Idempotency-Key": "k1"}
    )
    assert answer.status_code == status
    assert answer.mimetype == "application/problem+json"
    assert answer.json["code"]
    assert answer.json["detail"] != answer.json["code"]


@pytest.mark.parametrize("quantity", ["1e400", "NaN", "-1", "0", "1.0000001", 1.5e-30, "１٢", "1_000", "", None, True, [], {}])
def test_a_quantity_that_is_none_is_refused(house: House, quantity: object) -> None:
    lines = [{"sku_id": str(house.cast.skus["lianhang"][0]), "quantity": quantity}]
    answer = house.api("hengke")(
        "POST",
        "/api/v1/orders",
        json={"seller_id": str(house.cast.ids["lianhang"]), "mode": "spot", "lines": lines},
        headers={"Idempotency-Key": f"quantity {quantity!r}".encode("ascii", "backslashreplace").decode()},
    )
    assert answer.status_code == 422, answer.text
    assert answer.json["errors"][0]["path"] == "lines.0.quantity"


@pytest.mark.parametrize(
    ("asked", "bound", "allowed", "ours"),
    [
        ("localhost", "127.0.0.1", (), True),
        ("127.0.0.1:8080", "127.0.0.1", (), True),
        ("[::1]:8080", "127.0.0.1", (), True),
        ("evil.example", "127.0.0.1", (), False),
        ("10.1.2.3", "127.0.0.1", (), False),
        ("10.1.2.3:80", "0.0.0.0", (), True),
        ("evil.example", "0.0.0.0", (), False),
        ("trade.example.com", "0.0.0.0", ("trade.example.com",), True),
        ("Trade.Example.com:443", "0.0.0.0", ("trade.example.com",), True),
        ("127.0.0.1", "0.0.0.0", ("trade.example.com",), False),
        ("trade.example.com.evil.example", "0.0.0.0", ("trade.example.com",), False),
        ("[", "127.0.0.1", (), False),
        ("", "127.0.0.1", (), False),
    ],
)
def test_only_our_own_names_are_answered_to(asked: str, bound: str, allowed: tuple[str, ...], ours: bool) -> None:
    assert answers_to(asked, bound, allowed) is ours


def test_a_foreign_name_is_told_so(house: House) -> None:
    client = house.app.test_client()
    answer = client.get("/signin", base_url="http://evil.example")
    assert answer.status_code == 400
    assert "TS_ALLOWED_HOSTS" in answer.text
    assert client.get("/healthz", base_url="http://evil.example").status_code == 200


def test_nobody_speaks_for_another_address_unless_a_proxy_is_stated(house: House) -> None:
    client = house.app.test_client()
    answer = client.get("/signin", headers={"X-Forwarded-Proto": "https", "X-Forwarded-Host": "evil.example"})
    assert answer.status_code == 200
    assert "Strict-Transport-Security" not in answer.headers
    assert "evil.example" not in answer.text


@pytest.mark.parametrize(("megabytes", "status"), [(2, 202), (31, 413)])
def test_a_file_may_be_larger_than_other_bodies(house: House, megabytes: int, status: int) -> None:
    goods = b"code,name_zh\n" + b"A-1,bolt\n" * (megabytes * 84_000)
    body = {"file_name": "goods.csv", "content": base64.b64encode(goods).decode()}
    answer = house.api("lianhang")(
        "POST", "/api/v1/imports", json=body, headers={"Idempotency-Key": f"file of {megabytes} MB"}
    )
    assert answer.status_code == status, answer.text
