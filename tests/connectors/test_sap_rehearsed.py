"""The fault drill of every way into SAP: whatever falls on a write, one order is left, or it is held with its reason."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from connectors.sap.odata.simulator import Gateway
from connectors.sap.odata.system import SapOData
from connectors.sap.soap.simulator import Simulator
from core.sync import Engine, Registry
from core.sync.drill.rehearsal import Rehearsal
from core.sync.drill.service import CASES
from tests.connectors import sap_house, sap_soap_house
from tongshang.connect import OutboundRule

QUICK = 0.02  # seconds between tries


def hasty(seconds: float) -> None:
    time.sleep(min(seconds, QUICK))


@contextmanager
def odata(version: str) -> Iterator[SimpleNamespace]:
    with Gateway() as gateway:
        gateway.load(sap_house.BUYER)
        access = sap_house.access_to(gateway, odata_version=version)
        yield SimpleNamespace(
            port=gateway.port, connector=SapOData(), access=access, sample=sap_house.order_out()
        )


@contextmanager
def soap(kind: str) -> Iterator[SimpleNamespace]:
    with Simulator() as sap:
        sap.world.merge(sap_soap_house.BASE)
        access, sample = sap_soap_house.access(sap, kind), sap_soap_house.order()
        connector = sap_soap_house.KINDS[kind][0]()
        yield SimpleNamespace(port=sap.port, connector=connector, access=access, sample=sample)


WAYS = {"odata v2": (odata, "v2"), "odata v4": (odata, "v4")}
WAYS |= {kind: (soap, kind) for kind in ("soamanager", "icf", "bulk", "idoc")}


@pytest.mark.slow
@pytest.mark.parametrize(("trouble", "intent"), CASES)
@pytest.mark.parametrize("way", WAYS)
def test_whatever_falls_on_a_write_one_order_is_left(way, trouble, intent):
    make, kind = WAYS[way]
    with make(kind) as there:
        rules = [OutboundRule.parse(f"127.0.0.1:{there.port}")]
        engine = Engine(None, Registry([there.connector]), lambda: rules, first_wait=QUICK)
        given = (engine, there.connector, there.access, there.sample, sap_house.nothing_known, "DRILL-T")
        case = Rehearsal(*given, seconds=QUICK, wait=hasty).case(1, trouble, intent)
    assert case.passed and not case.left and case.state == "done", case
