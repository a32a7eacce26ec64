"""Money between the parties: announced by the buyer, confirmed by the seller, put on invoices, given back, given up."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from uuid import UUID

from sqlalchemy import select, text

from core import orders, tenancy
from core.billing import books, settling
from core.billing.events import (
    InvoiceWrittenOff,
    PaymentAnnounced,
    PaymentChanged,
    PaymentConfirmed,
    PaymentRefunded,
    PaymentRejected,
)
from core.billing.invoicing import lock_invoice, told_of
from core.billing.model import Invoice, Payment, PaymentTarget
from core.kernel import Conflict, Context, Invalid, Money, NotFound, Refused, minor_units, round_to, uuid7
from core.orders import TradeOrder
from core.orders.sides import need_side

ZERO = Decimal(0)

Split = Mapping[UUID, Decimal]


def announce_payment(
    ctx: Context,
    amount: Decimal,
    bank_ref: str,
    *,
    order_id: UUID | None = None,
    invoice_ids: Sequence[UUID] = (),
    split: Mapping[UUID, Decimal] | None = None,
    note: str = "",
) -> Payment:
    """The buyer says it paid: for invoices (oldest due first, or split exactly), or for an order, invoiced or not."""
    targets = list(split) if split else list(invoice_ids)
    invoices = _invoices(ctx, targets)
    if order_id is None and not invoices:
        raise Invalid.one("invoice_ids", "payment.for_what")
    locked = _lock_orders(
        ctx, [order_id] if order_id else [invoice.order_id for invoice in invoices.values()]
    )
    first = next(iter(locked.values()))
    ctx.require("payment.announce", amount=amount)
    for order in locked.values():
        need_side(ctx, order, "buyer")
        orders.allow(ctx, order, "pay")
    invoices = _invoices(ctx, targets)
    _same_seller(first, locked.values(), invoices.values())
    if not bank_ref.strip():
        raise Invalid.one("bank_ref", "field.required")
    settling.check_amount("amount", amount, first.currency)
    if split:
        settling.check_split(split, amount, invoices)
    _claim_reference(ctx, first.buyer_id, first.seller_id, bank_ref.strip())

    payment = Payment(
        id=uuid7(), buyer_id=first.buyer_id, seller_id=first.seller_id, number=orders.number(ctx, "PY"),
        order_id=order_id, currency=first.currency, amount=amount, allocated=ZERO, refunded=ZERO,
        bank_ref=bank_ref.strip(), state="announced", note=note.strip(), announced_by=ctx.actor.name,
        announced_at=ctx.now, decided_by=None, decided_at=None,
    )  # fmt: skip
    ctx.session.add(payment)
    ctx.session.flush()
    ctx.session.add_all(
        PaymentTarget(
            id=uuid7(), buyer_id=payment.buyer_id, seller_id=payment.seller_id, payment_id=payment.id,
            invoice_id=invoice_id, amount=split[invoice_id] if split else None,
        )
        for invoice_id in targets
    )  # fmt: skip
    for order in locked.values():
        orders.note(ctx, order, "payment_announced", payment=payment.number, amount=amount)
    ctx.record("payment.announce", payment, amount=amount, bank_ref=payment.bank_ref)
    ctx.publish(_told(PaymentAnnounced, ctx, payment, split or dict.fromkeys(targets, ZERO)))
    return payment


def confirm_payment(
    ctx: Context, payment_id: UUID, *, bank_ref: str | None = None, split: Split | None = None
) -> Payment:
    """The seller found the money: it settles what it was announced for, and both books say so.

    `split` puts it on invoices otherwise than announced. What no invoice needs is kept for the payment's order, up to
    the order's total, and beyond that stays unapplied. One bank reference is confirmed once for a seller.
    """
    payment, locked, invoices = _lock_payment(ctx, payment_id, split)
    ctx.require("payment.confirm")
    need_side(ctx, payment, "seller")
    if payment.state != "announced":
        raise Conflict("payment.already_decided", payment=payment.number, state=payment.state)
    for order in locked.values():
        orders.allow(ctx, order, "pay")
    reference = (bank_ref or payment.bank_ref).strip()
    _claim_reference(ctx, payment.buyer_id, payment.seller_id, reference, payment.id)
    payment.bank_ref = reference

    shares = _shares(ctx, payment, invoices, split)
    payment.state, payment.decided_by, payment.decided_at = "confirmed", ctx.actor.name, ctx.now
    ctx.session.flush()
    for invoice_id, share in shares.items():
        settling.put_on_invoice(ctx, payment, invoices[invoice_id], share)
    settled = sum(shares.values(), ZERO)
    books.post(
        ctx,
        payment,
        "payment",
        payment.id,
        payment.number,
        payment.currency,
        books.paid(payment.amount, settled),
    )
    _book_paid(ctx, locked, invoices, shares)
    if payment.order_id is not None:
        order = locked[payment.order_id]
        room = order.total - order.invoiced - order.prepaid
        if (kept := min(payment.unapplied, room)) > 0:
            settling.keep_for_order(ctx, payment, order, kept)
    _tell_orders(ctx, locked, payment, "paid", amount=payment.amount)
    ctx.record(
        "payment.confirm",
        payment,
        amount=payment.amount,
        bank_ref=payment.bank_ref,
        unapplied=payment.unapplied,
    )
    ctx.publish(_told(PaymentConfirmed, ctx, payment, shares))
    return payment


def reject_payment(ctx: Context, payment_id: UUID, reason: str) -> Payment:
    """The seller did not find the money; the buyer may announce it again with another reference."""
    payment, locked, _ = _lock_payment(ctx, payment_id, None)
    ctx.require("payment.confirm")
    need_side(ctx, payment, "seller")
    if payment.state != "announced":
        raise Conflict("payment.already_decided", payment=payment.number, state=payment.state)
    if not reason.strip():
        raise Invalid.one("reason", "field.required")
    payment.state, payment.decided_by, payment.decided_at = "rejected", ctx.actor.name, ctx.now
    payment.note = reason.strip()
    _tell_orders(ctx, locked, payment, "payment_rejected", reason=reason.strip())
    ctx.record("payment.reject", payment, reason=reason.strip())
    ctx.publish(_told(PaymentRejected, ctx, payment, {}))
    return payment


def allocate_payment(ctx: Context, payment_id: UUID, split: Split | None = None) -> Payment:
    """Put unapplied money on open invoices: as split, else oldest due first."""
    payment, locked, invoices = _lock_payment(ctx, payment_id, split, every_open=split is None)
    ctx.require("payment.confirm")
    need_side(ctx, payment, "seller")
    if payment.unapplied <= 0:
        raise Conflict("payment.nothing_unapplied", payment=payment.number)
    if split:
        settling.check_split(split, payment.unapplied, invoices)
    shares = dict(split) if split else settling.oldest_first(payment.unapplied, list(invoices.values()))
    if not shares:
        raise Conflict("payment.nothing_open", payment=payment.number)
    for invoice_id, share in shares.items():
        settling.put_on_invoice(ctx, payment, invoices[invoice_id], share)
    settled = sum(shares.values(), ZERO)
    books.post(
        ctx, payment, "allocation", uuid7(), payment.number, payment.currency, books.advance_applied(settled)
    )
    _book_paid(ctx, locked, invoices, shares)
    _tell_orders(ctx, locked, payment, "paid", amount=settled)
    ctx.record("payment.allocate", payment, amount=settled, unapplied=payment.unapplied)
    ctx.publish(_told(PaymentConfirmed, ctx, payment, shares))
    return payment


def refund_payment(ctx: Context, payment_id: UUID, amount: Decimal, bank_ref: str, reason: str) -> Payment:
    """The seller sends money back that no invoice needs: unapplied first, then what is kept for the payment's order."""
    payment, locked, _ = _lock_payment(ctx, payment_id, None)
    ctx.require("payment.confirm")
    need_side(ctx, payment, "seller")
    for field, value in (("bank_ref", bank_ref), ("reason", reason)):
        if not value.strip():
            raise Invalid.one(field, "field.required")
    kept = {
        order_id: held
        for order_id, order in locked.items()
        for found, held in settling.prepaid_by(ctx, order)
        if found is payment
    }
    most = payment.unapplied + sum(kept.values(), ZERO)
    settling.check_amount("amount", amount, payment.currency)
    if amount > most:
        raise Invalid.one("amount", "payment.above_refundable", most=Money(most, payment.currency))
    missing = amount - payment.unapplied
    for order_id, held in kept.items():
        if missing > 0:
            settling.release_from(ctx, locked[order_id], payment, min(missing, held))
            missing -= min(missing, held)
    ctx.session.flush()
    row = settling.add_refund(ctx, payment, amount, bank_ref, reason.strip())
    ctx.session.flush()
    books.post(ctx, payment, "refund", row.id, payment.number, payment.currency, books.refunded(amount))
    _tell_orders(ctx, locked, payment, "refunded", amount=amount, reason=reason.strip())
    ctx.record("payment.refund", payment, amount=amount, bank_ref=row.bank_ref, reason=row.reason)
    ctx.publish(_told(PaymentRefunded, ctx, payment, {}))
    return payment


