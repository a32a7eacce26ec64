"""What waits on the workbench about money: to bill and to confirm for the seller's people, to pay for the buyer's."""

from datetime import UTC, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Date, Select, cast, func, literal, select, union_all
from sqlalchemy.types import Numeric, Uuid

from core.billing.model import Invoice, Payment
from core.kernel import Context, Money
from core.orders import OrderLine, TradeOrder
from core.tenancy import EnterpriseCard
from core.web import gettext as _
from core.web.i18n import CHINESE, language
from core.workbench import Figure, Todo

WORDS = {
    "bill": ("Bill what was accepted", "Issue the invoice", "receipt"),
    "confirm": ("Confirm a payment", "Confirm", "check"),
    "pay": ("Pay an invoice", "Announce a payment", "bank"),
}
"""Title and verb (msgids) and icon of each kind."""


def waiting(ctx: Context, limit: int) -> list[Todo]:
    """Orders to bill, payments to confirm, invoices to pay. One statement."""
    arms = []
    if ctx.allows("invoice.issue"):
        arms.append(_to_bill(ctx).limit(limit))
    if ctx.allows("payment.confirm"):
        arms.append(_to_confirm(ctx).limit(limit))
    if ctx.allows("payment.announce"):
        arms.append(_to_pay(ctx).limit(limit))
    if not arms:
        return []
    found = (union_all(*arms) if len(arms) > 1 else arms[0]).subquery("found")
    card = EnterpriseCard.__table__
    rows = ctx.session.execute(
        select(found, card.c.name, card.c.name_en)
        .join_from(found, card, card.c.tenant_id == found.c.partner_id)
        .order_by(found.c.day.nulls_first(), found.c.number)
        .limit(limit)
    )
    return [_todo(row) for row in rows]


def figures(ctx: Context) -> list[Figure]:
    """What is to be collected and what is to be paid, in the enterprise's main currency. One statement."""
    if not ctx.allows("invoice.view"):
        return []
    arms = [
        select(
            literal(side).label("side"),
            Invoice.currency,
            func.sum(Invoice.total - Invoice.settled - Invoice.credited),
        )
        .where(own == ctx.tenant_id, Invoice.kind == "blue", Invoice.state.in_(("issued", "part_paid")))
        .group_by(Invoice.currency)
        for side, own in (("seller", Invoice.seller_id), ("buyer", Invoice.buyer_id))
    ]
    found = [(row[0], Money(row[2], row[1])) for row in ctx.session.execute(union_all(*arms))]
    return [
        Figure(
            _("To collect") if side == "seller" else _("To pay"), money, endpoint="billing.invoices",
            values={"view": "collect" if side == "seller" else "pay"},
        )
        for side, money in sorted(found, key=lambda each: (each[0] != "seller", each[1].currency))
    ]  # fmt: skip


def _columns(
    kind: str, table: Any, order: Any, partner: Any, amount: Any, day: Any
) -> tuple[ColumnElement[Any], ...]:
    return (
        literal(kind).label("kind"), cast(order, Uuid).label("order_id"), table.number.label("number"),
        partner.label("partner_id"), cast(amount, Numeric(20, 4)).label("amount"), table.currency.label("currency"),
        cast(day, Date).label("day"),
    )  # fmt: skip


def _to_bill(ctx: Context) -> Select[Any]:
    rest = (
        select(literal(1))
        .where(OrderLine.order_id == TradeOrder.id, OrderLine.accepted > OrderLine.invoiced)
        .exists()
    )
    return (
        select(
            *_columns("bill", TradeOrder, TradeOrder.id, TradeOrder.buyer_id, literal(None), literal(None))
        )
        .where(TradeOrder.seller_id == ctx.tenant_id, rest)
        .where(TradeOrder.state.in_(("in_progress", "delivered", "accepted")))
        .order_by(TradeOrder.started_at)
    )


def _to_confirm(ctx: Context) -> Select[Any]:
    return (
        select(
            *_columns("confirm", Payment, Payment.order_id, Payment.buyer_id, Payment.amount, literal(None))
        )
        .where(Payment.seller_id == ctx.tenant_id, Payment.state == "announced")
        .order_by(Payment.id)
    )


def _to_pay(ctx: Context) -> Select[Any]:
    rest = Invoice.total - Invoice.settled - Invoice.credited
    return (
        select(*_columns("pay", Invoice, Invoice.order_id, Invoice.seller_id, rest, Invoice.due_on))
        .where(
            Invoice.buyer_id == ctx.tenant_id,
            Invoice.state.in_(("issued", "part_paid")),
            Invoice.kind == "blue",
        )
        .order_by(Invoice.due_on)
    )


def _todo(row: Any) -> Todo:
    title, verb, icon = WORDS[row.kind]
    order_id: UUID | None = row.order_id
    amount: Decimal | None = row.amount
    return Todo(
        row.kind, _(title), row.number, "orders.detail" if order_id else "billing.payments",
        {"order_id": order_id} if order_id else {"view": "confirm"}, _(verb),
        row.name if language() == CHINESE or not row.name_en else row.name_en,
        amount=Money(amount, row.currency) if amount is not None else None,
        due=datetime.combine(row.day, time(23, 59), UTC) if row.day else None, icon=icon, rank=25,
    )  # fmt: skip
