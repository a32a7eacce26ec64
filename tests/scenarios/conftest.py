"""The trading floor of the scenarios: two enterprises with their people, committed act by act, and the real spot plugin."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import pytest

import plugins.spot
from core import ledger, outbox, rooms, verify
from core.config import Config
from core.db import Database, Unit, roles
from core.host import Host
from core.kernel import Actor, Context, uuid7
from core.outbox import Handler
from tests.conftest import Server, make_unit
from tests.orders.trade import Trade, grants_of
from tests.plugins.bringing import bring, migrate

SELLERS = ("seller.sales", "seller.warehouse", "seller.finance", "seller.planner")


@dataclass
class Floor:
    """`with floor.of("Li Min", "seller.sales") as ctx:` is one act of one person, committed at its end."""

    unit: Unit
    worker: Unit
    host: Host
    trade: Trade
    config: Config
    people: dict[str, Actor] = field(default_factory=dict)

    @contextmanager
    def of(self, name: str, role: str, limit: str | None = None) -> Iterator[Context]:
        person = self.people.setdefault(name, Actor("person", uuid7(), name))
        actor = Actor("person", person.id, name, person.id)
        home = self.trade.seller_id if role in SELLERS else self.trade.buyer_id
        grants = {**grants_of(role, limit=Decimal(limit) if limit else None), **self._of_plugins(role)}
        with self.unit.acting(home, actor, grants) as ctx:
            yield ctx

    def _of_plugins(self, role: str) -> dict[str, None]:
        return {permission.code: None for permission in self.host.all("permissions") if role in permission.roles}

    def deliver(self) -> None:
        """What the worker does after the commits: events reach the plugin's handlers."""
        handlers = [
            Handler(f"{name}.{each.handler.__name__}", each.event, each.handler, plugin=name)
            for name, plugin in self.host.loaded.items()
            for each in plugin.subscriptions
        ]
        while outbox.deliver(self.worker, handlers):
            pass

    def books(self, tenant: UUID) -> dict[str, Decimal]:
        """Every account of an enterprise that is not empty, by heading; debit is positive."""
        with self.unit.system(tenant, "audit") as ctx:
            found = {account.code.partition(":")[0]: account.balance for account in ledger.accounts(ctx)}
        return {heading: balance for heading, balance in found.items() if balance}

    def seal_and_verify(self) -> list[verify.Breach]:
        """Every invariant of the platform, over both enterprises, and the replay of every order."""
        return verify.run(self.config)


@pytest.fixture
def floor(server: Server, keys: None, tmp_path: Path) -> Iterator[Floor]:
    name = server.clone()
    server.run(*roles.access_statements(name))
    migrate(server.url_for("ts_migrator", name), plugins.spot)
    host = bring(plugins.spot)
    for module in rooms.parts("wiring"):
        module.wire()
    database = Database(server.url_for("ts_app", name))
    behind = Database(server.url_for("ts_worker", name))
    config = Config(
        data=tmp_path, embedded=False, app_url=None, worker_url=None, migrate_url=server.url_for("ts_migrator", name),
        admin_url=None, secret_key=b"s" * 32, master_key=b"k" * 32,
    )  # fmt: skip
    unit = make_unit(database, host.dispatch)
    with database.session() as session:
        trade = Trade(unit, session).set_up()
        unit.finish(trade.system(trade.seller_id))
    yield Floor(unit, make_unit(behind, host.dispatch), host, trade, config)
    database.dispose()
    behind.dispose()
