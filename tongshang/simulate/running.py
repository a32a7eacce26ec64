"""Run a practice server as a process of its own."""

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tongshang.simulate.practice import Practice

Option = tuple[str, Mapping[str, Any]]
"""One more option: its flag (`--state`) and what `argparse` is told of it; `make` gets it by name (`state`)."""


def main(
    make: Callable[..., Practice], argv: Sequence[str] | None = None, options: Sequence[Option] = ()
) -> int:
    """Serve until SIGTERM or Ctrl-C; prints one line of JSON with address and logins when ready.

    `make(host=, port=, seed=, ...)` makes the server. Answers 1 when the port is taken, 2 for a wrong option.
    """
    parser = argparse.ArgumentParser(description=make.__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--seed", type=int, default=1, help="for faults with a probability")
    parser.add_argument(
        "--fault", action="append", default=[], metavar="MODE[:PROBABILITY]", help="trouble from the start"
    )
    for flag, words in options:
        parser.add_argument(flag, **words)
    asked = vars(parser.parse_args(argv))
    faults = asked.pop("fault")
    try:
        practice = make(**asked)
    except OSError as error:
        where = f"{asked['host']}:{asked['port']}"
        told = f"cannot listen on {where}: {error.strerror}; try another --port"
        print(f"{error.filename}: {error.strerror}" if error.filename else told, file=sys.stderr)
        return 1
    try:
        practice.faults.set([_fault(text) for text in faults])
    except ValueError as error:
        practice.stop()
        print(error, file=sys.stderr)
        return 2
    practice.start()
    ready = {"url": practice.url, "admin": practice.admin, **practice.logins()}
    print(json.dumps(ready, ensure_ascii=False, default=str), flush=True)

    def leave(*_: object) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, leave)
    try:
        practice.wait()
    except KeyboardInterrupt:
        practice.stop()
    return 0


def _fault(text: str) -> dict[str, Any]:
    mode, _, probability = text.partition(":")
    return {"mode": mode, **({"probability": float(probability)} if probability else {})}
