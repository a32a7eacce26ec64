"""The drill: many orders through a server that breaks more than half of its calls."""

import pytest

from tests.sync.draining import drain

MODES = (
    "drop_before",
    "drop_after",
    "timeout_before",
    "timeout_after",
    "status_500_after",
    "html_200",
    "cut_body",
)


def drill(house, count: int, probability: float) -> None:
    """Two workers push `count` orders at once while every kind of trouble falls on the calls."""
    share = probability / (len(MODES) + 1)
    faults = [{"mode": mode, "probability": share, "seconds": 0.6} for mode in (*MODES, "session_lost")]
    house.kingdee.faults.set(faults)
    for number in range(count):
        house.order(f"SO-{number:04}", quantity=str(number + 1))
    drain(house)


def proof(house, count: int) -> None:
    """One document for every order, or a reason; nothing twice, nothing without an order."""
    rows = house.sql("SELECT reference, state, cause, cause_text, remote_id FROM ts.sync_document")
    assert len(rows) == count
    bills = house.bills()
    assert all(len(found) == 1 for found in bills.values())
    for reference, state, cause, said, remote_id in rows:
        if state == "done":
            (bill,) = bills[reference]
            assert bill["head"]["FDocumentStatus"] == "C"
            assert str(bill["id"]) == remote_id
        else:
            assert state == "held" and cause and said, (reference, state)
    assert set(bills) <= {reference for reference, *_ in rows}


@pytest.fixture
def impatient(monkeypatch):
    """Clients that give up before the server's delays end."""
    from connectors.kingdee.client import Client

    plain = Client.__init__

    def hasty(self, *args, **options):
        plain(self, *args, **{**options, "timeout": (0.3, 0.3)})

    monkeypatch.setattr(Client, "__init__", hasty)


def test_orders_through_a_misbehaving_server_become_one_document_each(house, impatient):
    drill(house, 16, 0.35)
    proof(house, 16)
    done = [state for state in house.states().values() if state == "done"]
    assert len(done) >= 13


@pytest.mark.long
@pytest.mark.slow
def test_two_hundred_orders_through_a_server_that_breaks_half_of_its_calls(house, impatient):
    drill(house, 200, 0.53)
    proof(house, 200)
