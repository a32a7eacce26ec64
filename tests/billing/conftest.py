"""A trade for tests of money: 2 articles at 10.00 a ton, 13 % VAT on top."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from uuid import UUID

import pytest

from core.kernel import Context
from tests.billing.checks import breaches
from tests.fulfilment.trading import Trade, new_trade


@pytest.fixture
def trade(make_ctx: Callable[..., Context], tenant: UUID, other_tenant: UUID) -> Iterator[Trade]:
    """Whatever a test does with it, the invariants hold at its end."""
    found = new_trade(make_ctx, tenant, other_tenant)
    found.set_up({"RB12": Decimal(10000), "RB16": Decimal(10000)})
    yield found
    assert breaches(found) == {}


@pytest.fixture
def accepted(trade: Trade) -> Trade:
    """100 t ordered, shipped, received and accepted: 1,000.00 net, 1,130.00 gross to bill."""
    trade.order({"RB12": Decimal(100)})
    trade.receive(trade.ship("100"), "100")
    return trade
