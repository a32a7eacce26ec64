"""Wounded answers and wounded descriptions: nothing crashes, and nothing is taken for what it is not."""

from __future__ import annotations

import random

import pytest

from connectors.sap.soap.simulator import DEMO_VALUES, Simulator
from tests.connectors.sap_soap_house import BASE, Desk, mutated, nobody, order
from tongshang.connect import FixSettings, SyncError, differences

CREATE, READ = "Z_TS_SALESORDER_CREATE", "Z_TS_SALESORDER_READ"


@pytest.fixture
def sap():
    with Simulator() as simulator:
        simulator.world.merge(BASE)
        yield simulator


@pytest.fixture
def desk(sap):
    made = Desk(sap)
    yield made
    made.close()


def answers(sap, desk, monkeypatch):
    """True answers of the server, as a client got them."""
    got = []
    link = desk.link()
    plain = type(link.client.wire).post

    def listening(self, *given):
        response = plain(self, *given)
        got.append((self.operation, response.content))
        return response

    monkeypatch.setattr(type(link.client.wire), "post", listening)
    bill = link.bill(order(), nobody)
    link.send(bill, None)
    monkeypatch.undo()
    return bill, dict(got)


class Canned:
    """An answer that was never on a wire."""

    def __init__(self, content: bytes, status: int = 200) -> None:
        self.content, self.status_code, self.headers = content, status, {"Content-Type": "text/xml"}


def fuzz(sap, desk, monkeypatch, count: int, seed: int) -> int:
    """How many of the mutated answers still meant yes; each of those must have meant the very same yes."""
    bill, real = answers(sap, desk, monkeypatch)
    link = desk.link()
    dice = random.Random(seed)
    accepted = 0
    served: dict[str, bytes] = {}
    wire = link.client.wire
    monkeypatch.setattr(
        type(wire), "post", lambda self, *_: Canned(served[self.operation], dice.choice([200, 200, 500]))
    )
    _ = link.client.operations
    for turn in range(count):
        wounded = (CREATE, READ)[turn % 2]
        served = {name: mutated(body, dice) if name == wounded else body for name, body in real.items()}
        try:
            found = link.send(bill, None)
        except SyncError:
            continue
        accepted += 1
        if wounded == CREATE:  # proven by the look that follows, so the document must be the true one
            assert differences(bill, found) == [] and found.number == "1"
        else:
            assert found.number and found.number != "0"
            told = served[READ].decode("utf-8")
            assert found.number in told and bill.reference in told
    return accepted


def test_two_thousand_wounded_answers_crash_nothing_and_deceive_nobody(sap, desk, monkeypatch):
    accepted = fuzz(sap, desk, monkeypatch, 2000, seed=7)
    assert 0 < accepted < 1000


@pytest.mark.slow
def test_ten_thousand_wounded_answers(sap, desk, monkeypatch):
    assert 0 < fuzz(sap, desk, monkeypatch, 10_000, seed=11) < 5000


def test_wounded_wsdls_are_a_matter_of_settings(desk):
    dice = random.Random(3)
    for _ in range(60):
        text = mutated(DEMO_VALUES["wsdl"].encode(), dice).decode("utf-8", "replace")
        client = desk.link(wsdl=text).client
        try:
            assert client.operations
        except FixSettings as error:
            assert error.code.startswith("sap.")
