"""Flat steel: hot-rolled, cold-rolled and galvanised coil, cut sheet and medium plate.

Sources: hot-rolled grades GB/T 3274 and GB/T 1591 (Q235B, Q355B), JIS G 3101/3131 (SS400, SPHC); cold-
rolled GB/T 5213 (DC01-DC04) and JIS G 3141 (SPCC); galvanised GB/T 2518 (DX51D+Z, coating in g/m2 of both
sides); boiler plate GB/T 713 (Q345R); sizes GB/T 708 and GB/T 709. Weights by formula: 0.00785 x width x
thickness kg/m; galvanised strip adds its zinc.
"""

from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal
from random import Random

from .model import BY_TONNE, Category, Conversion, Sku, choice, leaf, number, offer
from .solids import plate_kg, strip_kg_per_m

# fmt: off
GRADE_STANDARD = {
    "Q235B": "GB/T 3274", "Q355B": "GB/T 1591", "Q345R": "GB/T 713", "SS400": "JIS G 3101",
    "SPHC": "JIS G 3131", "DC01": "GB/T 5213", "DC03": "GB/T 5213", "DC04": "GB/T 5213",
    "SPCC": "JIS G 3141", "DX51D+Z": "GB/T 2518",
}

HOT = {"Q235B": 3400, "Q355B": 3560, "SS400": 3430, "SPHC": 3520}
HOT_THICKNESS = (
    "1.80", "2.00", "2.30", "2.50", "2.75", "3.00", "3.50", "3.75", "4.50", "4.75", "5.75", "7.75", "9.75",
    "11.75",
)
HOT_WIDTHS = (1250, 1500)

COLD = {"SPCC": 3960, "DC01": 4010, "DC03": 4120, "DC04": 4200}
COLD_THICKNESS = (
    "0.40", "0.50", "0.60", "0.70", "0.80", "0.90", "1.00", "1.20", "1.50", "1.80", "2.00", "2.50",
)
COLD_WIDTHS = (1000, 1250)

COATINGS = {80: 4180, 120: 4260, 180: 4390, 275: 4610}
ZINC_THICKNESS = ("0.40", "0.50", "0.60", "0.80", "1.00", "1.20", "1.50", "2.00", "2.50", "3.00")

PLATE = {"Q235B": 3480, "Q355B": 3640, "Q345R": 3920}
PLATE_THICKNESS = (6, 8, 10, 12, 14, 16, 18, 20, 22, 25, 28, 30, 35, 40, 45, 50, 60)
PLATE_SIZES = ((2000, 8000), (2200, 10_000))

CUT = {"Q235B": 3510, "Q355B": 3670}
CUT_THICKNESS = ("2.75", "3.75", "4.75", "5.75", "7.75", "9.75")
CUT_SIZE = (1500, 6000)

THICKNESS = number("thickness", "厚度", "Thickness", "mm")
WIDTH = number("width", "宽度", "Width", "mm")
LENGTH = number("length", "长度", "Length", "mm")
KG_PER_M = number("kg_per_m", "每米理重", "Weight of a metre", "kg/m")
KG_PER_PIECE = number("kg_per_piece", "单张理重", "Weight of a plate", "kg")

CATEGORIES: tuple[Category, ...] = (
    Category("flat", "steel", "板卷", "Flat products"),
    leaf(
        "hr-coil", "flat", "热轧卷板", "Hot-rolled coil",
        choice("grade", "牌号", "Grade", *HOT), THICKNESS, WIDTH, KG_PER_M,
    ),
    leaf(
        "cr-coil", "flat", "冷轧卷板", "Cold-rolled coil",
        choice("grade", "牌号", "Grade", *COLD), THICKNESS, WIDTH, KG_PER_M,
    ),
    leaf(
        "gi-coil", "flat", "镀锌卷板", "Galvanised coil",
        choice("grade", "牌号", "Grade", "DX51D+Z"), THICKNESS, WIDTH, KG_PER_M,
        number("coating", "锌层重量（双面）", "Zinc, both sides", "g/m²"),
    ),
    leaf(
        "cut-sheet", "flat", "热轧开平板", "Hot-rolled cut sheet",
        choice("grade", "牌号", "Grade", *CUT), THICKNESS, WIDTH, LENGTH, KG_PER_PIECE,
    ),
    leaf(
        "plate", "flat", "中厚板", "Medium and heavy plate",
        choice("grade", "牌号", "Grade", *PLATE), THICKNESS, WIDTH, LENGTH, KG_PER_PIECE,
    ),
)
# fmt: on


def exact(value: Decimal) -> Decimal:
    """To the gram, as mill certificates write it."""
    return value.quantize(Decimal("0.001"), ROUND_HALF_UP)


def thousandths(thickness: str) -> str:
    """4.75 -> 4750: the way a trader writes a thickness into a code."""
    return str(int(Decimal(thickness) * 1000))


