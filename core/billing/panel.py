"""Billing's part of an order's page: its invoices and payments, and what may be done about the money now."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from uuid import UUID

from flask import url_for

from core import orders
from core.billing import finding
from core.billing.finding import InvoiceRow, PaymentRow
from core.billing.paying import small_remainder
from core.kernel import Context, Money
from core.orders import OrderLine, TradeOrder
from core.orders.panels import Act, Document, Section
from core.orders.standing import ACTS
from core.web import gettext as _

MANY = 100
STATES = {
    "issued": ("To be paid", "acc"),
    "part_paid": ("Partly paid", "warn"),
    "paid": ("Paid", "ok"),
    "credited": ("Credited", ""),
    "announced": ("Announced", "warn"),
    "confirmed": ("Money received", "ok"),
    "rejected": ("Not received", "bad"),
}
"""Each state's title (a msgid) and tone; invoices and payments share no word."""


@dataclass(frozen=True)
class Choice:
    """One invoice or payment to pick in a dialog; `amount` is what is open of it, `href` where more can be done with it."""

    id: UUID
    number: str
    amount: Money
    note: str = ""
    href: str = ""


@dataclass(frozen=True)
class Bills:
    """What a dialog about money shows. `due` is what is to be paid now, `elsewhere` the page for several orders at once.

    `small` and `small_share` are up to where a remainder is one.
    """

    choices: tuple[Choice, ...]
    due: Money
    elsewhere: str = ""
    small: Money | None = None
    small_share: Decimal | None = None


def section(ctx: Context, order: TradeOrder, lines: Sequence[OrderLine]) -> Section | None:
    """Nothing before an order binds; afterwards its papers and the acts of this side."""
    if order.confirmed_at is None or not ctx.allows("invoice.view"):
        return None
    invoices = finding.list_invoices(ctx, limit=MANY, order_id=order.id).rows
    payments = finding.list_payments(ctx, limit=MANY, order_id=order.id).rows
    acts = _seller_acts if orders.side_of(ctx, order) == "seller" else _buyer_acts
    return Section(
        "billing", _("Invoices and payments"), "coin", documents=_documents(invoices, payments),
        acts=tuple(acts(ctx, order, lines, invoices, payments)), rank=30,
    )  # fmt: skip


def state_of(state: str, kind: str = "blue") -> tuple[str, str]:
    """A state's title in the reader's language, and its tone."""
    if kind == "red":
        return _("Red invoice"), "bad"
    title, tone = STATES[state]
    return _(title), tone


def _documents(invoices: Sequence[InvoiceRow], payments: Sequence[PaymentRow]) -> tuple[Document, ...]:
    papers = [
        Document(
            _("Invoice"), row.id, row.number, None, *state_of(row.state, row.kind),
            what=_("Due %(day)s", day=row.due_on) if row.open else "", amount=Money(row.total, row.currency),
            endpoint="billing.invoice", values={"invoice_id": row.id},
        )
        for row in reversed(invoices)
    ]  # fmt: skip
    money = [
        Document(
            _("Payment"), row.id, row.number, row.announced_at, *state_of(row.state),
            what=_("Bank reference %(ref)s", ref=row.bank_ref), amount=Money(row.amount, row.currency),
            endpoint="billing.payment", values={"payment_id": row.id},
        )
        for row in reversed(payments)
    ]  # fmt: skip
    return (*papers, *money)


