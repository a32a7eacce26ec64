"""Rolling bearings: deep groove ball, cylindrical roller and tapered roller.

Sources: boundary dimensions of radial bearings ISO 15 (GB/T 273.3), dimension series 10, 02, 03, 04, 18
and 19 for 60, 62, 63, 64, 618 and 619; cylindrical rollers NU/NJ 2 and 3 share series 02 and 03; tapered
rollers ISO 355 (GB/T 297). Bore by the bore code: 00-03 are 10, 12, 15 and 17 mm, from 04 on five times
the code. The mass is a formula, not a catalogue figure: a share of the solid ring between bore and
outside (68 % ball, 69 % cylindrical, 73 % tapered), which meets makers' figures within some percent.
"""

from collections.abc import Iterator
from decimal import Decimal
from random import Random

from .model import BY_PIECE, Category, Sku, choice, leaf, number, offer
from .solids import STEEL, ring

# fmt: off
# Bore code -> (outside diameter, width), mm.
BALL: dict[str, dict[int, tuple[int, int]]] = {
    "60": {
        0: (26, 8), 1: (28, 8), 2: (32, 9), 3: (35, 10), 4: (42, 12), 5: (47, 12), 6: (55, 13), 7: (62, 14),
        8: (68, 15), 9: (75, 16), 10: (80, 16), 11: (90, 18), 12: (95, 18), 13: (100, 18), 14: (110, 20),
        15: (115, 20), 16: (125, 22), 17: (130, 22), 18: (140, 24), 19: (145, 24), 20: (150, 24),
        21: (160, 26), 22: (170, 28), 24: (180, 28), 26: (200, 33), 28: (210, 33), 30: (225, 35),
    },
    "62": {
        0: (30, 9), 1: (32, 10), 2: (35, 11), 3: (40, 12), 4: (47, 14), 5: (52, 15), 6: (62, 16),
        7: (72, 17), 8: (80, 18), 9: (85, 19), 10: (90, 20), 11: (100, 21), 12: (110, 22), 13: (120, 23),
        14: (125, 24), 15: (130, 25), 16: (140, 26), 17: (150, 28), 18: (160, 30), 19: (170, 32),
        20: (180, 34), 21: (190, 36), 22: (200, 38), 24: (215, 40), 26: (230, 40), 28: (250, 42),
        30: (270, 45),
    },
    "63": {
        0: (35, 11), 1: (37, 12), 2: (42, 13), 3: (47, 14), 4: (52, 15), 5: (62, 17), 6: (72, 19),
        7: (80, 21), 8: (90, 23), 9: (100, 25), 10: (110, 27), 11: (120, 29), 12: (130, 31), 13: (140, 33),
        14: (150, 35), 15: (160, 37), 16: (170, 39), 17: (180, 41), 18: (190, 43), 19: (200, 45),
        20: (215, 47), 21: (225, 49), 22: (240, 50), 24: (260, 55), 26: (280, 58),
    },
    "64": {
        3: (62, 17), 4: (72, 19), 5: (80, 21), 6: (90, 23), 7: (100, 25), 8: (110, 27), 9: (120, 29),
        10: (130, 31), 11: (140, 33), 12: (150, 35), 13: (160, 37), 14: (180, 42), 15: (190, 45),
        16: (200, 48), 17: (210, 52), 18: (225, 54),
    },
    "618": {
        0: (19, 5), 1: (21, 5), 2: (24, 5), 3: (26, 5), 4: (32, 7), 5: (37, 7), 6: (42, 7), 7: (47, 7),
        8: (52, 7), 9: (58, 7), 10: (65, 7), 11: (72, 9), 12: (78, 10), 13: (85, 10), 14: (90, 10),
        15: (95, 10), 16: (100, 10), 17: (110, 13), 18: (115, 13), 19: (120, 13), 20: (125, 13),
    },
    "619": {
        0: (22, 6), 1: (24, 6), 2: (28, 7), 3: (30, 7), 4: (37, 9), 5: (42, 9), 6: (47, 9), 7: (55, 10),
        8: (62, 12), 9: (68, 12), 10: (72, 12), 11: (80, 13), 12: (85, 13), 13: (90, 13), 14: (100, 16),
        15: (105, 16), 16: (110, 16), 17: (120, 18), 18: (125, 18), 19: (130, 18), 20: (140, 20),
    },
}

