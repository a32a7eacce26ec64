"""The arithmetic of presales: the vectors of the rule book, and what holds for every amount."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.presale import reckoning
from plugins.presale.reckoning import Deposit, Outcome

D = Decimal
money = st.decimals(min_value=D("0.00"), max_value=D("1e12"), places=2)
total = st.decimals(min_value=D("0.01"), max_value=D("1e12"), places=2)
percent = st.decimals(min_value=D("0.01"), max_value=D("99.99"), places=2)
kind = st.sampled_from(["earnest", "prepay"])


@pytest.mark.parametrize(
    ("amount", "share", "parts"),
    [
        ("123456.78", 20, ("24691.36", "0", "98765.42")),  # V-D1
        ("99.99", 20, ("20.00", "0", "79.99")),  # V-D2
        ("500000", 30, ("100000.00", "50000.00", "350000.00")),  # V-D3
        ("0.01", 20, ("0.00", "0", "0.01")),
    ],
)
def test_a_total_is_paid_in_these_parts(amount: str, share: int, parts: tuple[str, str, str]) -> None:
    assert reckoning.deposit(D(amount), D(share), "earnest") == Deposit(*map(D, parts))


def test_v_d4_nine_late_days() -> None:
    days = D(420_000) * 9
    assert reckoning.late_damages(days, D(420_000), D("0.05"), D(5)) == D("1890.00")
    assert reckoning.late_damages(days * 1000, D(420_000), D("0.05"), D(5)) == D("21000.00")


CASES = {
    "C1": (reckoning.released(D(0)), 0, 0),
    "C2": (reckoning.released(D(20_000)), 20_000, 0),
    "C3": (reckoning.buyer_defaults(D(20_000), D(20_000)), 0, 20_000),
    "C4": (reckoning.buyer_cuts(D(20_000), D(20_000), D(40), D(100)), 0, 8_000),
    "C5": (reckoning.seller_defaults(D(20_000), D(20_000)), 40_000, -20_000),
    "C6": (reckoning.seller_cuts(D(20_000), D(20_000), D(40), D(100), D(60_000)), 16_000, -8_000),
    "C7": (reckoning.released(D(20_000)), 20_000, 0),
    "C8": (reckoning.buyer_leaves(D(20_000), D(1_500)), 18_500, 1_500),
    "C9": (reckoning.buyer_defaults(D(30_000), D(20_000)), 10_000, 20_000),
}


@pytest.mark.parametrize("case", CASES)
def test_who_gets_what_in_each_case(case: str) -> None:
    result, buyer, seller = CASES[case]
    assert (result.buyer, result.seller, result.fee) == (buyer, seller, 0)


@given(total, percent, kind)
def test_the_parts_sum_to_the_total_and_earnest_is_at_most_a_fifth(amount: Decimal, share: Decimal, of: str) -> None:
    parts = reckoning.deposit(amount, share, of)
    assert parts.earnest + parts.prepay + parts.balance == amount
    assert min(parts.earnest, parts.prepay, parts.balance) >= 0
    assert parts.earnest <= amount / 5 + D("0.005")
    assert of == "earnest" or parts.earnest == 0


@given(total, percent, kind, st.decimals(0, 1, places=4), st.integers(1, 999), money)
def test_what_came_in_goes_out_and_nothing_is_made(
    amount: Decimal, share: Decimal, of: str, part: Decimal, kept: int, cost: Decimal
) -> None:
    parts = reckoning.deposit(amount, share, of)
    paid = reckoning.ts.round2(amount * part)
    ends: list[Outcome] = [
        reckoning.released(paid),
        reckoning.buyer_defaults(paid, parts.earnest),
        reckoning.seller_defaults(paid, parts.earnest),
        reckoning.buyer_leaves(paid, cost),
    ]
    for result in ends:
        assert result.refund + result.forfeit == paid
        assert result.buyer + result.seller + result.fee == paid
        assert min(result.refund, result.forfeit, result.from_seller) >= 0
        assert result.from_seller <= parts.earnest and result.fee == 0
    dropped = D(1000 - kept)
    less = reckoning.buyer_cuts(paid, parts.earnest, dropped, D(1000))
    assert 0 <= less.forfeit <= min(paid, parts.earnest)
    new_total = reckoning.share(amount, D(kept), D(1000))
    short = reckoning.seller_cuts(paid, parts.earnest, dropped, D(1000), new_total)
    assert 0 <= short.refund <= paid and short.from_seller <= min(paid, parts.earnest)


@given(total, st.integers(1, 999), st.integers(1, 999))
def test_whoever_defaults_on_more_loses_no_less(amount: Decimal, few: int, many: int) -> None:
    first, second = sorted((D(few), D(many)))
    earnest = reckoning.deposit(amount, D(20), "earnest").earnest
    assert reckoning.share(earnest, first, D(1000)) <= reckoning.share(earnest, second, D(1000))


MONDAY = date(2027, 3, 1)


def test_a_formula_takes_the_mean_of_the_days_and_the_day_before_for_a_missing_one() -> None:
    values = {MONDAY: D(3650), MONDAY + timedelta(days=2): D(3665)}
    # Monday 3650, Tuesday missing -> 3650, Wednesday 3665: mean 3655
    assert reckoning.settled_price(values, MONDAY, MONDAY + timedelta(days=2), D(1), D(50)) == D("3705.00")


def test_a_first_day_without_a_publication_takes_one_from_before_the_stated_days() -> None:
    values = {MONDAY - timedelta(days=3): D(100)}
    assert reckoning.settled_price(values, MONDAY, MONDAY + timedelta(days=1), D("1.02"), D("-0.005")) == D("102.00")
    assert reckoning.settled_price({}, MONDAY, MONDAY, D(1), D(0)) is None
    assert reckoning.settled_price({MONDAY + timedelta(days=1): D(1)}, MONDAY, MONDAY, D(1), D(0)) is None
