"""Half a table, and then nothing goes."""

from alembic import op

revision = "half_1"
down_revision = "half_0"


def upgrade():
    op.execute("CREATE TABLE plugin_half_migrated.second (id uuid PRIMARY KEY)")
    op.execute("INSERT INTO plugin_half_migrated.second SELECT gen_random_uuid() FROM generate_series(1, 1000)")
    op.execute("ALTER TABLE plugin_half_migrated.second ADD COLUMN amount numeric NOT NULL")
