"""Begins well, destroys rows, then fails: what a release should never do, and what must not matter."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.execute("CREATE TABLE plugin_consignment.count (id uuid PRIMARY KEY)")
    op.execute('UPDATE plugin_consignment.consignment_stock SET "left" = 0')
    op.execute("DELETE FROM plugin_consignment.usage_report")
    op.execute("SELECT 1 / (SELECT count(*) FROM plugin_consignment.count)")
