"""The fault drill of a warehouse: every trouble at a delivery leaves one delivery or none, and the drill comes to its end."""

import time

import pytest

from connectors.sap.ewm.simulator import Warehouse
from connectors.sap.ewm.system import SapEwm
from core.sync import Engine, Registry
from core.sync import drill as drills
from core.sync.drill import report
from core.sync.drill.duty import Driller
from core.sync.drill.rehearsal import Rehearsal
from core.sync.drill.service import CASES
from tests.conftest import make_unit
from tests.connectors.sap_house import nothing_known, order_out
from tests.connectors.test_ewm_link import SOLD, access
from tests.connectors.wms_house import WarehouseHouse
from tongshang.connect import OutboundRule

MASTER = bytes(range(32))
QUICK = 0.02  # seconds between tries


def hasty(seconds: float) -> None:
    time.sleep(min(seconds, QUICK))


@pytest.fixture
def warehouse():
    with Warehouse() as made:
        yield made


@pytest.fixture
def rehearsal(warehouse):
    rules = [OutboundRule.parse(f"127.0.0.1:{warehouse.port}")]
    engine = Engine(None, Registry([SapEwm()]), lambda: rules, first_wait=QUICK)
    sample = order_out()
    return Rehearsal(
        engine, SapEwm(), access(warehouse), sample, nothing_known, "DRILL-T", seconds=QUICK, wait=hasty
    )


@pytest.mark.parametrize(("trouble", "intent"), CASES)
def test_whatever_falls_on_a_write_one_delivery_is_left_or_none(warehouse, rehearsal, trouble, intent):
    warehouse.world.sell("TS-1", SOLD)
    case = rehearsal.case(1, trouble, intent)
    assert case.passed and not case.left and case.state == "done", case
    assert warehouse.world.deliveries == {}  # what the case made it took back


def test_without_a_sales_order_to_copy_a_case_does_not_pass(warehouse, rehearsal):
    case = rehearsal.case(1, "none", "create")
    assert not case.passed and (case.cause, case.there) == ("ewm.order_missing", 0)


@pytest.mark.slow
def test_a_drill_from_the_button_to_the_sealed_report(fresh_db, worker_db, warehouse):
    warehouse.world.warehouse = "WH01"
    house = WarehouseHouse(make_unit(fresh_db), make_unit(worker_db), SapEwm(), warehouse)
    warehouse.world.sell("SO-1", SOLD)
    house.order("SO-1")
    house.push(house.engine())
    kept = dict(warehouse.world.deliveries)
    assert len(kept) == 1
    with house.app.system(house.seller, "陈工") as ctx:
        id = drills.start_drill(ctx, house.connection_id, "仓库").id
    driller = Driller(
        house.worker, house.registry, house._rules, MASTER, house.engine(), seconds=QUICK, wait=hasty
    )
    for _ in CASES:
        assert driller.turn() == 1
    assert driller.turn() == 0
    with house.app.system(house.seller, "陈工") as ctx:
        ended = drills.find_drill(ctx, id)
    assert [each for each in ended.results if not each["passed"] or each["left"]] == []
    told = report.verified(ended.report, report.public_key(MASTER))
    assert (ended.state, told.facts["passed"]) == ("done", len(CASES))
    assert warehouse.world.deliveries == kept
