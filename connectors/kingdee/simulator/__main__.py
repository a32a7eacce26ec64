"""Run the simulator as a process of its own: `python -m connectors.kingdee.simulator`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from connectors.kingdee.simulator.server import Simulator
from tongshang.simulate import main as run

OPTIONS = (
    ("--state", {"type": Path, "help": "SQLite file; without one everything is forgotten at the end"}),
    ("--world", {"type": Path, "help": "JSON file with base data to load"}),
    (
        "--not-unique",
        {"dest": "unique", "action": "store_false", "help": "take a second bill of the same number"},
    ),
    ("--session-seconds", {"type": float, "default": 20 * 60}),
)


def make(world: Path | None = None, **told: Any) -> Simulator:
    """A K/3 Cloud server to practise with."""
    simulator = Simulator(**told)
    if world:
        simulator.world.load(world)
    return simulator


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or Ctrl-C; prints one line of JSON with address and logins when ready."""
    return run(make, argv, OPTIONS)


if __name__ == "__main__":
    sys.exit(main())
