"""Options that every command shares."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

data_option = click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="The data folder; default $TS_DATA or .data in the clone.",
)
json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print the facts as JSON, and nothing else."
)


def facts_command(**settings: Any) -> Callable[[Callable[..., Any]], click.Command]:
    """A command that works on a data folder and prints facts."""

    def decorate(function: Callable[..., Any]) -> click.Command:
        return click.command(**settings)(data_option(json_option(function)))

    return decorate
