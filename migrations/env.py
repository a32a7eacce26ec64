"""How alembic runs here: on the connection it is handed, in a role that owns the schema, with short locks.

The core's history commits step by step; a plugin's runs inside the transaction it is handed, which its caller ends: a step
that commits, rolls back or leaves its role is refused before the server hears of it.
"""

from contextlib import nullcontext

from alembic import context
from sqlalchemy import text

from core.db.keeping import kept_connection

config = context.config
connection = config.attributes["connection"]
schema = config.attributes["schema"]
role = config.attributes["role"]
note = config.attributes.get("note")
inside = connection.in_transaction()  # then it is the caller's, and stays open


def told(ctx, step, heads, run_args):  # alembic's own signature
    if note and step.is_upgrade:
        note(step.up_revision_id)


if not inside:
    connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {schema} AUTHORIZATION {role}"))
connection.execute(text(f"SET LOCAL ROLE {role}" if inside else f"SET ROLE {role}"))
connection.execute(text("SET LOCAL lock_timeout = '5s'" if inside else "SET lock_timeout = '5s'"))
connection.execute(text("SET LOCAL statement_timeout = '300s'" if inside else "SET statement_timeout = '300s'"))
if not inside:
    connection.commit()
context.configure(
    connection=connection,
    version_table="version",
    version_table_schema=schema,
    transaction_per_migration=not inside,
    on_version_apply=[told],
)
with context.begin_transaction(), kept_connection(connection, schema) if inside else nullcontext():
    context.run_migrations()
connection.execute(text("RESET ROLE"))
if not inside:
    connection.commit()
