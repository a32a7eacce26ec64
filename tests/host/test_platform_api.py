"""The operator brings a wheel in over JSON: handed in, planned, consented to, stopped and lifted."""

import base64
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import pytest
from flask import Flask

from core.identity import name_operator
from tests.conftest import OTHER
from tests.host.wheels import tiny_wheel
from tests.identity.browser import open_app
from tests.identity.conftest import House, house

__all__ = ["house"]
Call = Callable[..., Any]


@pytest.fixture(scope="module")
def app(house: House, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    with house.unit.system(OTHER, "test") as ctx:
        name_operator(ctx)
    with open_app(house, tmp_path_factory.mktemp("data")) as made:
        yield made


def caller(app: Flask, token: str) -> Call:
    keys = count()

    def call(method: str, path: str, body: Any = None) -> Any:
        sent = {"Authorization": f"Bearer {token}", "Idempotency-Key": f"{token[:8]}{next(keys)}"}
        return app.test_client().open(f"/api/v1/plugins{path}", method=method, json=body, headers=sent)

    return call


@pytest.fixture
def call(app: Flask, house: House) -> Call:
    """The operator, with the second factor just shown."""
    email = house.person("operator.admin", tenant=OTHER, totp=True)
    return caller(app, house.sign_in_fully(email).token)


def handed_in(call: Call, filename: str, content: bytes) -> Any:
    return call("POST", "/packages", {"filename": filename, "content": base64.b64encode(content).decode()})


@pytest.mark.slow
def test_a_wheel_is_handed_in_planned_and_consented_to(call: Call) -> None:
    kept = handed_in(call, *tiny_wheel())
    assert kept.status_code == 201, kept.text
    planned = call("POST", "/tiny/plan", {"verb": "install"})
    assert planned.status_code == 200, planned.text
    plan = planned.get_json()
    assert (plan["to_version"], plan["publisher"], plan["sha256"]) == ("1.0", "", kept.get_json()["sha256"])
    other = call("POST", "/tiny/changes", {"verb": "install", "digest": "0" * 16})
    assert (other.status_code, other.get_json()["code"]) == (409, "plugin.plan_changed")
    taken = call("POST", "/tiny/changes", {"verb": "install", "digest": plan["digest"]})
    assert taken.status_code == 202, taken.text
    where = taken.headers["Location"].removeprefix("/api/v1/plugins")
    seen = call("GET", where).get_json()
    assert (seen["state"], seen["steps"], seen["reason"]) == ("queued", [], None)
    assert [each["id"] for each in call("GET", "/changes").get_json()["items"]] == [seen["id"]]
    again = call("POST", f"{where}/answer", {"yes": True})
    assert (again.status_code, again.get_json()["code"]) == (409, "plugin.answered_already")


def test_a_plugin_is_stopped_for_everybody_and_lifted(call: Call, house: House) -> None:
    name = house.scalar(
        "INSERT INTO ts.plugin (name, version, installed_by) VALUES ('odd', '1', 'test') RETURNING name"
    )
    assert [each["name"] for each in call("GET", "/installed").get_json()["plugins"]] == [name]
    stopped = call("POST", f"/{name}/stop", {"reason": "It answers wrongly"}).get_json()
    assert (stopped["stopped_by"], stopped["stopped_reason"]) == ("operator", "It answers wrongly")
    assert call("POST", f"/{name}/lift").get_json()["stopped_by"] is None
    assert call("POST", f"/{name}/lift").status_code == 409


def test_what_is_no_wheel_is_refused_in_words(call: Call) -> None:
    assert handed_in(call, "notes.txt", b"hello").status_code == 422
    broken = call("POST", "/packages", {"filename": "a-1-py3-none-any.whl", "content": "!"})
    assert (broken.status_code, "plugin.not_base64" in broken.text) == (422, True)
    assert call("POST", "/tiny/plan", {"verb": "paint"}).status_code == 422


def test_only_the_operator_with_a_fresh_second_factor_changes_plugins(app: Flask, house: House) -> None:
    stale = caller(app, house.sign_in(house.person("operator.admin", tenant=OTHER)).token)
    assert handed_in(stale, *tiny_wheel("late")).status_code == 403
    trader = caller(app, house.sign_in(house.person("admin")).token)
    assert trader("GET", "/installed").status_code == 403
