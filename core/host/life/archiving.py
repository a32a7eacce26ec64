"""Archive and restore: the code goes, the rows stay, readable and unchangeable, and come back equal."""

import json
from typing import Any

from sqlalchemy import Connection, text

from core.host import tables
from core.host.life.installing import grant
from core.host.life.work import Work
from core.host.standing import Installed
from core.kernel import Conflict, Refused

WRITES = ("INSERT", "UPDATE", "DELETE", "TRUNCATE")
HELD = """SELECT c.relname AS name, pg_get_userbyid(a.grantee) AS role, a.privilege_type AS privilege
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace, aclexplode(c.relacl) a
  WHERE n.nspname = :schema AND c.relkind IN ('r', 'p') AND a.grantee <> c.relowner ORDER BY 1, 2, 3"""
COLUMNS_HELD = """SELECT c.relname AS name, t.attname AS column, pg_get_userbyid(a.grantee) AS role, a.privilege_type AS privilege
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute t ON t.attrelid = c.oid, aclexplode(t.attacl) a
  WHERE n.nspname = :schema AND a.grantee <> c.relowner ORDER BY 1, 2, 3, 4"""

CALLED = """SELECT p.oid::regprocedure::text AS function,
    CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(a.grantee) END AS role
  FROM pg_proc p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
  WHERE p.pronamespace = to_regnamespace(:schema) AND p.prosecdef AND a.grantee <> p.proowner
  AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.refobjid = p.oid AND d.classid = 'pg_policy'::regclass) ORDER BY 1, 2"""
"""Who may call functions that write as the tables' owner; those that policies ask are needed for reading."""


def archive(work: Work) -> None:
    """Put a plugin aside: nobody uses it, its code is no longer loaded, its schema is only read."""
    with work.step("free"):
        require_free(work)
    schema, connection = f"plugin_{work.plugin}", work.session.connection()
    with work.step("count"):
        sums = checksums(connection, schema)
    with work.step("lock"):
        grants = [*_held(connection, schema, HELD), *_held(connection, schema, COLUMNS_HELD)]
        for grant_ in grants:
            if grant_["privilege"] in WRITES:
                connection.exec_driver_sql(f"REVOKE {_what(grant_)} FROM {grant_['role']}")
        calls = _held(connection, schema, CALLED)
        for call in calls:
            connection.exec_driver_sql(f"REVOKE EXECUTE ON FUNCTION {call['function']} FROM {call['role']}")
    known = work.before.plugins[work.plugin]
    with work.step("import"):
        host = work.bring_in(
            work.before.with_(Installed(known.name, "archived", known.version, known.packages))
        )
    with work.step("permissions"):
        grant(work, host)
    work.run(
        "UPDATE ts.plugin SET state = 'archived', changed_at = ts.clock(), archive = CAST(:archive AS jsonb) WHERE name = :name",
        name=work.plugin, archive=json.dumps({"tables": sums, "grants": grants, "calls": calls}),
    )  # fmt: skip
    work.facts["tables"] = sums
    work.next_epoch()


def restore(work: Work) -> None:
    """Bring an archived plugin back. Refused where a row is not as it was archived."""
    row = work.run(
        "SELECT * FROM ts.plugin WHERE name = :name AND state = 'archived' FOR UPDATE", name=work.plugin
    ).one_or_none()
    if row is None:
        raise Conflict("plugin.not_archived", plugin=work.plugin)
    schema, connection, kept = f"plugin_{work.plugin}", work.session.connection(), row.archive or {}
    with work.step("count"):
        now = checksums(connection, schema)
        if changed := sorted(
            name for name in kept.get("tables", {}) if now.get(name) != kept["tables"][name]
        ):
            raise Refused("plugin.archive_changed", plugin=work.plugin, tables=", ".join(changed))
    with work.step("unlock"):
        for grant_ in kept.get("grants", []):
            if grant_["privilege"] in WRITES:
                connection.exec_driver_sql(f"GRANT {_what(grant_)} TO {grant_['role']}")
        for call in kept.get("calls", []):
            connection.exec_driver_sql(f"GRANT EXECUTE ON FUNCTION {call['function']} TO {call['role']}")
    plugin = Installed(work.plugin, "installed", row.version, tuple(row.packages))
    with work.step("import"):
        host = work.bring_in(work.before.with_(plugin), fresh=work.plugin)
    with work.step("migrate"):
        tables.migrate(connection, host.loaded[work.plugin].manifest)
    with work.step("permissions"):
        grant(work, host)
    work.run(
        "UPDATE ts.plugin SET state = 'installed', changed_at = ts.clock(), archive = NULL WHERE name = :name",
        name=work.plugin,
    )
    work.facts["tables"] = now
    work.next_epoch()


def require_free(work: Work) -> None:
    """Refused while the plugin is in use: an open order of its modes, an open gate, an enterprise that has it on."""
    if work.plugin not in work.before.plugins:
        raise Conflict("plugin.not_installed", plugin=work.plugin)
    manifest = work.run(
        "SELECT manifest FROM ts.plugin WHERE name = :name FOR UPDATE", name=work.plugin
    ).scalar_one()
    modes = list(manifest.get("modes", [])) or _modes(work)
    touched = work.run("SELECT * FROM ts.plugin_touches(:name, :modes)", name=work.plugin, modes=modes).one()
    if touched.open_orders:
        raise Conflict("plugin.has_open_orders", plugin=work.plugin, order=touched.an_order)
    if touched.open_gates:
        raise Conflict("plugin.has_open_gates", plugin=work.plugin, count=touched.open_gates)
    users = work.run(
        "SELECT c.name FROM ts.plugin_enablement e JOIN ts.enterprise_card c ON c.tenant_id = e.tenant_id"
        " WHERE e.plugin = :name AND e.state <> 'disabled' ORDER BY c.name",
        name=work.plugin,
    ).scalars().all()  # fmt: skip
    if users:
        raise Conflict("plugin.still_enabled", plugin=work.plugin, count=len(users), enterprise=users[0])


def _modes(work: Work) -> list[str]:
    """The trade modes a plugin brings, asked of its code; none when its code no longer comes in."""
    try:
        host = work.bring_in(work.before)
    except Refused:
        return []
    loaded = host.loaded.get(work.plugin)
    return [mode.key for mode in loaded.modes] if loaded else []


def checksums(connection: Connection, schema: str) -> dict[str, Any]:
    """Rows and a hash over them, for each table: equal content gives an equal answer, whatever the order on disk."""
    found = {}
    connection.execute(text("SET LOCAL statement_timeout = '300s'"))
    for name in tables.names(connection, schema):
        row = connection.execute(
            text(
                "SELECT count(*) AS rows, COALESCE(sum(('x' || substr(md5(t::text), 1, 15))"
                "::bit(60)::bigint)::numeric, 0)::text AS sum"
                f' FROM {schema}."{name}" t'
            )
        ).one()
        found[name] = {"rows": row.rows, "sum": row.sum}
    return found


def _held(connection: Connection, schema: str, query: str) -> list[dict[str, str]]:
    rows = connection.execute(text(query), {"schema": schema}).mappings()
    return [{"schema": schema, **dict(row)} for row in rows]


def _what(held: dict[str, str]) -> str:
    schema_table = f'{held["schema"]}."{held["name"]}"'
    columns = f' ("{held["column"]}")' if held.get("column") else ""
    return f"{held['privilege']}{columns} ON {schema_table}"
