"""`verify`: what must always hold, checked on the real rows."""

import dataclasses
from pathlib import Path
from typing import Any

import click

from core.cli.database import require_tables, running_database
from core.cli.options import facts_command
from core.cli.say import print_json, spoken
from core.cli.tongue import say
from core.config import Config


@facts_command()
def verify(data: Path | None, as_json: bool) -> int:
    """Check every invariant and replay the events of every order. Exit 1 on a breach."""
    config = Config.load(data)
    with running_database(config):
        require_tables(config)
        breaches = breaches_of(config)
    if as_json:
        print_json({"ok": not breaches, "breaches": breaches})
    elif breaches:
        for breach in breaches:
            click.secho(say("Breach: ") + spoken(breach), fg="red")
    else:
        click.echo(say("Every invariant holds."))
    return 1 if breaches else 0


def breaches_of(config: Config) -> list[dict[str, Any]]:
    """What is broken, as plain values."""
    from core.verify import run

    return [dataclasses.asdict(breach) for breach in run(config)]
