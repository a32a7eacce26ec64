"""Workers are killed in the middle of their calls while the ERP misbehaves: one order stays one document, and none is lost.

Over each protocol that orders go out by, with an ERP that refuses a second document with our reference and with one that
takes it. `-m long` runs a thousand orders and twenty kills each; CI runs the short form over one protocol.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from connectors.kingdee.eas.simulator import Simulator as EasServer
from connectors.kingdee.eas.simulator.books import AUDITED
from connectors.kingdee.simulator import Simulator as KingdeeServer
from connectors.sap.odata.simulator import Gateway
from connectors.sap.soap.simulator import Simulator as SapServer
from tests.conftest import make_unit
from tests.connectors import eas_house, sap_house, sap_soap_house
from tests.sync.conftest import House
from tests.sync.killing import LONG, SHORT, Drill, Filed, Ground

COMMON = (
    "refuse",
    "drop_before",
    "drop_after",
    "timeout_before",
    "timeout_after",
    "status_500_after",
    "html_200",
    "cut_body",
    "bad_charset",
    "slow",
    "session_lost",
    "look_up_lag",
)


def kingdee_unique(practice: KingdeeServer, on: bool) -> None:
    practice.services.unique = on


def books_unique(practice: EasServer | Gateway, on: bool) -> None:
    practice.books.unique = on


def world_unique(practice: SapServer, on: bool) -> None:
    practice.world.unique = on


def kingdee_filed(house: House) -> dict[str, list[Filed]]:
    return {
        reference: [Filed(str(bill["id"]), bill["head"]["FDocumentStatus"] == "C") for bill in bills]
        for reference, bills in house.bills().items()
    }


def eas_filed(house: eas_house.EasHouse) -> dict[str, list[Filed]]:
    return {
        reference: [Filed(str(bill["id"]), bill["baseStatus"] == AUDITED) for bill in bills]
        for reference, bills in house.bills().items()
    }


def odata_filed(house: sap_house.House) -> dict[str, list[Filed]]:
    return {
        reference: [Filed(one["number"], not one["rejected"] and len(one["items"]) == 2) for one in orders]
        for reference, orders in house.orders().items()
    }


def soap_filed(house: sap_soap_house.SapHouse) -> dict[str, list[Filed]]:
    totals = dict(house.sql("SELECT reference, total FROM ts.sync_document"))

    def sound(reference: str, one: dict[str, Any]) -> bool:
        return not one["cancelled"] and Decimal(one["total"]) == totals.get(reference)

    return {
        reference: [Filed(one["number"].lstrip("0"), sound(reference, one)) for one in orders]
        for reference, orders in house.orders().items()
    }


def gateway() -> Gateway:
    """With the buyer as a customer."""
    made = Gateway()
    made.load(sap_house.BUYER)
    return made


GROUNDS = {
    "kingdee": Ground(
        "connectors.kingdee",
        KingdeeServer,
        House,
        kingdee_filed,
        kingdee_unique,
        (*COMMON, "lock_conflict", "call_limit"),
    ),
    "eas": Ground(
        "connectors.kingdee.eas",
        EasServer,
        eas_house.EasHouse,
        eas_filed,
        books_unique,
        (*COMMON, "html_500", "soap_fault", "gbk_answer", "locked", "busy", "duplicate"),
        once=("duplicate",),  # nobody can keep a network that sends a call twice from making two bills
    ),
    "sap_odata": Ground(
        "connectors.sap.odata",
        gateway,
        sap_house.House,
        odata_filed,
        books_unique,
        (*COMMON, "csrf_expired", "locked", "too_many_requests", "maintenance_html"),
    ),
    "sap_soap": Ground(
        "connectors.sap.soap",
        SapServer,
        sap_soap_house.SapHouse,
        soap_filed,
        world_unique,
        (
            *(mode for mode in COMMON if mode != "session_lost"),
            "html_500",
            "soap_fault_busy",
            "empty",
            "locked",
        ),
    ),
}


@pytest.fixture
def drill(request, server, fresh_db, worker_db, tmp_path) -> Iterator[Drill]:
    ground = GROUNDS[request.param]
    with ground.practice() as practice:
        house = ground.house(make_unit(fresh_db), make_unit(worker_db), practice)
        yield Drill(ground, house, practice, server.url_for("ts_worker", fresh_db.name), tmp_path)


def passed(drill: Drill, size: tuple[int, int], unique: bool) -> None:
    orders, kills = size
    tally = drill.run(orders, kills, unique=unique)
    print(f"{drill.ground.module}, {'unique' if unique else 'not unique'}: {tally}")
    assert tally.whole and tally.kills == kills, str(tally)
    assert tally.done + tally.held.total() == orders and tally.held.total() <= orders // 100 + 1, str(tally)


@pytest.mark.slow
@pytest.mark.parametrize("drill", ["kingdee"], indirect=True)
def test_one_order_stays_one_document_while_workers_are_killed(drill):
    passed(drill, SHORT, unique=False)


@pytest.mark.long
@pytest.mark.slow
@pytest.mark.parametrize("unique", [True, False], ids=["unique", "repeatable"])
@pytest.mark.parametrize("drill", GROUNDS, indirect=True)
def test_so_it_is_over_every_protocol(drill, unique):
    passed(drill, SHORT, unique)


@pytest.mark.long
@pytest.mark.slow
@pytest.mark.parametrize("unique", [True, False], ids=["unique", "repeatable"])
@pytest.mark.parametrize("drill", GROUNDS, indirect=True)
def test_a_thousand_orders_and_twenty_kills(drill, unique):
    passed(drill, LONG, unique)
