"""`migrate`: bring the tables to this release."""

from pathlib import Path

from core.cli.database import running_database
from core.cli.options import facts_command
from core.cli.say import Teller
from core.config import Config


@facts_command()
def migrate(data: Path | None, as_json: bool) -> None:
    """Bring the tables of the core and of the installed plugins to this release. May be repeated."""
    config = Config.load(data)
    tell = Teller(as_json)
    with running_database(config):
        from core.migrate import upgrade

        steps = upgrade(config.url("migrate"), tell.note)
    tell("The tables are up to date." if not steps else f"{len(steps)} steps done.")
    tell.facts({"migrations": steps})
