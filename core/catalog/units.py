"""Units of the trade, and weights that trade reckons instead of weighing.

Factors between units of one dimension are exact. A factor of one product (pieces in a bundle) is a
`UomConversion`.
"""

from decimal import ROUND_FLOOR, Decimal

from core.kernel import Invalid

_DIMENSIONS: dict[str, dict[str, Decimal]] = {
    "mass": {"t": Decimal(1000), "kg": Decimal(1), "g": Decimal("0.001")},
    "length": {"km": Decimal(1000), "m": Decimal(1), "cm": Decimal("0.01"), "mm": Decimal("0.001")},
    "area": {"m2": Decimal(1)},
    "volume": {"m3": Decimal(1000), "l": Decimal(1)},
    "count": {"kpcs": Decimal(1000), "pcs": Decimal(1)},
}
_PACKS = ("set", "pair", "roll", "coil", "bundle", "box", "drum", "bag", "sheet", "piece")
UNITS = tuple(unit for units in _DIMENSIONS.values() for unit in units) + _PACKS

REBAR_KG_PER_M: dict[int, Decimal] = {
    6: Decimal("0.222"),
    8: Decimal("0.395"),
    10: Decimal("0.617"),
    12: Decimal("0.888"),
    14: Decimal("1.21"),
    16: Decimal("1.58"),
    18: Decimal("2.00"),
    20: Decimal("2.47"),
    22: Decimal("2.98"),
    25: Decimal("3.85"),
    28: Decimal("4.83"),
    32: Decimal("6.31"),
    36: Decimal("7.99"),
    40: Decimal("9.87"),
}
"""Kilograms of one metre by diameter in mm, as the trade's table has it; the formula differs in the third
digit.
"""


def fixed_factors(unit: str) -> dict[str, Decimal]:
    """How many of each related unit one `unit` is: t -> {kg: 1000, g: 1000000}; only those with six decimals
    or fewer.
    """
    for units in _DIMENSIONS.values():
        if unit in units:
            ratios = {other: units[unit] / size for other, size in units.items() if other != unit}
            return {other: ratio for other, ratio in ratios.items() if ratio == round(ratio, 6)}
    return {}


def check_unit(unit: str, path: str = "base_uom") -> str:
    if unit not in UNITS:
        raise Invalid.one(path, "uom.unknown", uom=unit)
    return unit


def rebar_piece_kg(diameter_mm: int, length_m: Decimal) -> Decimal:
    """Weight of one bar in kilograms."""
    return REBAR_KG_PER_M[diameter_mm] * length_m


def whole_pieces(tonnes: Decimal, piece_kg: Decimal) -> int:
    """How many whole pieces are in so many tonnes."""
    return int((tonnes * 1000 / piece_kg).to_integral_value(ROUND_FLOOR))


def plate_kg(thickness_mm: Decimal, width_mm: Decimal, length_m: Decimal) -> Decimal:
    """Weight of a steel plate in kilograms: 0.00785 kg per millimetre of thickness and of width, per
    metre.
    """
    return Decimal("0.00785") * thickness_mm * width_mm * length_m