# Bore code -> (outside diameter, assembled width T), mm.
TAPERED: dict[str, dict[int, tuple[int, str]]] = {
    "302": {
        3: (40, "13.25"), 4: (47, "15.25"), 5: (52, "16.25"), 6: (62, "17.25"), 7: (72, "18.25"),
        8: (80, "19.75"), 9: (85, "20.75"), 10: (90, "21.75"), 11: (100, "22.75"), 12: (110, "23.75"),
        13: (120, "24.75"), 14: (125, "26.25"), 15: (130, "27.25"), 16: (140, "28.25"), 17: (150, "30.5"),
        18: (160, "32.5"), 19: (170, "34.5"), 20: (180, "37"),
    },
    "303": {
        2: (42, "14.25"), 3: (47, "15.25"), 4: (52, "16.25"), 5: (62, "18.25"), 6: (72, "20.75"),
        7: (80, "22.75"), 8: (90, "25.25"), 9: (100, "27.25"), 10: (110, "29.25"), 11: (120, "31.5"),
        12: (130, "33.5"), 13: (140, "36"), 14: (150, "38"), 15: (160, "40"), 16: (170, "42.5"),
        17: (180, "44.5"), 18: (190, "46.5"), 19: (200, "49.5"), 20: (215, "51.5"),
    },
    "322": {
        6: (62, "21.25"), 7: (72, "24.25"), 8: (80, "24.75"), 9: (85, "24.75"), 10: (90, "24.75"),
        11: (100, "26.75"), 12: (110, "29.75"), 13: (120, "32.75"), 14: (125, "33.25"), 15: (130, "33.25"),
        16: (140, "35.25"), 17: (150, "38.5"), 18: (160, "42.5"), 19: (170, "45.5"), 20: (180, "49"),
    },
}

# Closure -> what it adds to the price, in percent; then the same for the radial clearance.
CLOSURES = {"": 0, "2RS": 9, "ZZ": 6}
CLEARANCES = {"CN": 0, "C3": 4}
LARGEST_CLOSED = 100  # mm; larger bores are stocked open only

SHARE = {"ball": Decimal("0.68"), "cylindrical": Decimal("0.69"), "tapered": Decimal("0.73")}
YUAN_PER_KG = {"ball": Decimal(46), "cylindrical": Decimal(78), "tapered": Decimal(52)}
HANDLING = Decimal("2.60")

MEASURES = (
    number("bore", "内径 d", "Bore d", "mm"),
    number("outside", "外径 D", "Outside diameter D", "mm"),
)
WIDTH = number("width", "宽度 B", "Width B", "mm")
CLEARANCE = choice("clearance", "游隙", "Clearance", *CLEARANCES)

CATEGORIES: tuple[Category, ...] = (
    Category("mechanical", "", "机械零部件", "Machine parts"),
    Category("bearing", "mechanical", "轴承", "Bearings"),
    leaf(
        "ball-bearing", "bearing", "深沟球轴承", "Deep groove ball bearing",
        choice("series", "系列", "Series", *BALL), *MEASURES, WIDTH, CLEARANCE,
        choice("closure", "密封", "Closure", "open", "2RS", "ZZ"),
    ),
    leaf(
        "roller-bearing", "bearing", "圆柱滚子轴承", "Cylindrical roller bearing",
        choice("series", "系列", "Series", "NU2", "NU3", "NJ2", "NJ3"), *MEASURES, WIDTH, CLEARANCE,
    ),
    leaf(
        "tapered-bearing", "bearing", "圆锥滚子轴承", "Tapered roller bearing",
        choice("series", "系列", "Series", *TAPERED), *MEASURES,
        number("width", "装配宽度 T", "Assembled width T", "mm"),
    ),
)
# fmt: on