def coil(
    rng: Random,
    kind: tuple[str, str, str, str],
    grade: str,
    thickness: str,
    width: int,
    price: int,
    words: tuple[str, ...],
    zinc: int = 0,
) -> Sku:
    """One coil position: `kind` is (category, code prefix, Chinese name, English name); zinc in g/m2."""
    category, prefix, name_zh, name_en = kind
    steel = strip_kg_per_m(Decimal(width), Decimal(thickness))
    kg_per_m = exact(steel + Decimal(width) * zinc / 1_000_000)
    finish = f"{zinc}" if zinc else ""
    attributes: dict[str, str | Decimal] = {
        "grade": grade,
        "thickness": Decimal(thickness),
        "width": Decimal(width),
        "kg_per_m": kg_per_m,
        "standard": GRADE_STANDARD[grade],
    }
    if zinc:
        attributes["coating"] = Decimal(zinc)
    shown = f"{grade}{finish}"
    return offer(
        rng,
        BY_TONNE,
        Decimal(price),
        code=f"{prefix}-{shown.replace('+', '')}-{thousandths(thickness)}-{width}",
        category=category,
        name_zh=f"{name_zh} {shown}",
        name_en=f"{name_en} {shown}",
        spec=f"{thickness}×{width}×C",
        attributes=attributes,
        weight_kg=Decimal(1000),
        grade=shown,
        part_no=f"{shown} {thickness}x{width}xC",
        search_words=words,
    )


def coils(rng: Random) -> Iterator[Sku]:
    for grade, price in HOT.items():
        for thickness in HOT_THICKNESS:
            extra = 120 if Decimal(thickness) < Decimal("2.5") else 0
            for width in HOT_WIDTHS:
                kind = ("hr-coil", "HRC", "热轧卷板", "Hot-rolled coil")
                yield coil(rng, kind, grade, thickness, width, price + extra, ("热卷", "热板", "HRC"))
    for grade, price in COLD.items():
        for thickness in COLD_THICKNESS:
            extra = 180 if Decimal(thickness) < Decimal("0.7") else 0
            for width in COLD_WIDTHS:
                kind = ("cr-coil", "CRC", "冷轧卷板", "Cold-rolled coil")
                yield coil(rng, kind, grade, thickness, width, price + extra, ("冷卷", "冷板", "CRC"))
    for zinc, price in COATINGS.items():
        for thickness in ZINC_THICKNESS:
            extra = 220 if Decimal(thickness) < Decimal("0.8") else 0
            kind = ("gi-coil", "GI", "镀锌卷板", "Galvanised coil")
            yield coil(
                rng, kind, "DX51D+Z", thickness, 1250, price + extra, ("镀锌板", "白铁皮", "HDG"), zinc
            )


def flat_piece(
    rng: Random,
    kind: tuple[str, str, str, str],
    grade: str,
    thickness: str,
    size: tuple[int, int],
    price: int,
) -> Sku:
    """One plate or sheet: `kind` as for a coil, size is (width, length) in mm."""
    category, prefix, name_zh, name_en = kind
    width, length = size
    kg = exact(plate_kg(Decimal(thickness), Decimal(width), Decimal(length)))
    spec = f"{thickness}×{width}×{length}"
    return offer(
        rng,
        BY_TONNE,
        Decimal(price),
        code=f"{prefix}-{grade}-{thousandths(thickness)}-{width}-{length}",
        category=category,
        name_zh=f"{name_zh} {grade}",
        name_en=f"{name_en} {grade}",
        spec=spec,
        attributes={
            "grade": grade,
            "thickness": Decimal(thickness),
            "width": Decimal(width),
            "length": Decimal(length),
            "kg_per_piece": kg,
            "standard": GRADE_STANDARD[grade],
        },
        weight_kg=Decimal(1000),
        grade=grade,
        part_no=f"{grade} {spec}".replace("×", "x"),
        conversions=(Conversion("pcs", kg / 1000, "theoretical"),),
        search_words=("钢板", "普板", "steel plate"),
    )


def skus(rng: Random) -> Iterator[Sku]:
    """All flat products, in a steady order."""
    yield from coils(rng)
    for grade, price in CUT.items():
        for thickness in CUT_THICKNESS:
            kind = ("cut-sheet", "HRS", "热轧开平板", "Hot-rolled cut sheet")
            yield flat_piece(rng, kind, grade, thickness, CUT_SIZE, price)
    for grade, price in PLATE.items():
        for millimetres in PLATE_THICKNESS:
            extra = 150 if millimetres < 8 else 60 if millimetres > 40 else 0
            for size in PLATE_SIZES:
                kind = ("plate", "PL", "中厚板", "Plate")
                yield flat_piece(rng, kind, grade, str(millimetres), size, price + extra)
