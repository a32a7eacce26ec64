"""Orders of the last year, replayed through the verbs with the database's clock set back, so that lists have a past."""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

from sqlalchemy import select, text

from core import billing, fulfilment, orders
from core.catalog import Product
from core.db import Unit
from core.demo.enterprises import PastOrder, past_orders
from core.demo.goods import catalogue
from core.kernel import Context
from core.web.formats import HOUSE_ZONE

ZERO = Decimal(0)


def load_past(unit: Unit, ids: Mapping[str, UUID], count: int, seed: int = 7) -> dict[str, int]:
    """Replay `count` past orders; answers how many ended in which way."""
    ends: Counter[str] = Counter()
    for plan in past_orders(seed, catalogue(), count):
        ends[plan.outcome] += 1
        _replay(unit, ids[plan.buyer], ids[plan.seller], plan)
    return dict(ends)


@contextmanager
def _then(unit: Unit, tenant: UUID, name: str, days: int) -> Iterator[Context]:
    """A context of the platform `days` ago, by the database's own clock."""
    with unit.system(tenant, name) as ctx:
        shift = text("SELECT set_config('ts.clock_shift', :by, true)")
        ctx.session.execute(shift, {"by": f"-{max(days, 0)} days"})
        ctx.now = ctx.session.scalar(text("SELECT ts.clock()"))
        yield ctx


def _replay(unit: Unit, buyer: UUID, seller: UUID, plan: PastOrder) -> None:
    day = plan.days_ago
    with _then(unit, seller, "seed", day) as ctx:
        codes = [line.sku for line in plan.lines]
        skus = dict(
            ctx.session.execute(select(Product.code, Product.id).where(Product.code.in_(codes)))
            .tuples()
            .all()
        )
    with _then(unit, buyer, "seed", day) as ctx:
        wanted = [orders.WantedLine(skus[line.sku], line.quantity) for line in plan.lines]
        order = orders.place(
            ctx,
            orders.NewOrder(
                seller, wanted, buyer_po=plan.po_no, ship_to="吴江厂区收货点", delivery_date=_wished(ctx, plan)
            ),
        )
        order_id, waiting = order.id, order.state == "pending_approval"
    if waiting:
        with _then(unit, buyer, "seed", day) as ctx:
            orders.approve(ctx, order_id)
    if plan.outcome == "rejected":
        with _then(unit, seller, "seed", day) as ctx:
            orders.reject(ctx, order_id, "本月排产已满")
    elif plan.outcome == "cancelled":
        with _then(unit, buyer, "seed", day) as ctx:
            orders.cancel(ctx, order_id, "需求取消")
    else:
        with _then(unit, seller, "seed", day) as ctx:
            orders.confirm(ctx, order_id)
        _deliver(unit, buyer, seller, order_id, plan)
        if plan.outcome == "completed":
            _settle(unit, buyer, seller, order_id, plan)


def _wished(ctx: Context, plan: PastOrder) -> date:
    """Three or four days after the order: enough for one shipment, and not always for a second one."""
    return ctx.now.astimezone(HOUSE_ZONE).date() + timedelta(days=3 + len(plan.lines) % 2)


def _deliver(unit: Unit, buyer: UUID, seller: UUID, order_id: UUID, plan: PastOrder) -> None:
    for number in range(plan.shipments):
        day = plan.days_ago - 2 - number
        with _then(unit, seller, "seed", day) as ctx:
            by_code = {line.sku_code: line.id for line in orders.lines(ctx, order_id)}
            portions = [
                fulfilment.Portion(by_code[line.sku], line.shipped[number])
                for line in plan.lines
                if len(line.shipped) > number and line.shipped[number] > 0
            ]
            if not portions:
                continue
            shipment = fulfilment.ship(
                ctx, order_id, portions, carrier="华东物流", waybill=f"HD{plan.po_no[-5:]}{number}"
            )
            shipment_id = shipment.id
        with _then(unit, buyer, "seed", day - 1) as ctx:
            counts = [fulfilment.Count(portion.line_id, portion.quantity) for portion in portions]
            fulfilment.receive(ctx, shipment_id, counts)


def _settle(unit: Unit, buyer: UUID, seller: UUID, order_id: UUID, plan: PastOrder) -> None:
    with _then(unit, seller, "seed", plan.days_ago - 4) as ctx:
        invoice = billing.issue_invoice(ctx, order_id)
        invoice_id, amount = invoice.id, invoice.total
    paid_on = max(plan.days_ago - 30, 1)
    with _then(unit, buyer, "seed", paid_on) as ctx:
        payment = billing.announce_payment(ctx, amount, f"BK{plan.po_no[-5:]}", invoice_ids=[invoice_id])
        payment_id = payment.id
    with _then(unit, seller, "seed", paid_on) as ctx:
        billing.confirm_payment(ctx, payment_id)
