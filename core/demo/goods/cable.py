"""Wire and cable: building wire BV and BVR, flexible cord RVV, power cable YJV and armoured YJV22.

Sources: building wire GB/T 5023.3 (BV) and JB/T 8734.2 (BVR); cord GB/T 5023.5, type 60227 IEC 53; XLPE
insulation, sheath rule, lay-up factors, inner covering and steel tapes of 0.6/1 kV cable GB/T 12706.1;
conductor resistance at 20 degrees GB/T 3956. Weights by formula: copper section x 8.89 g/cm3, insulation
and sheath as rings over a conductor of compacted strands (fill 0.90, solid 1.0), PVC 1.45, XLPE 0.93,
steel tape 7.85; fillers and the lengthening by the lay are not counted.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from random import Random

from .model import BY_METRE, Category, Conversion, Sku, choice, leaf, number, offer
from .solids import COPPER, PI, STEEL, disc

# fmt: off
PVC = Decimal("1.45E-6")
XLPE = Decimal("0.93E-6")
STRANDED = Decimal("0.90")
SOLID = Decimal(1)
METRE = 1000  # mm
YUAN_PER_KG_COPPER = Decimal("79")
YUAN_PER_KG_REST = Decimal("14")

# Section (mm2) -> nominal insulation (mm), PVC wire of 450/750 V.
WIRE_INSULATION = {
    "1.5": "0.7", "2.5": "0.8", "4": "0.8", "6": "0.8", "10": "1.0", "16": "1.0", "25": "1.2", "35": "1.2",
    "50": "1.4", "70": "1.4", "95": "1.6", "120": "1.6", "150": "1.8", "185": "2.0", "240": "2.2",
}

# Section (mm2) -> nominal XLPE insulation (mm), 0.6/1 kV.
XLPE_INSULATION = {
    "1.5": "0.7", "2.5": "0.7", "4": "0.7", "6": "0.7", "10": "0.7", "16": "0.7", "25": "0.9", "35": "0.9",
    "50": "1.0", "70": "1.1", "95": "1.1", "120": "1.2", "150": "1.4", "185": "1.6", "240": "1.7",
    "300": "1.8", "400": "2.0",
}

# Section (mm2) -> largest resistance of a bare copper conductor of class 1 or 2, ohm/km.
RESISTANCE = {
    "1.5": "12.1", "2.5": "7.41", "4": "4.61", "6": "3.08", "10": "1.83", "16": "1.15", "25": "0.727",
    "35": "0.524", "50": "0.387", "70": "0.268", "95": "0.193", "120": "0.153", "150": "0.124",
    "185": "0.0991", "240": "0.0754", "300": "0.0601", "400": "0.0470",
}

# Cord: section -> insulation (mm), resistance of class 5 (ohm/km), sheath of 2, 3, 4 and 5 cores (mm).
CORD = {
    "0.75": ("0.6", "26.0", ("0.8", "0.8", "0.8", "0.9")),
    "1": ("0.6", "19.5", ("0.8", "0.8", "0.9", "0.9")),
    "1.5": ("0.7", "13.3", ("0.8", "0.9", "1.0", "1.1")),
    "2.5": ("0.8", "7.98", ("1.0", "1.1", "1.1", "1.2")),
}

# The diameter over laid-up cores in core diameters.
LAY_UP = {1: Decimal(1), 2: Decimal("2.00"), 3: Decimal("2.16"), 4: Decimal("2.42"), 5: Decimal("2.70")}

# Diameter up to (mm) -> extruded inner covering; -> both steel tapes together (mm).
INNER_COVERING = ((25, "1.0"), (35, "1.2"), (45, "1.4"), (60, "1.6"), (80, "1.8"), (999, "2.0"))
STEEL_TAPES = ((30, "0.4"), (70, "1.0"), (999, "1.6"))

# The reduced conductor that goes with a phase conductor, for 3+1, 3+2 and 4+1.
NEUTRAL = {
    "4": "2.5", "6": "4", "10": "6", "16": "10", "25": "16", "35": "16", "50": "25", "70": "35", "95": "50",
    "120": "70", "150": "70", "185": "95", "240": "120", "300": "150",
}

COLOURS = {"RD": ("红", "red"), "BU": ("蓝", "blue"), "GNYE": ("黄绿", "green-yellow")}  # codes by IEC 60757


@dataclass(frozen=True, slots=True)
class Line:
    """A type of cable, whatever its cores."""

    model: str
    category: str
    name_zh: str
    name_en: str
    voltage: str
    standard: str
    words: tuple[str, ...]


BV = Line("BV", "wire", "铜芯聚氯乙烯绝缘电线", "PVC wire", "450/750V", "GB/T 5023.3",
          ("电线", "单芯线", "building wire"))
BVR = Line("BVR", "wire", "铜芯聚氯乙烯绝缘软电线", "Flexible PVC wire", "450/750V", "JB/T 8734.2",
           ("电线", "多股软线", "building wire"))
RVV = Line("RVV", "cord", "软护套线", "Sheathed cord", "300/500V", "GB/T 5023.5",
           ("护套线", "电源线", "flexible cable"))
YJV = Line("YJV", "power-cable", "交联电力电缆", "XLPE power cable", "0.6/1kV", "GB/T 12706.1",
           ("电缆", "低压电缆", "power cable"))
YJV22 = Line("YJV22", "armoured-cable", "交联铠装电力电缆", "Armoured XLPE power cable", "0.6/1kV",
             "GB/T 12706.1", ("电缆", "铠装电缆", "armoured cable"))

ASKED = (
    number("section", "标称截面", "Nominal section", "mm²"),
    choice("cores", "芯数", "Cores", "1", "2", "3", "4", "5", "3+1", "3+2", "4+1"),
    choice("voltage", "额定电压", "Rated voltage", "300/500V", "450/750V", "0.6/1kV"),
    number("resistance", "20℃导体电阻", "Conductor resistance at 20 °C", "Ω/km"),
    number("diameter", "参考外径", "Approximate diameter", "mm"),
)

CATEGORIES: tuple[Category, ...] = (
    Category("electrical", "", "电工电料", "Electrical"),
    Category("cable", "electrical", "电线电缆", "Wire and cable"),
    leaf("wire", "cable", "布电线", "Building wire", *ASKED,
         choice("colour", "颜色", "Colour", *COLOURS)),
    leaf("cord", "cable", "软护套线", "Flexible sheathed cord", *ASKED),
    leaf("power-cable", "cable", "电力电缆", "Power cable", *ASKED),
    leaf("armoured-cable", "cable", "铠装电力电缆", "Armoured power cable", *ASKED),
)
# fmt: on


def conductor(section: str, fill: Decimal = STRANDED) -> Decimal:
    """Diameter of a copper conductor of this section, mm."""
    return (Decimal(section) / fill * 4 / PI).sqrt()


def copper_kg(sections: list[str]) -> Decimal:
    """Copper of one metre, kg."""
    return sum((Decimal(section) for section in sections), Decimal(0)) * COPPER * METRE


def around(inner: Decimal, thickness: Decimal, density: Decimal) -> tuple[Decimal, Decimal]:
    """A layer over a diameter: (new diameter in mm, its weight in kg per metre)."""
    outer = inner + 2 * thickness
    return outer, (disc(outer) - disc(inner)) * density * METRE


def by_diameter(table: tuple[tuple[int, str], ...], over: Decimal) -> Decimal:
    """The thickness that a table of rising diameters gives for `over`, mm."""
    return next(Decimal(thickness) for up_to, thickness in table if over <= up_to)


def sheath(over: Decimal, cores: int) -> Decimal:
    """Nominal sheath over a diameter: 0.035 D + 1.0, at least 1.4 on one core and 1.8 on more, mm."""
    least = Decimal("1.4") if cores == 1 else Decimal("1.8")
    return max((Decimal("0.035") * over + 1).quantize(Decimal("0.1")), least)


def cores_of(layout: str) -> str:
    """3×25+1×16 -> 3+1; 4×50 -> 4."""
    return "+".join(part.split("×")[0] for part in layout.split("+"))


def cable(
    rng: Random,
    line: Line,
    layout: str,
    drawn: list[str],
    rest: Decimal,
    diameter: Decimal,
    resistance: str,
    colour: str = "",
) -> Sku:
    """One cable: `layout` as written (3×25+1×16), `drawn` its conductors, `rest` its other kg per metre."""
    copper = copper_kg(drawn)
    price = copper * YUAN_PER_KG_COPPER + rest * YUAN_PER_KG_REST + Decimal("0.12")
    written = layout.replace("×", "X").replace("+", "-")
    attributes: dict[str, str | Decimal] = {
        "section": Decimal(drawn[0]),
        "cores": cores_of(layout),
        "voltage": line.voltage,
        "resistance": Decimal(resistance),
        "diameter": diameter.quantize(Decimal("0.1")),
        "standard": line.standard,
    }
    code, zh, en = f"CB-{line.model}-{written}", f"{line.model} {layout}", f"{line.model} {layout}"
    if colour:
        attributes["colour"] = colour
        colour_zh, colour_en = COLOURS[colour]
        code, zh, en = f"{code}-{colour}", f"{zh} {colour_zh}", f"{en} {colour_en}"
    return offer(
        rng,
        BY_METRE,
        price,
        code=code,
        category=line.category,
        name_zh=f"{line.name_zh} {zh}",
        name_en=f"{line.name_en} {en}".replace("×", "x"),
        spec=f"{layout} {line.voltage}",
        attributes=attributes,
        weight_kg=copper + rest,
        grade=line.model,
        part_no=f"{line.model} {layout}".replace("×", "x"),
        conversions=(Conversion("roll", Decimal(100), "fixed"),) if line in (BV, BVR, RVV) else (),
        search_words=(*line.words, f"{drawn[0]}平方"),
    )


def wires(rng: Random) -> Iterator[Sku]:
    for line, solid_to, largest in ((BV, 6, 240), (BVR, 0, 70)):
        for section, insulation in WIRE_INSULATION.items():
            if Decimal(section) > largest:
                continue
            fill = SOLID if Decimal(section) <= solid_to else STRANDED
            diameter, plastic = around(conductor(section, fill), Decimal(insulation), PVC)
            for colour in COLOURS:
                layout = f"1×{section}"
                yield cable(rng, line, layout, [section], plastic, diameter, RESISTANCE[section], colour)


def cords(rng: Random) -> Iterator[Sku]:
    for section, (insulation, resistance, sheaths) in CORD.items():
        core, plastic = around(conductor(section), Decimal(insulation), PVC)
        for cores, cover in enumerate(sheaths, 2):
            diameter, jacket = around(core * LAY_UP[cores], Decimal(cover), PVC)
            rest = plastic * cores + jacket
            yield cable(rng, RVV, f"{cores}×{section}", [section] * cores, rest, diameter, resistance)


def layouts() -> Iterator[tuple[str, list[str]]]:
    """Every construction of power cable stocked: (as written, section of each core, phases first)."""
    for section in XLPE_INSULATION:
        for cores in (1, 2, 3, 4, 5):
            if cores != 2 or Decimal(section) <= 35:
                yield f"{cores}×{section}", [section] * cores
        if small := NEUTRAL.get(section):
            for phases, neutrals in ((3, 1), (3, 2), (4, 1)):
                yield f"{phases}×{section}+{neutrals}×{small}", [section] * phases + [small] * neutrals


def power_cable(rng: Random, line: Line, layout: str, drawn: list[str]) -> Sku:
    """Cores of XLPE laid up, with inner covering and tapes when armoured, under a PVC sheath."""
    cores = [around(conductor(section), Decimal(XLPE_INSULATION[section]), XLPE) for section in drawn]
    rest = sum((weight for _, weight in cores), Decimal(0))
    laid = sum((width for width, _ in cores), Decimal(0)) / len(drawn) * LAY_UP[len(drawn)]
    if line is YJV22:
        laid, bedding = around(laid, by_diameter(INNER_COVERING, laid), PVC)
        laid, tapes = around(laid, by_diameter(STEEL_TAPES, laid), STEEL)
        rest += bedding + tapes
    diameter, jacket = around(laid, sheath(laid, len(drawn)), PVC)
    return cable(rng, line, layout, drawn, rest + jacket, diameter, RESISTANCE[drawn[0]])


def skus(rng: Random) -> Iterator[Sku]:
    """All wire and cable, in a steady order. Tape of steel never goes around one core alone."""
    yield from wires(rng)
    yield from cords(rng)
    for layout, drawn in layouts():
        yield power_cable(rng, YJV, layout, drawn)
        if len(drawn) > 1 and Decimal(drawn[0]) >= 4:
            yield power_cable(rng, YJV22, layout, drawn)
