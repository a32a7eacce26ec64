"""The settings of an enterprise fill in what its people are asked for."""

from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from core import tenancy
from core.tenancy.enablement import forget
from tests.plugins.fair import Fair, asked, part


def test_how_long_requests_stay_open_and_quotes_stay_valid_is_a_setting(fair: Fair) -> None:
    trade = fair.market.trade
    mine = part(fair, asked(fair))
    _set(fair, trade.buyer_id, {"days_open": 9})
    _set(fair, trade.seller_id, {"valid_days": 5})

    assert f'name="closes_at" value="{_day(9)}T' in _flat(fair.buyer.get("/rfq/new").text)
    assert f'name="valid_until" value="{_day(5)}T' in _flat(fair.seller.get(f"/rfq/in/{mine}").text)


def _set(fair: Fair, tenant: UUID, settings: dict[str, int]) -> None:
    ctx = fair.market.trade.system(tenant)
    tenancy.enable_plugin(ctx, "rfq", version="0.1.0", settings=settings)
    fair.market.trade.unit.finish(ctx)
    with fair.portal.app.extensions["ts"].unit.database.session() as session:
        forget(session)


def _day(days: int) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).astimezone(ZoneInfo("Asia/Shanghai")).strftime("%Y-%m-%d")


def _flat(page: str) -> str:
    return " ".join(page.replace(' type="datetime-local"', "").split())
