"""The arithmetic of a presale: what is earnest and what is not, and who gets what when it ends otherwise than planned.

Nothing here reads a table or a clock. Amounts are in the order's currency with two decimals, HALF_UP, rounded once.
By law earnest money (定金) is at most 20 % of the contract amount; what is paid above that is an ordinary advance.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

import tongshang as ts

ZERO = Decimal(0)
LAWFUL = Decimal(20)
"""Percent of the contract amount that can be earnest money."""


@dataclass(frozen=True)
class Deposit:
    """How an order's total is paid: `earnest` and `prepay` before, `balance` later. They sum to the total."""

    earnest: Decimal
    prepay: Decimal
    balance: Decimal

    @property
    def first(self) -> Decimal:
        return self.earnest + self.prepay


@dataclass(frozen=True)
class Outcome:
    """Who gets what in the end. `from_seller` is what the seller owes from its own pocket; `fee` is the platform's.

    refund + forfeit = what was paid. The buyer gets refund + from_seller, the seller forfeit - from_seller.
    """

    refund: Decimal
    forfeit: Decimal = ZERO
    from_seller: Decimal = ZERO
    fee: Decimal = ZERO

    @property
    def buyer(self) -> Decimal:
        return self.refund + self.from_seller

    @property
    def seller(self) -> Decimal:
        return self.forfeit - self.from_seller - self.fee


def deposit(total: Decimal, percent: Decimal, kind: str) -> Deposit:
    """Split a total. `kind` earnest: at most 20 % is earnest money, the excess an advance; `prepay`: all an advance."""
    first = ts.round2(total * percent / 100)
    earnest = min(first, ts.round2(total * LAWFUL / 100)) if kind == "earnest" else ZERO
    return Deposit(earnest, first - earnest, total - first)


def released(paid: Decimal) -> Outcome:
    """Nobody is to blame: the group was not reached, both agreed, force majeure, or nothing was paid in time."""
    return Outcome(paid)


def buyer_defaults(paid: Decimal, earnest: Decimal) -> Outcome:
    """The buyer loses the earnest money it paid; whatever it paid beyond that comes back."""
    lost = min(paid, earnest)
    return Outcome(paid - lost, lost)


def seller_defaults(paid: Decimal, earnest: Decimal) -> Outcome:
    """Everything comes back, and the earnest money once more from the seller."""
    return Outcome(paid, ZERO, min(paid, earnest))


def buyer_leaves(paid: Decimal, cost: Decimal) -> Outcome:
    """An advance comes back, less a cost both agreed on."""
    kept = min(paid, cost)
    return Outcome(paid - kept, kept)


def share(amount: Decimal, part: Decimal, whole: Decimal) -> Decimal:
    """The part of an amount that belongs to a part of the quantity."""
    return ts.round2(amount * part / whole)


def buyer_cuts(paid: Decimal, earnest: Decimal, dropped: Decimal, whole: Decimal) -> Outcome:
    """The buyer takes less: the earnest money of the dropped part is lost, the rest stays for the order."""
    return Outcome(ZERO, share(min(paid, earnest), dropped, whole))


def seller_cuts(paid: Decimal, earnest: Decimal, dropped: Decimal, whole: Decimal, new_total: Decimal) -> Outcome:
    """The seller delivers less: the earnest money of the missing part comes back doubled.

    What was paid above the smaller total comes back too; the rest stays for the order.
    """
    part = share(min(paid, earnest), dropped, whole)
    return Outcome(max(part, paid - new_total), ZERO, part)


def late_damages(amount_days: Decimal, first_amount: Decimal, rate: Decimal, cap: Decimal) -> Decimal:
    """Damages for late shipment. `amount_days` is the unshipped amount summed over the late days; `rate` in percent a day.

    At most `cap` percent of what was unshipped on the first late day.
    """
    return min(ts.round2(amount_days * rate / 100), ts.round2(first_amount * cap / 100))


def settled_price(values: Mapping[date, Decimal], first: date, last: date, k: Decimal, c: Decimal) -> Decimal | None:
    """The price by formula: mean of the days' final values x `k` + `c`, two decimals. None when a day has none.

    A day without a publication takes the one before it. `values` holds final values only, from before `first` on.
    """
    published = sorted(values)
    taken = []
    for step in range((last - first).days + 1):
        day = first + timedelta(days=step)
        known = [each for each in published if each <= day]
        if not known:
            return None
        taken.append(values[known[-1]])
    return ts.round2(sum(taken, ZERO) / len(taken) * k + c)
