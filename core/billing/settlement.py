"""The money of a settlement: both sides signed a list of moves, and the books follow it to the last fen.

Registered with the orders room at start-up, which calls it when a cancellation or termination takes effect. Money of a
settlement counts as moved when both have signed.
"""

from collections.abc import Sequence
from decimal import Decimal

from core import orders
from core.billing import books, settling
from core.billing.claims import raise_claim
from core.billing.model import Payment
from core.hooks import MoneyMove
from core.kernel import Conflict, Context, Invalid, Money, uuid7
from core.orders import TradeOrder
from core.orders.sides import side

ZERO = Decimal(0)


def post_settlement(ctx: Context, order: TradeOrder, moves: list[MoneyMove]) -> None:
    """Post every move of what ends an order.

    The caller holds the order's lock. Conflict when something would stay open: invoices unpaid or money unreturned.
    """
    for invoice in settling.open_invoices(ctx, order.buyer_id, order.seller_id, order.currency, order.id):
        settling.apply_prepayments(ctx, order, invoice)
    post_moves(ctx, order, moves)
    if order.paid != order.invoiced or order.prepaid:
        raise Conflict(
            "settlement.left_open",
            unpaid=Money(order.invoiced - order.paid, order.currency),
            prepaid=Money(order.prepaid, order.currency),
        )


def post_moves(ctx: Context, order: TradeOrder, moves: Sequence[MoneyMove]) -> None:
    """Post moves: `outstanding` pays open invoices, `refund` gives an advance back, `penalty` comes on top, `forfeit` lets
    the seller keep a part of the advance, `claim` is owed from now on. The caller holds the order's lock."""
    for index, move in enumerate(moves):
        ref = f"{order.number}/S{order.version}.{index + 1}"
        if move.reason == "outstanding" and move.payer == "buyer":
            _pay(ctx, order, move.amount, ref)
        elif move.reason == "refund" and move.payer == "seller":
            _refund(ctx, order, move.amount, ref)
        elif move.reason == "forfeit" and move.payer == "buyer":
            _forfeit(ctx, order, move.amount, ref)
        elif move.reason == "claim":
            raise_claim(ctx, order, move.payer, move.amount, ref)
        elif move.reason == "penalty":
            penalty = books.penalty(move.payer, move.amount)
            books.post(ctx, order, "penalty", uuid7(), order.number or "", order.currency, penalty)
        else:
            raise Invalid.one(f"moves.{index}.reason", "settlement.unknown_move", payer=move.payer, reason=move.reason)


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


def _forfeit(ctx: Context, order: TradeOrder, amount: Decimal, ref: str) -> None:
    """The buyer loses a part of what it paid in advance; it counts as spent on its payments."""
    for payment, part in settling.give_up_prepaid(ctx, order, amount, to="seller"):
        ctx.session.flush()
        row = settling.add_refund(ctx, payment, part, ref, "forfeit")
        ctx.session.flush()
        books.post(ctx, order, "forfeit", row.id, payment.number, payment.currency, books.forfeited(part))
        ctx.record("payment.forfeit", payment, order=order.number, amount=part)
