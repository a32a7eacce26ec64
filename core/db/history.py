"""A history of migrations: where it stands, where it ends, and how it is brought there. One history per schema."""

from collections.abc import Callable
from pathlib import Path

from alembic import command
from alembic.config import Config as AlembicConfig
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

FOLDER = Path(__file__).parent.parent.parent / "migrations"  # alembic's environment, and the core's own steps
LOCK = 7_208_451_193  # any number of ours: one migrator at a time
Note = Callable[[str], None]


def to_head(
    connection: Connection, schema: str, versions: Path, role: str, note: Note = lambda line: None
) -> list[str]:
    """Run the missing steps as `role`, which owns the schema. Inside the open transaction where there is one.

    Answers the steps taken, as `schema:revision`.
    """
    config = _config(schema, versions)
    steps: list[str] = []

    def taken(revision: str) -> None:
        steps.append(f"{schema}:{revision}")
        note(f"{schema}: {revision}")

    config.attributes.update(connection=connection, role=role, note=taken)
    command.upgrade(config, "head")
    return steps


def revision(connection: Connection, schema: str) -> str | None:
    """The step a schema stands at; None before the first."""
    context = MigrationContext.configure(
        connection, opts={"version_table": "version", "version_table_schema": schema}
    )
    return context.get_current_revision()


def head(schema: str, versions: Path) -> str | None:
    """The last step of the files. Raises alembic's CommandError for two ends or a gap."""
    return ScriptDirectory.from_config(_config(schema, versions)).get_current_head()


def steps(schema: str, versions: Path) -> list[str]:
    """All steps of the files, oldest first."""
    script = ScriptDirectory.from_config(_config(schema, versions))
    return [each.revision for each in script.walk_revisions()][::-1]


def _config(schema: str, versions: Path) -> AlembicConfig:
    config = AlembicConfig()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", str(versions).replace("%", "%%"))
    config.attributes["schema"] = schema
    return config
