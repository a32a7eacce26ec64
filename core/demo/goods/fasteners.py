"""Fasteners: hexagon bolts and screws, socket head cap screws, nuts, plain and spring washers.

Sources: GB/T 5782 (ISO 4014) bolts, GB/T 5783 (ISO 4017) full-thread screws, GB/T 70.1 (ISO 4762) cap
screws, GB/T 6170 (ISO 4032) nuts, GB/T 97.1 (ISO 7089) washers, GB/T 93 spring washers; coarse pitch GB/T
193. Sold and weighed by the thousand; weights by geometry: head as a prism or disc less its socket, plain
shank at the nominal diameter, thread at the pitch diameter, density 7.85. M10 and M12 have the ISO widths
16 and 18, not the 17 and 19 of the withdrawn DIN 931.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from random import Random

from .model import BY_THOUSAND, Category, Sku, choice, leaf, number, offer
from .solids import STEEL, disc, hexagon, ring


@dataclass(frozen=True, slots=True)
class Size:
    """A thread with what the standards hang on it, mm; `bolt` and `screw` are the lengths in stock."""

    d: int
    pitch: Decimal
    across_flats: int
    head: Decimal
    nut: Decimal
    washer: tuple[Decimal, int, Decimal]  # hole, outside, thickness
    bolt: tuple[int, int]
    screw: tuple[int, int]


def size(d: int, pitch: str, flats: int, head: str, nut: str, washer: str, bolt: str, screw: str) -> Size:
    hole, outside, thickness = washer.split()
    return Size(
        d,
        Decimal(pitch),
        flats,
        Decimal(head),
        Decimal(nut),
        (Decimal(hole), int(outside), Decimal(thickness)),
        span(bolt),
        span(screw),
    )


def span(text: str) -> tuple[int, int]:
    shortest, longest = text.split("-")
    return int(shortest), int(longest)


# fmt: off
SIZES = (
    size(6, "1", 10, "4", "5.2", "6.4 12 1.6", "30-60", "12-60"),
    size(8, "1.25", 13, "5.3", "6.8", "8.4 16 1.6", "40-80", "16-80"),
    size(10, "1.5", 16, "6.4", "8.4", "10.5 20 2", "45-100", "20-100"),
    size(12, "1.75", 18, "7.5", "10.8", "13 24 2.5", "50-120", "25-120"),
    size(14, "2", 21, "8.8", "12.8", "15 28 2.5", "60-140", "25-140"),
    size(16, "2", 24, "10", "14.8", "17 30 3", "65-160", "30-150"),
    size(18, "2.5", 27, "11.5", "15.8", "19 34 3", "70-180", "35-150"),
    size(20, "2.5", 30, "12.5", "18", "21 37 3", "80-200", "40-150"),
    size(22, "2.5", 34, "14", "19.4", "23 39 3", "90-220", "45-150"),
    size(24, "3", 36, "15", "21.5", "25 44 4", "90-240", "50-150"),
    size(27, "3", 41, "17", "23.8", "28 50 4", "100-260", "55-200"),
    size(30, "3.5", 46, "18.7", "25.6", "31 56 4", "110-300", "60-200"),
    size(36, "4", 55, "22.5", "31", "37 66 5", "140-360", "70-200"),
)
SECOND_CHOICE = (14, 18, 22, 27)  # diameters that the standards put in brackets

LENGTHS = (
    10, 12, 16, 20, 25, 30, 35, 40, 45, 50, 55, 60, 65, 70, 80, 90, 100, 110, 120, 130, 140, 150, 160, 180,
    200, 220, 240, 260, 280, 300, 320, 340, 360,
)

# Cap screws: thread -> head diameter, key width, socket depth (mm), shortest and longest.
SOCKETS: dict[int, tuple[int, int, str, str]] = {
    6: (10, 5, "3", "10-60"), 8: (13, 6, "4", "12-80"), 10: (16, 8, "5", "16-100"),
    12: (18, 10, "6", "20-120"), 16: (24, 14, "8", "25-160"), 20: (30, 17, "10", "30-200"),
    24: (36, 19, "12", "40-200"),
}

# Spring washers: thread -> inside diameter, square section (mm).
SPRINGS = {
    6: ("6.1", "1.6"), 8: ("8.1", "2.1"), 10: ("10.2", "2.6"), 12: ("12.2", "3.1"), 16: ("16.2", "4.1"),
    20: ("20.2", "5"), 24: ("24.5", "6"), 30: ("30.5", "7.5"), 36: ("36.5", "9"),
}

# Code of a finish -> how it reads in Chinese and English.
FINISHES = {"ZN": ("镀锌", "zinc plated"), "BK": ("发黑", "blackened"), "PL": ("本色", "plain")}


@dataclass(frozen=True, slots=True)
class Kind:
    """A fastener of one standard; `classes` maps a property class to its finish and its yuan per kilogram."""

    category: str
    prefix: str
    name_zh: str
    name_en: str
    standard: str
    classes: Mapping[str, tuple[str, str]]
    words: tuple[str, ...]


BOLT = Kind("hex-bolt", "HXB", "六角头螺栓", "Hexagon head bolt", "GB/T 5782",
            {"8.8": ("ZN", "8.90"), "10.9": ("BK", "10.60")},
            ("外六角螺丝", "半牙螺栓", "ISO 4014", "hex bolt"))
SCREW = Kind("hex-screw", "HXS", "全螺纹六角头螺栓", "Hexagon head screw", "GB/T 5783",
             {"8.8": ("ZN", "8.90"), "A2-70": ("PL", "27.50")},
             ("外六角螺丝", "全牙螺栓", "ISO 4017", "hex screw"))
CAP = Kind("cap-screw", "SHC", "内六角圆柱头螺钉", "Socket head cap screw", "GB/T 70.1",
           {"12.9": ("BK", "13.80")}, ("内六角螺丝", "杯头螺丝", "ISO 4762", "Allen screw"))
NUT = Kind("hex-nut", "HXN", "1型六角螺母", "Hexagon nut, style 1", "GB/T 6170",
           {"8": ("ZN", "9.60"), "10": ("BK", "11.40"), "A2-70": ("PL", "30.00")},
           ("六角螺帽", "ISO 4032", "hex nut"))
WASHER = Kind("washer", "WSH", "平垫圈 A级", "Plain washer", "GB/T 97.1",
              {"200HV": ("ZN", "9.20"), "A2": ("PL", "28.00")}, ("平垫", "华司", "ISO 7089", "flat washer"))
SPRING = Kind("spring-washer", "SPW", "标准型弹簧垫圈", "Spring lock washer", "GB/T 93",
              {"65Mn": ("ZN", "10.40")}, ("弹垫", "spring washer"))

THREAD = number("thread", "螺纹规格 M", "Thread M", "mm")
PITCH = number("pitch", "螺距", "Pitch", "mm")
LENGTH = number("length", "公称长度", "Nominal length", "mm")
FLATS = number("across_flats", "对边宽度 s", "Width across flats s", "mm")
FINISH = choice("finish", "表面", "Finish", *FINISHES)



CATEGORIES: tuple[Category, ...] = (
    Category("fastener", "mechanical", "紧固件", "Fasteners"),
    leaf("hex-bolt", "fastener", "六角头螺栓", "Hexagon head bolt",
         choice("grade", "性能等级", "Property class", *BOLT.classes), THREAD, PITCH, LENGTH, FLATS, FINISH),
    leaf("hex-screw", "fastener", "全螺纹六角头螺栓", "Hexagon head screw, full thread",
         choice("grade", "性能等级", "Property class", *SCREW.classes), THREAD, PITCH, LENGTH, FLATS, FINISH),
    leaf("cap-screw", "fastener", "内六角圆柱头螺钉", "Socket head cap screw",
         choice("grade", "性能等级", "Property class", *CAP.classes), THREAD, PITCH, LENGTH,
         number("key", "扳手尺寸", "Key width", "mm"), FINISH),
    leaf("hex-nut", "fastener", "六角螺母", "Hexagon nut",
         choice("grade", "性能等级", "Property class", *NUT.classes), THREAD, PITCH, FLATS, FINISH),
    leaf("washer", "fastener", "平垫圈", "Plain washer",
         choice("grade", "性能等级", "Hardness class", *WASHER.classes), THREAD, FINISH,
         number("outside", "外径", "Outside diameter", "mm"), number("thickness", "厚度", "Thickness", "mm")),
    leaf("spring-washer", "fastener", "弹簧垫圈", "Spring lock washer",
         choice("grade", "材料", "Material", *SPRING.classes), THREAD, FINISH,
         number("thickness", "厚度", "Thickness", "mm")),
)
# fmt: on


def lengths(shortest: int, longest: int) -> Iterator[int]:
    return (length for length in LENGTHS if shortest <= length <= longest)


def thread_area(d: int, pitch: Decimal) -> Decimal:
    """Cross-section at the pitch diameter, d - 0.6495 P, mm2."""
    return disc(Decimal(d) - Decimal("0.6495") * pitch)


def thread_length(d: int, length: int) -> int:
    """How much of a bolt is threaded (ISO 4014)."""
    extra = 6 if length <= 125 else 12 if length <= 200 else 25
    return min(length, 2 * d + extra)


def bolt_kg(of: Size, length: int, threaded: int) -> Decimal:
    """A thousand hexagon bolts, kg."""
    shank = disc(Decimal(of.d)) * (length - threaded) + thread_area(of.d, of.pitch) * threaded
    return (hexagon(Decimal(of.across_flats), of.head) + shank) * STEEL * 1000


def cap_screw_kg(d: int, pitch: Decimal, head: int, key: int, depth: Decimal, length: int) -> Decimal:
    """A thousand cap screws, kg; the head is as high as the thread is thick."""
    threaded = min(length, 2 * d + 12)
    body = disc(Decimal(d)) * (length - threaded) + thread_area(d, pitch) * threaded
    return (disc(Decimal(head)) * d - hexagon(Decimal(key), depth) + body) * STEEL * 1000


def nut_kg(of: Size) -> Decimal:
    """A thousand nuts, kg: the prism less its thread at the pitch diameter."""
    return (hexagon(Decimal(of.across_flats), of.nut) - thread_area(of.d, of.pitch) * of.nut) * STEEL * 1000


def fastener(rng: Random, kind: Kind, grade: str, shown: str, kg: Decimal, own: Mapping[str, Decimal]) -> Sku:
    """One fastener of a class: `shown` is its size (M12×60), `kg` weighs a thousand, `own` measures it."""
    finish, yuan = kind.classes[grade]
    finish_zh, finish_en = FINISHES[finish]
    return offer(
        rng,
        BY_THOUSAND,
        kg * Decimal(yuan) + 4,
        code=f"{kind.prefix}-{shown.replace('×', 'X')}-{grade.upper()}-{finish}",
        category=kind.category,
        name_zh=f"{kind.name_zh} {shown} {grade} {finish_zh}",
        name_en=f"{kind.name_en} {shown} {grade} {finish_en}".replace("×", "x"),
        spec=shown,
        attributes={"grade": grade, **own, "finish": finish, "standard": kind.standard},
        weight_kg=kg,
        grade=grade,
        part_no=f"{kind.standard} {shown}-{grade}".replace("×", "x"),
        search_words=kind.words,
    )


def measures(of: Size) -> dict[str, Decimal]:
    return {"thread": Decimal(of.d), "pitch": of.pitch, "across_flats": Decimal(of.across_flats)}


def bolts(rng: Random) -> Iterator[Sku]:
    for of in SIZES:
        for grade in BOLT.classes:
            if grade == "10.9" and of.d in SECOND_CHOICE:
                continue
            for length in lengths(*of.bolt):
                kg = bolt_kg(of, length, thread_length(of.d, length))
                own = {**measures(of), "length": Decimal(length)}
                yield fastener(rng, BOLT, grade, f"M{of.d}×{length}", kg, own)
        for grade in SCREW.classes:
            if of.d in SECOND_CHOICE or (grade == "A2-70" and of.d > 24):
                continue
            for length in lengths(*of.screw):
                own = {**measures(of), "length": Decimal(length)}
                yield fastener(rng, SCREW, grade, f"M{of.d}×{length}", bolt_kg(of, length, length), own)


def cap_screws(rng: Random) -> Iterator[Sku]:
    pitches = {of.d: of.pitch for of in SIZES}
    for d, (head, key, depth, stocked) in SOCKETS.items():
        for grade in CAP.classes:
            for length in lengths(*span(stocked)):
                kg = cap_screw_kg(d, pitches[d], head, key, Decimal(depth), length)
                own = {"thread": Decimal(d), "pitch": pitches[d], "key": Decimal(key)}
                own["length"] = Decimal(length)
                yield fastener(rng, CAP, grade, f"M{d}×{length}", kg, own)


def nuts(rng: Random) -> Iterator[Sku]:
    for of in SIZES:
        for grade in NUT.classes:
            yield fastener(rng, NUT, grade, f"M{of.d}", nut_kg(of), measures(of))


def washers(rng: Random) -> Iterator[Sku]:
    for of in SIZES:
        hole, outside, thickness = of.washer
        kg = ring(Decimal(outside), hole, thickness) * STEEL * 1000
        own = {"thread": Decimal(of.d), "outside": Decimal(outside), "thickness": thickness}
        for grade in WASHER.classes:
            yield fastener(rng, WASHER, grade, f"M{of.d}", kg, own)
    for d, (bore, side) in SPRINGS.items():
        thickness = Decimal(side)
        kg = ring(Decimal(bore) + 2 * thickness, Decimal(bore), thickness) * STEEL * 1000
        for grade in SPRING.classes:
            yield fastener(rng, SPRING, grade, f"M{d}", kg, {"thread": Decimal(d), "thickness": thickness})


def skus(rng: Random) -> Iterator[Sku]:
    """All fasteners, in a steady order."""
    yield from bolts(rng)
    yield from cap_screws(rng)
    yield from nuts(rng)
    yield from washers(rng)