def small_remainder(ctx: Context, currency: str) -> tuple[Money, Decimal]:
    """Up to where the acting enterprise calls the remainder of an invoice small: an amount, and a share of the total."""
    terms = tenancy.trade_settings(ctx)
    return _in(terms.write_off_amount, currency), terms.write_off_share


def write_off(ctx: Context, invoice_id: UUID, reason: str) -> Invoice:
    """Give up what is left of an invoice. What is small is a setting of the seller's: an amount and a share of the total.

    Larger remainders need the permission for it, with its amount limit.
    """
    order, invoice = lock_invoice(ctx, invoice_id)
    ctx.require("invoice.write_off")
    orders.need_side(ctx, order, "seller")
    if not reason.strip():
        raise Invalid.one("reason", "field.required")
    rest = invoice.open
    if rest <= 0:
        raise Conflict("invoice.nothing_open", invoice=invoice.number)
    most, share = small_remainder(ctx, invoice.currency)
    small = rest <= most.amount and rest <= invoice.total * share
    if not small and not ctx.allows("invoice.write_off_large", rest):
        limit = min(most, _in(invoice.total * share, invoice.currency))
        raise Refused(
            "invoice.write_off_limit",
            open=Money(rest, invoice.currency),
            most=most,
            percent=(share * 100).normalize(),
            limit=limit,
        )
    invoice.settled += rest
    settling.restate(invoice)
    settling.give_up(ctx, invoice, rest, reason.strip())
    orders.book(ctx, order, paid=rest)
    orders.note(ctx, order, "written_off", invoice=invoice.number, amount=rest, reason=reason.strip())
    ctx.record("invoice.write_off", invoice, amount=rest, reason=reason.strip())
    ctx.publish(told_of(InvoiceWrittenOff, order, invoice, ctx))
    orders.advance(ctx, order)
    return invoice


