"""Reinforcing bar, wire rod and round bar.

Sources: diameters and grades of ribbed bar GB/T 1499.2, of plain bar and rod GB/T 1499.1, of hot-rolled
round bar GB/T 702. Ribbed bar is weighed by the trade's table (three figures), not by the formula: the
two differ in the third digit. Round bar is weighed by the formula of GB/T 702. Bundles weigh about two
tonnes.
"""

from collections.abc import Iterator
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from random import Random

from .model import BY_TONNE, Category, Conversion, Sku, choice, leaf, number, offer
from .solids import round_bar_kg_per_m

# fmt: off
# mm -> kg/m
RIBBED = {
    6: Decimal("0.222"), 8: Decimal("0.395"), 10: Decimal("0.617"), 12: Decimal("0.888"), 14: Decimal("1.21"),
    16: Decimal("1.58"), 18: Decimal("2.00"), 20: Decimal("2.47"), 22: Decimal("2.98"), 25: Decimal("3.85"),
    28: Decimal("4.83"), 32: Decimal("6.31"), 36: Decimal("7.99"), 40: Decimal("9.87"),
}

# What thin and thick bars cost over the 16-25 mm that everybody rolls, yuan per tonne.
SIZE_EXTRA = {6: 260, 8: 190, 10: 140, 12: 90, 14: 60, 28: 60, 32: 80, 36: 180, 40: 220}

GRADES = {"HRB400": 3230, "HRB400E": 3260, "HRB500": 3430, "HRB500E": 3480}
COILED = {"HRB400": 3290, "HRB400E": 3320, "HPB300": 3380}
ROUND_GRADES = {"Q235B": 3540, "45": 3820, "40Cr": 4280}
ROUND_SIZES = (
    14, 16, 18, 20, 22, 24, 25, 28, 30, 32, 35, 36, 38, 40, 42, 45, 48, 50, 55, 60, 65, 70, 75, 80, 90, 100,
)

BAR = (
    choice("grade", "牌号", "Grade", *GRADES),
    number("diameter", "公称直径", "Nominal diameter", "mm"),
    number("length", "定尺长度", "Length", "m"),
    number("kg_per_m", "理论重量", "Theoretical weight", "kg/m"),
    number("kg_per_piece", "单支理重", "Weight of a bar", "kg"),
    number("pieces_per_bundle", "每捆支数", "Bars in a bundle", "pcs"),
)
COIL = (
    choice("grade", "牌号", "Grade", *COILED),
    number("diameter", "公称直径", "Nominal diameter", "mm"),
    number("kg_per_m", "理论重量", "Theoretical weight", "kg/m"),
)
ROUND = (
    choice("grade", "牌号", "Grade", *ROUND_GRADES),
    number("diameter", "直径", "Diameter", "mm"),
    number("length", "定尺长度", "Length", "m"),
    number("kg_per_m", "理论重量", "Theoretical weight", "kg/m"),
    number("kg_per_piece", "单支理重", "Weight of a bar", "kg"),
)

CATEGORIES: tuple[Category, ...] = (
    Category("steel", "", "钢材", "Steel"),
    Category("long", "steel", "长材", "Long products"),
    leaf("rebar", "long", "螺纹钢", "Reinforcing bar", *BAR),
    leaf("rod", "long", "盘条盘螺", "Wire rod and coiled bar", *COIL),
    leaf("round", "long", "圆钢", "Round bar", *ROUND),
)
# fmt: on


def piece_kg(kg_per_m: Decimal, metres: int) -> Decimal:
    """Theoretical weight of one bar, exact."""
    return kg_per_m * metres


def whole_pieces(tonnes: Decimal, kg: Decimal) -> int:
    """How many whole bars of `kg` each a weight gives."""
    return int((tonnes * 1000 / kg).to_integral_value(ROUND_DOWN))


def bundle_of(kg: Decimal) -> int:
    """How many bars make a bundle of about two tonnes."""
    return max(1, int((2000 / kg).to_integral_value(ROUND_HALF_UP)))