def bore(code: int) -> int:
    """The bore in millimetres that a bore code stands for."""
    return {0: 10, 1: 12, 2: 15, 3: 17}.get(code, code * 5)


def mass(kind: str, inside: int, outside: int, width: Decimal) -> Decimal:
    """Kilograms of a bearing of this kind, as a share of the solid ring."""
    return SHARE[kind] * STEEL * ring(Decimal(outside), Decimal(inside), width)


def bearing(
    rng: Random,
    kind: str,
    category: str,
    series: str,
    part_no: str,
    size: tuple[int, int, Decimal],
    name: tuple[str, str],
    standard: str,
    surcharge: int,
    own: dict[str, str | Decimal],
    words: tuple[str, ...],
) -> Sku:
    """One bearing: size is (bore, outside, width), name is (Chinese, English), surcharge in percent."""
    inside, outside, width = size
    kg = mass(kind, inside, outside, width)
    price = (kg * YUAN_PER_KG[kind] + HANDLING) * (100 + surcharge) / 100
    return offer(
        rng,
        BY_PIECE,
        price,
        code=f"BRG-{part_no.replace('/', '-')}",
        category=category,
        name_zh=f"{name[0]} {part_no}",
        name_en=f"{name[1]} {part_no}",
        spec=f"{inside}×{outside}×{width}",
        attributes={
            "series": series,
            "bore": Decimal(inside),
            "outside": Decimal(outside),
            "width": width,
            **own,
            "standard": standard,
        },
        weight_kg=kg,
        grade="P0",
        part_no=part_no,
        search_words=words,
    )


def ball_bearings(rng: Random) -> Iterator[Sku]:
    for series, rows in BALL.items():
        for code, (outside, width) in rows.items():
            inside = bore(code)
            for closure, closing in CLOSURES.items():
                if closure and (inside > LARGEST_CLOSED or series == "64"):
                    continue
                for clearance, widening in CLEARANCES.items():
                    if clearance == "C3" and series in ("618", "619"):
                        continue
                    ending = (f"-{closure}" if closure else "") + ("/C3" if clearance == "C3" else "")
                    yield bearing(
                        rng,
                        "ball",
                        "ball-bearing",
                        series,
                        f"{series}{code:02d}{ending}",
                        (inside, outside, Decimal(width)),
                        ("深沟球轴承", "Deep groove ball bearing"),
                        "GB/T 276",
                        closing + widening,
                        {"clearance": clearance, "closure": closure or "open"},
                        ("滚珠轴承", "单列向心球轴承", f"{series}{code:02d}", "ball bearing"),
                    )


def roller_bearings(rng: Random) -> Iterator[Sku]:
    for form in ("NU", "NJ"):
        for digit, twin in (("2", "62"), ("3", "63")):
            for code, (outside, width) in BALL[twin].items():
                if not 4 <= code <= 20:
                    continue
                for clearance, widening in CLEARANCES.items():
                    part_no = f"{form}{digit}{code:02d}" + ("/C3" if clearance == "C3" else "")
                    yield bearing(
                        rng,
                        "cylindrical",
                        "roller-bearing",
                        f"{form}{digit}",
                        part_no,
                        (bore(code), outside, Decimal(width)),
                        ("圆柱滚子轴承", "Cylindrical roller bearing"),
                        "GB/T 283",
                        widening,
                        {"clearance": clearance},
                        ("短圆柱滚子轴承", "roller bearing"),
                    )


def tapered_bearings(rng: Random) -> Iterator[Sku]:
    for series, rows in TAPERED.items():
        for code, (outside, width) in rows.items():
            yield bearing(
                rng,
                "tapered",
                "tapered-bearing",
                series,
                f"{series}{code:02d}",
                (bore(code), outside, Decimal(width)),
                ("圆锥滚子轴承", "Tapered roller bearing"),
                "GB/T 297",
                0,
                {},
                ("锥形轴承", "taper bearing"),
            )


def skus(rng: Random) -> Iterator[Sku]:
    """All bearings, in a steady order."""
    yield from ball_bearings(rng)
    yield from roller_bearings(rng)
    yield from tapered_bearings(rng)
