"""What `doctor` looks at, one finding after the other: machine, database, the rest of the installation."""

import os
import shutil
import stat
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import psycopg

import core
from core.cli.database import refusal
from core.config import Config, UserError
from core.db import roles

LOW_ON_DISK = 1_000_000_000  # bytes
CLOCKS_APART = 5.0  # seconds

# The first release of each major with the row-level security fixes of 2025.
OLDEST_SAFE = {15: 14, 16: 10, 17: 6, 18: 0}


@dataclass(frozen=True)
class Finding:
    """One thing looked at. `note` is worth knowing, `wrong` must be mended."""

    state: Literal["well", "note", "wrong"]
    what: str
    do: str = ""


def examine_machine(config: Config) -> Iterator[Finding]:
    """Interpreter, data folder, disk, keys."""
    yield Finding(
        "well", f"Tongshang {core.__version__} on Python {sys.version.split()[0]} ({sys.executable})."
    )
    yield Finding("well", f"Data folder {config.data}.")
    free = shutil.disk_usage(config.data).free
    if free < LOW_ON_DISK:
        yield Finding(
            "wrong", f"Only {free / 1_000_000:.0f} MB are free for data.", "Make room on that disk."
        )
    else:
        yield Finding("well", f"{free / 1_000_000_000:.0f} GB free for data.")
    keys = config.data / "keys"
    if keys.exists() and stat.S_IMODE(keys.stat().st_mode) & 0o077:
        yield Finding("wrong", f"Others on this machine can read {keys}.", f"chmod 600 '{keys}'")
    if os.geteuid() == 0:
        yield Finding("note", "Running as root.", "A user of its own is safer for web server and worker.")
    if config.insecure_http:
        yield Finding("note", "Signing in over plain http is allowed.", "Put https in front and unset it.")


def examine_database(config: Config) -> Iterator[Finding]:
    """Version, roles, rights and clock of the database."""
    for role in ("app", "worker", "migrate"):
        address = getattr(config, f"{role}_url")
        if address is None:
            yield Finding("wrong", f"No address for the role {role}.", f"Set {role.upper()}_DATABASE_URL.")
            continue
        try:
            with psycopg.connect(address.replace("+psycopg", "", 1), connect_timeout=10) as connection:
                yield from _examine_role(role, connection)
                if role == "app":
                    yield from _examine_server(config, connection)
        except psycopg.OperationalError as error:
            yield Finding(
                "wrong", f"The database refuses the role {role}: {refusal(error)}", "Run `run.py init`."
            )


def examine_rest(config: Config) -> Iterator[Finding]:
    """What helps but is not needed to serve."""
    browsers = [shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome")]
    browser = next((found for found in browsers if found), None)
    if browser:
        yield Finding("well", f"Browser tests can use {browser}.")
    else:
        hint = "On Debian: apt-get install chromium fonts-noto-cjk"
        yield Finding("note", "No Chromium: browser tests are skipped.", hint)


def _examine_role(role: str, connection: psycopg.Connection) -> Iterator[Finding]:
    row = connection.execute(
        "SELECT current_user,"
        " to_regrole('ts_plugin') IS NOT NULL AND pg_has_role(current_user, 'ts_plugin', 'MEMBER')"
    ).fetchone()
    assert row is not None
    name, plugin = row
    try:
        if role != "migrate":
            roles.require_bound(connection)
        yield Finding("well", f"{role}: connects as {name}.")
    except UserError as error:
        yield Finding("wrong", f"{role}: {error.what}", error.do)
    if role == "app" and not plugin:
        yield Finding(
            "note",
            "Plugins run with all rights of the app: the role ts_plugin is missing.",
            "`run.py init --sql`",
        )


def _examine_server(config: Config, connection: psycopg.Connection) -> Iterator[Finding]:
    number = connection.info.server_version
    major, minor = number // 10000, number % 10000
    if not roles.OLDEST <= major <= roles.NEWEST:
        yield Finding("wrong", f"PostgreSQL {major}.{minor} is not among those supported.", "Use 15 to 18.")
    elif minor < OLDEST_SAFE[major]:
        yield Finding(
            "wrong",
            f"PostgreSQL {major}.{minor} has known holes in row-level security.",
            f"Update to {major}.{OLDEST_SAFE[major]} or later.",
        )
    else:
        yield Finding("well", f"PostgreSQL {major}.{minor}.")
    if config.embedded:
        yield Finding(
            "note",
            "The embedded PostgreSQL is for trial and small sites; its updates come with our releases.",
            "For production set DATABASE_URL to a server that is kept up to date.",
        )
    yield from _examine_copy(connection)
    row = connection.execute("SELECT extract(epoch FROM clock_timestamp())::float8").fetchone()
    assert row is not None
    apart = abs(row[0] - time.time())
    if apart > CLOCKS_APART:
        yield Finding(
            "wrong", f"The clocks here and at the database are {apart:.0f} s apart.", "Synchronise them."
        )
    tables = connection.execute(
        "SELECT count(*) FROM pg_class WHERE relnamespace = to_regnamespace('ts') AND relkind IN ('r', 'p')"
    ).fetchone()
    assert tables is not None
    if tables[0] == 0:
        yield Finding("wrong", "The database has no tables yet.", "Run `run.py init`.")
        return
    open_tables = connection.execute(
        "SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE (n.nspname = 'ts' OR n.nspname LIKE 'plugin\\_%') AND c.relkind IN ('r', 'p')"
        " AND c.relname <> 'version' AND NOT (c.relrowsecurity AND c.relforcerowsecurity)"
    ).fetchall()
    for (table,) in open_tables:
        yield Finding(
            "wrong", f"Row-level security is off on {table}.", "Restore the schema: `run.py migrate`."
        )
    if not open_tables:
        yield Finding("well", f"{tables[0]} tables, row-level security forced on every one.")


def _examine_copy(connection: psycopg.Connection) -> Iterator[Finding]:
    """A database that was copied has the rights on its tables, and has lost those on itself."""
    row = connection.execute(
        "SELECT current_database(), to_regrole('ts_owner') IS NULL"
        " OR has_database_privilege('ts_owner', current_database(), 'CREATE'),"
        " EXISTS (SELECT 1 FROM pg_database d, aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) a"
        " WHERE d.datname = current_database() AND a.grantee = 0 AND a.privilege_type = 'CONNECT')"
    ).fetchone()
    assert row is not None
    name, may_create, open_to_all = row
    if not may_create:
        yield Finding(
            "wrong",
            f"The database {name} has lost its rights, as a copy does: no plugin can be installed in it.",
            "; ".join(roles.access_statements(name)),
        )
    elif open_to_all:
        yield Finding(
            "note",
            f"Every role of the server may connect to the database {name}.",
            "; ".join(roles.access_statements(name)[:2]),
        )
