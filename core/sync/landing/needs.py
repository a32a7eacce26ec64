"""What a connector may do while its records land: what their kind needs, and nothing beside it."""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from core.sync.incoming import (
    DeliveryIn,
    Incoming,
    InvoiceIn,
    PartnerIn,
    PaymentIn,
    PriceIn,
    ProductIn,
    ReceiptIn,
    StockIn,
    StockMoveIn,
    UnitIn,
)

NEEDS: Mapping[type[Incoming], tuple[str, ...]] = {
    ProductIn: ("product.edit",),
    StockIn: ("stock.adjust", "warehouse.edit"),
    StockMoveIn: (),
    PartnerIn: (),
    UnitIn: (),
    PriceIn: ("price.edit",),
    DeliveryIn: ("shipment.create",),
    ReceiptIn: ("receipt.create",),
    InvoiceIn: ("invoice.issue",),
    PaymentIn: ("payment.confirm",),
}


def grants_of(items: Iterable[Incoming]) -> dict[str, Decimal | None]:
    """The permissions these records need to land, without limits of amount."""
    return {permission: None for kind in {type(item) for item in items} for permission in NEEDS[kind]}
