"""`work`: the process for everything that happens after a commit, under one that holds the database.

The parent stays small: it keeps the database alive, passes signals on, and begins a fresh worker when the old one asks
for it, because the plugins are others now or threads of it are stuck in one.
"""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import click

from core.cli.database import require_tables, running_database
from core.cli.leash import VARIABLE
from core.cli.options import facts_command
from core.cli.say import Teller
from core.cli.tongue import say
from core.config import Config

REPLACE_ME = 75  # exit code of a worker that wants a fresh one in its place
LOOK = 0.2  # seconds between two looks at the worker


@facts_command()
@click.option("--queue", metavar="NAME", help="Only this queue, such as the name of a plugin.")
@click.option("--held", is_flag=True, hidden=True, help="The database is held by who started this process.")
@click.option("--silent", is_flag=True, hidden=True, help="No greeting: it was given already.")
def work(data: Path | None, as_json: bool, queue: str | None, held: bool, silent: bool) -> int:
    """Deliver events, push to the ERP, run timers and seal the trail, until Ctrl-C."""
    config = Config.load(data)
    config.url("worker")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    if held:
        return _work(config, stop, as_json, queue, silent)
    arguments = ["work", "--held", "--data", str(config.data)]
    arguments += ["--json"] if as_json else []
    arguments += ["--queue", queue] if queue else []
    with running_database(config):
        require_tables(config, "worker")
        code = _begin_and_wait(arguments, stop)
        while code == REPLACE_ME and not stop.is_set():
            code = _begin_and_wait([*arguments, "--silent"], stop)
    return 0 if code == REPLACE_ME else code


def _begin_and_wait(arguments: list[str], stop: threading.Event) -> int:
    """One worker from its beginning to its end, which it is asked for when we are. Its exit code."""
    environ = {**os.environ, VARIABLE: "stdin"}
    with subprocess.Popen(
        [sys.executable, "-P", "-m", "core.cli", *arguments], env=environ, stdin=subprocess.PIPE
    ) as worker:
        while worker.poll() is None:
            if stop.wait(LOOK):
                worker.terminate()
                worker.wait()
    if stop.is_set() and worker.returncode == -signal.SIGTERM:
        return 0  # it had not come so far as to listen to signals
    return worker.returncode if worker.returncode >= 0 else 128 - worker.returncode


def _work(config: Config, stop: threading.Event, as_json: bool, queue: str | None, silent: bool) -> int:
    if queue:
        os.environ["TS_QUEUE"] = queue
    from core.worker import Worker

    worker = Worker(config)
    if as_json and not silent:
        Teller(True).facts_line({"pid": os.getppid(), "queue": queue})
    elif not silent:
        click.echo(say("The worker runs.   (Ctrl-C stops it)"))
    worker.run(stop)
    sys.stdout.flush()
    return REPLACE_ME if worker.replaced else 0
