"""Damages: one side owes them, both books say so at once, and they are closed by money or by giving them up."""

from decimal import Decimal
from uuid import UUID

from sqlalchemy import select

from core import orders
from core.billing import books
from core.billing.books import Books
from core.billing.holding import Claim
from core.kernel import Conflict, Context, Invalid, Money, NotFound, uuid7
from core.orders import TradeOrder
from core.orders.sides import other, party


def claims_of(ctx: Context, order_id: UUID) -> list[Claim]:
    """The claims of an order, oldest first."""
    return list(ctx.session.scalars(select(Claim).where(Claim.order_id == order_id).order_by(Claim.id)))


def raise_claim(ctx: Context, order: TradeOrder, debtor: str, amount: Decimal, reason: str) -> Claim:
    """Book what `debtor` (buyer or seller) owes the other side. The caller holds the order's lock and the right to."""
    if amount <= 0 or Money(amount, order.currency).amount != amount:
        raise Invalid.one("amount", "decimal.must_be_positive")
    claim = Claim(
        id=uuid7(), buyer_id=order.buyer_id, seller_id=order.seller_id, order_id=order.id, debtor=debtor,
        currency=order.currency, amount=amount, reason=reason.strip(), state="open", bank_ref="",
        raised_by=ctx.actor.name, raised_at=ctx.now, closed_by=None, closed_at=None,
    )  # fmt: skip
    ctx.session.add(claim)
    ctx.session.flush()
    owes = (("settlement_cost", amount), ("claims_payable", -amount))
    gets = (("claims_receivable", amount), ("settlement_income", -amount))
    _post(ctx, order, claim, "claim", owes, gets)
    ctx.record("claim.raise", claim, order=order.number, debtor=debtor, amount=amount, reason=claim.reason)
    return claim


def settle_claim(ctx: Context, claim_id: UUID, bank_ref: str) -> Claim:
    """The creditor has the money; its bank reference is kept."""
    claim, order = _lock(ctx, claim_id)
    ctx.require("payment.confirm" if claim.debtor == "buyer" else "payment.announce", amount=claim.amount)
    if not bank_ref.strip():
        raise Invalid.one("bank_ref", "field.required")
    claim.state, claim.bank_ref, claim.closed_by, claim.closed_at = "paid", bank_ref.strip(), ctx.actor.name, ctx.now
    owes = (("claims_payable", claim.amount), ("bank", -claim.amount))
    gets = (("bank", claim.amount), ("claims_receivable", -claim.amount))
    _post(ctx, order, claim, "claim_paid", owes, gets)
    orders.note(ctx, order, "claim_paid", amount=claim.amount, bank_ref=claim.bank_ref)
    ctx.record("claim.settle", claim, order=order.number, amount=claim.amount, bank_ref=claim.bank_ref)
    return claim


def waive_claim(ctx: Context, claim_id: UUID, reason: str) -> Claim:
    """The creditor gives it up, and says why."""
    claim, order = _lock(ctx, claim_id)
    ctx.require("order.terminate", amount=claim.amount)
    if not reason.strip():
        raise Invalid.one("reason", "field.required")
    claim.state, claim.closed_by, claim.closed_at = "waived", ctx.actor.name, ctx.now
    owes = (("claims_payable", claim.amount), ("settlement_cost", -claim.amount))
    gets = (("settlement_income", claim.amount), ("claims_receivable", -claim.amount))
    _post(ctx, order, claim, "claim_waived", owes, gets)
    orders.note(ctx, order, "claim_waived", amount=claim.amount, reason=reason.strip())
    ctx.record("claim.waive", claim, order=order.number, amount=claim.amount, reason=reason.strip())
    return claim


def _lock(ctx: Context, claim_id: UUID) -> tuple[Claim, TradeOrder]:
    seen = ctx.session.get(Claim, claim_id)
    if seen is None:
        raise NotFound("claim.not_found")
    order = orders.lock(ctx, seen.order_id)
    claim: Claim = ctx.session.get_one(Claim, claim_id, with_for_update=True, populate_existing=True)
    if party(order, other(claim.debtor)) != ctx.tenant_id:
        raise Conflict("claim.only_creditor")
    if claim.state != "open":
        raise Conflict("claim.closed", state=claim.state)
    return claim, order


def _post(
    ctx: Context,
    order: TradeOrder,
    claim: Claim,
    kind: str,
    owes: tuple[books.Entry, ...],
    gets: tuple[books.Entry, ...],
) -> None:
    entries = Books(owes, gets) if claim.debtor == "seller" else Books(gets, owes)
    books.post(ctx, order, kind, claim.id, order.number or "", claim.currency, entries)
