"""Replaying an order's events must give its state: what V-S4 asks of every order, and `verify` of all of them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Connection, text

from core.orders.states import ORDER

BIRTH = 1
"""The version of an order before its first event."""
MOVES = {
    (transition.verb, source): transition.target
    for transition in ORDER.transitions
    for source in transition.sources
}
VERBS = {verb for verb, _ in MOVES}


class Step(NamedTuple):
    """One event as it is stored."""

    version: int
    verb: str
    source: str
    target: str


@dataclass(frozen=True)
class Replayed:
    """Where an order stands after its events; `fault` says which event does not follow from the one before."""

    state: str
    version: int
    rounds: int
    fault: str | None = None


def replay(steps: Iterable[Step]) -> Replayed:
    """Walk the events from the beginning. A step of the process must be in its graph; any other leaves the state."""
    state, version, rounds = ORDER.initial, BIRTH, 0
    for step in steps:
        if step.version != version + 1:
            return Replayed(state, version, rounds, f"version {step.version} follows {version}")
        if step.source != state:
            return Replayed(state, version, rounds, f"{step.verb} starts at {step.source}, not at {state}")
        expected = MOVES.get((step.verb, state)) if step.verb in VERBS else state
        if step.target != expected:
            return Replayed(
                state, version, rounds, f"{step.verb} leads from {state} to {expected}, not to {step.target}"
            )
        state, version = step.target, step.version
        rounds += step.verb == "counter"
    return Replayed(state, version, rounds)


def unlike_their_events(connection: Connection) -> list[dict[str, Any]]:
    """Orders whose state, version or rounds differ from their events, with both. The connection sees every tenant."""
    found = []
    for order, steps in _lives(connection):
        replayed = replay(steps)
        if replayed.fault or (replayed.state, replayed.version, replayed.rounds) != (
            order.state,
            order.version,
            order.rounds,
        ):
            found.append(
                {
                    "order": order.id,
                    "number": order.number,
                    "stored": f"{order.state} v{order.version}, round {order.rounds}",
                    "replayed": f"{replayed.state} v{replayed.version}, round {replayed.rounds}",
                    "fault": replayed.fault or "",
                }
            )
    return found


class _Order(NamedTuple):
    id: UUID
    number: str | None
    state: str
    version: int
    rounds: int


_ALL = text(
    "SELECT o.id, o.number, o.state, o.version, o.rounds, e.version AS step, e.verb, e.source, e.target"
    " FROM ts.trade_order o LEFT JOIN ts.order_event e ON e.order_id = o.id ORDER BY o.id, e.version"
)


def _lives(connection: Connection) -> Iterator[tuple[_Order, list[Step]]]:
    """Each order with its events, one order in memory at a time."""
    current: _Order | None = None
    steps: list[Step] = []
    for row in connection.execute(_ALL, execution_options={"yield_per": 1000}):
        if current is None or row.id != current.id:
            if current is not None:
                yield current, steps
            current, steps = _Order(row.id, row.number, row.state, row.version, row.rounds), []
        if row.step is not None:
            steps.append(Step(row.step, row.verb, row.source, row.target))
    if current is not None:
        yield current, steps
