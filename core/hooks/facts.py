"""What plugins see of an order: frozen facts, never rows. A plugin can read them for ever and change nothing by accident."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID


@dataclass(frozen=True)
class Party:
    """One enterprise as the other side knows it."""

    id: UUID
    name: str
    uscc: str


@dataclass(frozen=True)
class LineFacts:
    """One order line. Quantities in the line's unit; amounts in the order's currency, tax as the rate says."""

    id: UUID
    no: int
    sku_id: UUID
    sku_code: str
    name: str
    unit: str
    quantity: Decimal
    unit_price: Decimal
    tax_included: bool
    vat_rate: Decimal
    net: Decimal
    tax: Decimal
    gross: Decimal
    shipped: Decimal = Decimal(0)
    received: Decimal = Decimal(0)
    accepted: Decimal = Decimal(0)
    rejected: Decimal = Decimal(0)
    short_closed: Decimal = Decimal(0)
    invoiced: Decimal = Decimal(0)


@dataclass(frozen=True)
class OrderFacts:
    """An order as it stands inside the transaction. `total` includes VAT."""

    id: UUID
    number: str | None
    mode: str
    state: str
    version: int
    buyer_id: UUID
    seller_id: UUID
    currency: str
    total: Decimal
    net: Decimal
    tax: Decimal
    terms_days: int
    delivery_date: date | None
    submitted_at: datetime | None
    confirmed_at: datetime | None
    offer_expires_at: datetime | None
    started_at: datetime | None
    lines: tuple[LineFacts, ...] = ()
    source_ref: str | None = None
    prepaid: Decimal = Decimal(0)
    paid: Decimal = Decimal(0)


@dataclass(frozen=True)
class TransitionFacts:
    """The step about to be taken: who does what, from where to where."""

    verb: str
    source: str
    target: str
    side: str


@dataclass(frozen=True)
class InvoiceFacts:
    """An invoice whose payee is asked for."""

    id: UUID
    number: str
    order_id: UUID
    buyer_id: UUID
    seller_id: UUID
    total: Decimal


@dataclass(frozen=True)
class Quotation:
    """Lines being priced, before any total exists. `prices` are the unit prices found so far, by line index.

    `source_ref` is what the order was born of, as its mode wrote it; a mode that agrees prices itself finds them by that.
    There `prices` is empty, and `units` are the units asked for (None = the product's base unit).
    """

    buyer_id: UUID
    seller_id: UUID
    mode: str
    sku_ids: tuple[UUID, ...]
    quantities: tuple[Decimal, ...]
    prices: tuple[Decimal, ...]
    order_id: UUID | None = None
    source_ref: str | None = None
    units: tuple[str | None, ...] = ()


@dataclass(frozen=True)
class LotFacts:
    """Goods about to leave a lot for an order line; `qty` in base units."""

    line_id: UUID
    sku_id: UUID
    warehouse_id: UUID
    lot_id: UUID
    lot_no: str
    heat_no: str
    qty: Decimal
