"""Reservations: the list of both sides, the page of one with its money, and everything that may be done about it."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID

from flask import Response, request, url_for

import tongshang as ts
from plugins.presale import reading, schema, service
from plugins.presale.model import LIVE
from plugins.presale.reading import Standing
from plugins.presale.service.ending import Evidence
from plugins.presale.service.reserving import dues_of
from plugins.presale.views.doing import Act, PleaRow, acts, plea_row, steps
from plugins.presale.views.frame import (
    END,
    RESERVATION,
    VIEW,
    Errors,
    State,
    Term,
    named,
    pages,
    said,
    tabs,
    terms,
)
from tongshang import gettext as _

ZERO = Decimal(0)
MOVES = {
    "fund": (ts.lazy("Into escrow"), "acc"),
    "release": (ts.lazy("To the seller"), "ok"),
    "refund": (ts.lazy("Back to the buyer"), "warn"),
}


@dataclass(frozen=True)
class Row:
    """A reservation in a list. `due` is what is to be paid next, until `by`."""

    url: str
    order_url: str
    order: str
    side: str
    partner: str
    offer: str
    product: str
    quantity: ts.Quantity
    total: ts.Money
    state: State
    by: Any


@dataclass(frozen=True)
class SellerDue:
    """Everything due to one seller, and the form that announces one transfer for it."""

    seller_id: UUID
    seller: str
    amount: ts.Money
    count: int
    key: str


@dataclass(frozen=True)
class ListPage:
    """Reservations on both sides."""

    tabs: list[Any]
    rows: tuple[Row, ...]
    dues: tuple[SellerDue, ...]


@dataclass(frozen=True)
class Page:
    """One reservation for the reader's side."""

    id: UUID
    seller_id: UUID
    order: str
    order_url: str
    offer: str
    offer_url: str
    side: str
    partner: str
    product: str
    code: str
    quantity: ts.Quantity
    unit: str
    state: State
    steps: tuple[tuple[str, Any, str], ...]
    terms: tuple[Term, ...]
    total: ts.Money
    earnest: ts.Money
    prepay: ts.Money
    balance: ts.Money
    paid: ts.Money
    announced: ts.Money
    held: ts.Money
    final: bool
    due: ts.Money | None
    due_by: Any
    may_pay: bool
    result: tuple[ts.Money, ts.Money] | None
    reason: str
    pleas: tuple[PleaRow, ...]
    moves: tuple[tuple[str, str, Any, ts.Money], ...]
    claims: tuple[tuple[str, ts.Money, str], ...]
    acts: tuple[Act, ...]
    key: str
    errors: Errors = field(default_factory=dict)
    values: dict[str, str] = field(default_factory=dict)


@pages.get("/reservations", permission=VIEW)
def reservations(ctx: ts.Context) -> Response:
    found = reading.reservations(ctx)
    by_seller: dict[UUID, list[Any]] = {}
    names: dict[UUID, str] = {}
    if ctx.allows("payment.announce"):
        for each in found:
            if each.reservation.buyer_id == ctx.tenant_id:
                names[each.reservation.seller_id] = each.partner
                by_seller.setdefault(each.reservation.seller_id, []).extend(dues_of(ctx, each.reservation))
    dues = tuple(
        SellerDue(
            seller, names[seller], ts.Money(sum((due.amount for due in open_), ZERO), open_[0].reservation.currency),
            len(open_), str(ts.uuid7()),
        )
        for seller, open_ in by_seller.items()
        if open_
    )  # fmt: skip
    page = ListPage(tabs(ctx, "reservations"), tuple(row(ctx, each) for each in found), dues)
    return ts.render("presale/reservations.html", page)


@pages.get("/reservations/<uuid:reservation_id>", permission=VIEW)
def reservation(ctx: ts.Context, reservation_id: UUID) -> Response:
    return _page(ctx, reservation_id)


@pages.post("/pay", permission="payment.announce", idempotent=True)
def pay(ctx: ts.Context) -> Response:
    """Announce one transfer; for one reservation, or for what falls due first."""
    read = ts.read_form(schema.NewPayment(), ts.form())
    parts = service.pay(ctx, read["seller_id"], read["amount"], read["bank_ref"], read["reservation_id"])
    ts.flash(_("Payment announced; the seller confirms it when the money is there"))
    if read["reservation_id"]:
        return ts.redirect("presale.reservation", reservation_id=parts[0][0].id)
    return ts.redirect("presale.reservations")


@pages.post("/reservations/<uuid:reservation_id>/leave", permission=END, idempotent=True)
def leave(ctx: ts.Context, reservation_id: UUID) -> Response:
    return _act(ctx, reservation_id, lambda read: service.leave(ctx, reservation_id, read["reason"]))


@pages.post("/reservations/<uuid:reservation_id>/fail", permission=END, idempotent=True)
def fail(ctx: ts.Context, reservation_id: UUID) -> Response:
    return _act(ctx, reservation_id, lambda read: service.seller_fails(ctx, reservation_id, read["reason"]))


@pages.post("/reservations/<uuid:reservation_id>/cut", permission=END, idempotent=True)
def cut(ctx: ts.Context, reservation_id: UUID) -> Response:
    found = reading.reservation(ctx, reservation_id).reservation
    act = service.seller_cut if found.seller_id == ctx.tenant_id else service.ask_cut
    return _act(
        ctx, reservation_id, lambda read: act(ctx, reservation_id, read["quantity"], read["reason"]), schema.Cut()
    )


