"""Run the simulator as a process of its own: `python -m connectors.generic.rest.simulator`."""

from __future__ import annotations

import sys

from connectors.generic.rest.simulator.account import Account
from connectors.generic.rest.simulator.server import Simulator
from tongshang.simulate import main
from tongshang.simulate.running import Option

WAYS = ("bearer", "none", "basic", "api_key", "hmac")


def make(*, host: str, port: int, seed: int, way: str) -> Simulator:
    """A small ERP with a REST service to practise with."""
    return Simulator(host=host, port=port, seed=seed, account=Account(way=way))


if __name__ == "__main__":
    options: list[Option] = [("--way", {"choices": WAYS, "default": "bearer", "help": "how callers sign in"})]
    sys.exit(main(make, options=options))
