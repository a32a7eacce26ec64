"""A served house with every misbehaving plugin installed: web and worker as `run.py` starts them, and two pairs that trade.

Hengke buys from Lianhang, which switches hostile plugins on; Zhuda buys from Yongtai, which has nothing to do with them.
"""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from html import unescape
from typing import Any
from urllib.request import Request, urlopen
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import text

from core import tenancy
from core.cli.listen import free_port
from core.db import roles
from core.host import packages
from core.host.life import changes
from core.host.life.installer import Installer, Outcome
from core.host.life.plan import Plan, plan
from core.kernel import uuid7
from tests.app.house import House, open_house
from tests.app.installation import MASTER
from tests.conftest import Server
from tests.host.hostile.checksums import Sums, checksums
from tests.host.hostile.wheels import MISBEHAVING, hostile_wheel, migrating_wheel
from tests.trust.clients import Client, Said
from tests.trust.serving import Job, started

REST = """SELECT EXISTS (SELECT 1 FROM ts.outbox_event WHERE state = 'new'),
  EXISTS (SELECT 1 FROM ts.audit_entry WHERE seq IS NULL)"""
SMALL, BIG, HUGE = 1, 2000, 2500  # pieces; the second is what the plugins stumble over


@dataclass
class Stage:
    """The house, its processes, and who asks them."""

    house: House
    address: str  # of its database, as a superuser
    port: int = 0
    cookies: dict[str, str] = field(default_factory=dict)

    def sql(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.address, autocommit=True) as connection:
            cursor = connection.execute(statement, values)  # type: ignore[arg-type]
            return cursor.fetchall() if cursor.description else []

    def ask(self, key: str, method: str, path: str, body: Any = None, patience: float = 30.0) -> Said:
        """Over HTTP, with the API key of an enterprise."""
        client = Client(self.port, self.house.cast.keys[key], timeout=patience, keep=False)
        return client.ask(method, f"/api/v1{path}", body)

    def place(self, buyer: str, seller: str, quantity: int, patience: float = 30.0) -> Said:
        cast = self.house.cast
        line = {"sku_id": str(cast.skus[seller][0]), "quantity": str(quantity)}
        wish = {"seller_id": str(cast.ids[seller]), "mode": "spot", "buyer_po": uuid4().hex[:12], "lines": [line]}
        return self.ask(buyer, "POST", "/orders", wish, patience)

    def traded(self, buyer: str, seller: str) -> str:
        """A small order, placed and confirmed; its id."""
        placed = self.place(buyer, seller, SMALL)
        assert placed.status == 201, placed
        confirmed = self.ask(seller, "POST", f"/orders/{placed.body['id']}/confirm", {})
        assert confirmed.status == 200, confirmed
        return str(placed.body["id"])

    def page(self, key: str, path: str) -> str:
        """A page as a person of the enterprise reads it, in English, without entities."""
        asked = Request(f"http://127.0.0.1:{self.port}{path}", headers={"Cookie": self._signed_in(key)})
        with urlopen(asked, timeout=30) as answer:
            return unescape(answer.read().decode())

    def _signed_in(self, key: str) -> str:
        if key not in self.cookies:
            cookie = self.house.browser(key).get_cookie("ts_session")
            assert cookie is not None
            self.cookies[key] = f"ts_session={cookie.value}; ts_lang=en"
        return self.cookies[key]

    def plugin(self, name: str) -> dict[str, Any]:
        """Why it is stopped, if it is."""
        [(by, reason)] = self.sql("SELECT stopped_by, coalesce(stopped_reason, '') FROM ts.plugin WHERE name = %s", name)
        return {"by": by, "reason": reason}

    def faults(self, name: str) -> list[tuple[str, str, str]]:
        """(hook, kind, reason) of what it did, the newest first."""
        return self.sql("SELECT hook, kind, reason FROM ts.plugin_fault WHERE plugin = %s ORDER BY id DESC", name)  # type: ignore[return-value]

    def processes(self) -> dict[str, str]:
        """The web process and the worker that report now, by kind."""
        return dict(self.sql("SELECT kind, id FROM ts.plugin_process WHERE seen_at > clock_timestamp() - interval '2 seconds'"))

    def note(self, key: str, plugin: str) -> None:
        """A row in a plugin's table, of an enterprise that has nothing to do with what happens."""
        with self.house.acting(key) as ctx:
            insert = f"INSERT INTO plugin_{plugin}.note (tenant_id, id, order_id) VALUES (:tenant, :id, :id)"
            ctx.session.execute(text(insert), {"tenant": ctx.tenant_id, "id": uuid7()})

    def at_rest(self, leave_out: str = "") -> Sums:
        """Checksums of a house in which everything that follows earlier acts is done."""
        for _ in range(40):
            if self.sql(REST) == [(False, False)]:  # asked first: what is sealed between two looks would be missed
                before = checksums(self.sql, leave_out)
                time.sleep(0.3)
                if before == checksums(self.sql, leave_out):
                    return before
            time.sleep(0.3)
        raise TimeoutError("the house does not come to rest")

    def switch(self, name: str, on: bool) -> None:
        """Lianhang switches a plugin on or off, and every process knows it."""
        with self.house.acting("lianhang") as ctx:
            if on:
                tenancy.enable_plugin(ctx, name, version="1.0")
            else:
                tenancy.disable_plugin(ctx, name)
        state = "enabled" if on else "disabled"
        soon(lambda: (name, state) in self._seen_by("lianhang"), 3)

    def enable(self, key: str, name: str) -> None:
        with self.house.acting(key) as ctx:
            tenancy.enable_plugin(ctx, name, version="1.0")

    def _seen_by(self, key: str) -> set[tuple[str, str]]:
        return {(each["name"], each["state"]) for each in self.ask(key, "GET", "/plugins").body["items"]}

    def keep(self, filename: str, content: bytes) -> str:
        with self.house.unit.system(self.house.cast.ids["operator"], "ops") as ctx:
            return changes.keep(ctx, packages.read(content, filename), source="upload", signer=None)

    def plan(self, name: str, sha256: str | None = None) -> Plan:
        """What people are shown before they consent. Refused as they are."""
        sha256 = sha256 or self.keep(*hostile_wheel(name))
        with self.house.unit.system(self.house.cast.ids["operator"], "ops") as ctx:
            return plan(ctx, "install", name, self.house.config.data, sha256)

    def hand_in(self, name: str, migration: str = "") -> Outcome:
        """Have one of the hostile plugins installed, past the plan; or one whose only migration says this."""
        sha256 = self.keep(*(migrating_wheel(name, migration) if migration else hostile_wheel(name)))
        with self.house.unit.system(self.house.cast.ids["operator"], "ops") as ctx:
            change, _ = changes.ask(ctx, Plan("install", name, {}, None, "1.0", packages=(sha256,)))
        installer = Installer(self.house.config.url("migrate"), self.house.config.data, MASTER)
        assert installer.claim(change)
        try:
            return installer.carry_out(change)
        finally:
            installer.engine.dispose()