def _seller_acts(
    ctx: Context,
    order: TradeOrder,
    lines: Sequence[OrderLine],
    invoices: Sequence[InvoiceRow],
    payments: Sequence[PaymentRow],
) -> list[Act]:
    acts = []
    announced = tuple(
        Choice(
            row.id, row.number, Money(row.amount, row.currency), row.bank_ref,
            url_for("billing.confirm", payment_id=row.id),
        )  # fmt: skip
        for row in payments
        if row.state == "announced"
    )
    if order.state in ACTS["invoice"][1] and ctx.allows("invoice.issue"):
        tons = [line for line in lines if line.accepted > line.invoiced]
        if tons:
            acts.append(
                _act(order, "issue_invoice", _("Issue the invoice"), "receipt", _bills(order, ()), 22)
            )
    if announced and ctx.allows("payment.confirm"):
        bills = _bills(order, announced)
        acts.append(_act(order, "confirm_payment", _("Confirm a payment"), "check", bills, 24))
        acts.append(_act(order, "reject_payment", _("Payment did not arrive"), "x", bills, 75, danger=True))
    spare = _spare(order, payments)
    if spare and ctx.allows("payment.confirm"):
        rank = 26 if order.state in ("accepted", "completed") else 78
        acts.append(_act(order, "refund_payment", _("Send money back"), "undo", _bills(order, spare), rank))
    owed = _open(invoices)
    if any(row.settled for row in invoices if row.open) and ctx.allows("invoice.write_off"):
        acts.append(_act(order, "write_off", _("Write off a remainder"), "pen", _small(ctx, order, owed), 70))
    if ctx.allows("invoice.credit"):
        blue = tuple(
            Choice(
                row.id, row.number, Money(row.total - row.credited, row.currency),
                href=url_for("billing.credit", invoice_id=row.id),
            )  # fmt: skip
            for row in invoices
            if row.kind == "blue" and row.total > row.credited
        )
        if blue:
            acts.append(
                _act(
                    order,
                    "credit_invoice",
                    _("Issue a red invoice"),
                    "undo",
                    _bills(order, blue),
                    85,
                    danger=True,
                )
            )
    return acts


def _buyer_acts(
    ctx: Context,
    order: TradeOrder,
    lines: Sequence[OrderLine],
    invoices: Sequence[InvoiceRow],
    payments: Sequence[PaymentRow],
) -> list[Act]:
    owed = _open(invoices)
    to_come = order.total - order.invoiced - order.prepaid
    if order.state not in ACTS["pay"][1] or not ctx.allows("payment.announce"):
        return []
    if not owed and to_come <= 0:
        return []
    return [
        _act(
            order,
            "announce_payment",
            _("Announce a payment"),
            "bank",
            replace(_bills(order, owed), elsewhere=url_for("billing.pay", seller_id=order.seller_id) if owed else ""),
            24 if owed else 65,
        )
    ]


def _spare(order: TradeOrder, payments: Sequence[PaymentRow]) -> tuple[Choice, ...]:
    """Payments with money that no invoice needs: unapplied, or still kept for this order."""
    found = []
    for row in payments:
        kept = min(order.prepaid, row.allocated) if row.order_id == order.id and row.state == "confirmed" else Decimal(0)
        if row.unapplied + kept > 0:
            found.append(Choice(row.id, row.number, Money(row.unapplied + kept, row.currency), row.bank_ref))
    return tuple(found)


def _open(invoices: Sequence[InvoiceRow]) -> tuple[Choice, ...]:
    found = [Choice(row.id, row.number, Money(row.open, row.currency)) for row in invoices if row.open]
    return tuple(reversed(found))


def _bills(order: TradeOrder, choices: tuple[Choice, ...]) -> Bills:
    due = sum((choice.amount.amount for choice in choices), Decimal(0))
    return Bills(choices, Money(due, order.currency))


def _small(ctx: Context, order: TradeOrder, choices: tuple[Choice, ...]) -> Bills:
    small, share = small_remainder(ctx, order.currency)
    return replace(_bills(order, choices), small=small, small_share=share)


def _act(
    order: TradeOrder, key: str, text: str, icon: str, bills: Bills, rank: int, *, danger: bool = False
) -> Act:
    return Act(
        key, text, f"billing.{key}", {"order_id": order.id}, icon, text, form=f"billing/{key}_fields.html", facts=bills,
        danger=danger, rank=rank,
    )  # fmt: skip
