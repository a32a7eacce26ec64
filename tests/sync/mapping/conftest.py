"""People at the pages of a mapping, and verbs run for the seller's IT."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from core import identity
from tests.app.installation import app_over
from tests.conftest import Server

PASSWORD = "seven horses over the wall"


@pytest.fixture
def acting(house: Any) -> Callable[..., Any]:
    """acting(verb, *args): run a verb for the seller's IT and commit."""

    def act(verb: Callable[..., Any], *args: Any, **options: Any) -> Any:
        with house.app.system(house.seller, "陈工") as ctx:
            return verb(ctx, house.connection_id, *args, **options)

    return act


@pytest.fixture
def app(house: Any, fresh_db: Any, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    monkeypatch.setenv("TS_OUTBOUND", f"127.0.0.1:{house.kingdee.port}")
    with app_over(server, fresh_db.name, tmp_path) as made:
        yield made


@pytest.fixture
def signed_in(app: Flask, house: Any, fresh_db: Any) -> Callable[..., FlaskClient]:
    """signed_in(role) -> a browser of a person of the seller."""
    serial = iter(range(100))

    def enter(*roles: str, language: str = "en") -> FlaskClient:
        email = f"p{next(serial)}@acme.example"
        with house.app.system(house.seller, "test") as ctx:
            identity.add_person(ctx, name="Li", email=email, password=PASSWORD, roles=roles, locale="en")
        with fresh_db.session() as session:
            token = identity.sign_in(session, email, PASSWORD, remote="127.0.0.1", agent="test").token
            session.commit()
        client = app.test_client()
        client.set_cookie("ts_session", token)
        client.set_cookie("ts_lang", language)
        return client

    return enter


@pytest.fixture
def post() -> Callable[..., Any]:
    """post(client, page, url, **fields): what a form of the page sends."""

    def send(client: FlaskClient, page: str, url: str, **fields: Any) -> Any:
        text = client.get(page).get_data(as_text=True)
        token = re.search(r'name="_csrf" value="([^"]+)"', text)
        assert token, text[:2000]
        return client.post(url, data={"_csrf": token[1], **fields}, headers={"Referer": f"http://localhost{page}"})

    return send
