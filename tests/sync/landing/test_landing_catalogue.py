"""Partners, units, prices and stock that come in."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from sqlalchemy import select

from core import catalog
from core.stock import StockLevel
from core.sync import ExternalRef, SyncTerm
from core.sync.incoming import PartnerIn, PriceIn, StockIn, UnitIn
from core.sync.service import bind
from tests.sync.landing.conftest import Wired, codes

D = Decimal
BUYER_CODE = "91310000MA1FL4XY7W"


def refs(wired: Wired) -> dict[str, tuple[str, str]]:
    found = wired.trade.ctx.session.scalars(select(ExternalRef).where(ExternalRef.kind == "partner"))
    return {str(each.local_id): (each.external_id, each.external_number) for each in found}


def partner(code: str = BUYER_CODE, id: str = "77", number: str = "C0217", active: bool = True) -> PartnerIn:
    return PartnerIn(id, number, "北方机械", code, active)


def test_a_partner_is_known_by_its_social_credit_code(wired: Wired) -> None:
    assert not wired.land("seller", partner(BUYER_CODE.lower()))
    assert refs(wired) == {str(wired.trade.buyer_id): ("77", "C0217")}
    assert not wired.land("seller", partner(number="C0218"))  # it was numbered anew there
    assert refs(wired) == {str(wired.trade.buyer_id): ("77", "C0218")}


def test_partners_nobody_knows_are_listed_and_remembered_and_dead_ones_only_remembered(wired: Wired) -> None:
    left = wired.land(
        "seller", partner("", id="1", number="X1"), partner("9", id="2", number="X2", active=False)
    )
    assert [(each.code, each.said) for each in left] == [("sync.partner_unknown", "X1 北方机械")]
    terms = wired.trade.ctx.session.execute(
        select(SyncTerm.number, SyncTerm.active).order_by(SyncTerm.number)
    ).all()
    assert [tuple(each) for each in terms] == [("X1", True), ("X2", False)]


def test_what_was_bound_by_hand_is_not_moved(wired: Wired) -> None:
    bind(wired.trade.ctx, wired.connections["seller"], "partner", wired.trade.buyer_id, "C9999")
    (left,) = wired.land("seller", partner())
    assert (left.code, left.said) == ("sync.partner_twice", "北方机械: C9999 / C0217")
    assert refs(wired) == {str(wired.trade.buyer_id): ("C9999", "C9999")}
    bind(wired.trade.ctx, wired.connections["seller"], "partner", wired.trade.buyer_id, "C0217")
    assert not wired.land("seller", partner())
    assert refs(wired) == {str(wired.trade.buyer_id): ("77", "C0217")}


def test_units_are_kept_under_their_newest_name(wired: Wired) -> None:
    assert not wired.land("seller", UnitIn("1", "Pcs", "个"), UnitIn("2", "t", "吨"))
    assert not wired.land("seller", UnitIn("1", "PCS", "件"))
    kept = wired.trade.ctx.session.execute(
        select(SyncTerm.number, SyncTerm.name).where(SyncTerm.kind == "unit").order_by(SyncTerm.external_id)
    ).all()
    assert [tuple(each) for each in kept] == [("PCS", "件"), ("t", "吨")]


def test_a_long_list_of_units_is_kept_whole(wired: Wired) -> None:
    assert not wired.land("seller", *(UnitIn(f"{no}", f"U{no}", f"单位 {no}") for no in range(2300)))
    assert len(wired.trade.ctx.session.scalars(select(SyncTerm.id)).all()) == 2300


def price(amount: str, unit: str = "t", **more: object) -> PriceIn:
    return PriceIn("1", "RB12", unit, "CNY", D(amount), **more)  # type: ignore[arg-type]


def tiers(wired: Wired, audience: str) -> list[tuple[Decimal, Decimal]]:
    rows = wired.trade.ctx.session.execute(
        select(catalog.PriceRow.min_qty, catalog.PriceRow.price)
        .join(catalog.PriceList, catalog.PriceList.id == catalog.PriceRow.price_list_id)
        .where(catalog.PriceList.audience == audience)
        .order_by(catalog.PriceRow.min_qty)
    ).all()
    return [tuple(row) for row in rows if row]


def test_a_customers_prices_stand_on_a_list_of_its_own(wired: Wired) -> None:
    wired.land("seller", partner())
    told = [price("9.5", partner="C0217"), price("0.009", "kg", from_quantity=D(20000), partner="C0217")]
    for _ in range(2):
        assert not wired.land("seller", *told)
    assert tiers(wired, "tenant") == [(0, D("9.5")), (20, 9)]
    wanted = [catalog.Wanted(wired.trade.skus["RB12"], D(30), "t")]
    quoted = catalog.quote_lines(wired.trade.ctx, wired.trade.buyer_id, wanted)
    assert quoted[0].unit_price == 9


def test_tiers_that_are_not_named_stay_as_they_are(wired: Wired) -> None:
    wired.land(
        "seller", partner(), price("9.5", partner="C0217"), price("9", from_quantity=D(20), partner="C0217")
    )
    wired.land("seller", price("8.5", from_quantity=D(50), partner="C0217"))
    wired.land("seller", price("9.4", partner="C0217"))
    assert tiers(wired, "tenant") == [(0, D("9.4")), (20, 9), (50, D("8.5"))]


@pytest.mark.parametrize(
    ("told", "code"),
    [
        (price("9", partner="C0000"), "sync.partner_unknown"),
        (price("9"), "sync.price_list"),  # the public list of this seller is without tax
        (price("9", from_day=date(2999, 1, 1)), "sync.price_period"),
        (price("9", to_day=date(2027, 1, 1)), "sync.price_period"),
        (price("9", "box"), "sync.unit_conflict"),
        (price("1", "km"), "sync.unit_conflict"),
        (PriceIn("1", "NONE", "t", "CNY", D(1)), "sync.product_unknown"),
        (price("0.0000004", partner="C0217"), "sync.price_inexact"),
        (price("-1", partner="C0217"), "price.number"),
        (price("NaN", partner="C0217"), "sync.unusable"),
        (price("1e40", "kg", partner="C0217"), "sync.unusable"),
    ],
)
def test_what_a_list_cannot_hold_is_listed(wired: Wired, told: PriceIn, code: str) -> None:
    wired.land("seller", partner())
    before = tiers(wired, "public")
    assert codes(wired.land("seller", told)) == [code]
    assert (tiers(wired, "public"), tiers(wired, "tenant")) == (before, [])


def test_a_price_without_an_end_may_name_the_end_of_days(wired: Wired) -> None:
    wired.land("seller", partner())
    assert not wired.land("seller", price("9", to_day=date(9999, 12, 31), partner="C0217"))


def stock(quantity: str, warehouse: str = "W1", material: str = "RB12") -> StockIn:
    return StockIn(f"{material}@{warehouse}", material, warehouse, "t", D(quantity))


def levels(wired: Wired) -> list[Decimal]:
    return sorted(wired.trade.ctx.session.scalars(select(StockLevel.on_hand)))


def test_stock_that_is_only_compared_is_listed_with_both_figures(wired: Wired) -> None:
    before = levels(wired)
    told = [stock("1000"), stock("990.5", material="RB16"), stock("3", "W2")]
    left = wired.land("seller", *told, stock_counts=False)
    assert [(each.code, each.said) for each in left] == [
        ("sync.stock_differs", "W1: 1000 / 990.5 t"),
        ("sync.stock_differs", "W2: 0 / 3 t"),
    ]
    assert levels(wired) == before


def test_a_quantity_that_is_none_is_listed(wired: Wired) -> None:
    before = levels(wired)
    told = [stock("NaN"), stock("1e20", material="RB16")]
    for counts in (True, False):
        assert codes(wired.land("seller", *told, stock_counts=counts)) == ["sync.quantity"] * 2
    assert levels(wired) == before


def test_stock_that_counts_is_written(wired: Wired) -> None:
    assert not wired.land("seller", stock("990.5", material="RB16"))
    assert levels(wired) == [D("990.5"), 1000]


def test_a_price_nobody_can_set_keeps_no_other_from_being_set(wired: Wired) -> None:
    wired.land("seller", partner())
    good, bad = price("9.5", partner="C0217"), PriceIn("2", "RB16", "t", "CNY", D(-1), partner="C0217")
    left = wired.land("seller", good, bad, price("8", from_quantity=D(50), partner="C0217"))
    assert [(each.external_id, each.code) for each in left] == [("2", "price.number")]
    assert tiers(wired, "tenant") == [(0, D("9.5")), (50, 8)]


def test_a_price_of_today_is_one_of_today_from_midnight_in_shanghai_on(wired: Wired) -> None:
    wired.trade.ctx.now = datetime(2026, 11, 23, 16, 30, tzinfo=UTC)
    wired.land("seller", partner())
    assert not wired.land("seller", price("9.5", from_day=date(2026, 11, 24), partner="C0217"))
    tomorrow = price("9", from_day=date(2026, 11, 25), partner="C0217")
    assert codes(wired.land("seller", tomorrow)) == ["sync.price_period"]
