"""Run the simulator as a process of its own: `python -m connectors.generic.files.simulator`."""

from __future__ import annotations

import sys
from pathlib import Path

from connectors.generic.files.simulator.server import Simulator
from tongshang.simulate import main
from tongshang.simulate.running import Option


def make(*, host: str, port: int, seed: int, folder: Path | None, sftp_port: int) -> Simulator:
    """An ERP that lives by files to practise with; --port is its page, --sftp-port its SFTP server."""
    return Simulator(host=host, port=port, seed=seed, folder=folder, sftp_port=sftp_port)


if __name__ == "__main__":
    options: list[Option] = [
        ("--folder", {"type": Path, "default": None, "help": "where its files lie; else a new folder"}),
        ("--sftp-port", {"type": int, "default": 0, "help": "0 takes a free one"}),
    ]
    sys.exit(main(make, options=options))
