"""The fault drill of a connector without a database: every trouble at its practice server, decided by the real engine."""

import time
from datetime import timedelta
from typing import cast

import pytest

from core.authoring.desk import access_to, nobody, rule_for
from core.authoring.manners import ConnectorManners, Counted
from core.db import Unit
from core.sync.drill.rehearsal import CALLS, Rehearsal, by_place, cases_of
from core.sync.engine import Engine
from core.sync.registry import Registry

SHORTEST = timedelta(seconds=0.05)  # between tries; a practice server needs no longer


class ConnectorDrill(ConnectorManners):
    """Every trouble of the fault drill at a create, a change and a cancellation, and the manners of a good day: inherit, name
    both, run pytest.

    class TestDrill(ConnectorDrill):
        connector = Mine
        simulator = Simulator

    The real engine decides what happens after each call. A case holds when one document lies there in the end, or it was
    held with its reason.
    """

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        if "trouble" in metafunc.fixturenames:
            metafunc.parametrize(("trouble", "intent"), cases_of(self.connector()))

    def test_whatever_breaks_one_document_lies_there_in_the_end(self, trouble: str, intent: str) -> None:
        self._rehearsed(trouble, intent)

    def test_what_breaks_at_a_later_write_leaves_one_document_too(self) -> None:
        """Where an order takes several calls, such as create and release: trouble at each one behind the first."""
        if by_place(self.connector()):
            return  # the trouble of places falls on every step as it is
        with self._desk() as desk:
            writes = Counted()
            desk.link.before_write = writes
            self._filed(desk, self._order("MANNERS-1"))
        for at in range(2, writes.count + 1):
            for trouble in CALLS:
                if trouble != "none":
                    self._rehearsed(trouble, "create", at)

    def _rehearsed(self, trouble: str, intent: str, at: int = 1) -> None:
        with type(self).simulator() as server:
            connector = self.connector()
            rules = [rule_for(server)]
            # The rehearsal keeps what it knows in memory, so the engine has no database.
            engine = Engine(
                cast(Unit, None),
                Registry([connector]),
                lambda: rules,
                settle=SHORTEST,
                first_wait=SHORTEST.total_seconds(),
            )
            rehearsal = Rehearsal(
                engine,
                connector,
                access_to(connector, server, self.organisation, **self.values),
                self.order(),
                nobody,
                "DRILL",
                seconds=SHORTEST.total_seconds(),
                wait=lambda seconds: time.sleep(min(seconds, SHORTEST.total_seconds())),
            )
            case = rehearsal.case(1, trouble, intent, at)
        assert case.passed, f"at write {at}: {case}"
        assert not case.left, f"at write {at}: {case}"
