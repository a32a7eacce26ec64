"""How a reservation ends otherwise than planned, or becomes smaller. The money follows in the same transaction.

What one side may do alone it does here at once; what needs the other is a `Plea` that the other answers.
"""

from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from sqlalchemy import select

import tongshang as ts
from plugins.presale import reckoning
from plugins.presale.mode import moves, outcome, settlement_plan
from plugins.presale.model import LIVE, Offer, Plea, Reservation
from plugins.presale.service.late import accrue
from plugins.presale.service.reserving import follow, lock, recount, restate

ZERO = Decimal(0)


@dataclass(frozen=True)
class Evidence:
    """A file that proves what is claimed."""

    name: str
    content: bytes


def leave(ctx: ts.Context, reservation_id: UUID, reason: str) -> Reservation:
    """The buyer gives its reservation up before it is paid. Earnest money is lost (C3); an advance comes back (C8).

    Where the terms allow the seller a cost, leaving is asked of the seller, who states the cost.
    """
    ctx.require("presale.reservation.end")
    reservation, offer = _mine(ctx, reservation_id, "buyer")
    _said(reason)
    _not_started(ctx, reservation)
    if offer.earnest_kind != "prepay":
        return end(ctx, reservation, "defaulted_buyer", reason)
    if ctx.now >= reservation.balance_closes:
        raise ts.Conflict("presale.balance_closed")
    if offer.cost_cap and reservation.state != "reserved":
        _ask(ctx, reservation, "leave", reason)
        return reservation
    return end(ctx, reservation, "released", reason)


def seller_fails(ctx: ts.Context, reservation_id: UUID, reason: str) -> Reservation:
    """The seller cannot deliver: what was paid comes back, and the earnest money once more as a debt of the seller (C5)."""
    ctx.require("presale.reservation.end")
    reservation, _offer = _mine(ctx, reservation_id, "seller")
    _said(reason)
    _not_started(ctx, reservation)
    return end(ctx, reservation, "defaulted_seller", reason)


def ask_cut(ctx: ts.Context, reservation_id: UUID, quantity: Decimal, reason: str) -> Reservation:
    """The buyer wants less (C4): at once where the terms allow it, else when the seller agrees."""
    ctx.require("presale.reservation.end")
    reservation, offer = _mine(ctx, reservation_id, "buyer")
    _said(reason)
    _not_started(ctx, reservation)
    _less(reservation, quantity)
    if offer.buyer_may_cut:
        return _buyer_cuts(ctx, reservation, offer, quantity, reason)
    _ask(ctx, reservation, "cut", reason, quantity=quantity)
    return reservation


def seller_cut(ctx: ts.Context, reservation_id: UUID, quantity: Decimal, reason: str) -> Reservation:
    """The seller can deliver only so much (C6): the earnest money of the missing part comes back doubled."""
    ctx.require("presale.reservation.end")
    reservation, offer = _mine(ctx, reservation_id, "seller")
    _said(reason)
    _less(reservation, quantity)
    order = ts.facts_of(ctx, _order_of(reservation))
    dropped, whole = reservation.quantity - quantity, reservation.quantity
    new_total = reckoning.share(order.total, quantity, whole)
    result = reckoning.seller_cuts(order.prepaid, reservation.earnest, dropped, whole, new_total)
    back = [ts.MoneyMove("seller", "buyer", result.refund, "refund")] if result.refund else []
    _resize(ctx, reservation, offer, quantity, reason, [*back, *moves(result)])
    _add_result(reservation, result)
    return reservation


def ask_release(
    ctx: ts.Context,
    reservation_id: UUID,
    reason: str,
    evidence: Evidence | None,
    *,
    force_majeure: bool = False,
) -> Plea:
    """Either side asks to end it with nobody to blame (C7). It needs a file as evidence and the other's yes."""
    ctx.require("presale.reservation.end")
    reservation, _offer = _mine(ctx, reservation_id)
    _said(reason)
    _not_started(ctx, reservation)
    if evidence is None or not evidence.content:
        raise ts.Invalid.one("file", "presale.evidence_required")
    other = reservation.seller_id if _side(ctx, reservation) == "buyer" else reservation.buyer_id
    kept = ts.keep_file(ctx, evidence.name, evidence.content, "reservation", reservation.id, other)
    return _ask(ctx, reservation, "release", reason, file_id=kept.id, force_majeure=force_majeure)


