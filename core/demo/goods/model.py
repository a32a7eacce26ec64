"""The nouns of a catalogue: what a category asks, what an article is, and how one is offered.

Everything here is a value: no table, no request, no clock. All figures are `Decimal`; a weight is in
kilograms per base unit, a price in yuan with tax for one base unit.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from random import Random
from typing import Literal

FEN = Decimal("0.01")
YUAN = Decimal("1")
GRAM = Decimal("0.0001")  # weights keep a tenth of a gram, a metre of thin wire needs it


@dataclass(frozen=True, slots=True)
class Attribute:
    """One question a category asks of its articles; `choices` only where `type` is enum."""

    key: str
    name_zh: str
    name_en: str
    type: Literal["text", "number", "enum"] = "text"
    unit: str = ""
    choices: tuple[str, ...] = ()


def number(key: str, name_zh: str, name_en: str, unit: str = "") -> Attribute:
    return Attribute(key, name_zh, name_en, "number", unit)


def choice(key: str, name_zh: str, name_en: str, *choices: str) -> Attribute:
    return Attribute(key, name_zh, name_en, "enum", "", choices)


STANDARD = Attribute("standard", "执行标准", "Standard")
# Nobody in the catalogue itself has these two; they tell apart the copies of a scaled one.
ORIGIN = (
    Attribute("mill", "厂号", "Mill code"),
    choice("packing", "包装", "Packing", "P0", "P1", "P2", "P3"),
)


@dataclass(frozen=True, slots=True)
class Category:
    """A branch of the tree; `parent` is the key of the branch above, empty at the root."""

    key: str
    parent: str
    name_zh: str
    name_en: str
    attributes: tuple[Attribute, ...] = ()


def leaf(key: str, parent: str, name_zh: str, name_en: str, *attributes: Attribute) -> Category:
    """A category that holds articles: its own questions and those every article answers."""
    return Category(key, parent, name_zh, name_en, (*attributes, STANDARD, *ORIGIN))


@dataclass(frozen=True, slots=True)
class Conversion:
    """One `uom` is `factor` base units: exactly (fixed) or by the formula of the standard (theoretical)."""

    uom: str
    factor: Decimal
    kind: Literal["fixed", "theoretical"]


@dataclass(frozen=True, slots=True)
class Sku:
    """An article as a seller lists it."""

    code: str
    category: str
    name_zh: str
    name_en: str
    spec: str
    base_uom: str
    attributes: Mapping[str, str | Decimal]
    weight_kg: Decimal  # theoretical, of one base unit
    tax_class: str
    price: Decimal
    tiers: tuple[
        tuple[Decimal, Decimal], ...
    ]  # (from this quantity, this price), rising quantity, falling price
    grade: str
    part_no: str
    on_hand: Decimal
    conversions: tuple[Conversion, ...] = ()
    search_words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Catalogue:
    """A whole assortment: the tree, parents before children, and the articles family by family."""

    categories: tuple[Category, ...]
    families: Mapping[str, tuple[Sku, ...]]

    @property
    def skus(self) -> tuple[Sku, ...]:
        return tuple(sku for family in self.families.values() for sku in family)

    def family(self, name: str) -> tuple[Sku, ...]:
        """The articles of one family (rebar, plate, ...); KeyError when there is none."""
        return self.families[name]

    def sku(self, code: str) -> Sku:
        """The article of this code; KeyError when there is none."""
        for sku in self.skus:
            if sku.code == code:
                return sku
        raise KeyError(code)

    def path(self, key: str) -> str:
        """The keys from the root down to a category, joined by slashes; KeyError when there is none."""
        parents = {category.key: category.parent for category in self.categories}
        above = parents[key]
        return f"{self.path(above)}/{key}" if above else key

    def under(self, key: str) -> Iterator[Sku]:
        """The articles of a category and of everything below it."""
        keys = {key}
        for category in self.categories:
            if category.parent in keys:
                keys.add(category.key)
        return (sku for sku in self.skus if sku.category in keys)


@dataclass(frozen=True, slots=True)
class Custom:
    """How a trade sells: unit, quantities at which the price falls, usual stock, step of a price."""

    uom: str
    breaks: tuple[tuple[str, str], ...]  # (from this quantity, share of the first price)
    stock: tuple[int, int]  # usual stock lies between these, in steps of `step`
    step: int
    price_step: Decimal = FEN


BY_TONNE = Custom("t", (("1", "1"), ("30", "0.995"), ("100", "0.988")), (40, 900), 1, YUAN)
BY_PIECE = Custom("pcs", (("1", "1"), ("50", "0.97"), ("200", "0.94")), (80, 4000), 10)
BY_THOUSAND = Custom("kpcs", (("1", "1"), ("10", "0.96"), ("50", "0.92")), (5, 300), 1)
BY_METRE = Custom("m", (("100", "1"), ("1000", "0.98"), ("5000", "0.965")), (500, 40_000), 100)
BY_VALVE = Custom("pcs", (("1", "1"), ("10", "0.97"), ("40", "0.94")), (4, 240), 1)


def to_step(value: Decimal, step: Decimal) -> Decimal:
    """Rounds half up to a whole number of steps, written with the decimals of a fen at least."""
    return ((value / step).quantize(YUAN, ROUND_HALF_UP) * step).quantize(FEN)


def kilograms(value: Decimal) -> Decimal:
    """Rounds a weight half up to the tenth of a gram and drops idle zeros (a gram keeps its three places)."""
    return value.quantize(GRAM, ROUND_HALF_UP)


def offer(
    rng: Random,
    custom: Custom,
    price: Decimal,
    *,
    code: str,
    category: str,
    name_zh: str,
    name_en: str,
    spec: str,
    attributes: Mapping[str, str | Decimal],
    weight_kg: Decimal,
    grade: str,
    part_no: str,
    conversions: tuple[Conversion, ...] = (),
    search_words: tuple[str, ...] = (),
) -> Sku:
    """Put an article on the shelf: its price moved by up to 1.5 %, its tiers, its stock.

    About one article in sixteen is sold out and one in ten is scarce, so that a screen has both to show.
    """
    first = to_step(price * (1000 + rng.randint(-15, 15)) / 1000, custom.price_step)
    tiers: list[tuple[Decimal, Decimal]] = []
    for quantity, share in custom.breaks:
        tier = to_step(first * Decimal(share), custom.price_step)
        if not tiers or tier < tiers[-1][1]:
            tiers.append((Decimal(quantity), tier))

    low, high = custom.stock
    plenty = Decimal(rng.randrange(low, high + 1, custom.step))
    luck = rng.randrange(80)
    on_hand = Decimal(0) if luck < 5 else Decimal(low) if luck < 13 else plenty
    return Sku(
        code,
        category,
        name_zh,
        name_en,
        spec,
        custom.uom,
        attributes,
        kilograms(weight_kg),
        "goods",
        first,
        tuple(tiers),
        grade,
        part_no,
        on_hand,
        conversions,
        search_words,
    )
