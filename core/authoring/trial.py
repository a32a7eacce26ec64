"""A plugin's life tried out on a scratch installation, by the same plans, consents and child processes as in earnest."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from core import audit, outbox, tenancy
from core.config import Config
from core.db import Database, Unit, keyring
from core.db.session import set_tenant
from core.demo.load import load_enterprises
from core.hooks import Dispatch
from core.host import packages, tables
from core.host.life import changes
from core.host.life.archiving import checksums
from core.host.life.installer import Installer, Outcome
from core.host.life.plan import Plan, plan
from core.host.life.purging import leftovers
from core.kernel import Context, Ports

PATIENT = "SET LOCAL idle_in_transaction_session_timeout = '120s'"
"""A plan waits for a child process that imports everything; on a busy machine that takes its time."""
Watch = Callable[[dict[str, Any]], None]


class Trial:
    """An installation with an operator and four enterprises that trade, in which plugins come and go."""

    def __init__(self, config: Config, watch: Watch = lambda step: None) -> None:
        keyring.load({1: config.master_key})
        self.config = config
        self.database = Database(config.url("app"), pool_size=3)
        ports = Ports(
            audit.record,
            outbox.publish,
            tenancy.enabled_plugins,
            tenancy.settings_reader,
            Dispatch(),
            set_tenant,
        )
        self.unit = Unit(self.database, ports, before_commit=(audit.write, outbox.write))
        self.ids = load_enterprises(self.unit)
        self.installer = Installer(config.url("migrate"), config.data, config.master_key, watch)
        self.owner: Engine = create_engine(config.url("migrate"), poolclass=NullPool)

    @contextmanager
    def acting(self, key: str = "operator") -> Iterator[Context]:
        """One transaction for the operator, or for the enterprise of that key."""
        with self.unit.system(self.ids[key], key) as ctx:
            ctx.session.execute(text(PATIENT))
            yield ctx

    def hand_in(self, content: bytes, filename: str) -> tuple[str, str]:
        """Read and keep a wheel. Answers the plugin's name and the hash. Raises Invalid for one that is not right."""
        wheel = packages.read(content, filename)
        with self.acting() as ctx:
            sha256 = changes.keep(ctx, wheel, source="upload", signer=None)
        return wheel.plugin or "", sha256

    def put(self, verb: str, wheel: Path) -> tuple[Plan, Outcome]:
        """Install or upgrade by a wheel's file."""
        name, sha256 = self.hand_in(wheel.read_bytes(), wheel.name)
        return self.do(verb, name, sha256)

    def do(self, verb: str, name: str, sha256: str | None = None) -> tuple[Plan, Outcome]:
        """Plan, consent, carry out. Raises Refused where the plan already says no."""
        with self.acting() as ctx:
            found = plan(ctx, verb, name, self.config.data, sha256)
        typed = name if found.needs_typed_name else None
        with self.acting() as ctx:
            ident, _ = changes.consent(
                ctx, verb, name, self.config.data, digest=found.digest, sha256=sha256, typed_name=typed
            )
        assert self.installer.claim(ident), "another installer works on this database"
        return found, self.installer.carry_out(ident)

    def looking(self) -> Any:
        """A connection that sees all rows, in one transaction."""
        return self.owner.begin()

    def rows(self, sql: str, **values: object) -> list[Any]:
        with self.looking() as connection:
            return list(connection.execute(text(sql), values))

    def sums(self, name: str) -> dict[str, Any]:
        """Number and checksum of the rows in each table of a plugin."""
        with self.looking() as connection:
            return checksums(connection, f"plugin_{name}")

    def row(self, name: str) -> dict[str, Any] | None:
        """What the installation says of a plugin."""
        found = self.rows("SELECT * FROM ts.plugin WHERE name = :name", name=name)
        return dict(found[0]._mapping) if found else None

    def left(self, name: str) -> list[str]:
        with self.looking() as connection:
            return leftovers(connection, name)

    def permissions(self, name: str) -> int:
        rows = self.rows(
            "SELECT count(*) FROM auth.permission WHERE starts_with(code, :name || '.')", name=name
        )
        return int(rows[0][0])

    def switch(self, name: str, key: str, state: str) -> None:
        """`enabled`, `draining` or `disabled` for one enterprise."""
        with self.acting(key) as ctx:
            if state == "enabled":
                row = self.row(name)
                tenancy.enable_plugin(ctx, name, version=str(row["version"]) if row else "0")
            else:
                tenancy.disable_plugin(ctx, name, drain=state == "draining")

    def close(self) -> None:
        self.database.dispose()
        self.owner.dispose()
        self.installer.engine.dispose()


def fill(connection: Connection, name: str, tenant: object) -> dict[str, str]:
    """Make up one row in each table of a plugin, so that there is something to lose. Tables that took none, with the reason."""
    refused = {}
    for table in tables.names(connection, f"plugin_{name}"):
        columns = connection.execute(
            text(
                "SELECT column_name AS name, udt_name AS kind, is_nullable = 'YES' OR column_default IS NOT NULL AS free"
                " FROM information_schema.columns WHERE table_schema = :schema AND table_name = :table"
            ),
            {"schema": f"plugin_{name}", "table": table},
        ).all()
        wanted = [each for each in columns if not each.free]
        values = {each.name: _made_up(each.name, each.kind, tenant) for each in wanted}
        names, made = ", ".join(f'"{each}"' for each in values), ", ".join(values.values())
        try:
            with connection.begin_nested():
                connection.exec_driver_sql(f'INSERT INTO plugin_{name}."{table}" ({names}) VALUES ({made})')
        except DBAPIError as fault:
            refused[table] = str(fault.orig).strip().splitlines()[0]
    return refused


def _made_up(column: str, kind: str, tenant: object) -> str:
    if kind == "uuid":
        return f"'{tenant}'" if column in ("tenant_id", "buyer_id", "seller_id") else "gen_random_uuid()"
    if kind in ("timestamptz", "timestamp", "date", "time"):
        return f"now()::{kind}"
    if kind in ("int2", "int4", "int8", "numeric", "float4", "float8"):
        return "1"
    if kind in ("json", "jsonb") or kind.startswith("_"):
        return "'{}'"
    return {"bool": "false", "bytea": "''"}.get(kind, "'x'")
