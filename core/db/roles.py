"""Who may do what in the database, before there is any table.

`ts_owner` owns everything and never logs in. `ts_migrator` logs in to change the schema and becomes the owner
for that. `ts_app` and `ts_worker` serve: no ownership, no way round row-level security. `ts_plugin` is what
they turn into while a plugin's code runs, `ts_plugin_owner` what the migrator turns into while a plugin's migrations
run: it owns the plugins' schemas and nothing of the core. `ts_auditor` is handed to people who only read the trail.
"""

from collections.abc import Iterable

import psycopg
from psycopg import sql

from core.config import UserError

DATABASE = "tongshang"
OLDEST, NEWEST = 15, 18  # PostgreSQL majors the project is tested with
SCHEMAS = ("ts", "auth", "jobs")
LOGINS = ("ts_migrator", "ts_app", "ts_worker")
CONNECT = "\\connect"  # psql's word; what follows it runs inside the new database
_LOCK = 0x7473_726F_6C65  # advisory lock, so that two installers do not trip over each other

_ROLES = {
    "ts_owner": "NOLOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE",
    "ts_migrator": "LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE",
    "ts_app": "LOGIN NOINHERIT NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE",
    "ts_worker": "LOGIN NOINHERIT NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE",
    "ts_auditor": "NOLOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE",
    "ts_plugin": "NOLOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE",
    "ts_plugin_owner": "NOLOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE",
}


def statements(version: int, dbname: str = DATABASE) -> list[str]:
    """Everything a database administrator runs once, in order; safe to run again except CREATE DATABASE.

    `version` is the server's major. The list has one `\\connect` line: feed it to psql as it is.
    """
    return [
        *role_statements(),
        create_database(version, dbname),
        *access_statements(dbname),
        f"{CONNECT} {_name(dbname)}",
        *schema_statements(),
    ]


def role_statements() -> list[str]:
    """Roles of the whole server."""
    made = [
        f"DO $$ BEGIN CREATE ROLE {role} {attributes}; EXCEPTION WHEN duplicate_object THEN NULL; END $$"
        for role, attributes in _ROLES.items()
    ]
    # ts_app and ts_worker do not inherit: they hold the rights of ts_plugin only after SET ROLE.
    return [*made, "GRANT ts_owner, ts_plugin_owner, ts_plugin TO ts_migrator", "GRANT ts_plugin TO ts_app, ts_worker"]


def create_database(version: int, dbname: str = DATABASE, template: str = "template0") -> str:
    """CREATE DATABASE with the same order of characters on every machine.

    From 17 on PostgreSQL brings its own C.UTF-8; before, the operating system's is used.
    """
    if template != "template0":
        return f"CREATE DATABASE {_name(dbname)} TEMPLATE {_name(template)}"
    if version >= 17:
        locale = "LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8' LC_COLLATE 'C' LC_CTYPE 'C'"
    else:
        locale = "LOCALE_PROVIDER libc LOCALE 'C.UTF-8'"
    return f"CREATE DATABASE {_name(dbname)} TEMPLATE template0 ENCODING 'UTF8' {locale}"


def access_statements(dbname: str = DATABASE) -> list[str]:
    """Who may connect, and who may make schemas (a plugin gets one of its own)."""
    name = _name(dbname)
    return [
        f"REVOKE ALL ON DATABASE {name} FROM PUBLIC",
        f"GRANT CONNECT ON DATABASE {name} TO {', '.join(LOGINS)}, ts_auditor",
        f"GRANT CREATE, TEMPORARY ON DATABASE {name} TO ts_owner",
    ]


def schema_statements() -> list[str]:
    """Schemas of the core, run inside the database."""
    return [
        "REVOKE ALL ON SCHEMA public FROM PUBLIC",
        *(f"CREATE SCHEMA IF NOT EXISTS {schema} AUTHORIZATION ts_owner" for schema in SCHEMAS),
        f"GRANT USAGE ON SCHEMA {', '.join(SCHEMAS)} TO ts_app, ts_worker",
        "GRANT USAGE ON SCHEMA ts TO ts_plugin, ts_plugin_owner",
    ]


def provision(admin_url: str, dbname: str = DATABASE) -> bool:
    """Create roles, database and schemas where they are missing; True when the database is new.

    `admin_url` is a superuser's (or a role's that may create roles and databases). May be repeated, and run
    in two processes at once.
    """
    with _connect(admin_url) as server:
        version = server_major(server)
        server.execute("SELECT pg_advisory_lock(%s)", (_LOCK,))
        _run(server, role_statements())
        superuser = server.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone()
        if superuser is None or not superuser[0]:
            server.execute("GRANT ts_owner TO CURRENT_USER")  # else it may not make schemas for the owner
        known = server.execute("SELECT 1 FROM pg_database WHERE datname = %s", (dbname,)).fetchone()
        if not known:
            server.execute(sql.SQL(create_database(version, dbname)))
        _run(server, access_statements(dbname))
        with _connect(admin_url, dbname) as database:
            _run(database, schema_statements())
    return not known


def require_bound(connection: psycopg.Connection) -> None:
    """Refuse a role that row-level security does not bind: a superuser, or one that may act as a table's owner.

    Everything that serves calls this once at its start; with such a role every tenant would see all rows.
    """
    row = connection.execute(
        "SELECT rolname, rolsuper OR rolbypassrls OR EXISTS (SELECT 1 FROM pg_class WHERE relnamespace ="
        " to_regnamespace('ts') AND pg_has_role(rolname, relowner, 'MEMBER'))"
        " FROM pg_roles WHERE rolname = current_user"
    ).fetchone()
    if row is None or row[1]:
        name = row[0] if row else "of this connection"
        raise UserError(
            f"The role {name} passes by row-level security: everyone would see everyone's rows.",
            "DATABASE_URL, WORKER_DATABASE_URL",
            "Use the roles ts_app and ts_worker. `run.py init --sql` prints the SQL that makes them.",
        )


def server_major(connection: psycopg.Connection) -> int:
    """Major version of the server; `UserError` for one this project does not work with."""
    major = connection.info.server_version // 10000
    if not OLDEST <= major <= NEWEST:
        raise UserError(
            f"This is PostgreSQL {major}. Tongshang works with {OLDEST} to {NEWEST}.",
            connection.info.host or "database",
            "Point the database addresses at a server of one of these versions.",
        )
    return major


def _connect(url: str, dbname: str | None = None) -> psycopg.Connection:
    plain = url.replace("postgresql+psycopg://", "postgresql://", 1)
    chosen = {"dbname": dbname} if dbname else {}
    try:
        return psycopg.connect(plain, autocommit=True, connect_timeout=10, **chosen)  # type: ignore[arg-type]
    except psycopg.OperationalError as error:
        raise UserError(
            f"The database refused the connection: {str(error).strip().splitlines()[-1]}",
            plain.rpartition("@")[2],
            "Check that the server runs and that address, role and password are right.",
        ) from error


def _run(connection: psycopg.Connection, lines: Iterable[str]) -> None:
    for line in lines:
        connection.execute(sql.SQL(line))


def _name(identifier: str) -> str:
    return '"' + identifier.replace('"', '""') + '"'
