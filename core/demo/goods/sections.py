"""Hot-rolled sections: H beams, I beams, channels and equal angles.

Sources: dimensions and theoretical weights of H sections GB/T 11263 (HW wide, HM middle, HN narrow
flange); of I beams, channels and angles GB/T 706. The weights are the standards' rounded table values,
kg/m; the tests check them against the geometry of the profile.
"""

from collections.abc import Iterator
from decimal import Decimal
from random import Random

from .model import BY_TONNE, Category, Sku, choice, leaf, number, offer
from .rebar import piece_kg, pieces_and_bundles

# fmt: off
# Series, height, width, web, flange, root radius (mm), weight (kg/m).
H_BEAMS = (
    ("HW", 100, 100, "6", "8", 8, "16.9"), ("HW", 125, 125, "6.5", "9", 8, "23.6"),
    ("HW", 150, 150, "7", "10", 8, "31.1"), ("HW", 175, 175, "7.5", "11", 13, "40.4"),
    ("HW", 200, 200, "8", "12", 13, "49.9"), ("HW", 250, 250, "9", "14", 13, "71.8"),
    ("HW", 300, 300, "10", "15", 13, "93.0"), ("HW", 350, 350, "12", "19", 13, "135"),
    ("HW", 400, 400, "13", "21", 22, "172"),
    ("HM", 148, 100, "6", "9", 8, "20.7"), ("HM", 194, 150, "6", "9", 8, "29.9"),
    ("HM", 244, 175, "7", "11", 13, "43.6"), ("HM", 294, 200, "8", "12", 13, "55.8"),
    ("HM", 340, 250, "9", "14", 13, "78.1"), ("HM", 390, 300, "10", "16", 13, "105"),
    ("HM", 440, 300, "11", "18", 13, "121"), ("HM", 488, 300, "11", "18", 13, "125"),
    ("HM", 588, 300, "12", "20", 13, "147"),
    ("HN", 100, 50, "5", "7", 8, "9.30"), ("HN", 125, 60, "6", "8", 8, "13.1"),
    ("HN", 150, 75, "5", "7", 8, "14.0"), ("HN", 175, 90, "5", "8", 8, "18.0"),
    ("HN", 198, 99, "4.5", "7", 8, "17.8"), ("HN", 200, 100, "5.5", "8", 8, "20.9"),
    ("HN", 248, 124, "5", "8", 8, "25.1"), ("HN", 250, 125, "6", "9", 8, "29.0"),
    ("HN", 298, 149, "5.5", "8", 13, "32.0"), ("HN", 300, 150, "6.5", "9", 13, "36.7"),
    ("HN", 346, 174, "6", "9", 13, "41.2"), ("HN", 350, 175, "7", "11", 13, "49.4"),
    ("HN", 396, 199, "7", "11", 13, "56.1"), ("HN", 400, 200, "8", "13", 13, "65.4"),
    ("HN", 446, 199, "8", "12", 13, "65.1"), ("HN", 450, 200, "9", "14", 13, "74.9"),
    ("HN", 496, 199, "9", "14", 13, "77.9"), ("HN", 500, 200, "10", "16", 13, "88.1"),
    ("HN", 596, 199, "10", "15", 13, "92.4"), ("HN", 600, 200, "11", "17", 13, "103"),
    ("HN", 692, 300, "13", "20", 18, "163"), ("HN", 700, 300, "13", "24", 18, "182"),
    ("HN", 792, 300, "14", "22", 18, "188"), ("HN", 800, 300, "14", "26", 18, "207"),
    ("HN", 900, 300, "16", "28", 18, "240"),
)

# Model, height, width, web (mm), weight (kg/m). Within one height each letter adds 2 mm of web.
I_BEAMS = (
    ("10", 100, 68, "4.5", "11.3"), ("12", 120, 74, "5", "14.0"), ("14", 140, 80, "5.5", "16.9"),
    ("16", 160, 88, "6", "20.5"), ("18", 180, 94, "6.5", "24.1"), ("20a", 200, 100, "7", "27.9"),
    ("20b", 200, 102, "9", "31.1"), ("22a", 220, 110, "7.5", "33.1"), ("22b", 220, 112, "9.5", "36.5"),
    ("25a", 250, 116, "8", "38.1"), ("25b", 250, 118, "10", "42.0"), ("28a", 280, 122, "8.5", "43.5"),
    ("28b", 280, 124, "10.5", "47.9"), ("32a", 320, 130, "9.5", "52.7"), ("32b", 320, 132, "11.5", "57.7"),
    ("32c", 320, 134, "13.5", "62.7"), ("36a", 360, 136, "10", "60.0"), ("36b", 360, 138, "12", "65.7"),
    ("36c", 360, 140, "14", "71.3"), ("40a", 400, 142, "10.5", "67.6"), ("40b", 400, 144, "12.5", "73.8"),
    ("40c", 400, 146, "14.5", "80.1"), ("45a", 450, 150, "11.5", "80.4"), ("45b", 450, 152, "13.5", "87.4"),
    ("45c", 450, 154, "15.5", "94.5"), ("50a", 500, 158, "12", "93.6"), ("50b", 500, 160, "14", "101"),
    ("50c", 500, 162, "16", "109"), ("56a", 560, 166, "12.5", "106"), ("56b", 560, 168, "14.5", "115"),
    ("63a", 630, 176, "13", "121"), ("63b", 630, 178, "15", "131"),
)

