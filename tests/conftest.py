"""Real PostgreSQL for every test: one template database per run, cloned or rolled back as the test needs.

`TS_TEST_ADMIN_URL` names a superuser of a server to use; without it the embedded server is started in a temp folder.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import pytest
from argon2 import PasswordHasher
from flask import Flask
from jinja2 import FileSystemBytecodeCache
from sqlalchemy import event, make_url, text

from core import audit, outbox, rooms
from core.db import Database, TenantSession, Unit, keyring
from core.db.embedded import EmbeddedPostgres
from core.db.session import set_tenant
from core.hooks import Dispatch
from core.identity import password
from core.kernel import Actor, Context, Ports
from tests.databases import Server, alone, among

TENANT = UUID("01990000-0000-7000-8000-000000000001")
OTHER = UUID("01990000-0000-7000-8000-000000000002")


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder all processes of this run see."""
    own = tmp_path_factory.getbasetemp()
    folder = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "shared"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session", autouse=True)
def compiled(shared_folder: Path) -> None:
    """Templates are compiled once per run and not once per application."""
    kept = shared_folder / "templates"
    kept.mkdir(exist_ok=True)
    Flask.jinja_options = {**Flask.jinja_options, "bytecode_cache": FileSystemBytecodeCache(str(kept))}


@pytest.fixture(scope="session", autouse=True)
def cheap_passwords() -> None:
    """Argon2id at a thousandth of the cost. `full_price` has the real one."""
    password.hasher = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)


@pytest.fixture
def full_price(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords cost what they cost in production."""
    monkeypatch.setattr(password, "hasher", PasswordHasher())


@pytest.fixture(scope="session")
def server(shared_folder: Path) -> Iterator[Server]:
    given = os.environ.get("TS_TEST_ADMIN_URL")
    with among(shared_folder) as last:
        if given:
            admin = make_url(given)

            def url_for(role: str, database: str) -> str:
                return admin.set(username=role, database=database).render_as_string(hide_password=False)

            found = Server(admin, url_for, shared_folder)
            found.make_template()
            yield found
            with alone(shared_folder):
                found.drop_all(templates=last())
            return
        binaries = os.environ.get("TS_TEST_BINARIES")
        embedded = EmbeddedPostgres(
            shared_folder / "data", fsync=False, max_connections=300, binaries=Path(binaries) if binaries else None
        )
        with alone(shared_folder):
            embedded.start()
        try:
            found = Server(make_url(embedded.url("postgres", "postgres")), embedded.url, shared_folder)
            found.run("ALTER SYSTEM SET autovacuum = off", "SELECT pg_reload_conf()")
            found.make_template()
            yield found
        finally:
            with alone(shared_folder):
                embedded.stop()
                if last():
                    embedded.destroy()
                    for told in shared_folder.glob("*.told"):
                        told.unlink()


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
        settings=tenancy.settings_reader if tenancy else lambda ctx, tenant: lambda plugin: {},
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
    name = server.lend()
    database = Database(server.url_for("ts_app", name), pool_size=20)
    database.name = name  # type: ignore[attr-defined]
    yield database
    database.dispose()
    server.take_back(name)


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


def _not_here(session: TenantSession) -> None:
    """What one test commits, the next would find in its books. Savepoints are free, and who writes nothing may say so."""
    if not session.in_nested_transaction() and not session.info.get("writes_nothing"):
        raise AssertionError("this database is shared: a test that commits takes `fresh_db` or `unit`")


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
        event.listen(session, "before_commit", _not_here)
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
