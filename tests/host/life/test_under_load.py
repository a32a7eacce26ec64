"""A plugin is upgraded twice while people trade: not one request fails, and what is switched on is on everywhere at once."""

import http.client
import itertools
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from core.cli.listen import free_port
from core.db import roles
from core.host import packages
from core.host.life import changes
from core.host.life.installer import Installer
from core.host.life.plan import Plan
from core.kernel import Actor
from core.tenancy import enable_plugin
from tests.app.house import House, open_house
from tests.conftest import Server
from tests.host.life.wheels import file_name, table, wheel
from tests.trust.clients import Client, Said
from tests.trust.serving import started

pytestmark = pytest.mark.slow
NAME = "ferry"
BRINGS = """
import os

VERSION = "{version}"
pages = ts.Pages("ferry", "/ferry")


@pages.get("/", permission="ferry.use")
def ferry(ctx):
    return f"{{VERSION}} {{os.getpid()}}"


@hookimpl
def register_blueprints():
    return [pages]


@hookimpl
def check_transition(ctx, order, transition):
    return None


def heard(ctx, event):
    ctx.session.add(Note(tenant_id=ctx.tenant_id, said=f"{{VERSION}} heard {{event.number}}"))


@hookimpl
def register_event_handlers():
    return [ts.Subscription(ts.OrderSubmitted, heard)]
"""


def ferry(version: str) -> bytes:
    """Each version brings a migration, so an upgrade changes tables, code and rows."""
    steps = [table(NAME), *([f"ALTER TABLE plugin_ferry.note ADD COLUMN v{no} text"] for no in range(int(version[-1])))]
    return wheel(NAME, version, steps=steps, more=BRINGS.format(version=version))


@dataclass
class Load:
    """Callers that go on until told to stop, and what they were answered."""

    stop: threading.Event = field(default_factory=threading.Event)
    answers: Counter[tuple[str, int]] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    threads: list[threading.Thread] = field(default_factory=list)

    def call(self, what: str, caller: "Client | Browser", ask: Callable[[], Any], fine: tuple[int, ...]) -> None:
        def go_on() -> None:
            while not self.stop.wait(0.05):
                began, said = time.time(), ask()
                self.answers[what, said.status] += 1
                if said.status not in fine:
                    took = time.time() - began
                    self.wrong.append(f"{began:.2f} {what} {said.status} after {took:.2f} s: {str(said.body)[:200]}")
            caller.close()

        self.threads.append(threading.Thread(target=go_on, daemon=True))
        self.threads[-1].start()

    def end(self) -> None:
        self.stop.set()
        for thread in self.threads:
            thread.join(60)


