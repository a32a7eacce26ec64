"""The notes."""

from alembic import op

revision = "foreign_0"
down_revision = None
MINE = "tenant_id = (SELECT ts.tenant())"
REACH = "ts_app, ts_worker, ts_plugin"


def upgrade():
    op.execute(f"GRANT USAGE ON SCHEMA plugin_foreign TO {REACH}")
    op.execute("CREATE TABLE plugin_foreign.note (tenant_id uuid NOT NULL, id uuid PRIMARY KEY, order_id uuid NOT NULL)")
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON plugin_foreign.note TO {REACH}")
    op.execute("ALTER TABLE plugin_foreign.note ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE plugin_foreign.note FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY tenant_all ON plugin_foreign.note TO {REACH} USING ({MINE}) WITH CHECK ({MINE})")
