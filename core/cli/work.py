"""`work`: the process for everything that happens after a commit."""

import os
import signal
import threading
from pathlib import Path

import click

from core.cli.database import require_tables, running_database
from core.cli.options import facts_command
from core.cli.say import Teller
from core.cli.tongue import say
from core.config import Config


@facts_command()
@click.option("--queue", metavar="NAME", help="Only this queue, such as the name of a plugin.")
def work(data: Path | None, as_json: bool, queue: str | None) -> None:
    """Deliver events, push to the ERP, run timers and seal the trail, until Ctrl-C."""
    config = Config.load(data)
    config.url("worker")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    if queue:
        os.environ["TS_QUEUE"] = queue
    with running_database(config):
        require_tables(config, "worker")
        from core.worker import Worker

        worker = Worker(config)
        if as_json:
            Teller(True).facts_line({"pid": os.getpid(), "queue": queue})
        else:
            click.echo(say("The worker runs.   (Ctrl-C stops it)"))
        worker.run(stop)
