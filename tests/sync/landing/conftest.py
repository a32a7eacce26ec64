"""A trade of two enterprises, each wired to a system of its own that tells what happened there."""

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest

from core.kernel import Actor, Context, uuid7
from core.sync import ErpConnection
from core.sync.incoming import DeliveryIn, Incoming, InvoiceIn, MovedLine, PaymentIn, ReceiptIn
from core.sync.landing import Left, grants_of
from core.sync.store import store
from tests.fulfilment.trading import Trade, new_trade

D = Decimal
DAY = date(2026, 11, 23)


@dataclass
class Wired:
    """The trade, and both sides' connections."""

    trade: Trade
    connections: dict[str, UUID] = field(default_factory=dict)

    def land(self, side: str, *items: Incoming, stock_counts: bool = True) -> list[Left]:
        """Land records as the connector of a side would, with no more than they need; what was left out."""
        ctx = self.trade.ctx
        with self.trade.buyer() if side == "buyer" else nullcontext():
            kept = ctx.actor, ctx.grants, ctx.everything
            connection = self.connections[side]
            ctx.actor = Actor("connector", connection, f"ERP of the {side}")
            ctx.grants, ctx.everything = grants_of(items), False
            try:
                rows = [({"no": no}, item) for no, item in enumerate(items)]
                stored, left = store(ctx, connection, rows, stock_counts=stock_counts)
            finally:
                ctx.actor, ctx.grants, ctx.everything = kept
        assert stored == len(items) - len(left)
        return left

    @property
    def reference(self) -> str:
        number = self.trade.now.number
        assert number
        return number

    def delivery(self, *lines: MovedLine, id: str = "D1", **more: str) -> DeliveryIn:
        told = {"carrier": "中远", "tracking": "WB-9"} | more
        return DeliveryIn(id, f"XSCKD-{id}", self.reference, DAY, lines, **told)

    def receipt(self, *lines: MovedLine, id: str = "R1") -> ReceiptIn:
        return ReceiptIn(id, f"CGRK-{id}", self.reference, DAY, lines)

    def invoice(self, total: str, id: str = "I1", currency: str = "CNY") -> InvoiceIn:
        return InvoiceIn(id, f"FP-{id}", self.reference, DAY, currency, D(total))

    def payment(self, amount: str, number: str = "SK-1", id: str = "P1", reference: str = "") -> PaymentIn:
        return PaymentIn(id, number, reference or self.reference, DAY, "CNY", D(amount))


def codes(left: list[Left]) -> list[str]:
    return [each.code for each in left]


@pytest.fixture
def wired(make_ctx: Callable[..., Context], tenant: UUID, other_tenant: UUID) -> Wired:
    """100 t and 50 t ordered at 10.00 a ton, 13 % VAT on top; nothing shipped yet."""
    trade = new_trade(make_ctx, tenant, other_tenant)
    trade.set_up({"RB12": D(1000), "RB16": D(1000)})
    trade.order({"RB12": D(100), "RB16": D(50)})
    made = Wired(trade)
    for side, here in (("seller", nullcontext()), ("buyer", trade.buyer())):
        with here:
            id = uuid7()
            row = ErpConnection(
                id=id,
                tenant_id=trade.ctx.tenant_id,
                connector="fake",
                name=f"ERP of the {side}",
                base_url="https://erp.example.com",
                secrets="{}",
            )
            trade.ctx.session.add(row)
            trade.ctx.session.flush()
            made.connections[side] = id
    return made