def _in(amount: Decimal, currency: str) -> Money:
    """An amount with as many digits as the currency has."""
    return Money(round_to(amount, minor_units(currency)), currency)


def _claim_reference(
    ctx: Context, buyer_id: UUID, seller_id: UUID, reference: str, own: UUID | None = None
) -> None:
    """A bank reference names one payment: among the buyer's own, and among all that a seller confirmed.

    The lock makes two who claim it at once take turns, so the second reads what the first wrote.
    """
    ctx.session.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(:claim, 11))"),
        {"claim": f"{seller_id}{reference}"},
    )
    taken = ctx.session.scalar(
        select(Payment.number)
        .where(Payment.seller_id == seller_id, Payment.bank_ref == reference, Payment.id != (own or uuid7()))
        .where(
            (Payment.state == "confirmed") | ((Payment.buyer_id == buyer_id) & (Payment.state != "rejected"))
        )
        .limit(1)
    )
    if taken:
        raise Conflict("payment.bank_ref_used", field="bank_ref", bank_ref=reference, payment=taken)


def _shares(
    ctx: Context, payment: Payment, invoices: Mapping[UUID, Invoice], split: Split | None
) -> dict[UUID, Decimal]:
    """How much goes on which invoice: the seller's split, the buyer's split, or oldest due first."""
    if split:
        settling.check_split(split, payment.amount, invoices)
        return dict(split)
    targets = _targets(ctx, payment.id)
    exact = {invoice_id: amount for invoice_id, amount in targets.items() if amount is not None}
    if not exact:
        return settling.oldest_first(payment.amount, list(invoices.values()))
    # an invoice may have been settled otherwise since the announcement; its share then stays unapplied
    capped = {invoice_id: min(amount, invoices[invoice_id].open) for invoice_id, amount in exact.items()}
    return {invoice_id: amount for invoice_id, amount in capped.items() if amount > 0}


