"""What a counter or an amendment may change: quantities, prices and the date, read strictly and applied plainly.

`{"lines": [{"no": 10, "quantity": "60", "unit_price": "36.50"}], "delivery_date": "2026-12-05"}`

What can be proposed can also be agreed: figures and totals that no order could hold are refused when they are proposed.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from core.catalog import Amounts, line_amounts
from core.kernel import FieldError, Invalid, minor_units, round_to
from core.orders.drafting import MOST
from core.orders.model import OrderLine, TradeOrder

MOST_FIGURE = Decimal(10) ** 9
"""No quantity and no price is larger, whether ordered, countered or amended."""
PLACES = 6
ZERO = Decimal(0)


def read_changes(
    order: TradeOrder, current: list[OrderLine], wish: Mapping[str, Any], *, prices: bool = True
) -> dict[str, Any]:
    """The wish as JSON-ready text. Invalid names every wrong line number, figure and date, an empty wish, and a total
    beyond what an order can hold."""
    known = {line.no for line in current}
    errors: list[FieldError] = []
    found: list[dict[str, str | int]] = []
    for index, entry in enumerate(wish.get("lines") or ()):
        number = entry.get("no")
        if number not in known:
            errors.append(FieldError(f"lines.{index}.no", "order.no_such_line", {"no": number}))
            continue
        if any(each["no"] == number for each in found):
            errors.append(FieldError(f"lines.{index}.no", "order.line_twice", {"no": number}))
            continue
        kept: dict[str, str | int] = {"no": number}
        for name in ("quantity", "unit_price"):
            if entry.get(name) is None:
                continue
            figure = Decimal(entry[name])
            if code := _wrong(name, figure, prices):
                errors.append(FieldError(f"lines.{index}.{name}", code, {}))
            kept[name] = str(figure)
        found.append(kept)
    changes: dict[str, Any] = {}
    if found:
        changes["lines"] = found
    if wish.get("delivery_date"):
        day = _day(wish["delivery_date"])
        if day is None:
            errors.append(FieldError("delivery_date", "date.not_a_date", {}))
        else:
            changes["delivery_date"] = day.isoformat()
    if errors:
        raise Invalid(errors)
    if not changes:
        raise Invalid.one("lines", "order.nothing_changed")
    offered_total(order, current, changes)
    return changes


def offered_total(order: TradeOrder, current: list[OrderLine], changes: Mapping[str, Any]) -> Decimal:
    """What the order would come to with these changes, VAT included. Invalid names the line that is too much."""
    entries = {entry["no"]: (index, entry) for index, entry in enumerate(changes.get("lines", ()))}
    total = ZERO
    for line in current:
        index, entry = entries.get(line.no, (0, {}))
        total += changed_amounts(order, line, entry).gross
        if total >= MOST:
            path = f"lines.{index}.{'unit_price' if 'unit_price' in entry else 'quantity'}" if entry else "lines"
            raise Invalid.one(path, "order.too_large")
    return total


def changed_amounts(order: TradeOrder, line: OrderLine, entry: Mapping[str, Any]) -> Amounts:
    """A line's amounts with the entry's quantity and price: rounded once to the currency, VAT by the line's own rule."""
    if "quantity" not in entry and "unit_price" not in entry:
        return Amounts(line.net, line.tax, line.gross)
    quantity, price = (Decimal(entry.get(name, getattr(line, name))) for name in ("quantity", "unit_price"))
    return line_amounts(quantity, price, line.vat_rate, line.tax_incl, minor_units(order.currency))


def apply_changes(order: TradeOrder, current: list[OrderLine], changes: Mapping[str, Any]) -> None:
    """Put a read wish into effect; amounts are reckoned again, the caller sums the order."""
    by_number = {line.no: line for line in current}
    for entry in changes.get("lines", ()):
        line = by_number[entry["no"]]
        amounts = changed_amounts(order, line, entry)
        if "quantity" in entry:
            line.quantity = Decimal(entry["quantity"])
        if "unit_price" in entry:
            line.unit_price = Decimal(entry["unit_price"])
            line.components = [*line.components, {"level": "agreed", "unit_price": entry["unit_price"]}]
        line.net, line.tax, line.gross = amounts.net, amounts.tax, amounts.gross
    if "delivery_date" in changes:
        order.delivery_date = date.fromisoformat(changes["delivery_date"])


def _wrong(name: str, figure: Decimal, prices: bool) -> str | None:
    """What is wrong with a quantity or a price, as a code."""
    if name == "unit_price" and not prices:
        return "order.price_is_bound"
    if not figure.is_finite() or figure > MOST_FIGURE:
        return "decimal.out_of_range"
    if name == "quantity" and figure <= 0:
        return "decimal.must_be_positive"
    if figure < 0:
        return "decimal.too_small"
    return "decimal.too_many_digits" if round_to(figure, PLACES) != figure else None


def _day(given: date | str) -> date | None:
    try:
        return given if isinstance(given, date) else date.fromisoformat(given)
    except ValueError:
        return None