CHANNELS = (
    ("5", 50, 37, "4.5", "5.44"), ("6.3", 63, 40, "4.8", "6.63"), ("8", 80, 43, "5", "8.04"),
    ("10", 100, 48, "5.3", "10.0"), ("12.6", 126, 53, "5.5", "12.3"), ("14a", 140, 58, "6", "14.5"),
    ("14b", 140, 60, "8", "16.7"), ("16a", 160, 63, "6.5", "17.2"), ("16b", 160, 65, "8.5", "19.8"),
    ("18a", 180, 68, "7", "20.2"), ("18b", 180, 70, "9", "23.0"), ("20a", 200, 73, "7", "22.6"),
    ("20b", 200, 75, "9", "25.8"), ("22a", 220, 77, "7", "25.0"), ("22b", 220, 79, "9", "28.5"),
    ("25a", 250, 78, "7", "27.4"), ("25b", 250, 80, "9", "31.3"), ("25c", 250, 82, "11", "35.3"),
    ("28a", 280, 82, "7.5", "31.4"), ("28b", 280, 84, "9.5", "35.8"), ("28c", 280, 86, "11.5", "40.2"),
    ("32a", 320, 88, "8", "38.1"), ("32b", 320, 90, "10", "43.1"), ("32c", 320, 92, "12", "48.1"),
    ("36a", 360, 96, "9", "47.8"), ("36b", 360, 98, "11", "53.5"), ("36c", 360, 100, "13", "59.1"),
    ("40a", 400, 100, "10.5", "58.9"), ("40b", 400, 102, "12.5", "65.2"), ("40c", 400, 104, "14.5", "71.5"),
)

# Leg (mm) -> root radius (mm) and weight (kg/m) by thickness (mm).
ANGLES: dict[int, tuple[str, dict[int, str]]] = {
    20: ("3.5", {3: "0.89", 4: "1.15"}),
    25: ("3.5", {3: "1.12", 4: "1.46"}),
    30: ("4.5", {3: "1.37", 4: "1.79"}),
    40: ("5", {3: "1.85", 4: "2.42", 5: "2.98"}),
    45: ("5", {3: "2.09", 4: "2.74", 5: "3.37", 6: "3.99"}),
    50: ("5.5", {3: "2.33", 4: "3.06", 5: "3.77", 6: "4.46"}),
    63: ("7", {4: "3.91", 5: "4.82", 6: "5.72", 8: "7.47", 10: "9.15"}),
    70: ("8", {4: "4.37", 5: "5.40", 6: "6.41", 7: "7.40", 8: "8.37"}),
    75: ("9", {5: "5.82", 6: "6.91", 7: "7.98", 8: "9.03", 10: "11.1"}),
    80: ("9", {5: "6.21", 6: "7.38", 7: "8.53", 8: "9.66", 10: "11.9"}),
    90: ("10", {6: "8.35", 7: "9.66", 8: "10.9", 10: "13.5", 12: "15.9"}),
    100: ("12", {6: "9.37", 7: "10.8", 8: "12.3", 10: "15.1", 12: "17.9", 14: "20.6", 16: "23.3"}),
    110: ("12", {7: "11.9", 8: "13.5", 10: "16.7", 12: "19.8", 14: "22.8"}),
    125: ("14", {8: "15.5", 10: "19.1", 12: "22.7", 14: "26.2"}),
    140: ("14", {10: "21.5", 12: "25.5", 14: "29.5", 16: "33.4"}),
    160: ("16", {10: "24.7", 12: "29.4", 14: "34.0", 16: "38.5"}),
    180: ("16", {12: "33.2", 14: "38.4", 16: "43.5", 18: "48.6"}),
    200: ("18", {14: "42.9", 16: "48.7", 18: "54.4", 20: "60.1", 24: "71.2"}),
}