def _lock_payment(
    ctx: Context, payment_id: UUID, split: Split | None, *, every_open: bool = False
) -> tuple[Payment, dict[UUID, TradeOrder], dict[UUID, Invoice]]:
    """A payment with the invoices it may settle and their orders. Orders are locked first, by id, then the payment."""
    seen = ctx.session.get(Payment, payment_id)
    if seen is None:
        raise NotFound("payment.not_found")
    if split:
        invoices = _invoices(ctx, list(split))
    elif every_open:
        invoices = {
            i.id: i for i in settling.open_invoices(ctx, seen.buyer_id, seen.seller_id, seen.currency)
        }
    elif targets := _targets(ctx, payment_id):
        invoices = _invoices(ctx, list(targets))
    else:
        found = settling.open_invoices(ctx, seen.buyer_id, seen.seller_id, seen.currency, seen.order_id)
        invoices = {invoice.id: invoice for invoice in found}
    involved = {invoice.order_id for invoice in invoices.values()} | ({seen.order_id} - {None})
    locked = _lock_orders(ctx, involved)
    payment = ctx.session.get_one(Payment, payment_id, with_for_update=True, populate_existing=True)
    invoices = _invoices(ctx, list(invoices))
    foreign = [
        i for i in invoices.values() if (i.buyer_id, i.seller_id) != (payment.buyer_id, payment.seller_id)
    ]
    if foreign:
        raise Invalid.one(f"split.{foreign[0].id}", "payment.other_parties", invoice=foreign[0].number)
    return payment, locked, invoices


def _lock_orders(ctx: Context, order_ids: Iterable[UUID]) -> dict[UUID, TradeOrder]:
    return {order_id: orders.lock(ctx, order_id) for order_id in sorted(set(order_ids))}


def _invoices(ctx: Context, ids: Sequence[UUID]) -> dict[UUID, Invoice]:
    """Blue invoices by id, read fresh; a missing or foreign one is NotFound."""
    if not ids:
        return {}
    rows = ctx.session.scalars(
        select(Invoice)
        .where(Invoice.id.in_(ids), Invoice.kind == "blue")
        .execution_options(populate_existing=True)
    )
    found = {invoice.id: invoice for invoice in rows}
    if set(ids) - set(found):
        raise NotFound("invoice.not_found")
    return found


def _targets(ctx: Context, payment_id: UUID) -> dict[UUID, Decimal | None]:
    rows = ctx.session.execute(
        select(PaymentTarget.invoice_id, PaymentTarget.amount)
        .where(PaymentTarget.payment_id == payment_id)
        .order_by(PaymentTarget.id)
    )
    return {invoice_id: amount for invoice_id, amount in rows}


def _same_seller(first: TradeOrder, locked: Iterable[TradeOrder], invoices: Iterable[Invoice]) -> None:
    rows: list[TradeOrder | Invoice] = [*locked, *invoices]
    for each in rows:
        if (each.seller_id, each.currency) != (first.seller_id, first.currency):
            raise Invalid.one("invoice_ids", "payment.one_seller")


def _book_paid(
    ctx: Context, locked: Mapping[UUID, TradeOrder], invoices: Mapping[UUID, Invoice], shares: Split
) -> None:
    by_order: dict[UUID, Decimal] = {}
    for invoice_id, share in shares.items():
        order_id = invoices[invoice_id].order_id
        by_order[order_id] = by_order.get(order_id, ZERO) + share
    for order_id, amount in by_order.items():
        orders.book(ctx, locked[order_id], paid=amount)


def _tell_orders(
    ctx: Context, locked: Mapping[UUID, TradeOrder], payment: Payment, verb: str, **detail: object
) -> None:
    for order in locked.values():
        orders.note(ctx, order, verb, payment=payment.number, **detail)
        settling.satisfy_payment_gates(ctx, order, payment.number)
        orders.advance(ctx, order)


def _told(kind: type[PaymentChanged], ctx: Context, payment: Payment, shares: Split) -> PaymentChanged:
    return kind(
        payment.id, payment.buyer_id, payment.seller_id, payment.number, payment.amount, payment.currency,
        payment.bank_ref, tuple(shares), tuple(shares.values()), ctx.now,
    )  # fmt: skip
