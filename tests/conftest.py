"""Real PostgreSQL for every test: one template database per run, cloned or rolled back as the test needs.

`TS_TEST_ADMIN_URL` names a superuser of a server to use; without it the embedded server is started in a temp folder.
"""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import URL, create_engine, make_url, text
from sqlalchemy.pool import NullPool

from core import audit, outbox, rooms
from core.db import Database, Model, Unit, keyring, roles, schema
from core.db.session import set_tenant
from core.hooks import Dispatch
from core.kernel import Actor, Context, Ports

TENANT = UUID("01990000-0000-7000-8000-000000000001")
OTHER = UUID("01990000-0000-7000-8000-000000000002")


class Server:
    """The PostgreSQL of this run: makes databases from the template and says how each role reaches them."""

    def __init__(self, admin: URL, url_for: Callable[[str, str], str]) -> None:
        self.admin, self.url_for = admin, url_for
        self.serial = 0
        self.prefix = f"tst_{os.getpid()}"
        self.template = f"{self.prefix}_template"
        self.made: list[str] = []

    def run(self, *lines: str) -> None:
        engine = create_engine(self.admin, poolclass=NullPool, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            for line in lines:
                connection.execute(text(line))
        engine.dispose()

    def make_template(self) -> None:
        roles.provision(self.admin.render_as_string(hide_password=False), self.template)
        self.made.append(self.template)
        rooms.load_models()
        engine = create_engine(self.url_for("ts_migrator", self.template), poolclass=NullPool)
        with engine.begin() as connection:
            schema.apply(connection, schema.statements(Model.metadata, rooms.ddl()))
        if identity := rooms.part("identity", "roles"):
            with engine.begin() as connection:
                identity.sync_roles(connection, rooms.collected("permissions", "PERMISSIONS"))
        engine.dispose()

    def clone(self) -> str:
        self.serial += 1
        name = f"{self.prefix}_{self.serial}"
        self.run(f"CREATE DATABASE {name} TEMPLATE {self.template}")
        self.made.append(name)
        return name

    def drop_all(self) -> None:
        self.run(*(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)" for name in reversed(self.made)))


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    given = os.environ.get("TS_TEST_ADMIN_URL")
    if given:
        admin = make_url(given)

        def url_for(role: str, database: str) -> str:
            return admin.set(username=role, database=database).render_as_string(hide_password=False)

        found = Server(admin, url_for)
        found.make_template()
        yield found
        found.drop_all()
        return
    from core.db.embedded import EmbeddedPostgres

    with tempfile.TemporaryDirectory(prefix="ts-test-") as folder:
        given_binaries = os.environ.get("TS_TEST_BINARIES")
        binaries = Path(given_binaries) if given_binaries else None
        embedded = EmbeddedPostgres(Path(folder), fsync=False, max_connections=200, binaries=binaries)
        embedded.start()
        try:
            found = Server(make_url(embedded.url("postgres", "postgres")), embedded.url)
            found.make_template()
            yield found
        finally:
            embedded.destroy()


@pytest.fixture(scope="session")
def keys() -> None:
    keyring.load({1: b"k" * 32})


def make_ports(dispatch: Dispatch | None = None) -> Ports:
    """What core.app lends, in its smallest true form: real audit, real outbox, plugins only when given."""
    tenancy = rooms.part("tenancy", "enablement")
    return Ports(
        record=audit.record,
        publish=outbox.publish,
        enabled=tenancy.enabled_plugins if tenancy else lambda ctx, tenant: frozenset(),
        settings=tenancy.plugin_settings if tenancy else lambda ctx, tenant, plugin: {},
        dispatch=dispatch or Dispatch(),
        set_tenant=set_tenant,
    )


def make_unit(database: Database, dispatch: Dispatch | None = None) -> Unit:
    return Unit(database, make_ports(dispatch), before_commit=(audit.write, outbox.write))


@pytest.fixture(scope="session")
def shared_db(server: Server, keys: None) -> Iterator[Database]:
    database = Database(server.url_for("ts_app", server.clone()))
    yield database
    database.dispose()


@pytest.fixture
def fresh_db(server: Server, keys: None) -> Iterator[Database]:
    """A database of its own, for tests that commit, run threads or kill things."""
    name = server.clone()
    database = Database(server.url_for("ts_app", name), pool_size=20)
    database.name = name  # type: ignore[attr-defined]
    yield database
    database.dispose()


@pytest.fixture
def worker_db(server: Server, fresh_db: Database) -> Iterator[Database]:
    """The same database as `fresh_db`, as the worker's role."""
    database = Database(server.url_for("ts_worker", fresh_db.name))  # type: ignore[attr-defined]
    yield database
    database.dispose()


@pytest.fixture
def db(fresh_db: Database) -> Database:
    return fresh_db


@pytest.fixture
def unit(fresh_db: Database) -> Unit:
    return make_unit(fresh_db)


@pytest.fixture
def tenant() -> UUID:
    return TENANT


@pytest.fixture
def other_tenant() -> UUID:
    return OTHER


@pytest.fixture
def make_ctx(shared_db: Database) -> Iterator[Callable[..., Context]]:
    """Contexts on the shared database; everything they do is rolled back."""
    open_sessions = []
    shared = make_unit(shared_db)

    def make(
        tenant_id: UUID = TENANT,
        grants: dict[str, Decimal | None] | None = None,
        actor: Actor | None = None,
        dispatch: Dispatch | None = None,
    ) -> Context:
        session = shared_db.session()
        open_sessions.append(session)
        opener = make_unit(shared_db, dispatch) if dispatch else shared
        return opener.enter(session, tenant_id, actor or Actor.system("test"), grants, everything=grants is None)

    yield make
    for session in open_sessions:
        session.rollback()
        session.close()


@pytest.fixture
def ctx(make_ctx: Callable[..., Context]) -> Context:
    return make_ctx()


@contextmanager
def clock_shifted(ctx: Context, by: str) -> Iterator[None]:
    """Let the database's clock run ahead inside this transaction, e.g. `by="31 minutes"`."""
    ctx.session.execute(text("SELECT set_config('ts.clock_shift', :by, true)"), {"by": by})
    try:
        yield
    finally:
        ctx.session.execute(text("SELECT set_config('ts.clock_shift', '', true)"))