@pytest.fixture(scope="module")
def house(server: Server, keys: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    opened = open_house(server, tmp_path_factory.mktemp("load"))
    server.run(*roles.access_statements(opened.database))  # a clone does not have who may make schemas in it
    config = opened.config
    installer = Installer(config.url("migrate"), config.data, config.master_key)
    ident = ask_for(opened, "install", "1.0")
    assert installer.claim(ident)
    outcome = installer.carry_out(ident)
    assert outcome.state == "done", outcome
    installer.engine.dispose()
    yield opened
    opened.close()


def ask_for(house: House, verb: str, version: str) -> UUID:
    """Hand a version in and have it queued, without the plan that people look at before."""
    with house.acting("operator") as ctx:
        sha256 = changes.keep(ctx, packages.read(ferry(version), file_name(NAME, version)), source="upload", signer=None)
        return changes.ask(ctx, Plan(verb, NAME, {}, None, version, packages=(sha256,)))[0]


@contextmanager
def served(house: House, logs: Path) -> Iterator[int]:
    """Real `serve` and `work` on the house's database; the port."""
    port, data = free_port(0), str(house.config.data)
    run = [sys.executable, "-P", "-m", "core.cli"]
    serve = [*run, "serve", "--port", str(port), "--workers", "2", "--data", data]
    web = started(serve, house.environ(), logs / "web.log")
    work = started([*run, "work", "--data", data], house.environ(), logs / "work.log")
    try:
        client = Client(port, house.cast.keys["hengke"], timeout=5)
        until = time.monotonic() + 60
        while client.ask("GET", "/healthz").status != 200:
            assert time.monotonic() < until, (logs / "web.log").read_text()
            time.sleep(0.1)
        client.close()
        yield port
    finally:
        for process in (web, work):
            process.terminate()
        for process in (web, work):
            process.wait(40)


def _heard(house: House) -> set[str]:
    """The versions whose handlers have heard of orders."""
    return {row.said.split()[0] for row in house.rows("SELECT DISTINCT split_part(said, ' ', 1) AS said FROM plugin_ferry.note")}


def test_nobody_notices_two_upgrades_but_by_the_new_version(house: House, tmp_path: Path) -> None:
    with house.unit.acting(house.cast.ids["hengke"], Actor.system("test"), {}, everything=True) as ctx:
        enable_plugin(ctx, NAME, version="1.0")
    sku, seller = house.cast.skus["lianhang"][0], house.cast.ids["lianhang"]
    order = {"seller_id": str(seller), "lines": [{"sku_id": str(sku), "quantity": "1", "unit": None}]}
    load, key = Load(), house.cast.keys["hengke"]
    versions: Counter[str] = Counter()

    def own(browser: Browser) -> Said:
        said = browser.look("/ferry/")
        if said.status == 200:
            versions[said.body.split()[0]] += 1
        return said

    with served(house, tmp_path) as port:
        for no in range(3):
            client = Client(port, key, keep=no > 0)
            load.call("order", client, lambda client=client: client.ask("POST", "/api/v1/orders", order), (200, 201))
        reader, asking = Browser(house, "hengke", port), Browser(house, "hengke", port)
        paths = itertools.cycle(("/", "/orders", "/catalog", "/plugins", "/healthz"))
        load.call("page", reader, lambda: reader.look(next(paths)), (200,))
        load.call("plugin", asking, lambda: own(asking), (200,))
        waited(lambda: versions["1.0"] > 5, 30)
        for version in ("1.1", "1.2"):
            began, ident = time.monotonic(), ask_for(house, "upgrade", version)
            ended(house, ident, 200)
            row = house.rows("SELECT state, reason, steps FROM ts.plugin_change WHERE id = :id", id=ident)[0]
            assert row.state == "done", row
            print([(each["step"], each["state"], each["at"][11:19]) for each in row.steps])
            print(f"{version}: {time.monotonic() - began:.1f} s from consent to the last process")
            before = versions[version]
            waited(lambda version=version, before=before: versions[version] > before + 5, 120)
        time_of_other = versions["1.0"], versions["1.1"]
        load.stop.wait(1)
        assert versions["1.0"] == time_of_other[0], "a process still runs the first version"
        seconds = _switched_on(house, port)
        print(f"switched on in {seconds:.2f} s in every process")
        load.end()
        waited(lambda: "1.2" in _heard(house), 120)  # the worker has a backlog of events to tell of
    print(dict(load.answers))
    assert not load.wrong, f"{len(load.wrong)} of {sum(load.answers.values())}:\n" + "\n".join(load.wrong[:10])
    assert load.answers["order", 201] > 20
    assert seconds < 5
    assert _heard(house) <= {"1.0", "1.1", "1.2"}


def _switched_on(house: House, port: int) -> float:
    """Seconds from switching on until each web process shows the plugin, asked on a kept connection to each."""
    kept: dict[str, Browser] = {}
    until = time.monotonic() + 60
    while len(kept) < 2:
        assert time.monotonic() < until, "all connections lead to one process"
        browser = Browser(house, "hengke", port)
        pid = browser.look("/ferry/").body.split()[1]
        if kept.setdefault(pid, browser) is not browser:
            browser.close()
    other = Browser(house, "zhuda", port)
    for browser in kept.values():
        browser.headers = other.headers
        assert browser.look("/ferry/").status == 404
    client = Client(port, house.cast.keys["zhuda"])
    said = client.ask("POST", f"/api/v1/plugins/{NAME}/enable", {"settings": {}})
    client.close()
    assert said.status == 200, said
    began, last = time.monotonic(), 0.0
    for pid, browser in kept.items():
        while (seen := browser.look("/ferry/")).status != 200:
            assert time.monotonic() < began + 30, (pid, seen)
        last = max(last, time.monotonic() - began)
        browser.close()
    return last


class Browser:
    """Somebody who is signed in and looks at pages, on one kept connection."""

    def __init__(self, house: House, key: str, port: int) -> None:
        signed = house.browser(key).get_cookie("ts_session")
        assert signed is not None
        self.port, self.headers = port, {"Cookie": f"ts_session={signed.value}", "Accept-Language": "en"}
        self.connection: http.client.HTTPConnection | None = None

    def look(self, path: str) -> Said:
        try:
            self.connection = self.connection or http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
            self.connection.request("GET", path, headers=self.headers)
            answer = self.connection.getresponse()
            said = Said(answer.status, answer.read().decode(errors="replace"))
        except (OSError, http.client.HTTPException) as fault:
            self.close()
            return Said(0, repr(fault))
        if answer.will_close:
            self.close()
        return said

    def close(self) -> None:
        if self.connection is not None:
            self.connection.close()
            self.connection = None


def ended(house: House, ident: UUID, seconds: float) -> None:
    until = time.monotonic() + seconds
    while (row := house.rows("SELECT * FROM ts.plugin_change WHERE id = :id", id=ident)[0]).state in ("queued", "running"):
        processes = house.rows("SELECT kind, epoch, seen_at, started_at FROM ts.plugin_process ORDER BY started_at")
        assert time.monotonic() < until, (row.state, row.steps, processes)
        time.sleep(0.3)


def waited(so: Callable[[], Any], seconds: float) -> None:
    until = time.monotonic() + seconds
    while not so():
        assert time.monotonic() < until, f"not within {seconds:g} s"
        time.sleep(0.1)
