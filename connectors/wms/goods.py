"""A warehouse's words for goods: its item codes, the units it counts in, and the codes it answers with.

A warehouse counts every item in one unit and writes no unit on its documents, so the unit is told here. Prices
are no business of a warehouse: documents are compared by items and quantities alone.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal

from connectors.wms.figures import plain, quantity
from tongshang.connect import Access, LineOut, Lookup, Rejected, RemoteLine, SyncError

# ours/theirs -> how many of theirs make one of ours
FACTORS = {
    "kpcs/pcs": "1000",
    "pcs/piece": "1",
    "piece/pcs": "1",
    "t/kg": "1000",
    "kg/t": "0.001",
}
REMEDIES = ("exists", "missing", "later", "unclear", "settings", "refused")
NONE = Decimal(0)


class Goods:
    """Items and units of one connection. `code` begins the codes of refusals, such as `qimen`."""

    def __init__(self, access: Access, code: str) -> None:
        self.code = code
        self.unit = access["unit"] or "pcs"
        self.units = access.table("item_units", {})
        self.factors = access.table("factors", FACTORS)
        self.whole = access["fractions"] != "1"
        self.items = access.table("materials", {})
        self.materials = {theirs: ours for ours, theirs in self.items.items()}

    def item(self, line: LineOut, lookup: Lookup) -> str:
        return lookup("product", line.sku_id) or self.items.get(line.material, line.material)

    def material(self, item: str) -> str:
        return self.materials.get(item, item)

    def unit_of(self, item: str) -> str:
        return self.units.get(item) or self.units.get(self.material(item)) or self.unit

    def line(self, line: LineOut, lookup: Lookup) -> RemoteLine:
        """A line in the warehouse's own count; raises Rejected."""
        item = self.item(line, lookup)
        theirs, count = self.unit_of(item), line.quantity
        if line.unit != theirs:
            factor = self.factors.get(f"{line.unit}/{theirs}")
            if factor is None:
                said = f"{item}: ordered in {line.unit}, counted in {theirs}"
                raise Rejected(f"{self.code}.unit_missing", said, field=item)
            try:
                count = line.quantity * quantity(factor)
            except ValueError as error:
                raise Rejected(f"{self.code}.unit_missing", f"{item}: {error}", field=item) from None
        if self.whole and count != count.to_integral_value():
            said = f"{item}: {plain(count)} {theirs}"
            raise Rejected(f"{self.code}.fraction", said, field=item)
        return RemoteLine(item, count, theirs, NONE, NONE)

    def held(self, item: str, count: Decimal) -> RemoteLine:
        """A line as the warehouse tells it."""
        return RemoteLine(item, count, self.unit_of(item), NONE, NONE)


def remedies(access: Access, standard: Mapping[str, str]) -> dict[str, str]:
    """Answer codes by remedy: the standard ones under those of the setting `codes`."""
    return {
        code.upper(): remedy for code, remedy in access.table("codes", standard).items() if remedy in REMEDIES
    }


FIELD = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}")


def constants(access: Access, taken: Collection[str]) -> dict[str, str]:
    """Fields a site wants on every order, as told; those we fill ourselves are left alone."""
    told = access.table("constants", {})
    return {name: value for name, value in told.items() if FIELD.fullmatch(name) and name not in taken}


def unknown_remedies(access: Access) -> Sequence[str]:
    """Words in the table of codes that are no remedy, for the check to complain about."""
    return sorted(set(access.table("codes", {}).values()) - set(REMEDIES))


class Exists(SyncError):
    """The warehouse says that it has this order already; caught by the connector, never raised to the engine."""


class Missing(SyncError):
    """The warehouse says that it has no such order; caught by the connector, never raised to the engine."""
