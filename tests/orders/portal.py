"""The whole application over a committed trade: people who are signed in, over pages and over JSON."""

import json
import re
from dataclasses import dataclass
from decimal import Decimal
from html import unescape
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from core import identity
from core.app import create_app
from core.config import Config
from core.db import Database
from core.hooks import Dispatch
from core.identity.service.signin import open_session
from tests.orders.trade import Trade

PASSWORD = "seven horses over the wall"


def bring_modes(app: Flask, plugins: Dispatch) -> None:
    """Let the application trade in the modes of the tests, too."""
    app.extensions["ts.host"].dispatch.modes.update(plugins.modes)


def make_app(url: str, plugins: Dispatch, folder: Path) -> Flask:
    config = Config(
        data=folder, embedded=False, app_url=url, worker_url=None, migrate_url=None, admin_url=None,
        secret_key=b"s" * 32, master_key=b"k" * 32,
    )  # fmt: skip
    app = create_app(config)
    bring_modes(app, plugins)
    app.extensions["ts"].count_sql = True
    return app


@dataclass
class Visitor:
    """One signed-in person's browser and API client."""

    client: FlaskClient
    token: str

    def get(self, path: str, lang: str = "en") -> TestResponse:
        self.client.set_cookie("ts_session", self.token)
        self.client.set_cookie("ts_lang", lang)
        return self.client.get(path)

    def whole(self, path: str, lang: str = "en") -> str:
        """The page with the panels its browser would fetch after it."""

        def panel(frame: re.Match[str]) -> str:
            answer = self.client.get(unescape(frame[1]), headers={"HX-Request": "true"})
            assert answer.status_code == 200, answer.text
            return answer.text

        frames = r'<div class="apart" hx-get="([^"]+)".*?</section></div>'
        return re.sub(frames, panel, self.get(path, lang).text, flags=re.S)

    def post(self, path: str, follow: bool = False, **given: Any) -> TestResponse:
        """A form, with the token of the page and a key of its own."""
        self.client.set_cookie("ts_session", self.token)
        found = re.search(r'name="csrf-token" content="([^"]+)"', self.get("/orders?side=all").text)
        assert found is not None
        return self.client.post(
            path, data={"_csrf": found[1], "_key": uuid4().hex, **given}, headers={"Referer": "http://localhost/orders"},
            follow_redirects=follow,
        )  # fmt: skip

    def api(
        self, method: str, path: str, body: Any = None, key: str | None = "", **headers: str
    ) -> TestResponse:
        """JSON under /api/v1; `key` None leaves the idempotency key out."""
        sent = {"Authorization": f"Bearer {self.token}", **headers}
        if method == "POST" and key is not None:
            sent["Idempotency-Key"] = key or uuid4().hex
        data = None if body is None else json.dumps(body, default=str)
        return self.client.open(
            f"/api/v1{path}",
            method=method,
            data=data,
            headers=sent,
            content_type="application/json" if data else None,
        )


@dataclass
class Portal:
    """The application, the trade behind it, and who may visit."""

    app: Flask
    trade: Trade
    db: Database

    def visitor(
        self, name: str, *roles: str, at: UUID | None = None, limit: Decimal | None = None
    ) -> Visitor:
        """A person with these roles, signed in at the buyer's or, with a seller's role, the seller's enterprise."""
        trade = self.trade
        trade.session.commit()
        home = at or (trade.seller_id if any(role.startswith("seller") for role in roles) else trade.buyer_id)
        with trade.unit.system(home, "test") as ctx:
            person = identity.add_person(
                ctx, name=name, email=f"{uuid4().hex}@acme.example", password=PASSWORD, roles=roles
            )
        with self.db.session() as session:
            token = open_session(session, person, False, "127.0.0.1", "pytest").token
            session.commit()
        return Visitor(self.app.test_client(), token)
