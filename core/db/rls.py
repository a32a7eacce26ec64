"""Row-level security derived from the models: grants, forced RLS, one owner policy and one policy per access.

The owner policy is needed because FORCE binds the owner too: without it every definer function would see nothing.
`(SELECT ts.tenant())` makes PostgreSQL ask once per statement, not once per row. `ts.home()` is the tenant a crossing
came from, NULL outside of one.
"""

from collections.abc import Iterable

from sqlalchemy import MetaData, Table

from core.db.base import Model

APP = "ts_app, ts_worker"
READERS = "ts_app, ts_worker, ts_plugin"
ME = "(SELECT ts.tenant())"

CLOCK = """
CREATE OR REPLACE FUNCTION ts.tenant() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
  RETURN NULLIF(current_setting('ts.tenant', true), '')::uuid;
CREATE OR REPLACE FUNCTION ts.home() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
  RETURN NULLIF(current_setting('ts.home', true), '')::uuid;
CREATE OR REPLACE FUNCTION ts.clock() RETURNS timestamptz LANGUAGE sql VOLATILE PARALLEL SAFE
  RETURN clock_timestamp() + COALESCE(NULLIF(current_setting('ts.clock_shift', true), '')::interval, interval '0');
GRANT EXECUTE ON FUNCTION ts.tenant(), ts.home(), ts.clock() TO ts_app, ts_worker, ts_plugin, ts_auditor;
"""


def security_statements(metadata: MetaData, tables: Iterable[Table] | None = None) -> list[str]:
    """Every GRANT, ALTER and CREATE POLICY for the tables of the models (or just for `tables`)."""
    by_table = {mapper.local_table: mapper.class_ for mapper in Model.registry.mappers}
    chosen = list(tables) if tables is not None else list(metadata.sorted_tables)
    return [line for table in chosen for line in _secure(table, by_table[table])]


def _secure(table: Table, model: type[Model]) -> list[str]:
    name, access = table.fullname, model.__access__
    lines = [
        f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY",
        f"ALTER TABLE {name} FORCE ROW LEVEL SECURITY",
        f"CREATE POLICY owner_all ON {name} TO ts_owner USING (true) WITH CHECK (true)",
    ]
    if access == "exempt":
        if not model.__exempt__:
            raise ValueError(f"{name} is exempt without a reason")
        return lines
    grants = model.__grants__
    is_plugin = (table.schema or "").startswith("plugin_")
    writers = READERS if is_plugin else APP
    lines.append(f"GRANT {_columns(grants, table, access)} ON {name} TO {APP}")
    lines.append(f"GRANT {grants if is_plugin else 'SELECT'} ON {name} TO ts_plugin")
    if access == "tenant":
        lines.append(f"CREATE POLICY tenant_read ON {name} FOR SELECT TO {READERS} USING (tenant_id = {ME})")
        lines += _writes(name, grants, writers, f"tenant_id = {ME}")
    elif access == "two_sided":
        mine = f"buyer_id = {ME} OR seller_id = {ME}"
        seen = f"buyer_id = {ME} OR seller_id = {ME} AND ({wish})" if (wish := _seller_sees(model)) else mine
        lines.append(f"CREATE POLICY side_read ON {name} FOR SELECT TO {READERS} USING ({seen})")
        lines += _writes(name, grants, writers, mine, seen)
    elif access == "shared":
        mine = f"tenant_id = {ME} OR other_id = {ME}"
        lines.append(f"CREATE POLICY shared_read ON {name} FOR SELECT TO {READERS} USING ({mine})")
        lines += _writes(name, grants, writers, f"tenant_id = {ME}")
    elif access == "published":
        lines.append(f"CREATE POLICY public_read ON {name} FOR SELECT TO {READERS} USING ({ME} IS NOT NULL)")
        lines += _writes(name, grants, writers, f"tenant_id = {ME}")
    else:
        raise ValueError(f"{name}: unknown access {access!r}")
    return lines


def _seller_sees(model: type[Model]) -> str:
    return str(getattr(model, "__seller_sees__", ""))


def _writes(name: str, grants: str, roles: str, mine: str, seen: str = "") -> list[str]:
    """`seen` is what may be changed or removed, where that is less than what may be added."""
    lines, old = [], seen or mine
    if "INSERT" in grants:
        lines.append(f"CREATE POLICY own_insert ON {name} FOR INSERT TO {roles} WITH CHECK ({mine})")
    if "UPDATE" in grants:
        lines.append(f"CREATE POLICY own_update ON {name} FOR UPDATE TO {roles} USING ({old}) WITH CHECK ({mine})")
    if "DELETE" in grants:
        lines.append(f"CREATE POLICY own_delete ON {name} FOR DELETE TO {roles} USING ({old})")
    return lines


def _columns(grants: str, table: Table, access: str) -> str:
    """Column-wise UPDATE: the parties, the tenant and the key of a row can never be rewritten."""
    if "UPDATE" not in grants:
        return grants
    fixed = {"tenant_id", "buyer_id", "seller_id", "id"}
    free = ", ".join(column.name for column in table.columns if column.name not in fixed)
    return grants.replace("UPDATE", f"UPDATE ({free})") if free else grants.replace(", UPDATE", "")
