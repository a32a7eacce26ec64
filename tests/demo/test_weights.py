"""Theoretical weights: tables of the standards against geometry, formulas against makers' catalogues."""

from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise

import pytest

from core.demo.goods import bearings, cable, fasteners, rebar, sections
from core.demo.goods.solids import PI, plate_kg

STEEL_PER_CM2 = Decimal("0.785")  # kg per metre


def near(value: Decimal, expected: Decimal, percent: str) -> bool:
    return abs(value - expected) <= expected * Decimal(percent) / 100


def test_twelve_millimetre_bar_converts_between_pieces_bundles_and_tonnes() -> None:
    kg = rebar.piece_kg(rebar.RIBBED[12], 12)
    assert kg == Decimal("10.656")
    assert rebar.whole_pieces(Decimal(30), kg) == 2815
    assert rebar.bundle_of(kg) == 188
    bar, bundle = rebar.pieces_and_bundles(kg)
    assert bundle.factor * 1000 == Decimal("2003.328")
    assert bundle.factor * 14 == Decimal("28.046592")
    assert (bar.factor, bar.kind) == (Decimal("0.010656"), "theoretical")


def test_the_bar_table_is_the_trades_and_not_the_formulas() -> None:
    assert rebar.RIBBED[25] == Decimal("3.85")
    assert rebar.RIBBED[32] == Decimal("6.31")
    for diameter, kg_per_m in rebar.RIBBED.items():
        assert near(kg_per_m, Decimal("0.00617") * diameter**2, "0.5")


def test_a_plate_weighs_thickness_by_width_by_length() -> None:
    assert plate_kg(Decimal(20), Decimal(2000), Decimal(8000)) == Decimal(2512)


@pytest.mark.parametrize("beam", sections.H_BEAMS, ids=lambda beam: f"{beam[0]}{beam[1]}x{beam[2]}")
def test_an_h_beam_weighs_its_cross_section(beam: tuple[str, int, int, str, str, int, str]) -> None:
    _, height, width, web, flange, radius, weight = beam
    plates = 2 * width * Decimal(flange) + (height - 2 * Decimal(flange)) * Decimal(web)
    area = plates + (4 - PI) * radius**2
    assert near(Decimal(weight), area / 100 * STEEL_PER_CM2, "0.6")


def angles() -> Iterator[tuple[int, str, int, str]]:
    for leg, (radius, weights) in sections.ANGLES.items():
        for thickness, weight in weights.items():
            yield leg, radius, thickness, weight


@pytest.mark.parametrize("angle", list(angles()), ids=lambda angle: f"{angle[0]}x{angle[2]}")
def test_an_angle_weighs_its_cross_section(angle: tuple[int, str, int, str]) -> None:
    leg, radius, thickness, weight = angle
    toe = Decimal(thickness) / 3
    area = thickness * (2 * leg - thickness) + Decimal("0.215") * (Decimal(radius) ** 2 - 2 * toe**2)
    assert near(Decimal(weight), area / 100 * STEEL_PER_CM2, "0.6")


@pytest.mark.parametrize("table", [sections.I_BEAMS, sections.CHANNELS], ids=["I", "U"])
def test_each_next_letter_of_a_beam_adds_two_millimetres_of_web(
    table: tuple[tuple[str, int, int, str, str], ...],
) -> None:
    for (_, height, width, web, weight), (_, taller, wider, thicker, heavier) in pairwise(table):
        if height == taller:
            assert wider - width == 2
            assert Decimal(thicker) - Decimal(web) == Decimal(2)
            more = Decimal(heavier) - Decimal(weight)
            places = Decimal(1) if Decimal(heavier) >= 100 else Decimal("0.1")
            assert abs(more - 2 * height * STEEL_PER_CM2 / 100) <= places


@pytest.mark.parametrize(
    ("kind", "size", "catalogued"),
    [
        ("ball", (20, 47, "14"), "0.106"),
        ("ball", (40, 90, "23"), "0.63"),
        ("ball", (40, 68, "15"), "0.19"),
        ("ball", (10, 26, "8"), "0.019"),
        ("ball", (10, 19, "5"), "0.0053"),
        ("cylindrical", (25, 52, "15"), "0.13"),
        ("tapered", (30, 62, "17.25"), "0.23"),
        ("tapered", (25, 52, "16.25"), "0.15"),
        ("tapered", (20, 47, "15.25"), "0.12"),
    ],
)
def test_the_mass_of_a_bearing_meets_makers_catalogues(
    kind: str, size: tuple[int, int, str], catalogued: str
) -> None:
    inside, outside, width = size
    assert near(bearings.mass(kind, inside, outside, Decimal(width)), Decimal(catalogued), "6")


def test_a_series_grows_with_its_bore() -> None:
    for rows in bearings.BALL.values():
        for (small, (outside, width)), (large, (larger, wider)) in pairwise(rows.items()):
            assert bearings.bore(small) < bearings.bore(large)
            assert outside < larger and width <= wider


def test_heavier_series_are_larger_on_the_same_bore() -> None:
    light, medium, heavy = (bearings.BALL[series] for series in ("60", "62", "63"))
    for code in light.keys() & medium.keys() & heavy.keys():
        assert light[code][0] < medium[code][0] < heavy[code][0]


def test_a_thousand_m12_bolts_of_60_weigh_about_65_kilograms() -> None:
    m12 = next(size for size in fasteners.SIZES if size.d == 12)
    kg = fasteners.bolt_kg(m12, 60, fasteners.thread_length(12, 60))
    assert near(kg, Decimal(65), "3")


@pytest.mark.parametrize(("length", "threaded"), [(60, 30), (120, 30), (140, 36), (200, 36), (220, 49)])
def test_the_thread_of_a_bolt_follows_its_length(length: int, threaded: int) -> None:
    assert fasteners.thread_length(12, length) == threaded


def test_a_nut_and_a_washer_of_m12_weigh_what_the_tables_say() -> None:
    m12 = next(size for size in fasteners.SIZES if size.d == 12)
    assert near(fasteners.nut_kg(m12), Decimal("16"), "10")


def test_building_wire_of_2_5_carries_22_grams_of_copper_a_metre() -> None:
    assert cable.copper_kg(["2.5"]) == Decimal("0.022225")


def test_the_cores_of_a_cable_are_read_off_its_layout() -> None:
    assert cable.cores_of("3×25+1×16") == "3+1"
    assert cable.cores_of("4×50") == "4"


def test_a_sheath_is_never_thinner_than_its_least() -> None:
    assert cable.sheath(Decimal(5), 1) == Decimal("1.4")
    assert cable.sheath(Decimal(5), 3) == Decimal("1.8")
    assert cable.sheath(Decimal(40), 4) == Decimal("2.4")
