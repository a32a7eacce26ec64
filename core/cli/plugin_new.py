"""`plugin new`: a whole plugin from the skeleton, working from the first minute."""

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
    "--into", type=click.Path(path_type=Path, file_okay=False), default=Path("."), metavar="DIR", help="Where its folder is made."
)
@click.option("--title-zh", default="", metavar="TEXT", help="Its title in Chinese.")
@click.option("--title-en", default="", metavar="TEXT", help="Its title in English.")
@json_option
def new(name: str, into: Path, title_zh: str, title_en: str, as_json: bool) -> None:
    """Make a new plugin: a package with everything in it, whose tests pass at once."""
    from core.authoring.making import make

    folder = make(name, into, title_zh, title_en)
    files = sum(1 for path in folder.rglob("*") if path.is_file())
    tell = Teller(as_json)
    tell("The plugin is made", folder=folder, files=files)
    commands = {
        "test": f"{_test()} {folder}",
        "dev": f"{_run()} plugin dev {folder}",
        "check": f"{_run()} plugin check {folder}",
    }
    tell.note("Run its tests:")
    tell.note(f"    {commands['test']}")
    tell.note("Look at it, and see every change as it is saved:")
    tell.note(f"    {commands['dev']}")
    tell.note("Check it before you give it away:")
    tell.note(f"    {commands['check']}")
    tell.facts({"folder": folder, "files": files, "commands": commands})


def _run() -> str:
    """How the platform's commands are called from here."""
    return f"python3 {CLONE}" if CLONE.is_file() else str(Path(sys.executable).parent / "tongshang")


def _test() -> str:
    """How pytest is called where the platform is installed."""
    return f"python3 {CLONE} test" if CLONE.is_file() else f"{sys.executable} -m pytest"
