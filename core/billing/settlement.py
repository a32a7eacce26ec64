"""The money of a settlement: both sides signed a list of moves, and the books follow it to the last fen.

Registered with the orders room at start-up, which calls it when a cancellation or termination takes effect. Money of a
settlement counts as moved when both have signed.
"""

from decimal import Decimal

from core import orders
from core.billing import books, settling
from core.billing.model import Payment
from core.hooks import MoneyMove
from core.kernel import Conflict, Context, Invalid, Money, uuid7
from core.orders import TradeOrder
from core.orders.sides import side

ZERO = Decimal(0)


def post_settlement(ctx: Context, order: TradeOrder, moves: list[MoneyMove]) -> None:
    """Post every move. `outstanding` pays open invoices, `refund` gives prepaid money back, `penalty` comes on top.

    The caller holds the order's lock. Conflict when something would stay open: invoices unpaid or money unreturned.
    """
    for invoice in settling.open_invoices(ctx, order.buyer_id, order.seller_id, order.currency, order.id):
        settling.apply_prepayments(ctx, order, invoice)
    for index, move in enumerate(moves):
        if move.reason == "outstanding" and move.payer == "buyer":
            _pay(ctx, order, move.amount, f"{order.number}/S{index + 1}")
        elif move.reason == "refund" and move.payer == "seller":
            _refund(ctx, order, move.amount, f"{order.number}/S{index + 1}")
        elif move.reason == "penalty":
            ref = uuid7()
            books.post(
                ctx,
                order,
                "penalty",
                ref,
                order.number or "",
                order.currency,
                books.penalty(move.payer, move.amount),
            )
        else:
            raise Invalid.one(
                f"moves.{index}.reason", "settlement.unknown_move", payer=move.payer, reason=move.reason
            )
    if order.paid != order.invoiced or order.prepaid:
        raise Conflict(
            "settlement.left_open",
            unpaid=Money(order.invoiced - order.paid, order.currency),
            prepaid=Money(order.prepaid, order.currency),
        )


def _pay(ctx: Context, order: TradeOrder, amount: Decimal, bank_ref: str) -> None:
    """The buyer pays what is open, all at once, as a payment like any other."""
    invoices = settling.open_invoices(ctx, order.buyer_id, order.seller_id, order.currency, order.id)
    owed = sum((invoice.open for invoice in invoices), ZERO)
    if amount > owed:
        raise Conflict(
            "settlement.above_open", amount=Money(amount, order.currency), open=Money(owed, order.currency)
        )
    with side(ctx, order, "buyer"):
        number = orders.number(ctx, "PY")
    payment = Payment(
        id=uuid7(), buyer_id=order.buyer_id, seller_id=order.seller_id, number=number, order_id=order.id,
        currency=order.currency, amount=amount, allocated=ZERO, refunded=ZERO, bank_ref=bank_ref, state="confirmed",
        note="", announced_by=ctx.actor.name, announced_at=ctx.now, decided_by=ctx.actor.name, decided_at=ctx.now,
    )  # fmt: skip
    ctx.session.add(payment)
    ctx.session.flush()
    by_id = {invoice.id: invoice for invoice in invoices}
    for invoice_id, share in settling.oldest_first(amount, invoices).items():
        settling.put_on_invoice(ctx, payment, by_id[invoice_id], share)
    books.post(
        ctx, order, "payment", payment.id, payment.number, payment.currency, books.paid(amount, amount)
    )
    orders.book(ctx, order, paid=amount)
    ctx.record("payment.settle", payment, order=order.number, amount=amount)


def _refund(ctx: Context, order: TradeOrder, amount: Decimal, bank_ref: str) -> None:
    """The seller gives back what was paid in advance."""
    for payment, part in settling.give_up_prepaid(ctx, order, amount):
        ctx.session.flush()
        row = settling.add_refund(ctx, payment, part, bank_ref, "settlement")
        ctx.session.flush()
        books.post(ctx, order, "refund", row.id, payment.number, payment.currency, books.refunded(part))
        ctx.record("payment.refund", payment, order=order.number, amount=part, bank_ref=bank_ref)
