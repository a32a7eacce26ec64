"""A browser without a window: it walks through the whole application and fills in what pages ask for."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyotp
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from werkzeug.test import TestResponse

from core.app import create_app
from core.config import Config
from tests.identity.conftest import PASSWORD, SECRET, House

CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0 Safari/537.36"


@contextmanager
def open_app(house: House, data: Path) -> Iterator[Flask]:
    """The whole application on the database of a house."""
    url = house.db.engine.url.render_as_string(hide_password=False)
    config = Config(
        data=data, embedded=False, app_url=url, worker_url=None, migrate_url=None, admin_url=None,
        secret_key=b"s" * 32, master_key=b"k" * 32,
    )  # fmt: skip
    made = create_app(config)
    yield made
    made.extensions["ts"].unit.database.dispose()


class Browser:
    """A test client that fills in the CSRF field of the page it is on."""

    def __init__(self, app: Flask) -> None:
        self.client: FlaskClient = app.test_client()
        self.client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "en"
        self.client.environ_base["HTTP_USER_AGENT"] = CHROME
        self.client.environ_base["REMOTE_ADDR"] = "127.0.0.1"
        self.page = ""

    def get(self, path: str) -> TestResponse:
        answer = self.client.get(path)
        if answer.mimetype == "text/html" and answer.status_code in (200, 422):
            self.page = answer.text
        return answer

    def post(self, path: str, _from: str | None = None, **fields: Any) -> TestResponse:
        if _from:
            self.get(_from)
        found = re.search(r'name="_csrf" value="([0-9a-f]+)"', self.page)
        answer = self.client.post(path, data={**fields, "_csrf": found.group(1) if found else ""})
        if answer.mimetype == "text/html" and answer.status_code in (200, 422):
            self.page = answer.text
        return answer

    def sign_in(self, email: str, password: str = PASSWORD) -> TestResponse:
        return self.post("/signin", _from="/signin", login=email, password=password)

    def sign_in_fully(self, house: House, email: str) -> "Browser":
        assert self.sign_in(email).headers["Location"].startswith("/mfa")
        with house.db.session() as session:
            now = session.scalar(text("SELECT ts.clock()"))
        assert self.post("/mfa", _from="/mfa", code=pyotp.TOTP(SECRET).at(now)).status_code == 303
        return self

    def cookie(self) -> str:
        found = self.client.get_cookie("ts_session")
        return found.value if found else ""
