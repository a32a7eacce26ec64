"""Tries a plugin's tables instead of reading their policies: strangers' rows are put in, and nobody else may see or touch them.

A copy of each table with its policies, in a schema of its own and without its constraints, takes a few made-up rows. Then
the role of plugins looks at it in the name of an enterprise that owns neither, once for each role that serves. So
`tenant_id = ts.tenant() OR true` is found out, and so is whatever else a policy may say. The table itself is not locked,
and all of it is rolled back.
"""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from psycopg.pq import TransactionStatus
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from core.kernel import uuid7

ROLES = ("ts_app", "ts_worker", "ts_plugin")
PLACE = "host_probe"
COLUMNS = """SELECT a.attname AS name, format_type(a.atttypid, NULL) AS type, t.typcategory AS category
  FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
  WHERE a.attrelid = :table AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum"""
POLICIES = """SELECT polname AS name, CASE polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE'
    WHEN 'd' THEN 'DELETE' ELSE 'ALL' END AS command, CASE WHEN polpermissive THEN 'PERMISSIVE' ELSE 'RESTRICTIVE' END AS way,
  pg_get_expr(polqual, polrelid) AS seen, pg_get_expr(polwithcheck, polrelid) AS written
  FROM pg_policy WHERE polrelid = :table AND polroles && ARRAY[0, CAST(:role AS regrole)::oid]::oid[]"""
GRANTED = """SELECT DISTINCT a.privilege_type FROM (SELECT relacl AS acl FROM pg_class WHERE oid = :table
  UNION ALL SELECT attacl FROM pg_attribute WHERE attrelid = :table) held, aclexplode(held.acl) a
  WHERE a.grantee IN (0, CAST(:role AS regrole))"""
KINDS = {"uuid": "gen_random_uuid()", "jsonb": "'{}'", "json": "'{}'", "bytea": "''", "interval": "'1 day'"}
FULL = {"S": "'probe'", "N": "1", "D": "now()", "B": "true", "A": "'{}'"}
NARROW = {"S": "'x'", "N": "0", "D": "now()", "B": "false", "A": "'{}'"}  # for varchar(1) and numeric(2, 2)
DONE = {"UPDATE": "changed", "DELETE": "removed"}


class Untried(ValueError):
    """A table whose types take none of the made-up rows."""


def leaks(connection: Connection, schema: str, name: str, oid: int, *, published: bool) -> list[str]:
    """What an enterprise could do to rows that are not its own; empty for a sound table. `published`: all may read it."""
    found: list[str] = []
    with _undone(connection):
        try:
            copy = _copied(connection, schema, name, oid)
        except Untried as why:
            return [f"its policies cannot be tried: {why}"]
        for role in ROLES:
            granted = set(connection.execute(text(GRANTED), {"table": oid, "role": role}).scalars())
            if granted:
                with _undone(connection):
                    _become(connection, copy, oid, role)
                    found += [f"{what} (as {role})" for what in _tried(connection, copy, oid, granted, published)]
    return found


