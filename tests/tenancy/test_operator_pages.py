"""From the operator's invitation to an enterprise with an administrator of its own, as browsers walk it."""

import re
from collections.abc import Iterator
from uuid import uuid4

import pytest
from flask import Flask

from core.identity import invite_first, name_operator
from core.kernel import Forbidden
from tests.conftest import OTHER, TENANT
from tests.identity.browser import Browser, open_app
from tests.identity.conftest import PASSWORD, House, house

__all__ = ["house"]

GOOD = {
    "name": "江南轴承有限公司", "short_name": "江南轴承", "name_en": "Jiangnan Bearings", "uscc": "91320500MA1MCD5K7T",
    "kind": "manufacturer", "admin": "钱进", "email": "qian.jin@jiangnan.example",
}  # fmt: skip


@pytest.fixture(scope="module")
def app(house: House, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    with house.unit.system(OTHER, "test") as ctx:
        name_operator(ctx)
    with open_app(house, tmp_path_factory.mktemp("data")) as made:
        yield made


@pytest.fixture(autouse=True)
def fresh_codes(house: House) -> None:
    house.scalar("WITH gone AS (DELETE FROM auth.login_attempt RETURNING 1) SELECT count(*) FROM gone")
    house.scalar("WITH reset AS (UPDATE auth.mfa SET last_step = 1 RETURNING 1) SELECT count(*) FROM reset")


@pytest.fixture
def operator(house: House, app: Flask) -> Browser:
    email = house.person("operator.admin", tenant=OTHER, totp=True)
    return Browser(app).sign_in_fully(house, email)


def code(number: int) -> str:
    """A credit code with a right check character."""
    signs, body = "0123456789ABCDEFGHJKLMNPQRTUWXY", f"9132050{number:010d}"
    total = sum(signs.index(sign) * pow(3, place, 31) for place, sign in enumerate(body))
    return body + signs[-total % 31]


def entered(operator: Browser, number: int) -> str:
    """A new enterprise's invitation, as a path."""
    answer = operator.post(
        "/operator/enterprises/new", _from="/operator/enterprises/new", **{**GOOD, "uscc": code(number)}
    )
    assert answer.status_code == 200, answer.text
    found = re.search(r"https?://[^/]+(/join/[\w-]+)", answer.text)
    assert found is not None
    return found.group(1)


def test_an_enterprise_begins_with_its_first_administrator(operator: Browser, app: Flask) -> None:
    path = entered(operator, 1)
    them = Browser(app)
    assert them.post(path, _from=path, name="钱进", password=PASSWORD).status_code == 303
    page = them.get("/members")
    assert (page.status_code, "钱进" in page.text) == (200, True)
    assert "Jiangnan" in operator.get("/operator/enterprises?q=" + code(1)).text
    assert them.get("/operator/enterprises").status_code == 403


def test_bad_input_comes_back_with_what_was_typed(operator: Browser) -> None:
    for field, wrong in (("uscc", "123"), ("kind", "operator"), ("email", "nobody"), ("name", " "), ("admin", "")):
        typed = {**GOOD, "uscc": code(77), field: wrong}
        answer = operator.post("/operator/enterprises/new", _from="/operator/enterprises/new", **typed)
        assert answer.status_code == 422, field
        assert f'id="f-{field}-e"' in answer.text, field
        assert "江南轴承有限公司" in answer.text or field == "name"


def test_a_code_stands_once(operator: Browser) -> None:
    entered(operator, 2)
    answer = operator.post(
        "/operator/enterprises/new", _from="/operator/enterprises/new", **{**GOOD, "uscc": code(2)}
    )
    assert (answer.status_code, 'id="f-uscc-e"' in answer.text) == (422, True)


def test_another_link_replaces_the_first_until_an_administrator_came(operator: Browser, app: Flask) -> None:
    first = entered(operator, 3)
    page = operator.get("/operator/enterprises?q=" + code(3)).text
    own = re.search(r"/operator/enterprises/[0-9a-f-]{36}", page)
    assert own is not None
    answer = operator.post(f"{own[0]}/administrator", _from=own[0], admin="孙立", email="sun.li@jiangnan.example")
    second = re.search(r"(/join/[\w-]+)", answer.text)
    assert second is not None
    assert Browser(app).get(first).status_code == 404
    them = Browser(app)
    assert them.post(second[1], _from=second[1], name="孙立", password=PASSWORD).status_code == 303

    refused = operator.post(f"{own[0]}/administrator", _from=own[0], admin="李四", email="li.si@jiangnan.example")
    assert "/join/" not in refused.text
    assert "has an administrator" in operator.get(own[0]).text


def test_the_operator_verifies_and_suspends(operator: Browser, house: House) -> None:
    entered(operator, 4)
    own = re.search(r"/operator/enterprises/[0-9a-f-]{36}", operator.get("/operator/enterprises?q=" + code(4)).text)
    assert own is not None
    saved = operator.post(f"{own[0]}/status", _from=own[0], status="verified", until="2030-01-31")
    assert saved.status_code == 303
    assert house.scalar("SELECT status FROM ts.enterprise WHERE uscc = :code", code=code(4)) == "verified"
    for typed in ({"status": "king"}, {"status": "verified", "until": "yesterday"}, {}):
        assert operator.post(f"{own[0]}/status", _from=own[0], **typed).status_code == 422
    assert operator.post(f"/operator/enterprises/{uuid4()}/status", _from=own[0], status="verified").status_code == 404


def test_only_the_operator_enters_enterprises_whatever_its_permissions(house: House) -> None:
    with house.unit.system(TENANT, "test") as ctx, pytest.raises(Forbidden, match=r"role\.operator_only"):
        invite_first(ctx, OTHER, "a@b.example", "A")


def test_the_operator_helps_a_person_in(operator: Browser, house: House, app: Flask) -> None:
    email = house.person(totp=True)
    assert operator.get("/operator/people?login=nobody@nowhere.example").status_code == 404
    assert email in operator.get(f"/operator/people?login={email}").text
    asked = operator.get(f"/operator/people/password?login={email}")
    assert asked.status_code == 200
    path = re.search(r"(/reset/[\w-]+)", operator.post("/operator/people/password", login=email).text)
    assert path is not None
    them = Browser(app)
    assert them.post(path[1], _from=path[1], password="short").status_code == 422
    assert "Sign in" in them.post(path[1], password="nine larks above the hill").text
    assert them.get(path[1]).status_code == 404
    taken = operator.post("/operator/people/second-factor", _from=f"/operator/people?login={email}", login=email)
    assert taken.status_code == 303
    assert them.sign_in(email, "nine larks above the hill").headers["Location"] == "/"


def test_an_administrator_makes_a_link_for_a_member(house: House, app: Flask) -> None:
    chief = Browser(app).sign_in_fully(house, house.person("admin", totp=True))
    email = house.person()
    row = next(part for part in chief.get("/members").text.split("<tr>") if email in part)
    member = re.search(r'href="(/members/[0-9a-f-]{36})"', row)
    assert member is not None
    assert f"{member[1]}/password" in chief.get(member[1]).text
    chief.get(f"{member[1]}/password")
    answer = chief.post(f"{member[1]}/password")
    assert re.search(r"/reset/[\w-]{40,}", answer.text)
    assert "no-store" in answer.headers["Cache-Control"]
