"""The tax table and the arithmetic of inclusive and exclusive prices."""

from datetime import date
from decimal import Decimal

import pytest

from core.catalog import exclusive_price, line_amounts, total, vat, vat_rate
from core.kernel import Invalid

D = Decimal
THIRTEEN, NINE, SIX = D("0.13"), D("0.09"), D("0.06")


@pytest.mark.parametrize(
    ("amount", "rate", "net", "tax"),
    [
        pytest.param("1130.00", THIRTEEN, "1000.00", "130.00", id="V-T1"),
        pytest.param("100.00", THIRTEEN, "88.50", "11.50", id="V-T2"),
        pytest.param("0.01", THIRTEEN, "0.01", "0.00", id="V-T3"),
        pytest.param("9999.99", THIRTEEN, "8849.55", "1150.44", id="V-T4"),
        pytest.param("33333.33", THIRTEEN, "29498.52", "3834.81", id="V-T5"),
        pytest.param("1090.00", NINE, "1000.00", "90.00", id="V-T6"),
        pytest.param("106.00", SIX, "100.00", "6.00", id="V-T7"),
    ],
)
def test_an_inclusive_amount_splits_and_keeps_its_gross(
    amount: str, rate: Decimal, net: str, tax: str
) -> None:
    assert vat(D(amount), rate, inclusive=True) == (D(net), D(tax), D(amount))


def test_the_net_of_v_t2_taken_as_exclusive_would_be_a_fen_more() -> None:
    assert vat(D("88.50"), THIRTEEN, inclusive=False) == (D("88.50"), D("11.51"), D("100.01"))


def test_v_t8_exclusive_tax_is_added() -> None:
    assert vat(D("12345.67"), THIRTEEN, inclusive=False) == (D("12345.67"), D("1604.94"), D("13950.61"))


def test_v_t9_exclusive_tax_is_rounded_per_line() -> None:
    lines = [vat(D("3.33"), THIRTEEN, inclusive=False)] * 3
    assert total(lines) == (D("9.99"), D("1.29"), D("11.28"))


def test_v_t10_a_line_of_steel() -> None:
    amounts = line_amounts(D("3.587"), D("4280"), THIRTEEN, inclusive=True)
    assert amounts == (D("13586.16"), D("1766.20"), D("15352.36"))


def test_the_exclusive_unit_price_is_for_showing() -> None:
    assert exclusive_price(D("4280"), THIRTEEN) == D("3787.610619")


def test_a_currency_without_fen_rounds_to_whole_units() -> None:
    assert vat(D("1130"), THIRTEEN, inclusive=True, places=0) == (D("1000"), D("130"), D("1130"))


@pytest.mark.parametrize(
    ("tax_class", "rate"),
    [("goods", "0.13"), ("reduced", "0.09"), ("services", "0.06"), ("simplified", "0.03"), ("export", "0")],
)
def test_rates_of_today(tax_class: str, rate: str) -> None:
    assert vat_rate(tax_class, date(2026, 11, 22)) == D(rate)


def test_the_rate_is_that_of_the_day() -> None:
    assert vat_rate("goods", date(2019, 3, 31)) == D("0.16")
    assert vat_rate("goods", date(2019, 4, 1)) == D("0.13")


def test_an_unknown_class_and_a_day_before_the_table_are_refused() -> None:
    with pytest.raises(Invalid):
        vat_rate("luxury", date(2026, 1, 1))
    with pytest.raises(Invalid):
        vat_rate("goods", date(2000, 1, 1))
