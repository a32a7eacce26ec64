"""Invoices: bill what was accepted, and answer a wrong invoice with a red one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from core import orders, tenancy
from core.billing import books, matching, settling
from core.billing.due import due_on
from core.billing.events import InvoiceChanged, InvoiceCredited, InvoiceIssued
from core.billing.finding import as_facts
from core.billing.model import Invoice, InvoiceLine
from core.catalog import Amounts, line_amounts
from core.hooks import Payee
from core.kernel import Conflict, Context, Invalid, Money, NotFound, minor_units, round_to, uuid7
from core.orders import OrderLine, PlanItem, TradeOrder
from core.orders.facts import line_facts

ZERO = Decimal(0)
NOBODY = Payee("", "", "", "")


class Billed(NamedTuple):
    """One line to put on an invoice."""

    line: OrderLine
    quantity: Decimal
    unit_price: Decimal
    amounts: Amounts


@dataclass(frozen=True)
class Credit:
    """What to take back: quantities by order line, or an amount (VAT included) off the price. Neither: all of it.

    `refund` sends paid money back at once, under `bank_ref`; else it stays as the buyer's credit.
    """

    reason: str
    quantities: Mapping[UUID, Decimal] | None = None
    amount: Decimal | None = None
    refund: bool = False
    bank_ref: str = ""


def issue_invoice(ctx: Context, order_id: UUID) -> Invoice:
    """Bill everything that is accepted and not billed yet, at the order's price. Posts both books.

    Amounts are the order's up to here less what was billed before, so the invoices of a fully delivered order sum to
    its total, to the fen. Money paid in advance settles the new invoice at once.
    """
    order = orders.lock(ctx, order_id)
    ctx.require("invoice.issue")
    orders.need_side(ctx, order, "seller")
    orders.allow(ctx, order, "invoice")
    billed = _billable(ctx, order, orders.lines(ctx, order.id))
    if not billed:
        raise Conflict("invoice.nothing_to_bill", order=order.number)
    numbers = {each.line.id: each.line.no for each in billed}

    invoice = _write(ctx, order, "blue", billed)
    matching.match(ctx, invoice)
    orders.tally(ctx, order, {each.line.id: {"invoiced": each.quantity} for each in billed})
    orders.book(ctx, order, invoiced=invoice.total)
    books.post(
        ctx,
        order,
        "invoice",
        invoice.id,
        invoice.number,
        invoice.currency,
        books.invoiced(invoice.net, invoice.tax),
    )
    settling.apply_prepayments(ctx, order, invoice)
    settling.restate(invoice)
    told = {str(numbers[each.line.id]): each.quantity for each in billed}
    orders.note(ctx, order, "invoiced", invoice=invoice.number, total=invoice.total, lines=told)
    ctx.record("invoice.issue", invoice, order=order.number, total=invoice.total, due_on=invoice.due_on)
    ctx.publish(told_of(InvoiceIssued, order, invoice, ctx))
    orders.advance(ctx, order)
    return invoice


def credit_invoice(ctx: Context, invoice_id: UUID, credit: Credit) -> Invoice:
    """A red invoice against a blue one. What was already paid of it becomes the buyer's credit, or is refunded."""
    order, blue = lock_invoice(ctx, invoice_id)
    orders.need_side(ctx, order, "seller")
    if not credit.reason.strip():
        raise Invalid.one("reason", "field.required")
    if credit.refund and not credit.bank_ref.strip():
        raise Invalid.one("bank_ref", "field.required")
    if blue.kind != "blue" or blue.total == blue.credited:
        raise Conflict("invoice.not_creditable", invoice=blue.number)
    taken = _taken_back(ctx, order, blue, credit)
    total = -sum((each.amounts.gross for each in taken), ZERO)
    ctx.require("invoice.credit", amount=total)

    red = _write(ctx, order, "red", taken, original=blue, reason=credit.reason.strip())
    matching.unmatch(ctx, blue, red)
    deltas = {each.line.id: {"invoiced": each.quantity} for each in taken if each.quantity}
    over_paid = max(total - blue.open, ZERO)
    books.post(ctx, order, "credit_note", red.id, red.number, red.currency, books.invoiced(red.net, red.tax))
    settling.release(ctx, order, blue, red, over_paid, refund=credit.refund, bank_ref=credit.bank_ref)
    blue.credited += total
    settling.restate(blue)
    orders.tally(ctx, order, deltas)
    orders.book(ctx, order, invoiced=-total, paid=-over_paid)
    orders.note(ctx, order, "credited", invoice=blue.number, red=red.number, total=total, reason=red.reason)
    ctx.record("invoice.credit", red, order=order.number, against=blue.number, total=total, reason=red.reason)
    ctx.publish(told_of(InvoiceCredited, order, red, ctx))
    orders.advance(ctx, order)
    return red


