"""How much of a listing is free: known to the stock room above, lent to this one when the platform is put together."""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from uuid import UUID

from core.kernel import Context

Ask = Callable[[Context, Iterable[UUID]], Mapping[UUID, Decimal]]


class Availability:
    """Answers nothing until somebody who knows has been lent."""

    def __init__(self) -> None:
        self._ask: Ask | None = None

    def lend(self, ask: Ask) -> None:
        self._ask = ask

    def of(self, ctx: Context, sku_ids: Iterable[UUID]) -> Mapping[UUID, Decimal]:
        """Free base units by product; a product that is missing here is not known about. One statement at most."""
        skus = list(sku_ids)
        return self._ask(ctx, skus) if self._ask and skus else {}


availability = Availability()
