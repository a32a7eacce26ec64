"""How a practice warehouse calls the portal: again and again until it hears a success, as real ones do.

Part of the simulators alone: it speaks to an address the drill master gives, through the outbound guard, so that a
practice server can be turned against nobody: to this machine, or over https to a public address.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

MODES = {
    "wrong_sign": "the signature does not fit: of a call that comes in, or of a push that goes out",
    "busy": "the warehouse is busy and has done nothing",
    "partial_rows": "only the first row is done",
    "duplicate_push": "a push that was taken is sent once more",
    "push_twice": "a push goes out twice at the same time",
    "clock_skew": "the clock of the warehouse is an hour off",
    "look_up_lag": "what was written is not found by a look-up for `seconds`; a look-up finds nothing",
}
SKEW = timedelta(hours=1)
PATIENCE = 10.0  # seconds for one push
OWN_MACHINE = "127.0.0.0/8:1-65535"


@dataclass(frozen=True)
class Sending:
    """One push as it goes out."""

    url: str  # whole, with its parameters
    body: bytes
    content_type: str


def deliver(
    make: Callable[[], Sending],
    taken: Callable[[bytes], bool],
    given: Mapping[str, Any],
    mode: str,
    stop: threading.Event,
) -> dict[str, Any]:
    """Send until a success is heard, at most `tries` times, `pause` seconds apart; what was heard each time.

    `make` builds each try anew, so that its clock is right; `taken` reads an answer.
    """
    heard: list[dict[str, Any]] = []
    done = False
    for turn in range(max(1, int(given.get("tries", 5)))):
        if turn and stop.wait(float(given.get("pause", 1))):
            break
        sending = make()
        if mode == "push_twice":
            heard += _both(sending)
        else:
            heard.append(_send(sending))
        done = any(taken(one["body"].encode()) for one in heard)
        if done:
            break
    if done and mode == "duplicate_push":
        heard.append(_send(make()))
    return {"taken": done, "heard": heard}


def _both(sending: Sending) -> list[dict[str, Any]]:
    heard: list[dict[str, Any]] = []
    pair = [threading.Thread(target=lambda: heard.append(_send(sending))) for _ in range(2)]
    for one in pair:
        one.start()
    for one in pair:
        one.join()
    return heard


def _send(sending: Sending) -> dict[str, Any]:
    from tongshang.connect import NotSent, OutboundRule, session  # the guard: nothing inner but this machine

    with session([OutboundRule.parse(OWN_MACHINE)]) as http:
        try:
            headers = {"Content-Type": sending.content_type}
            answer = http.post(sending.url, data=sending.body, headers=headers, timeout=PATIENCE)
        except (OSError, NotSent) as error:
            return {"status": 0, "body": str(error)}
        return {"status": answer.status_code, "body": answer.content.decode("utf-8", "replace")}