def lock_invoice(ctx: Context, invoice_id: UUID) -> tuple[TradeOrder, Invoice]:
    """An invoice and its order, the order locked: whoever changes what is owed waits here."""
    order_id = ctx.session.scalar(select(Invoice.order_id).where(Invoice.id == invoice_id))
    if order_id is None:
        raise NotFound("invoice.not_found")
    order = orders.lock(ctx, order_id)
    return order, ctx.session.get_one(Invoice, invoice_id, populate_existing=True)


def told_of(kind: type[InvoiceChanged], order: TradeOrder, invoice: Invoice, ctx: Context) -> InvoiceChanged:
    return kind(
        order.id, order.buyer_id, order.seller_id, order.number, invoice.id, invoice.number, invoice.total,
        invoice.open, invoice.currency, invoice.due_on.isoformat(), ctx.now,
    )  # fmt: skip


def _billable(ctx: Context, order: TradeOrder, lines: Sequence[OrderLine]) -> list[Billed]:
    """What the mode lets be billed of each line, less what is billed: quantities, and amounts as differences."""
    mode = ctx.ports.dispatch.modes.get(order.mode)
    if mode is None:
        raise Conflict("order.mode_not_enabled", mode=order.mode, side="seller")
    before = _billed_so_far(ctx, lines)
    billed = []
    for line in lines:
        quantity, price = mode.mode.billable(line_facts(line), line.accepted)
        if quantity <= line.invoiced:
            continue
        net, tax = before.get(line.id, (ZERO, ZERO))
        whole = _amounts(order, line, quantity, price)
        now = Amounts(whole.net - net, whole.tax - tax, whole.gross - net - tax)
        billed.append(Billed(line, quantity - line.invoiced, price, now))
    return billed


def _amounts(order: TradeOrder, line: OrderLine, quantity: Decimal, price: Decimal) -> Amounts:
    """The line's amounts at a quantity; at the ordered one they are the order's own."""
    if quantity == line.quantity and price == line.unit_price:
        return Amounts(line.net, line.tax, line.gross)
    return line_amounts(quantity, price, line.vat_rate, line.tax_incl, minor_units(order.currency))


def _billed_so_far(ctx: Context, lines: Sequence[OrderLine]) -> dict[UUID, tuple[Decimal, Decimal]]:
    """Net and tax billed of each line; price reductions (quantity 0) are not billed again, so they stay out."""
    rows = ctx.session.execute(
        select(InvoiceLine.order_line_id, func.sum(InvoiceLine.net), func.sum(InvoiceLine.tax))
        .where(InvoiceLine.order_line_id.in_([line.id for line in lines]), InvoiceLine.quantity != 0)
        .group_by(InvoiceLine.order_line_id)
    )
    return {line_id: (net, tax) for line_id, net, tax in rows}


def _taken_back(ctx: Context, order: TradeOrder, blue: Invoice, credit: Credit) -> list[Billed]:
    """The red lines, negative. Crediting all that is left of a line takes exactly its amounts."""
    left = left_to_credit(ctx, blue)
    by_id = {line.id: line for line in orders.lines(ctx, order.id)}
    if credit.amount is not None:
        return [_price_cut(order, blue, credit.amount, left, by_id)]
    wanted = (
        credit.quantities
        if credit.quantities is not None
        else {line_id: row.quantity for line_id, row in left.items()}
    )
    taken = []
    for line_id, quantity in wanted.items():
        rest = left.get(line_id)
        if rest is None or quantity <= 0 or quantity > rest.quantity:
            known = rest.quantity if rest else ZERO
            raise Invalid.one(f"quantities.{line_id}", "invoice.more_than_billed", billed=known.normalize())
        amounts = rest.amounts
        if quantity < rest.quantity:
            line = by_id[line_id]
            part = line_amounts(
                quantity, rest.unit_price, line.vat_rate, line.tax_incl, minor_units(order.currency)
            )
            amounts = Amounts(min(part.net, amounts.net), min(part.tax, amounts.tax), ZERO)
        net, tax = -amounts.net, -amounts.tax
        taken.append(Billed(by_id[line_id], -quantity, rest.unit_price, Amounts(net, tax, net + tax)))
    if not taken:
        raise Conflict("invoice.not_creditable", invoice=blue.number)
    return taken


def _price_cut(
    order: TradeOrder,
    blue: Invoice,
    amount: Decimal,
    left: Mapping[UUID, Billed],
    by_id: Mapping[UUID, OrderLine],
) -> Billed:
    """An amount off, on the first line that can bear it, with that line's VAT inside."""
    rest = blue.total - blue.credited
    settling.check_amount("amount", amount, blue.currency)
    if amount > rest:
        raise Invalid.one("amount", "invoice.more_than_billed", billed=Money(rest, blue.currency))
    bearing = next((row for row in left.values() if row.amounts.gross >= amount), None)
    if bearing is None:
        most = max(row.amounts.gross for row in left.values())
        raise Invalid.one("amount", "invoice.more_than_a_line", most=Money(most, blue.currency))
    line = by_id[bearing.line.id]
    net = round_to(amount / (1 + line.vat_rate), minor_units(order.currency))
    return Billed(line, ZERO, ZERO, Amounts(-net, net - amount, -amount))


