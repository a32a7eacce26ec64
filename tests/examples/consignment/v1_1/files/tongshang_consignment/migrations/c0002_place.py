"""Where in the warehouse goods lie. Only adds: the release before goes on with the table as it is now."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute("ALTER TABLE plugin_consignment.consignment_stock ADD COLUMN place text NOT NULL DEFAULT ''")
