"""A drill from the button to the sealed report."""

import base64
import copy
import json
import time

import pytest

from core.kernel import Conflict, Invalid, NotFound
from core.sync import drill as drills
from core.sync.drill import report
from core.sync.drill.duty import Driller
from core.sync.drill.service import CASES

MASTER = bytes(range(32))


@pytest.fixture
def sent(house):
    """One order went through: there is something to copy."""
    house.order("SO-SAMPLE")
    assert house.push(house.engine()) == ["done"]
    return house


@pytest.fixture
def driller(house):
    return Driller(
        house.worker,
        house.registry,
        house.rules,
        MASTER,
        house.engine(),
        seconds=0.05,
        wait=lambda seconds: time.sleep(min(seconds, 0.05)),
    )


def begin(house, name="金蝶云·星空"):
    with house.app.system(house.seller, "陈工") as ctx:
        return drills.start_drill(ctx, house.connection_id, name).id


def now(house, drill_id):
    with house.app.system(house.seller, "陈工") as ctx:
        return drills.find_drill(ctx, drill_id)


def test_a_drill_is_asked_for_by_name_and_needs_an_order_to_copy(house):
    with pytest.raises(Conflict) as refused:
        begin(house)
    assert refused.value.code == "drill.no_sample"
    with pytest.raises(Invalid) as wrong:
        begin(house, "another one")
    assert [(each.path, each.code) for each in wrong.value.errors] == [("name", "drill.name_differs")]


def test_one_goes_on_at_a_time_and_can_be_stopped(sent, driller):
    first = begin(sent)
    with pytest.raises(Conflict) as refused:
        begin(sent)
    assert refused.value.code == "drill.goes_on"
    assert driller.turn() == 1
    with sent.app.system(sent.seller, "陈工") as ctx:
        drills.stop_drill(ctx, first)
    assert driller.turn() == 0
    assert (now(sent, first).state, len(now(sent, first).results), now(sent, first).report) == ("cancelled", 1, None)
    begin(sent)


def test_nobody_else_sees_it(sent):
    mine = begin(sent)
    with sent.app.system(sent.buyer, "foreign") as ctx, pytest.raises(NotFound):
        drills.find_drill(ctx, mine)


@pytest.mark.slow
def test_the_whole_catalogue_ends_in_a_report_that_nobody_can_change(sent, driller):
    drill_id = begin(sent)
    for _ in CASES:
        assert driller.turn() == 1
    assert driller.turn() == 0
    ended = now(sent, drill_id)
    assert (ended.state, len(ended.results)) == ("done", len(CASES))
    assert [each for each in ended.results if not each["passed"] or each["left"]] == []
    written = json.dumps(ended.report, ensure_ascii=False)
    told = report.verified(report.readable(written), report.public_key(MASTER))
    assert (told.facts["passed"], told.facts["cases"]) == (len(CASES), len(CASES))
    changed = copy.deepcopy(ended.report)
    changed["report"]["results"][0]["there"] = 2
    with pytest.raises(report.Unreadable, match="changed after"):
        report.verified(changed)
    with pytest.raises(report.Unreadable, match="another installation"):
        report.verified(ended.report, report.public_key(bytes(32)))
    documents = {number: bills for number, bills in sent.bills().items() if number.startswith("DRILL-")}
    assert len(documents) == len(CASES) and all(len(bills) == 1 for bills in documents.values())


@pytest.mark.parametrize(
    "text", ["", "[]", "[" * 200_000, '{"report": {}}', '{"report": {"format": "x"}, "key": "", "signature": ""}']
)
def test_what_is_no_report_is_said_to_be_none(text):
    with pytest.raises(report.Unreadable):
        report.readable(text)


def test_a_report_that_says_two_things_under_one_name_is_none():
    """Of two only the last is signed; a person reads the first."""
    facts = {"drill": "d", "connection": {}, "cases": 39, "passed": 12, "ended_at": "2026-11-23"}
    written = json.dumps(report.sealed(facts, MASTER))
    assert report.verified(report.readable(written)).facts["passed"] == 12
    forged = written.replace('"passed"', '"passed": 39, "passed"', 1)
    assert json.loads(forged) == json.loads(written)
    with pytest.raises(report.Unreadable, match="twice"):
        report.readable(forged)


@pytest.mark.parametrize(
    "spoil",
    [
        {"key": base64.b64encode(bytes(32)).decode()},
        {"key": "A"},
        {"key": None},
        {"signature": ""},
        {"signature": base64.b64encode(bytes(64)).decode()},
        {"signature": 7},
    ],
)
def test_a_spoiled_seal_holds_nothing(spoil):
    with pytest.raises(report.Unreadable):
        report.verified(report.sealed({"passed": 1}, MASTER) | spoil)
