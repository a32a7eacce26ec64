"""How alembic runs here: on the connection it is handed, as the owner, one transaction per step, short locks."""

from alembic import context
from sqlalchemy import text

config = context.config
connection = config.attributes["connection"]
schema = config.attributes["schema"]
note = config.attributes.get("note")


def told(ctx, step, heads, run_args):  # alembic's own signature
    if note and step.is_upgrade:
        note(step.up_revision_id)


connection.execute(text("SET ROLE ts_owner"))
connection.execute(text("SET lock_timeout = '5s'"))
connection.execute(text("SET statement_timeout = '300s'"))
connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {schema}"))
connection.commit()
context.configure(
    connection=connection,
    version_table="version",
    version_table_schema=schema,
    transaction_per_migration=True,
    on_version_apply=[told],
)
with context.begin_transaction():
    context.run_migrations()
connection.execute(text("RESET ROLE"))
connection.commit()
