"""The installation as its operator sees it from the terminal: who acts, and who carries changes out before one's eyes."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

from core.cli.database import require_tables, running_database
from core.cli.say import Teller
from core.cli.tongue import say
from core.config import Config, UserError


class Desk:
    """The installation as its operator sees it from the terminal."""

    def __init__(self, config: Config, house: Any, operator: UUID) -> None:
        self.config, self.house, self.operator = config, house, operator

    def acting(self) -> Any:
        """One transaction in the operator's name."""
        return self.house.unit.system(self.operator, "operator")

    def installer(self, tell: Teller) -> Any:
        from core.host.life.installer import Installer

        if self.config.migrate_url is None:
            raise UserError(
                "The address for migrations is not known here.", "MIGRATE_DATABASE_URL", "Set it, then try again."
            )
        return Installer(
            self.config.url("migrate"), self.config.data, self.config.master_key, watch=lambda step: _step(tell, step)
        )


@contextmanager
def desk(data: Path | None) -> Iterator[Desk]:
    config = Config.load(data)
    with running_database(config):
        require_tables(config)
        from core import identity
        from core.app import Installation
        from core.db import Database
        from core.kernel import uuid7

        house = Installation(config, Database(config.url("app"), pool_size=2))
        try:
            with house.unit.system(uuid7(), "operator") as ctx:
                operator = identity.operator_id(ctx)
            if operator is None:
                raise UserError(
                    "Nobody runs this platform yet, and its company is not named.", "", "Run `run.py operator` first."
                )
            yield Desk(config, house, operator)
        finally:
            house.database.dispose()


def _step(tell: Teller, step: dict[str, Any]) -> None:
    tell.note(f"{say(str(step['step']).replace('_', ' '))} · {say(str(step['state']))}")
