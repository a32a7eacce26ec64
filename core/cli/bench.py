"""`bench`: the measurements of `tests/bench`, as ratios to raw SQL on the same server in the same run."""

import os
import subprocess
import sys
from pathlib import Path

import click

from core.cli.options import data_option
from core.config import UserError


@click.command(context_settings={"ignore_unknown_options": True, "allow_extra_args": True})
@data_option
@click.option("--json", "as_json", is_flag=True, help="Print the facts as JSON, and nothing else.")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def bench(data: Path | None, as_json: bool, arguments: tuple[str, ...]) -> int:
    """Measure placing and listing orders against raw SQL, in a database of its own."""
    root = Path(__file__).resolve().parent.parent.parent
    if not (root / "tests" / "bench" / "__main__.py").is_file():
        raise UserError(
            "The measurements come with the source, not with the installed package.",
            str(root),
            "Run `python3 run.py bench` in a clone.",
        )
    command = [sys.executable, "-P", "-m", "tests.bench", *arguments]
    command += ["--json"] if as_json else []
    command += ["--data", str(data.absolute())] if data else []
    # The tests of the clone, not those that other packages left among the installed ones.
    environ = {**os.environ, "PYTHONPATH": str(root)}
    return subprocess.run(command, cwd=root, env=environ, check=False).returncode
