"""What flows in, in the platform's own words: one frozen value for each kind of record.

`external_id` is how the other system tells one record from another; it keeps a repeated record from counting twice.
Quantities are in the unit that stands beside them, amounts include tax unless their name says otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal


@dataclass(frozen=True)
class ProductIn:
    """A product as the other system knows it."""

    external_id: str
    code: str
    name: str
    unit: str
    specification: str = ""
    group: str = ""
    active: bool = True


@dataclass(frozen=True)
class StockIn:
    """What lies of one product in one warehouse there, in base units of the product."""

    external_id: str
    material: str
    warehouse: str
    unit: str
    quantity: Decimal


@dataclass(frozen=True)
class StockMoveIn:
    """Goods that came (`quantity` above zero) or went in a warehouse there, in base units of the product.

    Evidence of why stock differs, never a change of ours. `reason` is the other system's own word for it, `reference` the
    document it names.
    """

    external_id: str
    material: str
    warehouse: str
    unit: str
    quantity: Decimal
    day: date
    reason: str = ""
    reference: str = ""


@dataclass(frozen=True)
class PartnerIn:
    """A customer or supplier there; `code` is the unified social credit code, by which we know enterprises."""

    external_id: str
    number: str
    name: str
    code: str
    active: bool = True


@dataclass(frozen=True)
class UnitIn:
    """A unit of measure there, by the number that documents carry."""

    external_id: str
    number: str
    name: str


@dataclass(frozen=True)
class PriceIn:
    """A price per `unit` with tax, from a quantity and a day on; `partner` empty: for everybody."""

    external_id: str
    material: str
    unit: str
    currency: str
    price: Decimal
    from_quantity: Decimal = Decimal(0)
    from_day: date | None = None
    to_day: date | None = None
    partner: str = ""


@dataclass(frozen=True)
class MovedLine:
    """A line of something that was shipped or received. `line` is the number of the order's line, 0 when it is not told."""

    line: int
    material: str
    quantity: Decimal
    unit: str


@dataclass(frozen=True)
class DeliveryIn:
    """Goods that left the seller for an order of ours, found by the order's reference."""

    external_id: str
    number: str
    reference: str
    day: date
    lines: tuple[MovedLine, ...]
    carrier: str = ""
    tracking: str = ""


@dataclass(frozen=True)
class ReceiptIn:
    """Goods the buyer took in for an order of ours."""

    external_id: str
    number: str
    reference: str
    day: date
    lines: tuple[MovedLine, ...]


@dataclass(frozen=True)
class InvoiceIn:
    """An invoice of the seller for an order of ours."""

    external_id: str
    number: str
    reference: str
    day: date
    currency: str
    total: Decimal


@dataclass(frozen=True)
class PaymentIn:
    """Money that came in for an order of ours, or for an invoice by its number."""

    external_id: str
    number: str
    reference: str
    day: date
    currency: str
    amount: Decimal


Incoming = (
    ProductIn
    | StockIn
    | StockMoveIn
    | PartnerIn
    | UnitIn
    | PriceIn
    | DeliveryIn
    | ReceiptIn
    | InvoiceIn
    | PaymentIn
)
