"""The application over a market of requests, with a buyer and two sellers signed in; and what they type."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from importlib.metadata import entry_points
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import create_engine

import plugins.rfq
from core import identity, rooms
from core.db import Database, roles
from tests.conftest import Server, make_unit
from tests.orders.portal import Portal, Visitor, make_app
from tests.orders.trade import Trade
from tests.plugins.asking import Market
from tests.plugins.bringing import bring, migrate

D = Decimal


@pytest.fixture(scope="module")
def rfq_installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """As `pip install` leaves it; nothing to do where the project is installed."""
    if any(point.name == "rfq" for point in entry_points(group="tongshang.plugins")):
        yield
        return
    folder = tmp_path_factory.mktemp("installed")
    info = folder / "rfq_here-0.1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: rfq-here\nVersion: 0.1.0\n")
    (info / "entry_points.txt").write_text("[tongshang.plugins]\nrfq = plugins.rfq\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        yield


@dataclass
class Fair:
    """The application over a market, with a buyer and both sellers signed in."""

    portal: Portal
    market: Market
    buyer: Visitor
    seller: Visitor
    rival: Visitor

    def done(self) -> None:
        self.market.trade.unit.finish(self.market.trade.system(self.market.trade.buyer_id))


@pytest.fixture(scope="module")
def fair(
    rfq_installed: None, server: Server, keys: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Fair]:
    name = server.clone()
    server.run(*roles.access_statements(name))
    migrate(server.url_for("ts_migrator", name), plugins.rfq)
    host = bring(plugins.rfq)
    owner = create_engine(server.url_for("ts_migrator", name))
    with owner.begin() as connection:
        identity.sync_roles(
            connection, [*rooms.collected("permissions", "PERMISSIONS"), *host.all("permissions")]
        )
    owner.dispose()
    url = server.url_for("ts_app", name)
    database = Database(url)
    database.name = name  # type: ignore[attr-defined]
    with database.session() as session:
        trade = Trade(make_unit(database, host.dispatch), session).set_up()
        market = Market(trade).set_up()
        trade.unit.finish(trade.system(trade.seller_id))
        app = make_app(url, host.dispatch, tmp_path_factory.mktemp("data"))
        portal = Portal(app, trade, database)
        yield Fair(
            portal,
            market,
            portal.visitor("Wang Fang", "buyer.clerk"),
            portal.visitor("Li Min", "seller.sales"),
            portal.visitor("Ma Chao", "seller.sales", at=market.rival_id),
        )
        session.rollback()
        app.extensions["ts"].unit.database.dispose()
    database.dispose()


def form(fair: Fair, **more: Any) -> dict[str, Any]:
    """The request form, filled in."""
    trade = fair.market.trade
    return {
        "title": "六月钢材", "closes_at": "2099-06-01T17:00", "act": "publish", "audience": "chosen",
        "l0_text": "螺纹钢", "l0_spec": "HRB400E", "l0_quantity": "10", "l0_unit": "t",
        "l1_text": "中厚板", "l1_quantity": "4", "l1_unit": "t",
        f"s-{trade.seller_id}": "1", f"s-{fair.market.rival_id}": "1", **more,
    }  # fmt: skip


def offer(**more: Any) -> dict[str, Any]:
    return {
        "tax_included": "true", "valid_until": "2099-07-01T00:00", "prepay_percent": "0", "terms_days": "30",
        "q1_sku": "BAR", "q1_price": "95", "q1_vat": "13", "q1_lead": "7", "q1_tiers": "20:94; 50:90",
        "q2_sku": "PLATE", "q2_price": "240", "q2_vat": "13", **more,
    }  # fmt: skip


def asked(fair: Fair, **more: Any) -> UUID:
    answer = fair.buyer.post("/rfq/new", **form(fair, **more))
    assert answer.status_code == 303, answer.text
    return UUID(answer.headers["Location"].rpartition("/")[2])


def part(fair: Fair, request_id: UUID, seller_id: UUID | None = None) -> UUID:
    seller = seller_id or fair.market.trade.seller_id
    found = fair.buyer.api("GET", f"/rfq/requests/{request_id}").json["invitations"]
    return UUID(next(each["id"] for each in found if each["seller_id"] == str(seller)))
