"""Industrial valves: gate, globe, check, ball and butterfly, by the type code of GB/T 32808 (Z41H-16C ...).

Sources: type code GB/T 32808 (letter = kind, digits = drive, connection, pattern, letter = seat, number =
PN, last letter = body: C carbon steel, P stainless, Q nodular iron); face-to-face GB/T 12221 (ISO 5752)
for flanged gate and globe valves, wafer and flanged butterfly valves (basic series 20 and 13) and
resilient-seated gates (series 15); other kinds carry none here. The mass is an estimate for freight, mass
at DN50 x (DN / 50) to the power 3/2, not a maker's figure.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from random import Random

from .model import BY_VALVE, Category, Sku, choice, leaf, number, offer

# fmt: off
# DN -> face-to-face, mm.
GATE_16 = {
    15: 130, 20: 150, 25: 160, 32: 180, 40: 200, 50: 250, 65: 265, 80: 280, 100: 300, 125: 325, 150: 350,
    200: 400, 250: 450, 300: 500,
}
GATE_40 = {
    15: 130, 20: 150, 25: 160, 32: 180, 40: 200, 50: 250, 65: 280, 80: 310, 100: 350, 125: 400, 150: 450,
    200: 550, 250: 650, 300: 750,
}
GLOBE = {
    15: 130, 20: 150, 25: 160, 32: 180, 40: 200, 50: 230, 65: 290, 80: 310, 100: 350, 125: 400, 150: 480,
    200: 600,
}
RESILIENT_GATE = {
    50: 250, 65: 270, 80: 280, 100: 300, 125: 325, 150: 350, 200: 400, 250: 450, 300: 500, 350: 550,
    400: 600,
}
WAFER = {
    50: 43, 65: 46, 80: 46, 100: 52, 125: 56, 150: 56, 200: 60, 250: 68, 300: 78, 350: 78, 400: 102,
    450: 114, 500: 127, 600: 154,
}
FLANGED_BUTTERFLY = {
    50: 108, 65: 112, 80: 114, 100: 127, 125: 140, 150: 140, 200: 152, 250: 165, 300: 178, 350: 190,
    400: 216,
}
CHECK_SIZES = dict.fromkeys((15, 20, 25, 32, 40, 50, 65, 80, 100, 125, 150, 200, 250, 300), 0)
BALL_SIZES = dict.fromkeys((15, 20, 25, 32, 40, 50, 65, 80, 100, 125, 150, 200), 0)
LEVER_WAFER = {dn: face for dn, face in WAFER.items() if dn <= 200}  # larger ones need a gear
# fmt: on


@dataclass(frozen=True, slots=True)
class Model:
    """A line of valves of one type code; `sizes` maps DN to face-to-face in mm, 0 where none is stated."""

    code: str
    category: str
    name_zh: str
    name_en: str
    pn: int
    body: str
    drive: str
    sizes: Mapping[int, int]
    kg_at_50: str
    yuan_per_kg: str
    standard: str


# fmt: off
GATE = ("gate-valve", "楔式闸阀", "Wedge gate valve")
SOFT_GATE = ("gate-valve", "软密封闸阀", "Resilient-seated gate valve")
GLOBE_NAME = ("globe-valve", "法兰截止阀", "Flanged globe valve")
SWING = ("check-valve", "旋启式止回阀", "Swing check valve")
BALL = ("ball-valve", "法兰球阀", "Flanged ball valve")
WAFER_TYPE = ("butterfly-valve", "对夹蝶阀", "Wafer butterfly valve")
FLANGED = ("butterfly-valve", "法兰蝶阀", "Flanged butterfly valve")
STEEL, STAINLESS, NODULAR = "WCB", "CF8", "QT450-10"
HAND, LEVER, WORM, NONE = "手轮", "手柄", "蜗轮", "自动"

MODELS = (
    Model("Z41H-16C", *GATE, 16, STEEL, HAND, GATE_16, "20", "19", "GB/T 12234"),
    Model("Z41H-25", *GATE, 25, STEEL, HAND, GATE_16, "23", "20", "GB/T 12234"),
    Model("Z41H-40", *GATE, 40, STEEL, HAND, GATE_40, "28", "21", "GB/T 12234"),
    Model("Z41W-16P", *GATE, 16, STAINLESS, HAND, GATE_16, "20", "52", "GB/T 12234"),
    Model("Z45X-16Q", *SOFT_GATE, 16, NODULAR, HAND, RESILIENT_GATE, "12.5", "21", "GB/T 24924"),
    Model("J41H-16C", *GLOBE_NAME, 16, STEEL, HAND, GLOBE, "17", "20", "GB/T 12235"),
    Model("J41H-25", *GLOBE_NAME, 25, STEEL, HAND, GLOBE, "19", "21", "GB/T 12235"),
    Model("J41H-40", *GLOBE_NAME, 40, STEEL, HAND, GLOBE, "21", "22", "GB/T 12235"),
    Model("J41W-16P", *GLOBE_NAME, 16, STAINLESS, HAND, GLOBE, "17", "54", "GB/T 12235"),
    Model("H44H-16C", *SWING, 16, STEEL, NONE, CHECK_SIZES, "15", "20", "GB/T 12236"),
    Model("H44H-25", *SWING, 25, STEEL, NONE, CHECK_SIZES, "17", "21", "GB/T 12236"),
    Model("H44W-16P", *SWING, 16, STAINLESS, NONE, CHECK_SIZES, "15", "54", "GB/T 12236"),
    Model("Q41F-16C", *BALL, 16, STEEL, LEVER, BALL_SIZES, "9.5", "26", "GB/T 12237"),
    Model("Q41F-25", *BALL, 25, STEEL, LEVER, BALL_SIZES, "10.5", "27", "GB/T 12237"),
    Model("Q41F-16P", *BALL, 16, STAINLESS, LEVER, BALL_SIZES, "9.5", "58", "GB/T 12237"),
    Model("D71X-16Q", *WAFER_TYPE, 16, NODULAR, LEVER, LEVER_WAFER, "2.8", "30", "GB/T 12238"),
    Model("D371X-10Q", *WAFER_TYPE, 10, NODULAR, WORM, WAFER, "4.2", "29", "GB/T 12238"),
    Model("D371X-16Q", *WAFER_TYPE, 16, NODULAR, WORM, WAFER, "4.5", "30", "GB/T 12238"),
    Model("D371F-16P", *WAFER_TYPE, 16, STAINLESS, WORM, WAFER, "4.6", "64", "GB/T 12238"),
    Model("D341X-16Q", *FLANGED, 16, NODULAR, WORM, FLANGED_BUTTERFLY, "8.5", "27", "GB/T 12238"),
)

ASKED = (
    number("dn", "公称通径 DN", "Nominal size DN"),
    number("pn", "公称压力 PN", "Nominal pressure PN"),
    choice("body", "阀体材料", "Body material", STEEL, STAINLESS, NODULAR),
    number("face_to_face", "结构长度", "Face to face", "mm"),
)

CATEGORIES: tuple[Category, ...] = (
    Category("piping", "", "管阀", "Piping"),
    Category("valve", "piping", "阀门", "Valves"),
    leaf("gate-valve", "valve", "闸阀", "Gate valve", *ASKED),
    leaf("globe-valve", "valve", "截止阀", "Globe valve", *ASKED),
    leaf("check-valve", "valve", "止回阀", "Check valve", *ASKED),
    leaf("ball-valve", "valve", "球阀", "Ball valve", *ASKED),
    leaf("butterfly-valve", "valve", "蝶阀", "Butterfly valve", *ASKED),
)
# fmt: on


def mass(kg_at_50: Decimal, dn: int) -> Decimal:
    """Estimated mass of a valve, kg: it grows with the power 3/2 of its size."""
    ratio = Decimal(dn) / 50
    return kg_at_50 * ratio * ratio.sqrt()


def skus(rng: Random) -> Iterator[Sku]:
    """All valves, in a steady order."""
    for model in MODELS:
        for dn, face_to_face in model.sizes.items():
            kg = mass(Decimal(model.kg_at_50), dn).quantize(Decimal("0.1"))
            attributes: dict[str, str | Decimal] = {
                "dn": Decimal(dn),
                "pn": Decimal(model.pn),
                "body": model.body,
                "standard": model.standard,
            }
            if face_to_face:
                attributes["face_to_face"] = Decimal(face_to_face)
            yield offer(
                rng,
                BY_VALVE,
                kg * Decimal(model.yuan_per_kg) + 28,
                code=f"VL-{model.code}-DN{dn}",
                category=model.category,
                name_zh=f"{model.name_zh} {model.code} DN{dn}",
                name_en=f"{model.name_en} {model.code} DN{dn}",
                spec=f"DN{dn} PN{model.pn}",
                attributes=attributes,
                weight_kg=kg,
                grade=model.code.rsplit("-", 1)[1],
                part_no=f"{model.code} DN{dn}",
                search_words=("阀门", model.drive, model.code.split("-")[0], f"DN{dn}", "valve"),
            )