def _copied(connection: Connection, schema: str, name: str, oid: int) -> str:
    """A table like it, with rows that belong to nobody here: full ones, and one with nothing but ids."""
    copy, columns = f'{PLACE}."{name}"', connection.execute(text(COLUMNS), {"table": oid}).all()
    connection.exec_driver_sql(f"CREATE SCHEMA {PLACE} AUTHORIZATION ts_plugin_owner")
    connection.exec_driver_sql(f"GRANT USAGE ON SCHEMA {schema}, {PLACE} TO ts_plugin")
    connection.exec_driver_sql("SET LOCAL ROLE ts_plugin_owner")
    connection.exec_driver_sql(f'CREATE TABLE {copy} (LIKE {schema}."{name}")')
    for column in columns:
        connection.exec_driver_sql(f'ALTER TABLE {copy} ALTER COLUMN "{column.name}" DROP NOT NULL')
    ids = [each for each in columns if each.type == "uuid"]
    rows = [_insert(copy, columns, FULL), _insert(copy, columns, NARROW), _insert(copy, ids, FULL)]
    if not sum([_kept(connection, row) for row in rows]):
        raise Untried(f"no row can be made of {', '.join(each.type for each in columns)}")
    connection.exec_driver_sql(f"ALTER TABLE {copy} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")
    connection.exec_driver_sql(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {copy} TO ts_plugin")
    connection.exec_driver_sql("RESET ROLE")
    return copy


def _kept(connection: Connection, statement: str) -> bool:
    """Whether a row could be put in; one that its own types refuse leaves nothing."""
    try:
        with connection.begin_nested():
            connection.exec_driver_sql(statement)
    except DBAPIError:
        return False
    return True


def _insert(table: str, columns: Collection[Any], values_of: Mapping[str, str] = FULL) -> str:
    if not columns:
        return f"INSERT INTO {table} DEFAULT VALUES"
    names = ", ".join(f'"{each.name}"' for each in columns)
    values = ", ".join(KINDS.get(each.type) or values_of.get(each.category, "NULL") for each in columns)
    return f"INSERT INTO {table} ({names}) VALUES ({values})"


def _become(connection: Connection, copy: str, oid: int, role: str) -> None:
    """What the policies let `role` do, `ts_plugin` may now do to the copy: the one of the serving roles the migrator may take."""
    connection.exec_driver_sql("SET LOCAL ROLE ts_plugin_owner")
    for policy in connection.execute(text(POLICIES), {"table": oid, "role": role}).all():
        using = f" USING ({policy.seen})" if policy.seen is not None else ""
        check = f" WITH CHECK ({policy.written})" if policy.written is not None else ""
        made = f'CREATE POLICY "{policy.name}" ON {copy} AS {policy.way} FOR {policy.command} TO ts_plugin{using}{check}'
        connection.exec_driver_sql(made)
    connection.exec_driver_sql("SET LOCAL ROLE ts_plugin")


def _tried(connection: Connection, copy: str, oid: int, granted: Collection[str], published: bool) -> Iterator[str]:
    columns = connection.execute(text(COLUMNS), {"table": oid}).all()
    acts = {"DELETE": f"DELETE FROM {copy}"}
    if columns:
        acts["UPDATE"] = f'UPDATE {copy} SET "{columns[-1].name}" = NULL'
    for tenant in ("", str(uuid7())):
        whose = "another enterprise's rows are {}" if tenant else "rows are {} without an enterprise"
        connection.execute(text("SELECT set_config('ts.tenant', :tenant, true)"), {"tenant": tenant})
        if "SELECT" in granted and not (published and tenant) and _met(connection, f"SELECT 1 FROM {copy}"):
            yield whose.format("seen")
        for act, statement in acts.items():
            if act in granted and _met(connection, statement):
                yield whose.format(DONE[act])
    if "INSERT" in granted and _met(connection, _insert(copy, columns)):
        yield "rows are written in another enterprise's name"


def _met(connection: Connection, statement: str) -> int:
    """How many rows a statement meets; one that is refused outright meets none."""
    with _undone(connection):
        try:
            return connection.exec_driver_sql(statement).rowcount
        except DBAPIError:
            return 0


@contextmanager
def _undone(connection: Connection) -> Iterator[None]:
    """Nothing that happens inside stays, not even a failure; role and enterprise are what they were before."""
    driver, name = connection.connection.driver_connection, f"probe_{uuid7().hex}"
    connection.exec_driver_sql(f"SAVEPOINT {name}")
    try:
        yield
    finally:
        if driver is not None and driver.info.transaction_status != TransactionStatus.UNKNOWN:
            connection.exec_driver_sql(f"ROLLBACK TO SAVEPOINT {name}")
            connection.exec_driver_sql(f"RELEASE SAVEPOINT {name}")
