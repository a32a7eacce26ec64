"""`connector new`: a whole connector from the skeleton, working from the first minute against a practice system of its own."""

import sys
from pathlib import Path

import click

import core
from core.cli.options import json_option
from core.cli.say import Teller

CLONE = Path(core.__file__).parent.parent / "run.py"


@click.command("new")
@click.argument("name")
@click.option(
    "--into",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("."),
    metavar="DIR",
    help="Where its folder is made.",
)
@click.option("--title-zh", default="", metavar="TEXT", help="Its title in Chinese.")
@click.option("--title-en", default="", metavar="TEXT", help="Its title in English.")
@json_option
def new(name: str, into: Path, title_zh: str, title_en: str, as_json: bool) -> None:
    """Make a new connector: a package with a practice system in it, whose tests pass at once."""
    from core.authoring.making import make_connector

    folder = make_connector(name, into, title_zh, title_en)
    files = sum(1 for path in folder.rglob("*") if path.is_file())
    tell = Teller(as_json)
    tell("The connector is made", folder=folder, files=files)
    here = CLONE.is_file()
    run = f"python3 {CLONE}" if here else str(Path(sys.executable).parent / "tongshang")
    commands = {
        "test": f"{run} test {folder}" if here else f"{sys.executable} -m pytest {folder}",
        "install": f"{sys.executable} -m pip install -e {folder}",
        "simulate": f"{run} connector simulate {name}",
    }
    tell.note("Run its tests:")
    tell.note(f"    {commands['test']}")
    tell.note("Install it, so that the platform finds it:")
    tell.note(f"    {commands['install']}")
    tell.note("Start its practice system, and connect to it in the portal:")
    tell.note(f"    {commands['simulate']}")
    tell.note("What to change, and in which order, is told in its README.md.")
    tell.facts({"folder": folder, "files": files, "commands": commands})