GRADES = {"Q235B": 0, "Q355B": 160}  # yuan per tonne over the first

GRADE = choice("grade", "牌号", "Grade", *GRADES)
HEIGHT = number("height", "高度", "Height", "mm")
WIDTH = number("width", "宽度", "Width", "mm")
WEB = number("web", "腰厚", "Web thickness", "mm")
COMMON = (
    number("length", "定尺长度", "Length", "m"),
    number("kg_per_m", "理论重量", "Theoretical weight", "kg/m"),
    number("kg_per_piece", "单支理重", "Weight of a bar", "kg"),
)

CATEGORIES: tuple[Category, ...] = (
    Category("section", "steel", "型钢", "Sections"),
    leaf(
        "h-beam", "section", "H型钢", "H beam", GRADE, choice("series", "系列", "Series", "HW", "HM", "HN"),
        HEIGHT, WIDTH, WEB, number("flange", "翼缘厚", "Flange thickness", "mm"), *COMMON,
    ),
    leaf("i-beam", "section", "工字钢", "I beam", GRADE, HEIGHT, WIDTH, WEB, *COMMON),
    leaf("channel", "section", "槽钢", "Channel", GRADE, HEIGHT, WIDTH, WEB, *COMMON),
    leaf(
        "angle", "section", "角钢", "Equal angle",
        GRADE, WIDTH, number("thickness", "厚度", "Thickness", "mm"), *COMMON,
    ),
)
# fmt: on


def section(
    rng: Random,
    kind: tuple[str, str, str, str],
    grade: str,
    size: str,
    metres: int,
    kg_per_m: str,
    price: int,
    own: dict[str, str | Decimal],
    words: tuple[str, ...],
    shown: str,
) -> Sku:
    """One section in one length: `kind` is (category, code prefix, zh, en name), `own` its measures."""
    category, prefix, name_zh, name_en = kind
    kg = piece_kg(Decimal(kg_per_m), metres)
    return offer(
        rng,
        BY_TONNE,
        Decimal(price + GRADES[grade]),
        code=f"{prefix}-{grade}-{size.upper()}-{metres}M",
        category=category,
        name_zh=f"{name_zh} {grade} {shown}",
        name_en=f"{name_en} {grade} {shown}".replace("×", "x"),
        spec=f"{shown}×{metres}m",
        attributes={
            "grade": grade,
            **own,
            "length": Decimal(metres),
            "kg_per_m": Decimal(kg_per_m),
            "kg_per_piece": kg,
            "standard": "GB/T 11263" if category == "h-beam" else "GB/T 706",
        },
        weight_kg=Decimal(1000),
        grade=grade,
        part_no=f"{grade} {size}x{metres}",
        conversions=pieces_and_bundles(kg),
        search_words=words,
    )


def measures(**mm: int | str) -> dict[str, str | Decimal]:
    return {key: Decimal(value) for key, value in mm.items()}


def skus(rng: Random) -> Iterator[Sku]:
    """All sections, in a steady order."""
    for grade in GRADES:
        for series, height, width, web, flange, _, weight in H_BEAMS:
            own = {"series": series, **measures(height=height, width=width, web=web, flange=flange)}
            kind = ("h-beam", "HB", f"H型钢 {series}", f"H beam {series}")
            size = f"{series}{height}X{width}"
            shown = f"{height}×{width}×{web}×{flange}"
            yield section(
                rng, kind, grade, size, 12, weight, 3480, own, ("H钢", "热轧H型钢", "wide flange"), shown
            )
    for model, height, width, web, weight in I_BEAMS:
        own = measures(height=height, width=width, web=web)
        kind = ("i-beam", "IB", "工字钢", "I beam")
        yield section(rng, kind, "Q235B", model, 12, weight, 3560, own, ("工钢", "joist"), f"{model}#")
    for grade in GRADES:
        for model, height, width, web, weight in CHANNELS:
            own = measures(height=height, width=width, web=web)
            kind = ("channel", "CH", "槽钢", "Channel")
            metres = 6 if height < 120 else 12
            yield section(
                rng, kind, grade, model, metres, weight, 3540, own, ("槽铁", "U channel"), f"{model}#"
            )
    for leg, (_, weights) in ANGLES.items():
        for thickness, weight in weights.items():
            own = measures(width=leg, thickness=thickness)
            kind = ("angle", "AN", "等边角钢", "Equal angle")
            metres = 6 if leg < 80 else 12
            size, shown = f"{leg}X{thickness}", f"{leg}×{leg}×{thickness}"
            yield section(rng, kind, "Q235B", size, metres, weight, 3520, own, ("角铁", "L angle"), shown)
