"""What happened in the catalogue."""

from dataclasses import dataclass
from uuid import UUID

from core.kernel import Event


@dataclass(frozen=True)
class ProductsListed(Event):
    """Products became visible to buyers, or their listings were renewed."""

    seller_id: UUID
    sku_ids: tuple[UUID, ...]


@dataclass(frozen=True)
class ListingsWithdrawn(Event):
    """Products can no longer be bought."""

    seller_id: UUID
    sku_ids: tuple[UUID, ...]


@dataclass(frozen=True)
class PricesSet(Event):
    """Rows of a price list changed."""

    seller_id: UUID
    price_list_id: UUID
    sku_ids: tuple[UUID, ...]


@dataclass(frozen=True)
class ProductsImported(Event):
    """A file of products was read; its good rows have landed."""

    seller_id: UUID
    run_id: UUID
    landed: int
    refused: int
