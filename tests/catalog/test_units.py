"""Exact factors between units, and the weights the trade reckons with."""

from decimal import Decimal

import pytest

from core.catalog.units import (
    REBAR_KG_PER_M,
    check_unit,
    fixed_factors,
    plate_kg,
    rebar_piece_kg,
    whole_pieces,
)
from core.kernel import Invalid

D = Decimal


def test_v_u1_rebar_by_the_trade_table() -> None:
    piece = rebar_piece_kg(12, D(12))
    assert piece == D("10.656")
    assert round(D(30000) / piece, 3) == D("2815.315")
    assert whole_pieces(D(30), piece) == 2815
    assert 188 * piece == D("2003.328")
    assert 14 * 188 * piece / 1000 == D("28.046592")


def test_the_table_is_not_the_formula() -> None:
    assert REBAR_KG_PER_M[25] == D("3.85") != round(D("0.00617") * 25**2, 3)
    assert REBAR_KG_PER_M[32] == D("6.31")


def test_plate_goes_by_the_formula() -> None:
    assert plate_kg(D(10), D(2000), D(6)) == D("942.00000")


def test_factors_within_a_dimension_are_exact() -> None:
    assert fixed_factors("t")["kg"] == 1000
    assert fixed_factors("kg")["t"] == D("0.001")
    assert "m" not in fixed_factors("kg")
    assert fixed_factors("bundle") == {}


def test_an_unknown_unit_is_refused() -> None:
    with pytest.raises(Invalid):
        check_unit("stone")