@pages.post("/reservations/<uuid:reservation_id>/release", permission=END, idempotent=True, upload=True)
def release(ctx: ts.Context, reservation_id: UUID) -> Response:
    """Ask for it, with the evidence."""
    handed = request.files.get("file")
    evidence = Evidence(handed.filename, handed.read()) if handed is not None and handed.filename else None
    forced = bool(ts.form().get("force_majeure"))
    return _act(
        ctx,
        reservation_id,
        lambda read: service.ask_release(ctx, reservation_id, read["reason"], evidence, force_majeure=forced),
    )


@pages.post("/reservations/<uuid:reservation_id>/late", permission=END, idempotent=True)
def late(ctx: ts.Context, reservation_id: UUID) -> Response:
    amount = service.claim_late(ctx, reservation_id)
    ts.flash(_("Damages of %(amount)s claimed", amount=ts.Money(amount, "CNY")))
    return ts.redirect("presale.reservation", reservation_id=reservation_id)


@pages.post("/pleas/<uuid:plea_id>/answer", permission=END)
def answer(ctx: ts.Context, plea_id: UUID) -> Response:
    typed = ts.form()
    read = ts.read_form(schema.Verdict(), {**typed, "cost": typed.get("cost", "").strip() or "0", "reason": "-"})
    found = service.answer(ctx, plea_id, read["agree"], cost=read["cost"])
    ts.flash(_("Answered"))
    return ts.redirect("presale.reservation", reservation_id=found.id)


@pages.post("/pleas/<uuid:plea_id>/take-back", permission=END)
def take_back(ctx: ts.Context, plea_id: UUID) -> Response:
    found = service.take_back(ctx, plea_id)
    ts.flash(_("Taken back"))
    return ts.redirect("presale.reservation", reservation_id=found.reservation_id)


def row(ctx: ts.Context, each: Standing) -> Row:
    found = each.reservation
    by = {"reserved": found.pay_by, "earnest_paid": found.balance_closes, "balance_due": found.balance_closes}
    return Row(
        url=url_for("presale.reservation", reservation_id=found.id),
        order_url=url_for("orders.detail", order_id=found.order_id),
        order=found.order_number,
        side="buyer" if found.buyer_id == ctx.tenant_id else "seller",
        partner=each.partner,
        offer=each.offer.number,
        product=named(each.item),
        quantity=ts.Quantity(found.quantity, found.unit),
        total=ts.Money(found.total, found.currency),
        state=said(RESERVATION, found.state),
        by=by.get(found.state),
    )


def _act(ctx: ts.Context, reservation_id: UUID, act: Any, shape: ts.Schema | None = None) -> Response:
    """Run what a form asks for; what stands in the way is said on the page, with what was typed."""
    typed = ts.form()
    if errors := ts.mend(ctx, lambda: act(ts.read_form(shape or schema.Reason(), typed))):
        return _page(ctx, reservation_id, typed, errors)
    ts.flash(_("Done"))
    return ts.redirect("presale.reservation", reservation_id=reservation_id)


def _page(
    ctx: ts.Context, reservation_id: UUID, typed: dict[str, str] | None = None, errors: Errors | None = None
) -> Response:
    each = reading.reservation(ctx, reservation_id)
    found, offer = each.reservation, each.offer
    assert found.order_id is not None
    side = "buyer" if found.buyer_id == ctx.tenant_id else "seller"
    order_money = ts.money_of(ctx, found.order_id)
    order = ts.facts_of(ctx, found.order_id)

    def money(amount: Decimal) -> ts.Money:
        return ts.Money(amount, found.currency)

    dues = dues_of(ctx, found) if side == "buyer" else []
    waiting = sum((one.amount for one in order_money.announced), ZERO)
    page = Page(
        id=found.id, seller_id=found.seller_id, order=found.order_number,
        order_url=url_for("orders.detail", order_id=found.order_id),
        offer=f"{offer.number} {offer.title}", offer_url=url_for("presale.offer", offer_id=offer.id), side=side,
        partner=each.partner, product=named(each.item), code=each.item.code,
        quantity=ts.Quantity(found.quantity, found.unit), unit=found.unit, state=said(RESERVATION, found.state),
        steps=steps(ctx, found.state, found), terms=terms(ctx, offer), total=money(found.total),
        earnest=money(found.earnest), prepay=money(found.prepay),
        balance=money(found.total - found.earnest - found.prepay), paid=money(order_money.covered),
        announced=money(waiting), held=money(order_money.held), final=offer.priced,
        due=money(dues[0].amount) if dues else None, due_by=dues[0].by if dues else None,
        may_pay=bool(dues) and ctx.allows("payment.announce"),
        result=None if found.to_buyer is None or found.to_seller is None
        else (money(found.to_buyer), money(found.to_seller)),
        reason=_(found.reason) if found.reason else "",
        pleas=tuple(plea_row(ctx, one, each, side) for one in reading.pleas(ctx, found.id)),
        moves=tuple(
            (*said(MOVES, move.kind), move.at, money(move.amount)) for move in ts.moves_of(ctx, found.order_id)
        ),
        claims=tuple(
            (_("owed by the seller") if claim.debtor == "seller" else _("owed by the buyer"), money(claim.amount),
             claim.state)
            for claim in ts.claims_of(ctx, found.order_id)
        ),
        acts=acts(ctx, each, order, side) if ctx.allows(END) and found.state in LIVE else (),
        key=str(ts.uuid7()), errors=errors or {}, values=typed or {},
    )  # fmt: skip
    crumbs = (
        ts.Crumb(_("Presale"), url_for("presale.index")),
        ts.Crumb(_("Reservations"), url_for("presale.reservations")),
    )
    return ts.render("presale/reservation.html", page, 422 if errors else 200, crumbs=crumbs)