def pieces_and_bundles(kg: Decimal) -> tuple[Conversion, ...]:
    """A bar and a bundle in tonnes, by theoretical weight."""
    bar = kg / 1000
    return (Conversion("pcs", bar, "theoretical"), Conversion("bundle", bar * bundle_of(kg), "theoretical"))


def ribbed_bars(rng: Random) -> Iterator[Sku]:
    for grade, price in GRADES.items():
        for diameter, kg_per_m in RIBBED.items():
            for metres in (9, 12):
                kg = piece_kg(kg_per_m, metres)
                yield offer(
                    rng,
                    BY_TONNE,
                    Decimal(price + SIZE_EXTRA.get(diameter, 0)),
                    code=f"RB-{grade}-{diameter}-{metres}M",
                    category="rebar",
                    name_zh=f"螺纹钢 {grade} Φ{diameter}",
                    name_en=f"Ribbed bar {grade} {diameter} mm",
                    spec=f"Φ{diameter}×{metres}m",
                    attributes={
                        "grade": grade,
                        "diameter": Decimal(diameter),
                        "length": Decimal(metres),
                        "kg_per_m": kg_per_m,
                        "kg_per_piece": kg,
                        "pieces_per_bundle": Decimal(bundle_of(kg)),
                        "standard": "GB/T 1499.2",
                    },
                    weight_kg=Decimal(1000),
                    grade=grade,
                    part_no=f"{grade} {diameter}x{metres}",
                    conversions=pieces_and_bundles(kg),
                    search_words=("热轧带肋钢筋", "三级钢" if "400" in grade else "四级钢", "rebar"),
                )


def coiled_bars(rng: Random) -> Iterator[Sku]:
    for grade, price in COILED.items():
        plain = grade == "HPB300"
        for diameter in (6, 8, 10, 12):
            kg_per_m = RIBBED[diameter]  # plain and ribbed bar of one size share the nominal area
            name_zh, name_en = ("高线", "Wire rod") if plain else ("盘螺", "Coiled ribbed bar")
            yield offer(
                rng,
                BY_TONNE,
                Decimal(price + SIZE_EXTRA[diameter] // 2),
                code=f"WR-{grade}-{diameter}-C",
                category="rod",
                name_zh=f"{name_zh} {grade} Φ{diameter}",
                name_en=f"{name_en} {grade} {diameter} mm",
                spec=f"Φ{diameter}×C",
                attributes={
                    "grade": grade,
                    "diameter": Decimal(diameter),
                    "kg_per_m": kg_per_m,
                    "standard": "GB/T 1499.1" if plain else "GB/T 1499.2",
                },
                weight_kg=Decimal(1000),
                grade=grade,
                part_no=f"{grade} {diameter}C",
                search_words=("盘条", "盘圆" if plain else "盘螺", "coil"),
            )


def round_bars(rng: Random) -> Iterator[Sku]:
    for grade, price in ROUND_GRADES.items():
        for diameter in ROUND_SIZES:
            kg_per_m = round_bar_kg_per_m(Decimal(diameter)).quantize(Decimal("0.001"), ROUND_HALF_UP)
            kg = piece_kg(kg_per_m, 6)
            yield offer(
                rng,
                BY_TONNE,
                Decimal(price + (80 if diameter < 20 else 0)),
                code=f"RD-{grade.upper()}-{diameter}-6M",
                category="round",
                name_zh=f"圆钢 {grade} Φ{diameter}",
                name_en=f"Round bar {grade} {diameter} mm",
                spec=f"Φ{diameter}×6m",
                attributes={
                    "grade": grade,
                    "diameter": Decimal(diameter),
                    "length": Decimal(6),
                    "kg_per_m": kg_per_m,
                    "kg_per_piece": kg,
                    "standard": "GB/T 702",
                },
                weight_kg=Decimal(1000),
                grade=grade,
                part_no=f"{grade} {diameter}x6",
                conversions=pieces_and_bundles(kg),
                search_words=("圆棒", "碳结圆钢", "round steel"),
            )


def skus(rng: Random) -> Iterator[Sku]:
    """All bars and rods, in a steady order."""
    yield from ribbed_bars(rng)
    yield from coiled_bars(rng)
    yield from round_bars(rng)
