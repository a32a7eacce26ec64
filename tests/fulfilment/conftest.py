"""A trade in progress: 100 t and 50 t ordered at 10.00 a ton, 13 % VAT on top."""

from collections.abc import Callable
from decimal import Decimal
from uuid import UUID

import pytest

from core.kernel import Context
from tests.fulfilment.trading import Trade, new_trade


@pytest.fixture
def trade(make_ctx: Callable[..., Context], tenant: UUID, other_tenant: UUID) -> Trade:
    """Nothing ordered yet; 1000 t of two articles on stock."""
    found = new_trade(make_ctx, tenant, other_tenant)
    found.set_up({"RB12": Decimal(1000), "RB16": Decimal(1000)})
    return found


@pytest.fixture
def running(trade: Trade) -> Trade:
    trade.order({"RB12": Decimal(100), "RB16": Decimal(50)})
    return trade
