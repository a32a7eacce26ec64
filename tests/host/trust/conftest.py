"""The whole application with an operator, called over JSON, and an index on a socket."""

import base64
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import pytest
from flask import Flask

from core.identity import name_operator
from tests.conftest import OTHER
from tests.host.trust.index_server import IndexServer, running_index
from tests.host.trust.publisher import Maker
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

    def call(method: str, path: str, body: Any = None, **query: str) -> Any:
        sent = {"Authorization": f"Bearer {token}", "Idempotency-Key": f"{token[:8]}{next(keys)}"}
        return app.test_client().open(
            f"/api/v1/plugins{path}", method=method, json=body, headers=sent, query_string=query
        )

    return call


@pytest.fixture(scope="module")
def call(app: Flask, house: House) -> Call:
    """The operator, with the second factor just shown."""
    email = house.person("operator.admin", tenant=OTHER, totp=True)
    return caller(app, house.sign_in_fully(email).token)


@pytest.fixture
def maker() -> Maker:
    return Maker()


@pytest.fixture
def trusted(call: Call, maker: Maker) -> Maker:
    """A publisher the operator trusts."""
    answer = call("POST", "/publishers", {"name": maker.name, "public_key": maker.line})
    assert answer.status_code == 201, answer.text
    return maker


@pytest.fixture
def index() -> Iterator[IndexServer]:
    with running_index() as server:
        yield server


def handed_in(call: Call, filename: str, content: bytes, signature: str | None = None) -> Any:
    sent = {"filename": filename, "content": base64.b64encode(content).decode(), "signature": signature}
    return call("POST", "/packages", sent)


def codes(answer: Any) -> set[str]:
    """The codes of a refusal: of the whole, and of the fields."""
    said = answer.get_json()
    return {said["code"], *(each["code"] for each in said.get("errors", ()))}
