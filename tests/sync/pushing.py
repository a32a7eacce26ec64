"""A worker that does nothing but push documents, as a process of its own: `python -m tests.sync.pushing URL RULE MODULE`."""

import sys
import time
from datetime import timedelta
from importlib import import_module

from core.db import Database, keyring
from core.sync import Engine, OutboundRule, Pusher, Registry
from tests.app.installation import MASTER
from tests.conftest import make_unit

SETTLE = timedelta(seconds=1)
LEASE, MARGIN = timedelta(seconds=12), timedelta(seconds=4)


def main(url: str, rule: str, module: str) -> None:
    """Push what is due with the connector of `module`, until somebody ends the process."""
    keyring.load({1: MASTER})
    rules = [OutboundRule.parse(rule)]
    # shorter than in life, so that a test need not wait for what a killed worker held
    engine = Engine(
        make_unit(Database(url)),
        Registry([import_module(module).connector()]),
        lambda: rules,
        lease=LEASE,
        margin=MARGIN,
        settle=SETTLE,
        first_wait=0.05,
        at_once=12,  # more than two workers have threads: what a killed one held keeps no living one idle
    )
    pusher = Pusher(engine, threads=4)
    while True:
        if not pusher.turn():
            time.sleep(0.05)


if __name__ == "__main__":
    main(*sys.argv[1:])
