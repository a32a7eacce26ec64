"""Value added tax: which rate a class of goods bears on a day, and how an amount splits into net and tax.

An inclusive price is the authority: its net is rounded once and the tax is what remains. An exclusive price
bears tax rounded per line, and an order's tax is the sum of its lines' taxes, never a rate on the sum.
"""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from core.kernel import Invalid, round_to

_RATES: dict[str, tuple[tuple[date, Decimal], ...]] = {
    "goods": ((date(2018, 5, 1), Decimal("0.16")), (date(2019, 4, 1), Decimal("0.13"))),
    "reduced": ((date(2018, 5, 1), Decimal("0.10")), (date(2019, 4, 1), Decimal("0.09"))),
    "services": ((date(2018, 5, 1), Decimal("0.06")),),
    "simplified": ((date(2018, 5, 1), Decimal("0.03")),),
    "export": ((date(2018, 5, 1), Decimal("0")),),
}
"""Per class the rates with the day each begins. `reduced` is transport, utilities and farm products."""

TAX_CLASSES = tuple(_RATES)


class Amounts(NamedTuple):
    """One amount three ways, in one currency; net + tax is gross, always."""

    net: Decimal
    tax: Decimal
    gross: Decimal


def vat_rate(tax_class: str, on: date) -> Decimal:
    """The rate of a class on a business day; Invalid for an unknown class or a day before the table
    begins.
    """
    known = [rate for begins, rate in _RATES.get(tax_class, ()) if begins <= on]
    if not known:
        raise Invalid.one("tax_class", "tax.no_rate", tax_class=tax_class, day=on)
    return known[-1]


def vat(amount: Decimal, rate: Decimal, inclusive: bool, places: int = 2) -> Amounts:
    """Split an amount that includes the tax, or add the tax to one that does not."""
    amount = round_to(amount, places)
    if inclusive:
        net = round_to(amount / (1 + rate), places)
        return Amounts(net, amount - net, amount)
    tax = round_to(amount * rate, places)
    return Amounts(amount, tax, amount + tax)


def line_amounts(
    base_qty: Decimal, unit_price: Decimal, rate: Decimal, inclusive: bool, places: int = 2
) -> Amounts:
    """Quantity times unit price, rounded once, with its tax. Price and quantity speak of the same unit."""
    return vat(round_to(base_qty * unit_price, places), rate, inclusive, places)


def total(lines: Iterable[Amounts]) -> Amounts:
    """The sum of lines, without a second rounding."""
    net = tax = Decimal(0)
    for line in lines:
        net, tax = net + line.net, tax + line.tax
    return Amounts(net, tax, net + tax)


def exclusive_price(price: Decimal, rate: Decimal) -> Decimal:
    """An inclusive unit price without its tax, six decimals, for showing only: 4280 at 13 % is
    3787.610619.
    """
    return round_to(price / (1 + rate), 6)
