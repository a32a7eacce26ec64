"""A plugin's schema: bringing it to the head of its code, and whether one enterprise could see another one's rows in it."""

from sqlalchemy import Connection, text

from core.db import history
from core.host.manifest import Manifest

OWNER = "ts_plugin_owner"

TABLES = """SELECT c.oid, c.relname AS name, c.relrowsecurity AND c.relforcerowsecurity AS forced
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname = :schema AND c.relkind IN ('r', 'p') AND c.relname <> 'version' ORDER BY c.relname"""
POLICIES = """SELECT p.polname AS name, p.polroles = ARRAY['ts_plugin_owner'::regrole::oid] AS owners,
  p.polroles <@ ARRAY['ts_plugin_owner'::regrole::oid, 'ts_owner'::regrole::oid] AS inner,
  coalesce(pg_get_expr(p.polqual, p.polrelid), 'none') AS seen,
  coalesce(pg_get_expr(p.polwithcheck, p.polrelid), 'none') AS written
  FROM pg_policy p WHERE p.polrelid = :table"""
SERVING = "(0, 'ts_app'::regrole, 'ts_worker'::regrole, 'ts_plugin'::regrole)"
GRANTED = f"""SELECT count(*) FROM (SELECT relacl AS acl FROM pg_class WHERE oid = :table
  UNION ALL SELECT attacl FROM pg_attribute WHERE attrelid = :table) held, aclexplode(held.acl) a
  WHERE a.grantee IN {SERVING}"""
VIEWS = """SELECT c.oid, c.relname AS name, c.relkind = 'm' AS stored,
  coalesce(c.reloptions && ARRAY['security_invoker=true', 'security_invoker=on', 'security_invoker=1'], false) AS bound
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname = :schema AND c.relkind IN ('v', 'm') ORDER BY c.relname"""
OUTSIDE = """SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.xmin::text = (txid_current() % 4294967296)::text AND n.nspname NOT IN (:schema, 'pg_catalog', 'pg_toast')
  AND n.nspname NOT LIKE 'pg_temp%' ORDER BY 1 LIMIT 5"""


def migrate(connection: Connection, manifest: Manifest, note: history.Note = lambda line: None) -> list[str]:
    """Bring a plugin's tables to the head of its code, in the open transaction. Answers the steps taken.

    Code older than its tables is left be: after a roll-back it goes on with the newer ones, because migrations only expand.
    """
    folder = manifest.folder / "migrations"
    if not folder.is_dir():
        return []
    connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {manifest.schema} AUTHORIZATION {OWNER}"))
    at = history.revision(connection, manifest.schema)
    if at is not None and at not in history.steps(manifest.schema, folder):
        return []
    steps = history.to_head(connection, manifest.schema, folder, OWNER, note)
    open_to_their_owner(connection, manifest.schema)
    return steps


def head(manifest: Manifest) -> str | None:
    """The last step of a plugin's migrations as its files tell; None when it has no tables."""
    folder = manifest.folder / "migrations"
    return history.head(manifest.schema, folder) if folder.is_dir() else None


def names(connection: Connection, schema: str) -> list[str]:
    """The tables of a plugin, without the one that counts its migrations."""
    return [row.name for row in connection.execute(text(TABLES), {"schema": schema})]


def complaints(connection: Connection, schema: str) -> list[str]:
    """What would let an enterprise see another one's rows; empty when the schema is sound. Each names its table."""
    found = []
    for table in connection.execute(text(TABLES), {"schema": schema}).all():
        full = f"{schema}.{table.name}"
        if not table.forced:
            found.append(f"{full}: row-level security is not enabled and forced")
            continue
        if not connection.execute(text(GRANTED), {"table": table.oid}).scalar():
            continue  # reached through definer functions only
        policies = connection.execute(text(POLICIES), {"table": table.oid}).all()
        ours = [policy for policy in policies if not policy.inner]
        if not ours:
            found.append(f"{full}: no policy lets the application in")
        for policy in ours:
            if any("tenant()" not in each for each in (policy.seen, policy.written) if each != "none"):
                found.append(f"{full}: the policy {policy.name} does not ask for the tenant")
    for view in connection.execute(text(VIEWS), {"schema": schema}).all():
        if connection.execute(text(GRANTED), {"table": view.oid}).scalar() and (view.stored or not view.bound):
            how = "a stored view shows every enterprise's rows" if view.stored else "the view lacks security_invoker"
            found.append(f"{schema}.{view.name}: {how}")
    return found


def open_to_their_owner(connection: Connection, schema: str) -> None:
    """FORCE binds the owner too: give it a policy where the author left it out, so that later migrations see the rows."""
    for table in connection.execute(text(TABLES), {"schema": schema}).all():
        if table.forced and not any(
            row.owners for row in connection.execute(text(POLICIES), {"table": table.oid})
        ):
            connection.execute(
                text(
                    f'CREATE POLICY host_owner ON {schema}."{table.name}" TO ts_plugin_owner USING (true) WITH CHECK (true)'
                )
            )


def strangers(connection: Connection, schema: str) -> list[str]:
    """Tables and indexes outside the schema that this very transaction made or changed."""
    return list(connection.execute(text(OUTSIDE), {"schema": schema}).scalars())
