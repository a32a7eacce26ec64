"""The first tables: everything core has at 0.1, with its functions, triggers, policies and grants."""

from pathlib import Path

from alembic import op

revision = "20261123_0001"
down_revision = None


def upgrade() -> None:
    script = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    # straight through the driver: a literal % or : in a function body is no placeholder
    connection = op.get_bind().connection.driver_connection
    for statement in script.split("\n-- ;;\n"):
        if statement.strip():
            connection.execute(statement.encode())


def downgrade() -> None:
    raise RuntimeError("There is nothing before the first tables; restore a backup instead.")
