"""A real Chromium before a real installation: gunicorn, the worker, and PostgreSQL."""

import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pyotp
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from core.app import Installation
from core.cli.listen import free_port
from core.db import Database, roles
from core.demo.load import PASSWORD, SECOND_FACTOR, load_enterprises
from core.migrate import upgrade
from tests.app.installation import config_of, write_keys
from tests.conftest import Server
from tests.e2e.conftest import chromium
from tests.trust.clients import Client
from tests.trust.serving import Job, children, started

__all__ = ["chromium"]
OPERATOR, ENTERPRISE = "zhou.ning@tongshang.example.com", "gao.xiang@lianhang.example.com"


class Running:
    """One installation with its processes. `scalar` looks at the tables as their owner."""

    def __init__(self, server: Server, name: str, data: Path) -> None:
        write_keys(data)
        self.config = config_of(server, name, data)
        environ = {
            "TS_DATA": str(data),
            "DATABASE_URL": self.config.url("app"),
            "WORKER_DATABASE_URL": self.config.url("worker"),
            "MIGRATE_DATABASE_URL": self.config.url("migrate"),
        }
        self.owner = create_engine(self.config.url("migrate"), poolclass=NullPool)
        port = free_port(0)
        self.address = f"http://127.0.0.1:{port}"
        serve = ["serve", "--data", str(data), "--port", str(port), "--workers", "1"]
        self.web = started([sys.executable, "-P", "-m", "core.cli", *serve], environ, data / "serve.log")
        self.job = Job(data, environ, log=data / "work.log")
        self._until_it_answers(Client(port, "", timeout=5))

    def workers(self) -> list[int]:
        """Process ids of the web processes: below `serve` stands gunicorn's master, below that they."""
        return [worker for master in children(self.web.pid) for worker in children(master)]

    def scalar(self, sql: str, **values: object) -> Any:
        with self.owner.begin() as connection:
            return connection.execute(text(sql), values).scalar()

    def end(self) -> None:
        self.job.end()
        self.web.terminate()
        self.web.wait(30)
        self.owner.dispose()

    def _until_it_answers(self, client: Client) -> None:
        until = time.monotonic() + 60
        while client.ask("GET", "/healthz").status != 200:
            if time.monotonic() > until:
                raise TimeoutError("the portal does not answer")
            time.sleep(0.1)
        client.close()


@pytest.fixture(scope="module")
def running(server: Server, keys: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    template, _ids = server.once("factors", partial(_seed, server))
    name = server.clone(template)
    server.run(*roles.access_statements(name))  # a clone has the tables' rights, not the database's own
    opened = Running(server, name, tmp_path_factory.mktemp("store"))
    yield opened
    opened.end()


@pytest.fixture
def enter(chromium: Any, running: Running) -> Iterator[Callable[[str], Any]]:
    """`enter(OPERATOR)`: a window signed in, with a second factor where one is asked for.

    What its console complains of fails the test.
    """
    windows, wrong = [], []

    def sign_in(login: str) -> Any:
        context = chromium.new_context(viewport={"width": 1440, "height": 900}, locale="en-GB")
        windows.append(context)
        page = context.new_page()
        page.set_default_timeout(90_000)  # making a plan starts a process of its own
        page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda fault: wrong.append(str(fault)))
        page.goto(f"{running.address}/signin")
        page.fill("input[name=login]", login)
        page.fill("input[name=password]", PASSWORD)
        page.click("main button.pri")
        page.wait_for_url(lambda url: "/signin" not in url)
        if "/mfa" in page.url:
            page.fill("input[name=code]", pyotp.TOTP(SECOND_FACTOR).now())
            page.click("main button.pri")
        page.wait_for_url(f"{running.address}/")
        context.add_cookies([{"name": "ts_lang", "value": "en", "url": running.address}])  # theirs is Chinese
        return page

    yield sign_in
    for context in windows:
        context.close()
    assert not wrong, wrong


def _seed(server: Server, name: str) -> None:
    roles.provision(server.admin.render_as_string(hide_password=False), name)
    config = config_of(server, name, Path("/nonexistent"))
    upgrade(config.url("migrate"))
    house = Installation(config, Database(config.url("app"), pool_size=2))
    try:
        load_enterprises(house.unit, second_factor=True)
    finally:
        house.database.dispose()
