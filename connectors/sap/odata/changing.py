"""What has to be done to an order SAP already holds so that it says what ours says: the smallest steps the API allows.

SAP changes quantities and prices of an item in place; a material or a unit it does not. Such a line is rejected with the
reason from the settings and filed anew behind the old number. Items are never deleted: that would lose the trail.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.sap.odata import wire
from connectors.sap.odata.mapping import item_number, line_of, live_items, main_items
from tongshang.connect import Bill, Rejected

REPLACEMENTS = 9  # numbers behind an item's own (21 to 29)


@dataclass(frozen=True)
class Step:
    """One write: `method` PATCH changes the entity at `path`, POST adds below it, DELETE takes it back."""

    method: str
    path: str
    values: Mapping[str, Any]


def steps(bill: Bill, order: Mapping[str, Any], reason: str) -> list[Step]:
    """The steps, in the order they are safe in. Raises Rejected for what cannot be changed there."""
    number = wire.text(order, "SalesOrder")
    for name, ours in (("SoldToParty", bill.partner), ("TransactionCurrency", bill.currency)):
        if wire.text(order, name) != ours:
            said = f"{name}: {wire.text(order, name)} → {ours} cannot be changed in SAP"
            raise Rejected("sap.head_fixed", said, field=name)
    live = {int(wire.text(item, "SalesOrderItem")): item for item in live_items(order)}
    used = {int(wire.text(item, "SalesOrderItem")) for item in main_items(order)}
    changed, added = _head(bill, order, number), []
    kept: set[int] = set()
    for wanted in _wanted(bill):
        line = line_of(str(wanted["SalesOrderItem"]))
        at = next((no for no in sorted(live) if no not in kept and _same(no, live[no], line, wanted)), None)
        if at is None:
            free = free_number(line, used)
            used.add(free)
            values = {**wanted, "SalesOrderItem": str(free)}
            added.append(Step("POST", f"A_SalesOrder({wire.literal(number)})/to_Item", values))
        else:
            kept.add(at)
            changed += _item(number, at, live[at], wanted)
    rejected = [reject(number, no, reason) for no in sorted(live) if no not in kept]
    # While nothing is left of the old items the new ones go first: an order with every item rejected is a cancelled one.
    return changed + (rejected + added if kept else added + rejected)


def reject(number: str, item: int, reason: str) -> Step:
    """The step that rejects one item."""
    if not reason:
        raise Rejected(
            "sap.rejection_reason_missing", "the settings name no reason for rejection", field="rejection"
        )
    return Step("PATCH", item_path(number, item), {"SalesDocumentRjcnReason": reason})


def item_path(number: str, item: int) -> str:
    return f"A_SalesOrderItem(SalesOrder={wire.literal(number)},SalesOrderItem='{item}')"


def _wanted(bill: Bill) -> Sequence[Mapping[str, Any]]:
    return wire.many(bill.body, "to_Item")


def _head(bill: Bill, order: Mapping[str, Any], number: str) -> list[Step]:
    name = "RequestedDeliveryDate"
    if wire.day(order, name) == wire.day(bill.body, name):
        return []
    return [Step("PATCH", f"A_SalesOrder({wire.literal(number)})", {name: bill.body[name]})]


def _same(no: int, item: Mapping[str, Any], line: int, wanted: Mapping[str, Any]) -> bool:
    """Whether the wanted line can be written into this item."""
    return (
        no // 10 == line
        and wire.text(item, "Material") == wire.text(wanted, "Material")
        and wire.text(item, "RequestedQuantityUnit") == wire.text(wanted, "RequestedQuantityUnit")
        and _condition(item, wanted) is not None
    )


def _condition(item: Mapping[str, Any], wanted: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The price of ours among the item's pricing elements."""
    kind = wire.text(_price(wanted), "ConditionType")
    found = (one for one in wire.many(item, "to_PricingElement") if wire.text(one, "ConditionType") == kind)
    return next((one for one in found if not wire.text(one, "ConditionInactiveReason")), None)


def _price(wanted: Mapping[str, Any]) -> Mapping[str, Any]:
    """The pricing element the line is sent with."""
    return wire.many(wanted, "to_PricingElement")[0]


def _item(number: str, no: int, item: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[Step]:
    made = []
    if wire.number(item, "RequestedQuantity") != wire.number(wanted, "RequestedQuantity"):
        values = {name: wanted[name] for name in ("RequestedQuantity", "RequestedQuantityUnit")}
        made.append(Step("PATCH", item_path(number, no), values))
    price = _price(wanted)
    held = _condition(item, wanted)
    assert held is not None
    if any(
        wire.number(held, name) != wire.number(price, name)
        for name in ("ConditionRateValue", "ConditionQuantity")
    ):
        step, counter = wire.text(held, "PricingProcedureStep"), wire.text(held, "PricingProcedureCounter")
        key = f"SalesOrder={wire.literal(number)},SalesOrderItem='{no}'"
        key += f",PricingProcedureStep={wire.literal(step)},PricingProcedureCounter={wire.literal(counter)}"
        values = {name: value for name, value in price.items() if name != "ConditionType"}
        made.append(Step("PATCH", f"A_SalesOrderItemPrElement({key})", values))
    return made


def free_number(line: int, used: set[int]) -> int:
    """The number behind a line's own at which its replacement is filed. Raises Rejected when all of them are used."""
    first = item_number(line)
    free = next((no for no in range(first, first + REPLACEMENTS + 1) if no not in used), None)
    if free is None:
        said = f"line {line} was replaced {REPLACEMENTS} times already: change it in SAP by hand"
        raise Rejected("sap.item_numbers_used", said, field="items")
    return free
