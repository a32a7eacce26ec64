"""`init`: everything between an empty machine and a system that can serve."""

from pathlib import Path

import click

from core.cli.database import running_database
from core.cli.options import facts_command
from core.cli.say import Teller
from core.config import Config, UserError


@facts_command()
@click.option(
    "--sql", is_flag=True, help="Only print the SQL for the administrator of an outside PostgreSQL."
)
@click.option(
    "--postgres", type=click.IntRange(15, 18), default=17, show_default=True, help="Its version, for --sql."
)
def init(data: Path | None, as_json: bool, sql: bool, postgres: int) -> None:
    """Make roles, database and tables. May be repeated; what is there stays."""
    from core.db import roles

    if sql:
        click.echo(for_administrator(postgres))
        return
    config = Config.load(data)
    tell = Teller(as_json)
    if not config.embedded and config.admin_url is None and config.migrate_url is None:
        raise UserError(
            "An administrator of this PostgreSQL must make roles and database first.",
            "DATABASE_URL",
            "Hand over the output of `run.py init --sql`, set MIGRATE_DATABASE_URL and run init again; "
            "or set ADMIN_DATABASE_URL, and init does it itself.",
        )
    with running_database(config):
        new = roles.provision(config.admin_url) if config.admin_url else False
        tell("Roles and database", made=new)
        from core.migrate import upgrade

        steps = upgrade(config.url("migrate"), tell.note)
        tell("Tables", steps=len(steps))
        needs_operator = not _has_operator(config)
    if needs_operator:
        tell.note("Next: `run.py operator EMAIL` invites the person who runs the platform.")
    tell.facts(
        {
            "data": str(config.data),
            "embedded": config.embedded,
            "database_is_new": new,
            "migrations": steps,
            "needs_operator": needs_operator,
        }
    )


def _has_operator(config: Config) -> bool:
    import psycopg

    with psycopg.connect(config.url("migrate").replace("+psycopg", "", 1), connect_timeout=10) as connection:
        row = connection.execute("SELECT auth.operator_id() IS NOT NULL").fetchone()
    return bool(row and row[0])


def for_administrator(version: int) -> str:
    """A script for psql, with the passwords left to the person who runs it."""
    from core.db import roles

    lines = [
        "-- Run as a superuser: psql -f this-file. Then give the three logins passwords:",
        *(f"--   \\password {role}" for role in roles.LOGINS),
        "-- Then set DATABASE_URL (ts_app), WORKER_DATABASE_URL (ts_worker),",
        "-- MIGRATE_DATABASE_URL (ts_migrator).",
    ]
    for statement in roles.statements(version):
        lines.append(statement if statement.startswith(roles.CONNECT) else statement + ";")
    return "\n".join(lines)
