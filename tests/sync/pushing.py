"""A worker that does nothing but push documents, as a process of its own: `python -m tests.sync.pushing URL RULE`."""

import sys
import time
from datetime import timedelta

from core.db import Database, keyring
from core.sync import Engine, OutboundRule, Pusher, Registry
from tests.app.installation import MASTER
from tests.conftest import make_unit


def main(url: str, rule: str) -> None:
    keyring.load({1: MASTER})
    rules = [OutboundRule.parse(rule)]
    # shorter than in life, so that a test need not wait for what a killed worker held
    engine = Engine(
        make_unit(Database(url)),
        Registry.installed(),
        lambda: rules,
        lease=timedelta(seconds=12),
        margin=timedelta(seconds=3),
        settle=timedelta(seconds=1),
        first_wait=0.05,
        at_once=8,
    )
    pusher = Pusher(engine, threads=4)
    while True:
        if not pusher.turn():
            time.sleep(0.05)


if __name__ == "__main__":
    main(*sys.argv[1:])
