"""A plugin's schema: bringing it to the head of its code, and whether one enterprise could see another one's rows in it."""

from collections.abc import Collection, Iterator

from sqlalchemy import Connection, text

from core.db import history
from core.host import probing
from core.host.manifest import Manifest

OWNER = "ts_plugin_owner"

TABLES = """SELECT c.oid, c.relname AS name, c.relrowsecurity AND c.relforcerowsecurity AS forced
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname = :schema AND c.relkind IN ('r', 'p') AND c.relname <> 'version' ORDER BY c.relname"""
POLICIES = """SELECT p.polname AS name, p.polroles = ARRAY['ts_plugin_owner'::regrole::oid] AS owners,
  p.polroles <@ ARRAY['ts_plugin_owner'::regrole::oid, 'ts_owner'::regrole::oid] AS inner
  FROM pg_policy p WHERE p.polrelid = :table"""
PUBLISHED = """SELECT bool_and(pg_get_expr(p.polqual, p.polrelid) = '(( SELECT ts.tenant() AS tenant) IS NOT NULL)')
  FROM pg_policy p WHERE p.polrelid = :table AND p.polcmd IN ('r', '*')
  AND NOT p.polroles <@ ARRAY['ts_plugin_owner'::regrole::oid, 'ts_owner'::regrole::oid]"""
SERVING = "(0, 'ts_app'::regrole, 'ts_worker'::regrole, 'ts_plugin'::regrole)"
GRANTED = f"""SELECT count(*) FROM (SELECT relacl AS acl FROM pg_class WHERE oid = :table
  UNION ALL SELECT attacl FROM pg_attribute WHERE attrelid = :table) held, aclexplode(held.acl) a
  WHERE a.grantee IN {SERVING}"""
VIEWS = """SELECT c.oid, c.relname AS name, c.relkind = 'm' AS stored,
  coalesce(c.reloptions && ARRAY['security_invoker=true', 'security_invoker=on', 'security_invoker=1'], false) AS bound
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname = :schema AND c.relkind IN ('v', 'm') ORDER BY c.relname"""
DEFINERS = """SELECT p.proname AS name, EXISTS (SELECT 1 FROM unnest(p.proconfig) set WHERE set LIKE 'search_path=%%') AS fixed
  FROM pg_proc p WHERE p.pronamespace = to_regnamespace(:schema) AND p.prosecdef ORDER BY 1"""
RULES = """SELECT c.relname AS name, r.rulename AS rule FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class
  WHERE c.relnamespace = to_regnamespace(:schema) AND r.rulename <> '_RETURN' ORDER BY 1, 2"""
TRIGGERS = """SELECT t.tgrelid::regclass::text AS name, t.tgname AS trigger FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
  JOIN pg_proc p ON p.oid = t.tgfoid WHERE p.pronamespace = to_regnamespace(:schema)
  AND c.relnamespace <> p.pronamespace ORDER BY 1, 2"""
OURS = """{0}.xmin::text::bigint >= txid_current() % 4294967296 AND 'in progress' =
  pg_xact_status(((txid_current() >> 32 << 32) + {0}.xmin::text::bigint)::text::xid8)"""
"""A row that is seen and whose transaction goes on is our own, also when a savepoint made it."""
OUTSIDE = f"""SELECT what FROM (
    SELECT n.nspname || '.' || c.relname AS what, n.nspname AS schema FROM pg_class c
      JOIN pg_namespace n ON n.oid = c.relnamespace WHERE {OURS.format("c")}
    UNION ALL SELECT n.nspname || '.' || p.proname || '()', n.nspname FROM pg_proc p
      JOIN pg_namespace n ON n.oid = p.pronamespace WHERE {OURS.format("p")}
    UNION ALL SELECT n.nspname || '.' || c.relname || ' (' || t.tgname || ')', n.nspname FROM pg_trigger t
      JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE {OURS.format("t")} AND NOT t.tgisinternal
    UNION ALL SELECT n.nspname || '.' || c.relname || ' (' || y.polname || ')', n.nspname FROM pg_policy y
      JOIN pg_class c ON c.oid = y.polrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE {OURS.format("y")}
    UNION ALL SELECT 'schema ' || n.nspname, n.nspname FROM pg_namespace n WHERE {OURS.format("n")}
  ) made WHERE schema NOT IN (:schema, 'pg_catalog', 'pg_toast') AND schema NOT LIKE 'pg_temp%' ORDER BY 1 LIMIT 5"""


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


def complaints(connection: Connection, schema: str, definers: Collection[str] = ()) -> list[str]:
    """What would let an enterprise see or touch another one's rows; empty when the schema is sound. Each names its table.

    `definers` are the functions whose author said in the manifest that they look past the enterprise.
    """
    found = []
    for table in connection.execute(text(TABLES), {"schema": schema}).all():
        full = f"{schema}.{table.name}"
        if not table.forced:
            found.append(f"{full}: row-level security is not enabled and forced")
            continue
        if not connection.execute(text(GRANTED), {"table": table.oid}).scalar():
            continue  # reached through definer functions only
        policies = connection.execute(text(POLICIES), {"table": table.oid}).all()
        if all(policy.inner for policy in policies):
            found.append(f"{full}: no policy lets the application in")
            continue
        published = _published(connection, table.oid)
        leaking = probing.leaks(connection, schema, table.name, table.oid, published=published)
        found += [f"{full}: {leak}" for leak in leaking[:3]]
    return [*found, *_ways_round(connection, schema, definers)]


def _published(connection: Connection, table: int) -> bool:
    """Whether its policies say in so many words that every enterprise reads it, as the mixin `Published` does."""
    return bool(connection.execute(text(PUBLISHED), {"table": table}).scalar())


def _ways_round(connection: Connection, schema: str, definers: Collection[str]) -> Iterator[str]:
    """What works past row-level security, or outside of the plugin's own tables."""
    for view in connection.execute(text(VIEWS), {"schema": schema}).all():
        granted = connection.execute(text(GRANTED), {"table": view.oid}).scalar()
        if not view.stored and not view.bound:
            yield f"{schema}.{view.name}: the view lacks security_invoker"
        elif view.stored and granted:
            yield f"{schema}.{view.name}: a stored view shows every enterprise's rows"
    for function in connection.execute(text(DEFINERS), {"schema": schema}).all():
        if function.name not in definers:
            yield f"{schema}.{function.name}(): SECURITY DEFINER, and `definers` in plugin.toml does not name it"
        elif not function.fixed:
            yield f"{schema}.{function.name}(): SECURITY DEFINER without a search_path of its own"
    for rule in connection.execute(text(RULES), {"schema": schema}).all():
        yield f"{schema}.{rule.name}: the rule {rule.rule} rewrites what is asked of it"
    for trigger in connection.execute(text(TRIGGERS), {"schema": schema}).all():
        yield f"{trigger.name}: the trigger {trigger.trigger} on a table that is not the plugin's"


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