def answer(
    ctx: ts.Context, plea_id: UUID, agree: bool, *, cost: Decimal = ZERO, reason: str = ""
) -> Reservation:
    """The other side says yes or no. For leaving, the seller states its cost, at most what the terms allow."""
    ctx.require("presale.reservation.end")
    plea, reservation, offer = _plea(ctx, plea_id)
    if plea.side == _side(ctx, reservation):
        raise ts.Conflict("presale.own_plea")
    if agree and plea.kind == "leave":
        most = reckoning.share(reservation.earnest + reservation.prepay, offer.cost_cap, Decimal(100))
        if not ZERO <= cost <= most or ts.round2(cost) != cost:
            raise ts.Invalid.one("cost", "presale.cost_above_cap", most=ts.Money(most, reservation.currency))
        reservation.cost = cost
    plea.state, plea.answered_by, plea.answered_at = "agreed" if agree else "refused", ctx.actor.name, ctx.now
    ctx.record("presale.answer", f"plea:{plea.id}", kind=plea.kind, answer=plea.state, cost=cost, reason=reason)
    if not agree:
        ctx.session.flush()
        return reservation
    _not_started(ctx, reservation)
    if plea.kind == "cut":
        assert plea.quantity is not None
        return _buyer_cuts(ctx, reservation, offer, plea.quantity, plea.reason)
    return end(ctx, reservation, "released", plea.reason)


def take_back(ctx: ts.Context, plea_id: UUID) -> Plea:
    """Who asked does not ask any more."""
    ctx.require("presale.reservation.end")
    plea, reservation, _offer = _plea(ctx, plea_id)
    if plea.side != _side(ctx, reservation):
        raise ts.Conflict("presale.not_own_plea")
    plea.state, plea.answered_by, plea.answered_at = "withdrawn", ctx.actor.name, ctx.now
    ctx.record("presale.take_back", f"plea:{plea.id}", kind=plea.kind)
    return plea


def claim_late(ctx: ts.Context, reservation_id: UUID) -> Decimal:
    """The buyer claims the damages for late shipment that have grown since the last claim (C10). Answers how much."""
    ctx.require("presale.reservation.end")
    reservation, offer = _mine(ctx, reservation_id, "buyer")
    accrue(ctx, reservation, offer)
    plan = settlement_plan(ctx, ts.facts_of(ctx, _order_of(reservation)))
    if not plan:
        raise ts.Conflict("presale.nothing_late")
    (move,) = plan
    ts.claim_damages(ctx, _order_of(reservation), "seller", move.amount, "Late shipment")
    reservation.late_claimed += move.amount
    ctx.session.flush()
    return move.amount


def end(ctx: ts.Context, reservation: Reservation, ending: str, reason: str) -> Reservation:
    """Call the order off as the ending says, with its money, and give the place back. The reservation is locked."""
    if reservation.state not in LIVE:
        raise ts.Conflict("presale.ended", state=reservation.state)
    money = ts.money_of(ctx, _order_of(reservation))
    result = outcome(reservation, ending, money.prepaid)
    reservation.ending = ending
    ctx.session.flush()
    ts.cancel_confirmed(ctx, _order_of(reservation), reason)
    close(ctx, reservation, ending, reason)
    _add_result(reservation, result)
    ctx.record(
        f"presale.{ending}", f"reservation:{reservation.id}", order=reservation.order_number, reason=reason,
        to_buyer=result.buyer, to_seller=result.seller, fee=result.fee,
    )  # fmt: skip
    return reservation


def close(ctx: ts.Context, reservation: Reservation, ending: str, reason: str) -> None:
    """Mark it ended; what was asked about it is moot, and its place is free."""
    reservation.state, reservation.ending, reservation.ended_at = ending, ending, ctx.now
    reservation.reason = reason.strip()
    for plea in ctx.session.scalars(
        select(Plea).where(Plea.reservation_id == reservation.id, Plea.state == "open")
    ):
        plea.state, plea.answered_at = "withdrawn", ctx.now
    recount(ctx, reservation.offer_id)


