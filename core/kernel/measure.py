"""Money and quantities: decimal end to end, rounded half up once at a named point, split without losing a fen."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal, InvalidOperation

_NO_MINOR = frozenset({"JPY", "KRW", "VND", "CLP", "ISK"})
_THREE_MINOR = frozenset({"BHD", "KWD", "OMR", "TND", "JOD"})


def minor_units(currency: str) -> int:
    """Decimal places of a currency (ISO 4217): CNY 2, JPY 0, KWD 3."""
    return 0 if currency in _NO_MINOR else 3 if currency in _THREE_MINOR else 2


def round_to(value: Decimal, places: int) -> Decimal:
    """Half up, ties away from zero: 2.345 -> 2.35, -2.345 -> -2.35."""
    return _finite(value).quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)


def round2(value: Decimal) -> Decimal:
    """To two places, half up: what an amount in yuan is rounded to."""
    return round_to(value, 2)


def split(total: Decimal, weights: Sequence[Decimal | int], places: int = 2) -> list[Decimal]:
    """Share `total` over `weights` exactly: floors first, then one smallest unit each to the largest remainders.

    Ties go to the lowest index; a negative total is split by its absolute value. The sum is always `total`.
    """
    if not weights:
        raise ValueError("nothing to split over")
    shares = [_finite(Decimal(weight)) for weight in weights]
    whole = sum(shares, Decimal(0))
    if whole <= 0 or min(shares) < 0:
        raise ValueError("weights must be non-negative and not all zero")
    sign = -1 if total < 0 else 1
    unit = Decimal(1).scaleb(-places)
    amount = abs(_finite(total))
    if amount != round_to(amount, places):
        raise ValueError(f"{total} has more than {places} decimal places")
    exact = [amount * share / whole for share in shares]
    parts = [value.quantize(unit, rounding=ROUND_DOWN) for value in exact]
    missing = int((amount - sum(parts, Decimal(0))) / unit)
    by_remainder = sorted(range(len(parts)), key=lambda index: (parts[index] - exact[index], index))
    for index in by_remainder[:missing]:
        parts[index] += unit
    return [sign * part for part in parts]


def _finite(value: Decimal) -> Decimal:
    if not isinstance(value, Decimal):
        raise TypeError(f"{value!r} is not a Decimal")
    if not value.is_finite():
        raise ValueError(f"{value} is not a finite number")
    return value


@dataclass(frozen=True, slots=True)
class Money:
    """An amount of one currency, never with more digits than the currency has."""

    amount: Decimal
    currency: str = "CNY"

    def __post_init__(self) -> None:
        try:
            exact = _finite(self.amount).quantize(Decimal(1).scaleb(-minor_units(self.currency)))
        except InvalidOperation:
            raise ValueError(f"{self.amount} is too large to be money") from None
        if exact != self.amount:
            raise ValueError(f"{self.amount} has more digits than {self.currency}")
        object.__setattr__(self, "amount", exact)

    def __add__(self, other: "Money") -> "Money":
        return Money(self.amount + self._same(other), self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.amount - self._same(other), self.currency)

    def __neg__(self) -> "Money":
        return Money(-self.amount, self.currency)

    def __lt__(self, other: "Money") -> bool:
        return self.amount < self._same(other)

    def __le__(self, other: "Money") -> bool:
        return self.amount <= self._same(other)

    def _same(self, other: "Money") -> Decimal:
        if other.currency != self.currency:
            raise ValueError(f"{self.currency} and {other.currency} do not mix")
        return other.amount

    def __str__(self) -> str:
        return f"{self.amount:,} {self.currency}"


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number of one unit (`t`, `kg`, `pcs`, `m` ...), at most six decimals."""

    value: Decimal
    unit: str

    def __post_init__(self) -> None:
        if _finite(self.value) != round_to(self.value, 6):
            raise ValueError(f"{self.value} has more than six decimals")

    def __str__(self) -> str:
        return f"{self.value.normalize():f} {self.unit}"
