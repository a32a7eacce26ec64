"""The page and the API of stock that differs, for IT and for the clerk of the warehouse."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from connectors.wms import qimen
from connectors.wms.qimen.simulator import Simulator
from core import identity
from core.sync import ProductIn, StockIn, StockMoveIn
from core.sync.store import store
from core.sync.views import detail
from tests.conftest import make_unit
from tests.connectors.wms_house import WarehouseHouse
from tests.sync.test_sync_pages import app, signed_in, texts  # noqa: F401

D = Decimal
DAY = date(2026, 11, 23)


@pytest.fixture
def house(fresh_db: Any, worker_db: Any) -> Iterator[WarehouseHouse]:
    """A seller whose warehouse told of no bearings, as we have none, then of a loss of three and a stock of seven."""
    with Simulator() as warehouse:
        made = WarehouseHouse(make_unit(fresh_db), make_unit(worker_db), qimen.connector(), warehouse)
        for items in (
            [ProductIn("1", "BRG-6204", "深沟球轴承", "pcs"), count("0")],
            [StockMoveIn("M1", "BRG-6204", "WH01", "pcs", D(-3), DAY, "盘亏", "YD-1"), count("7")],
        ):
            with made.app.system(made.seller, "test") as ctx:
                rows = [({}, item) for item in items]
                store(ctx, made.connection_id, rows, stock_counts=False)
        yield made


def count(quantity: str) -> StockIn:
    return StockIn("BRG-6204@WH01", "BRG-6204", "WH01", "pcs", D(quantity))


def test_the_page_shows_the_difference_and_the_moves_that_explain_it(
    house: Any,
    signed_in: Any,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(detail, "connectors", lambda: house.registry)
    page = " ".join(
        texts(signed_in("it", language="zh"), f"/connections/{house.connection_id}/stock").split()
    )
    for word in ("库存差异", "BRG-6204", "WH01", "盘亏", "YD-1", "未说明", "一致于 0", "10 件"):
        assert word in page, word
    tabs = texts(signed_in("it"), f"/connections/{house.connection_id}")
    assert f"/connections/{house.connection_id}/stock" in tabs and "Stock differences" in tabs


def test_the_clerk_of_the_warehouse_sees_this_page_and_a_buyers_person_does_not(
    house: Any,
    signed_in: Any,  # noqa: F811
) -> None:
    address = f"/connections/{house.connection_id}/stock"
    page = texts(signed_in("seller.warehouse"), address)
    assert "BRG-6204" in page and "/documents" not in page
    assert signed_in("it", tenant=house.buyer).get(address).status_code == 404
    assert signed_in("buyer.clerk").get(address).status_code == 403


def test_the_same_stands_in_the_api(house: Any, app: Any) -> None:  # noqa: F811
    with house.app.system(house.seller, "test") as ctx:
        maker = identity.add_person(
            ctx, name="Li", email="li@acme.example", password="seven horses over", roles=("admin",)
        )
        token = identity.create_api_key(
            ctx, "it", ["stock.view"], created_by=getattr(maker, "id", maker)
        ).token
    told = {"Authorization": f"Bearer {token}"}
    base = f"/api/v1/connections/{house.connection_id}"
    (row,) = app.test_client().get(f"{base}/stock-differences", headers=told).get_json()["rows"]
    kept = {
        name: row[name] for name in ("code", "ours", "theirs", "difference", "agreed", "moved", "unexplained")
    }
    assert kept == {
        "code": "BRG-6204",
        "ours": "0",
        "theirs": "7",
        "difference": "7",
        "agreed": "0",
        "moved": "-3",
        "unexplained": "10",
    }
    assert [move["reference"] for move in row["moves"]] == ["YD-1"]
    moves = app.test_client().get(f"{base}/stock-moves", headers=told).get_json()
    assert [(each["quantity"], each["reason"]) for each in moves["rows"]] == [("-3", "盘亏")] and moves[
        "next"
    ] is None
    assert app.test_client().get(f"{base}/stock-moves?after=x", headers=told).status_code == 400
