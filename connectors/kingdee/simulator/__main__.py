"""Run the simulator as a process of its own: `python -m connectors.kingdee.simulator`."""

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from connectors.kingdee.simulator.server import Simulator


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or Ctrl-C; prints one line of JSON with address and credentials when ready."""
    parser = argparse.ArgumentParser(
        prog="kingdee-simulator", description="A K/3 Cloud server to practise with."
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument(
        "--state", type=Path, help="SQLite file; without one everything is forgotten at the end"
    )
    parser.add_argument("--world", type=Path, help="JSON file with base data to load")
    parser.add_argument("--session-seconds", type=float, default=20 * 60)
    parser.add_argument("--seed", type=int, default=1, help="for faults with a probability")
    asked = parser.parse_args(argv)
    try:
        simulator = Simulator(
            host=asked.host,
            port=asked.port,
            state=asked.state,
            session_seconds=asked.session_seconds,
            seed=asked.seed,
        )
    except OSError as error:
        print(
            f"cannot listen on {asked.host}:{asked.port}: {error.strerror}; try another --port",
            file=sys.stderr,
        )
        return 1
    if asked.world:
        simulator.world.load(asked.world)
    simulator.start()
    account = simulator.account
    ready = {
        "url": simulator.url,
        "admin": simulator.admin,
        "acct_id": account.acct_id,
        "app_id": account.app_id,
    }
    print(json.dumps(ready | {"users": list(account.users)}, ensure_ascii=False), flush=True)

    def leave(*_: object) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, leave)
    try:
        simulator.wait()
    except KeyboardInterrupt:
        simulator.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
