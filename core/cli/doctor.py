"""`doctor`: what is wrong with this installation and how to mend it."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from core.cli.database import require_tables, running_database
from core.cli.options import facts_command
from core.cli.say import print_json
from core.cli.tongue import say
from core.config import Config, UserError

if TYPE_CHECKING:
    from core.cli.examination import Finding

MARKS = {"well": ("✓", "green"), "note": ("·", "yellow"), "wrong": ("✗", "red")}


@facts_command()
@click.option("--clean", is_flag=True, help="Remove databases whose data folder is gone.")
def doctor(data: Path | None, as_json: bool, clean: bool) -> int:
    """Look at machine, data folder and database. Exit 1 when something is wrong."""
    from core.cli.examination import Finding, examine_database, examine_machine, examine_rest

    findings: list[Finding] = []

    def note(found: Iterator[Finding]) -> None:
        for finding in found:
            findings.append(finding)
            if not as_json:
                _print(finding)

    with ExitStack() as stack:
        try:
            config = Config.load(data)
            note(examine_machine(config))
            note(_leftovers(clean))
            stack.enter_context(running_database(config))
            note(examine_database(config))
            require_tables(config)
            note(examine_rest(config))
        except UserError as error:
            note(iter([Finding("wrong", f"{error.what} {error.where}".strip(), error.do)]))
    wrong = sum(finding.state == "wrong" for finding in findings)
    if as_json:
        print_json({"ok": not wrong, "findings": [finding.__dict__ for finding in findings]})
    else:
        click.echo("\n" + say("Nothing is wrong." if not wrong else f"{wrong} to mend."))
    return 1 if wrong else 0


def _leftovers(clean: bool) -> "Iterator[Finding]":
    from core.cli.examination import Finding
    from core.db.embedded import leftovers

    for left in leftovers():
        size = f"{left.size / 1_000_000:.0f} MB"
        if clean:
            left.remove()
            yield Finding("well", f"Removed {left.home} ({size}), whose data folder {left.data} is gone.")
        else:
            what = f"{left.home} ({size}) belongs to no data folder any more; it was that of {left.data}."
            yield Finding("note", what, "`run.py doctor --clean` removes it.")


def _print(finding: "Finding") -> None:
    mark, colour = MARKS[finding.state]
    click.echo(f"{click.style(mark, fg=colour)} {say(finding.what)}")
    if finding.do:
        click.echo(f"    {say(finding.do)}")
