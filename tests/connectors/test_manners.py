"""Every connector that files orders has the manners that authors of connectors are asked for, at its own practice server."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from connectors.kingdee.eas.simulator import Simulator as EasServer
from connectors.kingdee.eas.system import Eas
from connectors.kingdee.simulator import Simulator as KingdeeServer
from connectors.kingdee.system import Kingdee
from connectors.sap.odata.simulator import Gateway
from connectors.sap.odata.system import SapOData
from connectors.sap.soap.simulator import Simulator as SoapServer
from connectors.sap.soap.system import SapSoap
from connectors.wms.flux.simulator import Simulator as FluxServer
from connectors.wms.flux.system import Flux
from connectors.wms.qimen.simulator import Simulator as QimenServer
from connectors.wms.qimen.system import Qimen
from core.authoring.manners import ConnectorManners
from tests.connectors import eas_house, sap_house, sap_soap_house

pytestmark = pytest.mark.slow
BEARING = {"number": "BRG-6204", "name": "深沟球轴承 6204", "unit": "Pcs"}
KINGDEE = {
    "customers": [{"number": "C0217", "name": "锡安达机电", "tax_code": sap_house.BUYER_CODE}],
    "materials": [BEARING],
    "stock": [{"material": "BRG-6204", "quantity": 500, "available": 480}],
}


@contextmanager
def kingdee() -> Iterator[Any]:
    with KingdeeServer() as server:
        server.world.merge(KINGDEE)
        yield server


@contextmanager
def eas() -> Iterator[Any]:
    with EasServer() as server:
        server.books.merge(eas_house.BASE)
        yield server


@contextmanager
def gateway() -> Iterator[Any]:
    with Gateway() as server:
        server.load(sap_house.BUYER)
        yield server


@contextmanager
def soap() -> Iterator[Any]:
    with SoapServer() as server:
        server.world.merge(sap_soap_house.BASE)
        yield server


class TestKingdee(ConnectorManners):
    connector = Kingdee
    simulator = kingdee


class TestEas(ConnectorManners):
    connector = Eas
    simulator = eas


class TestSapOData(ConnectorManners):
    connector = SapOData
    simulator = gateway
    organisation = "1010"


class TestSapSoap(ConnectorManners):
    connector = SapSoap
    simulator = soap
    organisation = "1010"


class TestQimen(ConnectorManners):
    connector = Qimen
    simulator = QimenServer
    organisation = "WH01"


class TestFlux(ConnectorManners):
    connector = Flux
    simulator = FluxServer
    organisation = "WH01"
