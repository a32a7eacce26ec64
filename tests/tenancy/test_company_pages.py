"""The company and its partners, page by page and over JSON."""

from collections.abc import Iterator
from uuid import uuid4

import pytest
from flask import Flask

from core.identity import create_api_key, principal_from_cookie
from core.tenancy import register_enterprise
from tests.conftest import OTHER, TENANT, Server
from tests.identity.browser import Browser, open_app
from tests.identity.conftest import House, open_house

HERE = {
    "label": "Main yard",
    "contact": "Chen",
    "phone": "021",
    "province": "上海",
    "city": "上海",
    "street": "宝杨路 1 号",
}
BANK = {
    "title": "企业0Y43",
    "registered_address": "宝杨路 1 号",
    "phone": "021",
    "bank": "工行",
    "account": "6222000011112222",
}
RULES = {
    "version": "0", "approval_threshold": "5,000", "offer_minutes": "4320", "soft_reserve_minutes": "30", "accept_days": "7",
    "under_tol": "0", "over_tol": "2.5", "write_off_amount": "5", "write_off_share": "0.25",
    "default_terms_days": "30", "currency": "CNY", "timezone": "Asia/Shanghai",
}  # fmt: skip


@pytest.fixture(scope="module")
def house(server: Server, keys: None) -> Iterator[House]:
    with open_house(server) as made:
        yield made


