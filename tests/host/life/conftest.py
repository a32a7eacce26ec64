"""An installation without plugins, with an operator and enterprises, and the installer over it; one for each module."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.pool import NullPool

from core.db import Database, Unit, roles
from core.demo.load import load_enterprises
from core.host import packages
from core.host.life import changes
from core.host.life.installer import Installer, Outcome
from core.host.life.plan import Plan, plan
from core.migrate import upgrade
from tests.conftest import make_unit
from tests.databases import Server
from tests.host.life.wheels import file_name, wheel


@dataclass
class Ground:
    """Where plugins come and go. `owner` looks at the tables as the migrator."""

    unit: Unit
    ids: dict[str, UUID]
    data: Path
    owner: Engine
    installer: Installer

    @property
    def operator(self) -> UUID:
        return self.ids["operator"]

    def keep(self, content: bytes, filename: str) -> str:
        with self.unit.system(self.operator, "ops") as ctx:
            return changes.keep(ctx, packages.read(content, filename), source="upload", signer=None)

    def plan(self, verb: str, name: str, sha256: str | None = None) -> Plan:
        with self.unit.system(self.operator, "ops") as ctx:
            return plan(ctx, verb, name, self.data, sha256)

    def put(self, name: str, version: str = "1.0", verb: str = "install", **wrong: Any) -> Outcome:
        """Hand a wheel in and have it installed, without the plan that people look at before."""
        sha256 = self.keep(wheel(name, version, **wrong), file_name(name, version))
        return self.carry_out(Plan(verb, name, {}, None, version, packages=(sha256,)))

    def do(self, verb: str, name: str) -> Outcome:
        return self.carry_out(self.plan(verb, name))

    def carry_out(self, found: Plan) -> Outcome:
        with self.unit.system(self.operator, "ops") as ctx:
            change, state = changes.ask(ctx, found)
        assert state == "queued"
        assert self.installer.claim(change)
        return self.installer.carry_out(change)

    def rows(self, sql: str, **values: object) -> list[Any]:
        with self.owner.begin() as connection:
            return list(connection.execute(text(sql), values))

    def scalar(self, sql: str, **values: object) -> Any:
        return next(iter(self.rows(sql, **values)), (None,))[0]

    def plugin(self, name: str) -> Any:
        """Its row as a dictionary; None when there is none."""
        found = self.rows("SELECT * FROM ts.plugin WHERE name = :name", name=name)
        return dict(found[0]._mapping) if found else None

    def write(self, key: str, name: str, *said: str) -> None:
        """Rows of an enterprise, written by the application."""
        with self.unit.system(self.ids[key], "test") as ctx:
            for each in said:
                ctx.session.execute(
                    text(f"INSERT INTO plugin_{name}.note (tenant_id, id, said) VALUES (:t, gen_random_uuid(), :said)"),
                    {"t": self.ids[key], "said": each},
                )

    def notes(self, key: str, name: str) -> list[str]:
        with self.unit.system(self.ids[key], "test") as ctx:
            return list(ctx.session.execute(text(f"SELECT said FROM plugin_{name}.note ORDER BY 1")).scalars())


@pytest.fixture(scope="module")
def ground(server: Server, keys: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    template, ids = server.once("bare", partial(_seed, server))
    name, data = server.clone(template), tmp_path_factory.mktemp("data")
    server.run(*roles.access_statements(name))  # a clone has the tables' rights, not the database's own
    database = Database(server.url_for("ts_app", name), pool_size=2)
    migrate = server.url_for("ts_migrator", name)
    owner = create_engine(migrate, poolclass=NullPool)
    installer = Installer(migrate, data, b"k" * 32)
    yield Ground(make_unit(database), ids, data, owner, installer)
    database.dispose()
    installer.engine.dispose()


def _seed(server: Server, name: str) -> dict[str, UUID]:
    roles.provision(server.admin.render_as_string(hide_password=False), name)
    url = server.url_for("ts_migrator", name)
    upgrade(url)
    owner = create_engine(url, poolclass=NullPool)
    with owner.begin() as connection:
        connection.execute(text("DELETE FROM ts.plugin"))  # those we ship have tests of their own
    database = Database(server.url_for("ts_app", name), pool_size=2)
    try:
        return dict(load_enterprises(make_unit(database)))
    finally:
        database.dispose()