@pytest.fixture(scope="module")
def bare(server: Server, keys: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """The house before anything is installed, and without processes of its own."""
    house = open_house(server, tmp_path_factory.mktemp("hostile"))
    server.run(*roles.access_statements(house.database))
    address = server.url_for(server.admin.username or "postgres", house.database).replace("+psycopg", "")
    yield Stage(house, address)
    house.close()


@contextmanager
def served(
    stage: Stage, *options: str, workers: int = 1, memory: str = "1", web_memory: str = "1024"
) -> Iterator[Stage]:
    """The house with web and worker as `run.py` starts them. `memory` is the worker's limit, in megabytes."""
    data, log = stage.house.config.data, stage.house.config.data / "processes.log"
    environ = {**stage.house.environ(), "TS_MEMORY_LIMIT": web_memory}
    port, before = free_port(0), stage.port
    serve = [sys.executable, "-m", "core.cli", "serve", "--data", str(data), "--port", str(port), "--workers", str(workers)]
    web = started([*serve, *options], environ, log)
    safe = {"TS_SAFE_MODE": "1"} if "--safe-mode" in options else {}
    job = Job(data, {**environ, **safe, "TS_MEMORY_LIMIT": memory}, log)
    stage.port = port
    try:
        soon(lambda: stage.ask("zhuda", "GET", "/me", patience=2).status not in (0, 502), 90)
        reporting = "SELECT 1 FROM ts.plugin_process WHERE seen_at > clock_timestamp() - interval '2 seconds'"
        soon(lambda: len(stage.sql(reporting)) == workers + 1, 90)
        yield stage
    finally:
        stage.port = before
        web.terminate()
        job.end()
        with suppress(subprocess.TimeoutExpired):
            web.wait(15)
        web.kill()
        web.wait()


@pytest.fixture(scope="module")
def installed(bare: Stage) -> Stage:
    """Every misbehaving plugin installed; nothing runs yet."""
    for name in MISBEHAVING:
        outcome = bare.hand_in(name)
        assert outcome.state == "done", (name, outcome)
    return bare


@pytest.fixture(scope="module")
def stage(installed: Stage) -> Iterator[Stage]:
    """The worker's limit is as little as it starts with, and 64 more."""
    with served(installed) as found:
        yield found


def soon(true: Callable[[], Any], within: float = 10.0) -> Any:
    """What `true` answers as soon as that is something. TimeoutError with its last answer when it never is."""
    until = time.monotonic() + within
    while not (found := true()):
        if time.monotonic() > until:
            raise TimeoutError(f"not within {within:g} s: {found!r}")
        time.sleep(0.05)
    return found
