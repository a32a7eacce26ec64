"""What the database itself promises: no tenant, no rows; no table without forced row-level security."""

import time

from sqlalchemy import text

from core.audit import AuditEntry

CATALOGUE = """
SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE (n.nspname IN ('ts', 'auth', 'jobs') OR n.nspname LIKE 'plugin\\_%') AND (
  (c.relkind IN ('r', 'p') AND (NOT relrowsecurity OR NOT relforcerowsecurity
     OR NOT EXISTS (SELECT 1 FROM pg_policy p WHERE p.polrelid = c.oid)))
  OR (c.relkind = 'v' AND NOT coalesce('security_invoker=true' = ANY (c.reloptions), false))
  OR c.relkind = 'm')
"""


def test_every_table_has_forced_row_level_security_and_a_policy(ctx):
    assert ctx.session.scalars(text(CATALOGUE)).all() == []


def test_the_app_is_neither_superuser_nor_owner_of_anything(ctx):
    row = ctx.session.execute(
        text(
            "SELECT rolsuper OR rolbypassrls, (SELECT count(*) FROM pg_class WHERE relowner = r.oid)"
            " FROM pg_roles r WHERE rolname = current_user"
        )
    ).one()
    assert tuple(row) == (False, 0)


def test_a_recorded_act_is_seen_by_its_tenant_only(make_ctx, unit, tenant, other_tenant):
    with unit.system(tenant, "test") as mine:
        mine.record("thing.done", "thing:1", note="𠮷")
    with unit.system(tenant, "test") as mine:
        assert mine.session.query(AuditEntry).count() == 1
    with unit.system(other_tenant, "test") as theirs:
        assert theirs.session.query(AuditEntry).count() == 0


def test_the_sealer_chains_rows_and_a_changed_row_is_found(unit, worker_db, server, fresh_db, tenant):
    for number in range(3):
        with unit.system(tenant, "test") as mine:
            mine.record("thing.done", f"thing:{number}")
    sealed, deadline = 0, time.monotonic() + 20
    with worker_db.session() as session:
        while sealed < 3 and time.monotonic() < deadline:  # rows are sealed when every older transaction of the server is over
            sealed += session.scalar(text("SELECT ts.audit_seal(100)"))
            session.commit()
        assert sealed == 3
        assert session.execute(text("SELECT * FROM ts.audit_breaks()")).all() == []
    from sqlalchemy import create_engine

    owner = create_engine(server.url_for("ts_migrator", fresh_db.name))
    with owner.begin() as connection:
        connection.execute(text("SET LOCAL ROLE ts_owner"))
        connection.execute(text("UPDATE ts.audit_entry SET action = 'thing.undone' WHERE seq = 2"))
    owner.dispose()
    with worker_db.session() as session:
        assert session.execute(text("SELECT * FROM ts.audit_breaks()")).all() == [(tenant, 2)]
