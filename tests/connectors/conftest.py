"""A Kingdee server to talk to, and clients that talk to it.

There are nine connectors and near two thousand tests of them: whoever works on one names its files. The inner loop takes what
stands in `QUICK`, CI takes all but the long series of hundreds of orders and thousands of mutated answers.
"""

from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from connectors.kingdee.client import Account, Client, LoginBySecret, LoginBySign, Password, SignedHeaders
from connectors.kingdee.simulator import DEMO_ACCOUNT, Simulator
from tongshang.connect import OutboundRule, Trace, session

APP = (DEMO_ACCOUNT.app_id, DEMO_ACCOUNT.app_secret)
WAYS = {
    "signed": SignedHeaders(*APP),
    "sign": LoginBySign(*APP),
    "secret": LoginBySecret(*APP),
    "password": Password(DEMO_ACCOUNT.users["demo"].password),
}

BASE = {
    "customers": [
        {"number": "CUST0001", "name": "锡安达机电", "tax_code": "91320200MA1N2PQR3X"},
        {"number": "CUST0002", "name": "停用客户", "forbidden": True},
    ],
    "materials": [
        {"number": "BRG-6204", "name": "深沟球轴承 6204", "unit": "Pcs", "specification": "20×47×14"},
        {"number": "RB-HRB400E-16", "name": "螺纹钢 HRB400E Φ16", "unit": "t"},
    ],
    "stock": [
        {"material": "BRG-6204", "quantity": 500, "available": 480},
        {"material": "RB-HRB400E-16", "quantity": 62},
    ],
}


HERE = Path(__file__).parent
QUICK = ("test_kingdee_signature", "test_kingdee_conformance", "test_wms_signing", "test_practice")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.parent != HERE:
            continue
        if item.get_closest_marker("slow"):
            item.add_marker("long")
        elif item.path.stem not in QUICK:
            item.add_marker("slow")


@pytest.fixture
def kingdee() -> Iterator[Simulator]:
    with Simulator() as simulator:
        simulator.world.merge(BASE)
        yield simulator


@pytest.fixture
def client_of(kingdee: Simulator) -> Iterator[Callable[..., Client]]:
    """Clients by way of login; their trace is at `client.trace`."""
    opened = []

    def make(way: str = "signed", **options: Any) -> Client:
        http = session([OutboundRule.parse(f"127.0.0.1:{kingdee.port}")])
        opened.append(http)
        account = options.pop("account", Account(kingdee.url, DEMO_ACCOUNT.acct_id, "demo"))
        options = {"trace": Trace(), "timeout": (2, 2), **options}
        return Client(http, account, options.pop("credentials", WAYS[way]), **options)

    yield make
    for http in opened:
        http.close()


def order(number: str = "TS-1", **changes: Any) -> dict[str, Any]:
    """A sales order of 120 bearings, keys in the order Kingdee wants."""
    line = {
        "FEntryID": 0,
        "FMaterialId": {"FNumber": "BRG-6204"},
        "FUnitID": {"FNumber": "Pcs"},
        "FQty": Decimal("120"),
        "FTaxPrice": Decimal("36.5"),
        "FEntryTaxRate": Decimal("13"),
        "FDeliveryDate": "2026-12-05 00:00:00",
        "FSettleOrgIds": {"FNumber": "100"},
    }
    return {
        "FID": 0,
        "FBillTypeID": {"FNUMBER": "XSDD01_SYS"},
        "FBillNo": number,
        "FDate": "2026-11-22",
        "FSaleOrgId": {"FNumber": "100"},
        "FCustId": {"FNumber": "CUST0001"},
        "FSalerId": {"FNumber": "XS01"},
        "FSaleOrderFinance": {"FSettleCurrId": {"FNumber": "PRE001"}, "FIsIncludedTax": "true"},
        "FSaleOrderEntry": [line],
    } | changes
