"""What a counter or an amendment may change: quantities, prices and the date, read strictly and applied plainly.

`{"lines": [{"no": 10, "quantity": "60", "unit_price": "36.50"}], "delivery_date": "2026-12-05"}`
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from core.kernel import FieldError, Invalid
from core.orders.drafting import reckon
from core.orders.model import OrderLine, TradeOrder


def read_changes(wish: Mapping[str, Any], current: list[OrderLine], *, prices: bool = True) -> dict[str, Any]:
    """The wish as JSON-ready text; every wrong line number or empty wish is named."""
    known = {line.no for line in current}
    errors: list[FieldError] = []
    found: list[dict[str, str | int]] = []
    for index, entry in enumerate(wish.get("lines") or ()):
        number = entry.get("no")
        if number not in known:
            errors.append(FieldError(f"lines.{index}.no", "order.no_such_line", {"no": number}))
            continue
        kept: dict[str, str | int] = {"no": number}
        if entry.get("quantity") is not None:
            if Decimal(entry["quantity"]) <= 0:
                errors.append(FieldError(f"lines.{index}.quantity", "decimal.must_be_positive", {}))
            kept["quantity"] = str(entry["quantity"])
        if entry.get("unit_price") is not None:
            if not prices:
                errors.append(FieldError(f"lines.{index}.unit_price", "order.price_is_bound", {}))
            if Decimal(entry["unit_price"]) < 0:
                errors.append(FieldError(f"lines.{index}.unit_price", "decimal.too_small", {}))
            kept["unit_price"] = str(entry["unit_price"])
        found.append(kept)
    if errors:
        raise Invalid(errors)
    changes: dict[str, Any] = {}
    if found:
        changes["lines"] = found
    if wish.get("delivery_date"):
        day = wish["delivery_date"]
        changes["delivery_date"] = day.isoformat() if isinstance(day, date) else str(day)
    if not changes:
        raise Invalid.one("lines", "order.nothing_changed")
    return changes


def apply_changes(order: TradeOrder, current: list[OrderLine], changes: Mapping[str, Any]) -> None:
    """Put a read wish into effect; amounts are reckoned again, the caller sums the order."""
    by_number = {line.no: line for line in current}
    for entry in changes.get("lines", ()):
        line = by_number[entry["no"]]
        if "quantity" in entry:
            line.quantity = Decimal(entry["quantity"])
        if "unit_price" in entry:
            line.unit_price = Decimal(entry["unit_price"])
            line.components = [*line.components, {"level": "agreed", "unit_price": entry["unit_price"]}]
        reckon(line)
    if "delivery_date" in changes:
        order.delivery_date = date.fromisoformat(changes["delivery_date"])
