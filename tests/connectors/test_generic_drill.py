"""The fault drill of both: calls that break with REST, places that break with files, over SFTP and in a folder."""

import time
from collections.abc import Iterator
from datetime import timedelta

import pytest

from connectors.generic.files.simulator import Simulator
from connectors.generic.files.system import Files
from connectors.generic.rest.simulator import Simulator as RestErp
from connectors.generic.rest.system import Rest
from core.authoring.desk import sample_order
from core.sync import Engine, Registry
from core.sync.drill import CALLS, INTENTS, PLACES, Rehearsal, cases_of
from core.sync.drill.placing import ACTS, PlaceTrouble
from core.sync.drill.rehearsal import CATALOGUE
from core.sync.drill.trouble import Killed
from tests.connectors.generic_house import access_of, by_folder, inside
from tongshang.connect import FolderRule
from tongshang.testing import ConnectorDrill

SHORT = timedelta(seconds=0.05)
pytestmark = pytest.mark.slow


class TestRest(ConnectorDrill):
    connector = Rest
    simulator = RestErp


class TestBySftp(ConnectorDrill):
    connector = Files
    simulator = Simulator


@pytest.fixture
def erp() -> Iterator[Simulator]:
    with Simulator() as simulator:
        yield simulator


def rehearsal(erp: Simulator, **settings: str) -> Rehearsal:
    rules = [FolderRule.parse(str(erp.root))]
    engine = Engine(None, Registry([Files()]), lambda: rules, settle=SHORT, first_wait=0.05)
    return Rehearsal(
        engine,
        Files(),
        access_of(Files(), "https://files.example.com", by_folder(erp, **settings)),
        sample_order(),
        lambda _kind, _id: None,
        "DRILL",
        seconds=0.05,
        wait=lambda _seconds: time.sleep(0.06),
    )


@pytest.mark.parametrize("intent", INTENTS)
@pytest.mark.parametrize("trouble", PLACES)
def test_whatever_breaks_in_a_folder_one_order_lies_there_in_the_end(erp, trouble, intent):
    case = rehearsal(erp).case(1, trouble, intent)
    assert case.passed and case.state == "done" and not case.left, case
    ((order,),) = erp.erp.live().values()
    assert order["state"] == "void" and not inside(erp), (
        "the order was taken back, and nothing half lies there"
    )
    names = [name.split(".")[0] for name in erp.erp.taken]
    assert len(names) == len(set(names)), "no file was let go twice"


def test_where_the_answer_is_late_the_drill_waits_for_it(erp):
    erp.faults.set([{"match": {"operation": "take"}, "mode": "late", "seconds": 0.3}])
    case = rehearsal(erp, wait="0").case(1, "place_killed_after", "create")
    assert case.passed and case.state == "done", case


def test_a_link_that_does_not_look_into_its_notes_is_found_out(erp, monkeypatch):
    """The drill must be able to fail: without our notes a second file is left, and the proof says so."""
    from connectors.generic.files.journal import Journal

    monkeypatch.setattr(Journal, "latest", lambda self, reference: None)
    case = rehearsal(erp).case(1, "place_killed_after", "create")
    assert not case.passed, case


def test_each_trouble_lies_in_wait_and_falls_once():
    assert set(ACTS) == set(PLACES) - {"none"} and set(PLACES) | set(CALLS) == set(CATALOGUE)
    for kind, (writes, act, _) in ACTS.items():
        trouble = PlaceTrouble(kind, 0.0)
        name = act or "make"
        assert trouble.around(name, lambda: b"whole") == b"whole" and not trouble.hit
        for _ in range(writes):
            trouble.about_to_write()
        try:
            found = trouble.around(name, lambda: b"whole", lambda: None)
        except (OSError, Killed):
            found = b""
        assert trouble.hit and found != b"whole", kind
        assert trouble.around(name, lambda: b"whole") == b"whole", kind


def test_connectors_that_leave_files_rehearse_trouble_of_places_and_others_of_calls():
    assert {trouble for trouble, _ in cases_of(Files())} == set(PLACES)
    assert {trouble for trouble, _ in cases_of(Rest())} == set(CALLS)
    assert len(cases_of(Files())) == len(cases_of(Rest()))