@pytest.fixture(scope="module")
def app(house: House, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    with open_app(house, tmp_path_factory.mktemp("data")) as made:
        yield made


@pytest.fixture
def chief(house: House, app: Flask) -> Browser:
    browser = Browser(app)
    browser.sign_in(house.person("admin"))
    return browser


def test_the_company_page_shows_and_saves_its_parts(chief: Browser) -> None:
    page = chief.get("/company").text
    assert "91350100M000100Y43" in page
    assert "Not verified yet" in page
    assert chief.post("/company/details", name="企业0Y43", short_name="零四三", website="").status_code == 303
    assert "零四三" in chief.get("/company").text
    assert chief.post("/company/details", name="").status_code == 422

    wrong = chief.post(
        "/company/settings", _from="/company", **{**RULES, "approval_threshold": "-1", "accept_days": "x"}
    )
    assert wrong.status_code == 422
    assert 'value="-1"' in wrong.text
    saved = chief.post("/company/settings", _from="/company", **{**RULES, "approval_threshold": "5000.50"})
    assert saved.status_code == 303
    page = chief.get("/company").text
    assert 'value="5000.5"' in page
    assert 'value="2.5"' in page
    assert 'name="write_off_amount" type="text" value="5"' in page
    assert 'name="write_off_share" type="text" value="0.25"' in page
    for name, value in (("write_off_amount", "0.001"), ("write_off_share", "101"), ("write_off_share", "-1")):
        refused = chief.post("/company/settings", **{**RULES, "version": "1", name: value})
        assert refused.status_code == 422 and f'value="{value}"' in refused.text, (name, value)
    stale = chief.post("/company/settings", **{**RULES, "approval_threshold": "1"})
    assert (stale.status_code, stale.headers["Location"]) == (303, "/")


def test_a_bank_account_is_saved_only_after_the_second_factor(
    house: House, app: Flask, chief: Browser
) -> None:
    chief.get("/company")
    for answer in (chief.get("/company/invoice"), chief.post("/company/invoice", **BANK)):
        assert answer.headers["Location"].startswith("/step-up")
    careful = Browser(app).sign_in_fully(house, house.person("admin", totp=True))
    assert careful.get("/company/invoice").status_code == 200
    assert careful.post("/company/invoice", **{**BANK, "title": "别的公司"}).status_code == 422
    assert careful.post("/company/invoice", **BANK).status_code == 303
    assert "6222000011112222" in careful.get("/company").text


def test_addresses_come_and_go(chief: Browser) -> None:
    chief.get("/company/addresses/new")
    assert chief.post("/company/addresses/new", **{**HERE, "street": ""}).status_code == 422
    assert chief.post("/company/addresses/new", **HERE).status_code == 303
    page = chief.get("/company").text
    assert "Main yard" in page
    url = "/company/addresses/" + page.split("/company/addresses/")[2].split('"')[0]
    if url.endswith("new"):
        url = "/company/addresses/" + page.split("/company/addresses/")[1].split('"')[0]
    assert chief.get(url).status_code == 200
    assert chief.post(url, **{**HERE, "label": "Gate 3"}, version="1").status_code == 303
    assert "Gate 3" in chief.get("/company").text
    assert chief.post(f"{url}/remove", _from=url).status_code == 303
    assert chief.get(url).status_code == 404
    assert chief.get(f"/company/addresses/{uuid4()}").status_code == 404


def test_terms_for_a_partner(chief: Browser) -> None:
    assert "No partners yet" in chief.get("/partners").text
    assert "企业XY7W" in chief.get("/partners/find?q=XY7W").text
    assert "No company matches" in chief.get("/partners/find?q=nobody").text
    url = f"/partners/{OTHER}"
    assert chief.get(url).status_code == 200
    wrong = chief.post(url, version="0", code="C-1", terms_days="999", credit_limit="1.005")
    assert wrong.status_code == 422
    assert 'value="999"' in wrong.text
    assert (
        chief.post(
            url, version="0", code="C-1", terms_days="45", credit_limit="1000000", blocked="1"
        ).status_code
        == 303
    )
    page = chief.get("/partners").text
    assert "1,000,000.00" in page
    assert "Blocked" in page
    assert (
        chief.post(url, _from=url, version="1", code="C-1", terms_days="", credit_limit="").status_code == 303
    )
    assert "Not blocked" in chief.get("/partners?q=c-1").text
    assert "No partners match" in chief.get("/partners?q=zzz").text
    assert chief.get("/partners?after=garbage").status_code == 400
    assert chief.get(f"/partners/{uuid4()}").status_code == 404


def test_those_who_may_only_look_see_no_form(house: House, app: Flask) -> None:
    clerk = Browser(app)
    clerk.sign_in(house.person("buyer.clerk"))
    for path in ("/company", "/partners", f"/partners/{OTHER}"):
        page = clerk.get(path)
        assert page.status_code == 200
        assert "savebar" not in page.text
    assert clerk.get("/partners/find").status_code == 403
    assert clerk.get("/company/addresses/new").status_code == 403
    assert clerk.post("/company/details", _from="/company", name="x").status_code == 403
    assert clerk.post(f"/partners/{OTHER}", _from="/company", version="0", code="x").status_code == 403


@pytest.mark.parametrize(
    "path", ["/company", "/partners", "/partners/find", "/account", "/members", "/company/addresses/new"]
)
def test_pages_cost_few_statements_and_carry_no_style(app: Flask, chief: Browser, path: str) -> None:
    app.extensions["ts"].count_sql = True
    try:
        answer = chief.get(path)
    finally:
        app.extensions["ts"].count_sql = False
    assert answer.status_code == 200
    assert "style=" not in answer.text
    assert "<script>" not in answer.text
    assert int(answer.headers["X-Statements"]) <= 9


def test_every_page_speaks_chinese_too(house: House, app: Flask, chief: Browser) -> None:
    chief.get("/account")
    chief.post("/account/preferences", lang="zh-CN")
    for path, word in (
        ("/company", "开票信息"),
        ("/partners", "伙伴"),
        ("/members", "成员"),
        ("/account", "身份验证器"),
    ):
        assert word in chief.get(path).text


def test_the_same_over_json(house: House, app: Flask) -> None:
    token = house.sign_in(house.person("admin")).token
    client, bearer = app.test_client(), {"Authorization": f"Bearer {token}"}

    def send(method: str, path: str, version: int | None = None, **body: object) -> object:
        headers = bearer | ({"If-Match": f'"{version}"'} if version is not None else {})
        return client.open(f"/api/v1{path}", method=method, json=body, headers=headers)

    mine = client.get("/api/v1/enterprise", headers=bearer)
    assert mine.json["uscc"] == "91350100M000100Y43"
    version = int(mine.headers["ETag"].strip('"'))
    assert send("PUT", "/enterprise", contact="Chen").status_code == 428
    assert send("PUT", "/enterprise", version, contact="Chen").json["contact"] == "Chen"
    assert send("PUT", "/enterprise", version, contact="Wang").status_code in (409, 412)
    assert send("PUT", "/enterprise", version + 1, status="verified").status_code == 422

    settings = client.get("/api/v1/enterprise/trade-settings", headers=bearer)
    at = int(settings.headers["ETag"].strip('"'))
    changed = send("PUT", "/enterprise/trade-settings", at, over_tol="0.05", accept_days=9)
    assert (changed.json["over_tol"], changed.json["accept_days"], changed.json["version"]) == (
        "0.05",
        9,
        at + 1,
    )
    wrong = send("PUT", "/enterprise/trade-settings", at + 1, accept_days=900)
    assert (wrong.status_code, wrong.json["errors"][0]["path"]) == (422, "accept_days")

    assert client.get("/api/v1/enterprises", headers=bearer).json["items"][0]["id"] == str(TENANT)
    assert client.get("/api/v1/enterprises/search?q=XY7W", headers=bearer).json["items"][0]["id"] == str(
        OTHER
    )
    assert client.get(f"/api/v1/enterprises/{OTHER}", headers=bearer).json["name"] == "企业XY7W"
    assert client.get(f"/api/v1/enterprises/{uuid4()}", headers=bearer).status_code == 404
    assert send("PUT", f"/enterprises/{OTHER}/status", status="verified").status_code == 403

    with house.unit.system(uuid4(), "test") as ctx:
        third = register_enterprise(ctx, name="丙公司", uscc="91110108MA00123455", kind="trader").id
    assert client.get(f"/api/v1/partners/{third}", headers=bearer).status_code == 404
    made = send("PUT", f"/partners/{third}", 0, credit_limit="12.30", code="C-9")
    assert (made.json["credit_limit"], made.json["version"]) == ("12.30", 1)
    listed = client.get("/api/v1/partners?limit=1", headers=bearer).json
    assert len(listed["items"]) == 1
    assert send("PUT", f"/partners/{third}", 0, code="C-8").status_code in (409, 412)

    added = client.post(
        "/api/v1/enterprise/addresses", json=HERE, headers=bearer | {"Idempotency-Key": "a-1"}
    )
    again = client.post(
        "/api/v1/enterprise/addresses", json=HERE, headers=bearer | {"Idempotency-Key": "a-1"}
    )
    assert (added.status_code, again.json["id"]) == (201, added.json["id"])
    assert send("DELETE", f"/enterprise/addresses/{added.json['id']}").status_code == 204
    assert client.get("/api/v1/enterprise/invoice-details", headers=bearer).status_code in (200, 404)
    assert client.get("/api/v1/enterprise/plugins", headers=bearer).status_code == 200


def test_a_key_without_a_person_changes_no_bank_account(house: House, app: Flask) -> None:
    token = house.sign_in(house.person("admin")).token
    with house.db.session() as session:
        person = principal_from_cookie(session, token)
        assert person is not None
        with house.unit.system(TENANT, "test") as ctx:
            key = create_api_key(ctx, "erp", ["enterprise.bank"], created_by=person.actor.person_id)
        session.commit()
    answer = app.test_client().put(
        "/api/v1/enterprise/invoice-details", json=BANK, headers={"Authorization": f"Bearer {key.token}"}
    )
    assert (answer.status_code, answer.json["code"]) == (403, "identity.needs_person")
