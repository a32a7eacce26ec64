"""A believable assortment: real designations, standard dimensions, invented prices and stock.

`catalogue(seed)` gives the same articles for the same seed, on every machine; each family draws from a
stream of its own, so a family added later moves no other. `scaled` multiplies an assortment for
measurements.
"""

from collections.abc import Iterator
from decimal import Decimal
from random import Random

from . import bearings, cable, fasteners, plate, rebar, sections, valves
from .model import Attribute, Catalogue, Category, Conversion, Sku, to_step

__all__ = [
    "FAMILIES",
    "Attribute",
    "Catalogue",
    "Category",
    "Conversion",
    "Sku",
    "catalogue",
    "scaled",
]

# In the order of the tree: a family may hang its categories under an earlier one's.
FAMILIES = {
    "rebar": rebar,
    "plate": plate,
    "sections": sections,
    "bearings": bearings,
    "fasteners": fasteners,
    "cable": cable,
    "valves": valves,
}

MILLS = tuple(f"M{number:02d}" for number in range(1, 26))
PACKINGS = ("P0", "P1", "P2", "P3")


def catalogue(seed: int = 7) -> Catalogue:
    """The whole assortment for a seed."""
    categories = tuple(category for family in FAMILIES.values() for category in family.CATEGORIES)
    articles = {name: tuple(family.skus(Random(f"{seed}/{name}"))) for name, family in FAMILIES.items()}
    return Catalogue(categories, articles)


def scaled(source: Catalogue, factor: int) -> Iterator[Sku]:
    """`factor` times as many articles, one by one: the source's own, then copies by mill, packing and batch.

    A copy keeps what the standard fixes and differs in code, mill, packing and by a little in price. The
    codes are unique for any factor.
    """
    if factor < 1:
        raise ValueError("factor must be 1 or more")
    yield from source.skus
    for copy in range(factor - 1):
        rest, mill = divmod(copy, len(MILLS))
        batch, packing = divmod(rest, len(PACKINGS))
        mark = f"{MILLS[mill]}{PACKINGS[packing]}" + (f"B{batch}" if batch else "")
        origin = {"mill": MILLS[mill], "packing": PACKINGS[packing]}
        share = Decimal(1000 + mill - len(MILLS) // 2) / 1000
        for sku in source.skus:
            yield _copy(sku, mark, origin, share)


def _copy(sku: Sku, mark: str, origin: dict[str, str], share: Decimal) -> Sku:
    tiers = tuple((quantity, to_step(price * share, Decimal("0.01"))) for quantity, price in sku.tiers)
    return Sku(
        f"{sku.code}.{mark}",
        sku.category,
        f"{sku.name_zh} {mark}",
        f"{sku.name_en} {mark}",
        sku.spec,
        sku.base_uom,
        {**sku.attributes, **origin},
        sku.weight_kg,
        sku.tax_class,
        tiers[0][1],
        tiers,
        sku.grade,
        sku.part_no,
        sku.on_hand,
        sku.conversions,
        sku.search_words,
    )
