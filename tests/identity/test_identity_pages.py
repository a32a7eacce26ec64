"""The door and the account as a browser walks through them, over the whole application."""

import re
from collections.abc import Iterator
from uuid import uuid4

import pyotp
import pytest
from flask import Flask
from sqlalchemy import text

from core.identity import members
from tests.conftest import OTHER, TENANT
from tests.identity.browser import Browser, open_app
from tests.identity.conftest import PASSWORD, SECRET, House


@pytest.fixture(scope="module")
def app(house: House, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    with open_app(house, tmp_path_factory.mktemp("data")) as made:
        yield made


@pytest.fixture(autouse=True)
def no_tries(house: House) -> None:
    house.scalar("WITH gone AS (DELETE FROM auth.login_attempt RETURNING 1) SELECT count(*) FROM gone")
    house.scalar("WITH reset AS (UPDATE auth.mfa SET last_step = 1 RETURNING 1) SELECT count(*) FROM reset")


@pytest.fixture
def browser(app: Flask) -> Browser:
    return Browser(app)


def test_a_page_sends_strangers_to_the_door_and_back(house: House, browser: Browser) -> None:
    email = house.person("admin")
    answer = browser.get("/company?x=1")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/signin?next=/company?x%3D1")
    browser.get(answer.headers["Location"])
    answer = browser.post("/signin", login=email, password=PASSWORD, next="/company?x=1")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/company?x=1")
    assert browser.get("/company").status_code == 200
    assert browser.get("/signin").status_code == 303


@pytest.mark.parametrize(
    "wish", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:1"]
)
def test_the_door_leads_to_no_foreign_site(house: House, browser: Browser, wish: str) -> None:
    browser.get("/signin")
    answer = browser.post("/signin", login=house.person(), password=PASSWORD, next=wish)
    assert answer.headers["Location"] == "/"


def test_the_cookie_is_closed_to_scripts_and_foreign_sites(house: House, browser: Browser) -> None:
    answer = browser.sign_in(house.person())
    line = next(
        value for name, value in answer.headers if name == "Set-Cookie" and value.startswith("ts_session=")
    )
    assert "HttpOnly" in line
    assert "SameSite=Lax" in line
    assert "Secure" not in line


def test_over_https_the_cookie_belongs_to_this_host_alone(house: House, app: Flask) -> None:
    email = house.person()
    client = app.test_client()
    page = client.get("/signin", base_url="https://localhost").text
    token = re.search(r'name="_csrf" value="([0-9a-f]+)"', page)
    assert token is not None
    answer = client.post(
        "/signin",
        base_url="https://localhost",
        data={"login": email, "password": PASSWORD, "_csrf": token.group(1)},
        environ_base={"REMOTE_ADDR": "198.51.100.20"},
    )
    line = next(value for name, value in answer.headers if name == "Set-Cookie" and "ts_session" in value)
    assert line.startswith("__Host-ts_session=")
    assert "Secure" in line
    assert "Path=/" in line
    assert "Domain" not in line


def test_a_password_is_not_taken_over_plain_http_from_elsewhere(house: House, browser: Browser) -> None:
    browser.client.environ_base["REMOTE_ADDR"] = "198.51.100.21"
    answer = browser.sign_in(house.person())
    assert answer.status_code == 422
    assert "https" in answer.text


def test_a_wrong_password_keeps_what_was_typed_but_not_the_password(house: House, browser: Browser) -> None:
    email = house.person()
    answer = browser.sign_in(email, "wrong password here")
    assert answer.status_code == 422
    assert email in answer.text
    assert "wrong password here" not in answer.text
    assert "10 failures" in answer.text
    assert browser.cookie() == ""


def test_a_post_without_the_token_of_the_page_is_refused(house: House, browser: Browser) -> None:
    email = house.person()
    answer = browser.client.post("/signin", data={"login": email, "password": PASSWORD})
    assert answer.status_code == 403
    browser.sign_in(email)
    assert browser.client.post("/signout").status_code == 403
    assert browser.get("/account").status_code == 200


def test_the_second_factor_page_counts_down_and_opens(house: House, browser: Browser) -> None:
    email = house.person("admin", totp=True)
    assert browser.get("/mfa").headers["Location"] == "/signin"
    assert browser.sign_in(email).headers["Location"] == "/mfa"
    pending = browser.cookie()
    assert browser.get("/company").status_code == 303, "a pending session opens no page"
    answer = browser.post("/mfa", _from="/mfa", code="000000")
    assert answer.status_code == 422
    assert "9 more tries" in answer.text
    with house.db.session() as session:
        now = session.scalar(text("SELECT ts.clock()"))
    assert browser.post("/mfa", code=pyotp.TOTP(SECRET).at(now)).status_code == 303
    assert browser.cookie() != pending
    assert browser.get("/account").status_code == 200
    assert browser.get("/mfa?way=recovery").status_code == 303


def test_signing_in_is_written_to_the_trail(house: House, browser: Browser) -> None:
    email = house.person()
    browser.sign_in(email)
    written = house.scalar(
        "SELECT count(*) FROM ts.audit_entry WHERE action = 'session.open' AND actor_name = :n",
        n=email.split("@")[0],
    )
    assert written == 1


def test_setting_up_an_authenticator_in_the_account(house: House, browser: Browser) -> None:
    email = house.person()
    browser.sign_in(email)
    page = browser.get("/account").text
    assert "Chrome · Linux" in page
    assert browser.post("/account/authenticator", password="wrong password here").status_code == 422
    assert browser.post("/account/authenticator", password=PASSWORD).status_code == 303
    page = browser.get("/account").text
    assert "<svg" in page
    assert "style=" not in page
    secret = re.search(r'<code class="id">([A-Z2-7 ]+)</code>', page)
    assert secret is not None
    assert browser.post("/account/authenticator/confirm", code="12345").status_code == 422
    with house.db.session() as session:
        now = session.scalar(text("SELECT ts.clock()"))
    answer = browser.post(
        "/account/authenticator/confirm", code=pyotp.TOTP(secret.group(1).replace(" ", "")).at(now)
    )
    assert answer.status_code == 200
    assert len(re.findall(r"[2-9A-Z]{5}-[2-9A-Z]{5}", answer.text)) == 10
    assert answer.headers["Cache-Control"] == "no-store"
    assert browser.get("/account").status_code == 200


def test_changing_the_password_keeps_this_session_and_no_other(house: House, app: Flask) -> None:
    email = house.person()
    here, there = Browser(app), Browser(app)
    here.sign_in(email)
    there.sign_in(email)
    here.get("/account")
    assert here.post("/account/password", current=PASSWORD, new="short").status_code == 422
    assert (
        here.post("/account/password", current=PASSWORD, new="nine cranes above the river").status_code == 303
    )
    assert here.get("/account").status_code == 200
    assert there.get("/account").status_code == 303


def test_language_chosen_in_the_account_follows_the_person(house: House, app: Flask) -> None:
    email = house.person()
    browser = Browser(app)
    browser.sign_in(email)
    browser.get("/account")
    assert (
        browser.post("/account/preferences", lang="zh-CN", theme="dark", density="compact").status_code == 303
    )
    assert "账户与安全" in browser.get("/account").text
    elsewhere = Browser(app)
    elsewhere.sign_in(email)
    assert "账户与安全" in elsewhere.get("/account").text


def test_switching_the_company(house: House, browser: Browser) -> None:
    email = house.person("admin")
    house.person("admin", tenant=OTHER, email=email)
    browser.sign_in(email)
    assert "企业0Y43" in browser.get("/company").text
    before = browser.cookie()
    assert browser.post("/switch", company=str(OTHER)).status_code == 303
    assert browser.cookie() != before
    assert "企业XY7W" in re.sub(
        r"(?s)<details class=\"menu l\">.*?</details>", "", browser.get("/company").text
    )
    for unknown in (str(uuid4()), "nonsense"):
        assert browser.post("/switch", company=unknown).status_code == 404


def test_members_are_managed_only_with_the_second_factor_fresh(house: House, browser: Browser) -> None:
    browser.sign_in(house.person("admin"))
    assert browser.get("/members").status_code == 200
    answer = browser.get("/members/invite")
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith("/step-up?next=/members/invite")
    assert "Set up an authenticator" in browser.get("/step-up").text


def test_after_the_second_factor_one_is_back_on_the_page_of_the_form(house: House, browser: Browser) -> None:
    browser.sign_in_fully(house, house.person("admin", totp=True))
    house.scalar("UPDATE auth.session SET second_factor_at = ts.clock() - interval '1 hour' RETURNING 1")
    house.scalar("UPDATE auth.mfa SET last_step = 1 RETURNING 1")
    browser.get("/account")
    answer = browser.post("/account/recovery-codes")
    assert answer.headers["Location"].startswith("/step-up?next=/account/recovery-codes")
    came_from = {"Referer": "http://localhost/account"}
    page = browser.client.get(answer.headers["Location"], headers=came_from).text
    assert 'name="next" value="/account"' in page
    with house.db.session() as session:
        now = session.scalar(text("SELECT ts.clock()"))
    answer = browser.post("/step-up", _from="/step-up", code=pyotp.TOTP(SECRET).at(now), next="/account")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/account")
    browser.get("/account")
    assert browser.post("/account/recovery-codes").status_code == 200


def test_inviting_joining_and_changing_a_member(house: House, app: Flask) -> None:
    chief = Browser(app).sign_in_fully(house, house.person("admin", totp=True))
    assert chief.get("/members/invite").status_code == 200
    assert chief.post("/members/invite", email="nonsense", name="Zhou", roles=["it"]).status_code == 422
    answer = chief.post("/members/invite", email="zhou@guest.example", name="Zhou", roles=["it", "auditor"])
    link = re.search(r"http://localhost(/join/[\w-]+)", answer.text)
    assert link is not None

    guest = Browser(app)
    assert "zhou@guest.example" in guest.get(link.group(1)).text
    assert guest.post(link.group(1), name="Zhou", password="short").status_code == 422
    assert guest.post(link.group(1), name="Zhou", password="a long enough sentence").status_code == 303
    assert guest.get("/members").status_code == 200
    assert guest.get(link.group(1)).status_code == 404

    with house.unit.system(TENANT, "test") as ctx:
        zhou = next(one.id for one in members(ctx) if one.email == "zhou@guest.example")
    assert chief.get(f"/members/{zhou}").status_code == 200
    answer = chief.post(f"/members/{zhou}", **{"roles": ["seller.finance"], "limits.partner.credit": "x"})
    assert answer.status_code == 422
    answer = chief.post(
        f"/members/{zhou}", **{"roles": ["seller.finance"], "limits.partner.credit": "20,000.50"}
    )
    assert answer.status_code == 303
    assert "20,000.50" in chief.get("/members").text
    assert guest.get("/members").status_code == 403
    assert chief.get(f"/members/{zhou}/remove").status_code == 200
    assert chief.post(f"/members/{zhou}/remove").status_code == 303
    assert guest.get("/account").status_code == 303


def test_a_key_is_shown_once_and_works(house: House, app: Flask) -> None:
    chief = Browser(app).sign_in_fully(house, house.person("admin", totp=True))
    assert chief.get("/members/keys/new").status_code == 200
    assert chief.post("/members/keys/new", name="erp", days="30", cidrs="", scopes=[]).status_code == 422
    answer = chief.post(
        "/members/keys/new", name="erp", days="30", cidrs="127.0.0.0/8", scopes=["member.view"]
    )
    key = re.search(r"tsk_[0-9a-f]{8}_[\w-]+", answer.text)
    assert key is not None
    assert key.group(0) not in chief.get("/members").text
    client = app.test_client()
    bearer = {"Authorization": f"Bearer {key.group(0)}"}
    me = client.get("/api/v1/me", headers=bearer).json
    assert (me["kind"], me["name"], me["enterprise_id"]) == ("key", "erp", str(TENANT))
    assert [one["permission"] for one in me["grants"]] == ["me.view", "member.view"]
    assert client.get("/api/v1/members", headers=bearer).status_code == 200
    assert client.get("/api/v1/api-keys", headers=bearer).status_code == 403
    assert client.get("/api/v1/me/sessions", headers=bearer).status_code == 403
    assert client.get("/api/v1/me").status_code == 401
    far = client.get("/api/v1/me", headers=bearer, environ_base={"REMOTE_ADDR": "198.51.100.22"})
    assert far.status_code == 401


def test_the_same_over_json(house: House, app: Flask) -> None:
    email = house.person("admin", totp=True)
    client = app.test_client()
    answer = client.post("/api/v1/session", json={"login": email, "password": PASSWORD})
    assert (answer.status_code, answer.json["pending"]) == (201, True)
    assert (
        client.get("/api/v1/me", headers={"Authorization": f"Bearer {answer.json['token']}"}).status_code
        == 401
    )
    with house.db.session() as session:
        now = session.scalar(text("SELECT ts.clock()"))
    code = pyotp.TOTP(SECRET).at(now)
    answer = client.post("/api/v1/session/second-factor", json={"token": answer.json["token"], "code": code})
    assert (answer.status_code, answer.json["pending"]) == (201, False)
    bearer = {"Authorization": f"Bearer {answer.json['token']}"}
    assert client.get("/api/v1/me", headers=bearer).json["kind"] == "person"
    assert client.get("/api/v1/me/sessions", headers=bearer).json["items"][0]["current"] is True
    made = client.post("/api/v1/api-keys", headers=bearer, json={"name": "erp", "scopes": ["member.view"]})
    assert made.status_code == 201
    listed = client.get("/api/v1/api-keys", headers=bearer)
    assert made.json["token"] not in listed.text
    assert client.delete(f"/api/v1/api-keys/{made.json['id']}", headers=bearer).status_code == 204
    assert client.delete(f"/api/v1/api-keys/{made.json['id']}", headers=bearer).status_code == 404
    invited = client.post(
        "/api/v1/invitations", headers=bearer, json={"email": "j@guest.example", "name": "J", "roles": ["it"]}
    )
    assert "/join/" in invited.json["url"]
    assert client.get("/api/v1/invitations", headers=bearer).json["items"][0]["email"] == "j@guest.example"
    member = next(
        one for one in client.get("/api/v1/members", headers=bearer).json["items"] if one["email"] == email
    )
    answer = client.put(
        f"/api/v1/members/{member['id']}/limits",
        headers=bearer,
        json={"limits": [{"permission": "partner.credit", "amount": "12.30"}]},
    )
    assert answer.json["limits"] == {"partner.credit": "12.30"}
    assert (
        client.put(f"/api/v1/members/{uuid4()}/roles", headers=bearer, json={"roles": ["it"]}).status_code
        == 404
    )
    wrong = client.post("/api/v1/session", json={"login": email, "password": "wrong password here"})
    assert (wrong.status_code, wrong.json["code"]) == (401, "identity.sign_in_refused")
    assert client.delete("/api/v1/session", headers=bearer).status_code == 204
    assert client.get("/api/v1/me", headers=bearer).status_code == 401


def test_leaving_ends_the_session_here_and_on_the_server(house: House, browser: Browser) -> None:
    browser.sign_in(house.person())
    browser.get("/account")
    token = browser.cookie()
    assert browser.post("/signout").headers["Location"] == "/signin"
    assert browser.cookie() == ""
    assert not house.opens(token)


def test_flask_login_sees_the_same_person(house: House, app: Flask) -> None:
    from flask_login import current_user

    token = house.sign_in(house.person()).token
    with app.test_request_context("/", headers={"Cookie": f"ts_session={token}"}):
        assert not current_user.is_authenticated
    assert app.login_manager.session_protection is None
