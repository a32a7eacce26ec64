"""A table that stands."""

from alembic import op

revision = "half_0"
down_revision = None


def upgrade():
    op.execute("CREATE TABLE plugin_half_migrated.first (id uuid PRIMARY KEY)")