def _buyer_cuts(
    ctx: ts.Context, reservation: Reservation, offer: Offer, quantity: Decimal, reason: str
) -> Reservation:
    _less(reservation, quantity)
    order = ts.facts_of(ctx, _order_of(reservation))
    dropped = reservation.quantity - quantity
    result = reckoning.buyer_cuts(order.prepaid, reservation.earnest, dropped, reservation.quantity)
    left = order.prepaid - result.forfeit - reckoning.share(order.total, quantity, reservation.quantity)
    back = [ts.MoneyMove("seller", "buyer", left, "refund")] if left > 0 else []
    _resize(ctx, reservation, offer, quantity, reason, [*moves(result), *back])
    _add_result(reservation, reckoning.Outcome(max(left, ZERO), result.forfeit))
    return reservation


def _resize(
    ctx: ts.Context,
    reservation: Reservation,
    offer: Offer,
    quantity: Decimal,
    reason: str,
    money: list[ts.MoneyMove],
) -> None:
    before = reservation.quantity
    reservation.quantity = quantity
    ctx.session.flush()
    order = ts.amend_as_agreed(ctx, _order_of(reservation), {10: quantity}, reason, money)
    restate(offer, reservation, order.total)
    recount(ctx, offer.id)
    follow(ctx, reservation)
    ctx.record(
        "presale.resize", f"reservation:{reservation.id}", order=reservation.order_number, before=before, after=quantity
    )


def _add_result(reservation: Reservation, result: reckoning.Outcome) -> None:
    reservation.to_buyer = (reservation.to_buyer or ZERO) + result.buyer
    reservation.to_seller = (reservation.to_seller or ZERO) + result.seller


def _mine(ctx: ts.Context, reservation_id: UUID, side: str | None = None) -> tuple[Reservation, Offer]:
    """A live reservation, locked, that the acting enterprise holds on the given side."""
    reservation = lock(ctx, reservation_id)
    if side is not None and _side(ctx, reservation) != side:
        raise ts.Conflict(f"presale.only_{side}")
    if reservation.state not in LIVE:
        raise ts.Conflict("presale.ended", state=reservation.state)
    follow(ctx, reservation)
    return reservation, ctx.session.get_one(Offer, reservation.offer_id)


def _plea(ctx: ts.Context, plea_id: UUID) -> tuple[Plea, Reservation, Offer]:
    seen = ctx.session.get(Plea, plea_id)
    if seen is None:
        raise ts.NotFound("presale.plea_not_found")
    reservation, offer = _mine(ctx, seen.reservation_id)
    ctx.session.refresh(seen)
    if seen.state != "open":
        raise ts.Conflict("presale.plea_answered")
    return seen, reservation, offer


def _ask(
    ctx: ts.Context,
    reservation: Reservation,
    kind: str,
    reason: str,
    *,
    quantity: Decimal | None = None,
    file_id: UUID | None = None,
    force_majeure: bool = False,
) -> Plea:
    if ctx.session.scalar(select(Plea.id).where(Plea.reservation_id == reservation.id, Plea.state == "open")):
        raise ts.Conflict("presale.plea_open")
    plea = Plea(
        id=ts.uuid7(), buyer_id=reservation.buyer_id, seller_id=reservation.seller_id, reservation_id=reservation.id,
        kind=kind, side=_side(ctx, reservation), quantity=quantity, force_majeure=force_majeure, file_id=file_id,
        reason=reason.strip(), state="open", asked_by=ctx.actor.name, asked_at=ctx.now, answered_by=None, answered_at=None,
    )  # fmt: skip
    ctx.session.add(plea)
    ctx.session.flush()
    ctx.record("presale.ask", f"plea:{plea.id}", kind=kind, order=reservation.order_number, quantity=quantity)
    return plea


def _side(ctx: ts.Context, reservation: Reservation) -> str:
    return "buyer" if reservation.buyer_id == ctx.tenant_id else "seller"


def _order_of(reservation: Reservation) -> UUID:
    assert reservation.order_id is not None
    return reservation.order_id


def _said(reason: str) -> None:
    if not reason.strip():
        raise ts.Invalid.one("reason", "field.required")


def _less(reservation: Reservation, quantity: Decimal) -> None:
    if not quantity.is_finite() or not ZERO < quantity < reservation.quantity:
        raise ts.Invalid.one(
            "quantity", "presale.cut_to", most=ts.Quantity(reservation.quantity, reservation.unit)
        )


def _not_started(ctx: ts.Context, reservation: Reservation) -> None:
    if ts.facts_of(ctx, _order_of(reservation)).state != "confirmed":
        raise ts.Conflict("presale.started", order=reservation.order_number)