def left_to_credit(ctx: Context, blue: Invoice) -> dict[UUID, Billed]:
    """What is left of each line of a blue invoice after its red ones."""
    rows = ctx.session.execute(
        select(
            OrderLine,
            func.sum(InvoiceLine.quantity),
            func.max(InvoiceLine.unit_price),
            func.sum(InvoiceLine.net),
            func.sum(InvoiceLine.tax),
        )
        .join(Invoice, Invoice.id == InvoiceLine.invoice_id)
        .join(OrderLine, OrderLine.id == InvoiceLine.order_line_id)
        .where((Invoice.id == blue.id) | (Invoice.original_id == blue.id))
        .group_by(OrderLine.id)
        .order_by(OrderLine.no)
    )
    return {
        line.id: Billed(line, quantity, price, Amounts(net, tax, net + tax))
        for line, quantity, price, net, tax in rows
        if net + tax > 0
    }


def _write(
    ctx: Context,
    order: TradeOrder,
    kind: str,
    billed: Sequence[Billed],
    *,
    original: Invoice | None = None,
    reason: str = "",
) -> Invoice:
    """The invoice and its lines, with the titles of both enterprises as they are today."""
    net = sum((each.amounts.net for each in billed), ZERO)
    tax = sum((each.amounts.tax for each in billed), ZERO)
    cards = tenancy.cards(ctx, [order.buyer_id, order.seller_id])
    zone = ZoneInfo(tenancy.trade_settings(ctx).timezone)
    today = ctx.now.astimezone(zone).date()
    invoice = Invoice(
        id=uuid7(), buyer_id=order.buyer_id, seller_id=order.seller_id, number=orders.number(ctx, "IN"), kind=kind,
        order_id=order.id, original_id=original.id if original else None, currency=order.currency,
        net=net, tax=tax, total=net + tax, settled=ZERO, credited=ZERO, state="issued", reason=reason,
        issued_on=today, due_on=original.due_on if original else _due(ctx, order, today, zone),
        issued_by=ctx.actor.name, issued_at=ctx.now,
        buyer_title=cards[order.buyer_id].name, buyer_code=cards[order.buyer_id].uscc,
        seller_title=cards[order.seller_id].name, seller_code=cards[order.seller_id].uscc,
    )  # fmt: skip
    payee = _payee(ctx, invoice) if kind == "blue" else NOBODY
    invoice.payee_name, invoice.payee_bank = payee.name, payee.bank
    invoice.payee_account, invoice.payee_reason = payee.account, payee.reason
    ctx.session.add(invoice)
    ctx.session.flush()
    ctx.session.add_all(
        InvoiceLine(
            id=uuid7(), buyer_id=order.buyer_id, seller_id=order.seller_id, invoice_id=invoice.id,
            order_line_id=each.line.id, no=each.line.no, quantity=each.quantity, unit_price=each.unit_price,
            tax_incl=each.line.tax_incl, vat_rate=each.line.vat_rate,
            net=each.amounts.net, tax=each.amounts.tax, gross=each.amounts.net + each.amounts.tax,
        )
        for each in billed
    )  # fmt: skip
    ctx.session.flush()
    return invoice


def _due(ctx: Context, order: TradeOrder, today: date, zone: ZoneInfo) -> date:
    """By the plan's last item that no gate waits for; without one by the order's terms, from the invoice's day."""
    item = ctx.session.scalar(
        select(PlanItem)
        .where(PlanItem.order_id == order.id, PlanItem.gate.is_(None))
        .order_by(PlanItem.no.desc())
        .limit(1)
    )
    if item is None:
        return due_on("net", today, order.terms_days)
    base = None
    if item.due_base == "confirm":
        base = order.confirmed_at
    elif item.due_base == "receipt":
        base = matching.last_receipt(ctx, order.id)
    return due_on("net", base.astimezone(zone).date() if base else today, item.due_days)


def _payee(ctx: Context, invoice: Invoice) -> Payee:
    """Who is to be paid instead of the seller; two plugins with an answer are one too many."""
    answers = ctx.ports.dispatch.decide("payee_for", ctx, invoice=as_facts(invoice))
    if len(answers) > 1:
        raise Conflict("invoice.two_payees", plugins=", ".join(plugin for plugin, _ in answers))
    payee: Payee = answers[0][1] if answers else NOBODY
    return payee
