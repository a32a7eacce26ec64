"""`connector`: what can be wired to an ERP, the practice servers that come with it, and a new one from the skeleton.

A connector is found by its entry point and not imported for the list. Its simulator is the module
`<connector>.simulator`, run as a program.
"""

import importlib.util
import runpy
import sys
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

import click

from core.cli.connector_new import new
from core.cli.say import print_json
from core.cli.tongue import say
from core.config import UserError

GROUP = "tongshang.connectors"


@click.group()
def connector() -> None:
    """List the connectors, run the simulator of one, or make a new one."""


connector.add_command(new)


@connector.command("list", cls=click.Command)
@click.option("--json", "as_json", is_flag=True, help="Print the facts as JSON, and nothing else.")
@click.option("--data", type=click.Path(path_type=Path), hidden=True)
def list_connectors(as_json: bool, data: Path | None) -> None:
    """The connectors installed here."""
    rows = [
        {
            "name": point.name,
            "module": point.value,
            "from": f"{point.dist.name} {point.dist.version}" if point.dist else "",
            "simulator": _simulator(point) is not None,
        }
        for point in installed()
    ]
    if as_json:
        print_json({"connectors": rows})
        return
    if not rows:
        click.echo(say("No connector is installed."))
    for row in rows:
        extra = "with a simulator" if row["simulator"] else ""
        click.echo(f"{row['name']:<16} {row['module']:<28} {row['from']:<20} {extra}")


@connector.command(
    "simulate",
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []},
)
@click.argument("name")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def simulate(name: str, arguments: tuple[str, ...]) -> None:
    """Run the practice server of a connector until Ctrl-C; further options are its own (try --help)."""
    sys.argv = [f"tongshang connector simulate {name}", *arguments]
    runpy.run_module(find_simulator(name), run_name="__main__", alter_sys=False)


@connector.command("verify", cls=click.Command)
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--key", help="The public key it must be sealed with; without it the report's own is taken and shown."
)
@click.option("--json", "as_json", is_flag=True, help="Print the facts as JSON, and nothing else.")
def verify(file: Path, key: str | None, as_json: bool) -> None:
    """Check the sealed report of a fault drill: was it changed since, and whose key sealed it?"""
    from core.sync.drill.report import Unreadable, readable, verified

    try:
        report = verified(readable(file.read_text(encoding="utf-8")), key)
    except (OSError, UnicodeDecodeError, Unreadable) as error:
        raise UserError(
            "The report is not to be trusted.", str(error), "Fetch it again from the page of the drill."
        ) from None
    facts = {
        "key": report.key,
        **{name: report.facts[name] for name in ("drill", "connection", "cases", "passed", "ended_at")},
    }
    if as_json:
        print_json(facts)
        return
    click.echo(say("The report is as it was sealed."))
    for name, value in facts.items():
        click.echo(f"  {name:<12} {value}")


def find_simulator(name: str) -> str:
    """The module of a connector's simulator; `UserError` when there is none."""
    found = {point.name: point for point in installed()}
    if name not in found:
        raise UserError(
            f"There is no connector “{name}” here.",
            ", ".join(found) or "none installed",
            "`connector list` shows all.",
        )
    module = _simulator(found[name])
    if module is None:
        raise UserError(
            f"The connector “{name}” has no simulator.", found[name].value, "Ask its authors for one."
        )
    return module


def installed() -> list[EntryPoint]:
    """Entry points of all connectors, by name."""
    return sorted(entry_points(group=GROUP), key=lambda point: point.name)


def _simulator(point: EntryPoint) -> str | None:
    folder = importlib.util.find_spec(point.value.split(".")[0])
    places = list(folder.submodule_search_locations or []) if folder else []
    inside = Path(*point.value.split(".")[1:], "simulator")
    has_one = any((Path(place) / inside / "__main__.py").is_file() for place in places)
    return f"{point.value}.simulator" if has_one else None
