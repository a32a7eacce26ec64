"""A process: states and the transitions between them, as data that plugins may add to and a test can check.

Nothing here touches a database: `check` answers which transition a verb means in a state, and `validate`
proves the merged graph has no unreachable state and no unintended dead end.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from core.kernel.refused import Conflict

Guard = Callable[[Any, Any], None]  # guard(ctx, subject) raises Refused


@dataclass(frozen=True)
class Transition:
    """`verb` moves a subject from one of `sources` to `target`.

    `side` is who may act: buyer, seller, creator, either, both (needs the other side's consent) or system.
    `stage` names the gates that must be satisfied first (domain: confirm, start, ship, invoice, complete ...).
    """

    verb: str
    sources: tuple[str, ...]
    target: str
    side: str
    permission: str | None
    guards: tuple[Guard, ...] = ()
    stage: str | None = None
    number: str = ""

    def __post_init__(self) -> None:
        if isinstance(self.sources, str):
            object.__setattr__(self, "sources", (self.sources,))


@dataclass
class Process:
    """A named machine. `ends` are the states that nothing leaves on purpose."""

    name: str
    initial: str
    ends: frozenset[str]
    transitions: list[Transition]
    _by_verb: dict[str, list[Transition]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        for transition in self.transitions:
            self._by_verb.setdefault(transition.verb, []).append(transition)

    def add(self, transitions: Iterable[Transition]) -> None:
        """Transitions brought by a plugin; call `validate` when all are in."""
        for transition in transitions:
            self.transitions.append(transition)
            self._by_verb.setdefault(transition.verb, []).append(transition)

    @property
    def states(self) -> set[str]:
        found = {self.initial} | set(self.ends)
        for transition in self.transitions:
            found |= {*transition.sources, transition.target}
        return found

    def find(self, verb: str, state: str) -> Transition:
        """The transition a verb means in this state; anything else is a Conflict, never a silent no."""
        for transition in self._by_verb.get(verb, ()):
            if state in transition.sources:
                return transition
        raise Conflict(f"{self.name}.wrong_state", verb=verb, state=state)

    def leaving(self, state: str) -> list[Transition]:
        return [transition for transition in self.transitions if state in transition.sources]

    def validate(self) -> list[str]:
        """Complaints about the merged graph; empty when it is sound."""
        complaints = []
        reached, frontier = {self.initial}, [self.initial]
        while frontier:
            for transition in self.leaving(frontier.pop()):
                if transition.target not in reached:
                    reached.add(transition.target)
                    frontier.append(transition.target)
        complaints += [f"{self.name}: state {state} cannot be reached" for state in sorted(self.states - reached)]
        complaints += [
            f"{self.name}: state {state} has no way out and is not declared an end"
            for state in sorted(self.states - self.ends)
            if not self.leaving(state)
        ]
        complaints += [f"{self.name}: end state {state} is left" for state in sorted(self.ends) if self.leaving(state)]
        return complaints
