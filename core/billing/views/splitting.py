"""One payment over several invoices: the buyer says what it pays for, the seller puts what arrived where it belongs."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from flask import Response, request, url_for

from core import billing, tenancy
from core.billing import between
from core.billing.between import OpenInvoice, PaymentDetail
from core.billing.panel import state_of
from core.billing.views.frame import Given, amount_in, named, pages, share_names, shares_in
from core.billing.views.question import Question, answer, ask
from core.kernel import Conflict, Context, Invalid, Money, NotFound
from core.orders.views.asking import fields_named
from core.web import flash, redirect, render
from core.web import gettext as _
from core.web.page import Crumb

ZERO = Decimal(0)


@dataclass(frozen=True)
class OwedRow:
    """What is open to one seller, oldest due day first."""

    seller: str
    invoices: int
    open: Money
    due_on: object
    href: str


@dataclass(frozen=True)
class OwedPage:
    """Whom the enterprise owes money."""

    rows: tuple[OwedRow, ...]


@dataclass(frozen=True)
class ShareRow:
    """An open invoice with what is proposed to go on it; None where nothing is."""

    id: UUID
    number: str
    href: str
    order_number: str | None
    due_on: object
    open: Money
    share: Decimal | None
    payee: str


@dataclass(frozen=True)
class Shares:
    """What a split starts from. `amount` is what there is to spread, None where it is asked for."""

    rows: tuple[ShareRow, ...]
    currency: str
    amount: Money | None = None
    bank_ref: str = ""


@dataclass(frozen=True)
class PaymentPage:
    """One payment: what it was announced for, what it settles, and the ways on."""

    detail: PaymentDetail
    state: tuple[str, str]
    partner: str
    amount: Money
    unapplied: Money
    kept: Money
    order_href: str | None
    confirm_url: str | None
    allocate_url: str | None


@pages.get("/pay", permission="payment.announce")
def owed(ctx: Context) -> Response:
    """Whom to pay: every seller with open invoices."""
    rows = tuple(
        OwedRow(
            named(row.name_zh, row.name_en), row.invoices, row.open, row.due_on,
            url_for("billing.pay", seller_id=row.seller_id, currency=row.open.currency),
        )
        for row in between.owed_to(ctx)
    )  # fmt: skip
    return render("billing/owed.html", OwedPage(rows), crumbs=(Crumb(_("Payments"), url_for("billing.payments")),))


@pages.get("/pay/<uuid:seller_id>", permission="payment.announce")
def pay(ctx: Context, seller_id: UUID) -> Response:
    """Which invoices of one seller a transfer pays."""
    return ask(_to_pay(ctx, seller_id))


@pages.post("/pay/<uuid:seller_id>", permission="payment.announce", idempotent=True)
def pay_split(ctx: Context, seller_id: UUID) -> Response:
    """Announce the transfer with the share of each invoice."""

    def act(typed: Given) -> Response:
        amount, shares = amount_in(typed, "amount"), _some(typed)
        with fields_named(share_names(shares)):
            made = billing.announce_payment(
                ctx,
                sum(shares.values(), ZERO) if amount is None else amount,
                typed.get("bank_ref", "")[:100],
                split=shares,
                note=typed.get("note", "")[:500],
            )
        flash(_("Payment %(number)s is announced", number=made.number))
        return redirect("billing.payment", payment_id=made.id)

    return answer(ctx, act, lambda: _to_pay(ctx, seller_id))


@pages.get("/payments/<uuid:payment_id>", permission="invoice.view")
def payment(ctx: Context, payment_id: UUID) -> Response:
    """One payment and where it went."""
    found = between.payment_detail(ctx, payment_id)
    row = found.row
    mine = row.side == "seller" and ctx.allows("payment.confirm")
    page = PaymentPage(
        found, state_of(row.state), named(row.partner_zh, row.partner_en), Money(row.amount, row.currency),
        Money(row.unapplied, row.currency), Money(found.kept, row.currency),
        url_for("orders.detail", order_id=row.order_id) if row.order_id else None,
        url_for("billing.confirm", payment_id=row.id) if mine and row.state == "announced" else None,
        url_for("billing.allocate", payment_id=row.id) if mine and row.unapplied > 0 else None,
    )  # fmt: skip
    return render("billing/payment.html", page, crumbs=(Crumb(_("Payments"), url_for("billing.payments")),))


@pages.get("/payments/<uuid:payment_id>/confirm", permission="payment.confirm")
def confirm(ctx: Context, payment_id: UUID) -> Response:
    """Where the money of an announced payment belongs."""
    return ask(_to_confirm(ctx, payment_id))


@pages.post("/payments/<uuid:payment_id>/confirm", permission="payment.confirm", idempotent=True)
def confirm_split(ctx: Context, payment_id: UUID) -> Response:
    """Confirm it with the share of each invoice."""

    def act(typed: Given) -> Response:
        shares = _some(typed)
        with fields_named(share_names(shares)):
            made = billing.confirm_payment(
                ctx, payment_id, bank_ref=typed.get("bank_ref", "").strip()[:100] or None, split=shares or None
            )
        flash(_("Payment %(number)s is confirmed", number=made.number))
        return redirect("billing.payment", payment_id=made.id)

    return answer(ctx, act, lambda: _to_confirm(ctx, payment_id))


@pages.get("/payments/<uuid:payment_id>/allocate", permission="payment.confirm")
def allocate(ctx: Context, payment_id: UUID) -> Response:
    """Where unapplied money belongs."""
    return ask(_to_allocate(ctx, payment_id))


@pages.post("/payments/<uuid:payment_id>/allocate", permission="payment.confirm", idempotent=True)
def allocate_split(ctx: Context, payment_id: UUID) -> Response:
    """Put unapplied money on invoices."""

    def act(typed: Given) -> Response:
        shares = _some(typed)
        with fields_named(share_names(shares)):
            made = billing.allocate_payment(ctx, payment_id, shares or None)
        flash(_("Payment %(number)s is on its invoices", number=made.number))
        return redirect("billing.payment", payment_id=made.id)

    return answer(ctx, act, lambda: _to_allocate(ctx, payment_id))


def _some(typed: Given) -> dict[UUID, Decimal]:
    """The typed shares; where invoices could be chosen and none was, the first one is where to begin."""
    shares = shares_in(typed)
    offered = next((name for name in typed if name.startswith("share-")), None)
    if offered and not shares:
        raise Invalid.one(offered, "payment.no_share")
    return shares


def _to_pay(ctx: Context, seller_id: UUID) -> Question:
    card = tenancy.cards(ctx, [seller_id]).get(seller_id)
    if card is None:
        raise NotFound("enterprise.not_found")
    currency = request.args.get("currency", "")[:3] or tenancy.trade_settings(ctx).currency
    found = between.open_between(ctx, ctx.tenant_id, seller_id, currency)
    if not found:
        raise Conflict("payment.nothing_to_pay")
    return Question(
        _("Pay %(seller)s", seller=named(card.name, card.name_en)),
        (_("Clear the share of an invoice that this transfer does not pay."),),
        "billing/pay_fields.html",
        Shares(_rows(found, {each.id: each.open.amount for each in found}), currency),
        url_for("billing.pay_split", seller_id=seller_id, currency=currency),
        _("Announce the payment"),
        url_for("billing.owed"),
        (Crumb(_("Payments"), url_for("billing.payments")),),
    )


def _to_confirm(ctx: Context, payment_id: UUID) -> Question:
    found = between.payment_detail(ctx, payment_id)
    row = found.row
    if row.side != "seller":
        raise NotFound("payment.not_found")
    if row.state != "announced":
        raise Conflict("payment.already_decided", payment=row.number, state=state_of(row.state)[0])
    there = between.open_between(ctx, found.partner_id, ctx.tenant_id, row.currency)
    exact = {share.invoice_id: share.amount.amount for share in found.meant if share.amount}
    meant = {share.invoice_id for share in found.meant}
    if exact:
        shares = {each.id: min(exact[each.id], each.open.amount) for each in there if each.id in exact}
    else:
        first = [each for each in there if each.id in meant or (not meant and each.order_id == row.order_id)]
        shares = _oldest_first(row.amount, first)
    return Question(
        _("Confirm %(number)s", number=row.number),
        (_("The money is posted in both books at once."),),
        "billing/confirm_fields.html",
        Shares(_rows(there, shares), row.currency, Money(row.amount, row.currency), row.bank_ref),
        url_for("billing.confirm_split", payment_id=row.id),
        _("Confirm the payment"),
        url_for("billing.payment", payment_id=row.id),
        (Crumb(_("Payments"), url_for("billing.payments")),),
    )


def _to_allocate(ctx: Context, payment_id: UUID) -> Question:
    found = between.payment_detail(ctx, payment_id)
    row = found.row
    if row.side != "seller":
        raise NotFound("payment.not_found")
    if row.unapplied <= 0:
        raise Conflict("payment.nothing_unapplied", payment=row.number)
    there = between.open_between(ctx, found.partner_id, ctx.tenant_id, row.currency)
    if not there:
        raise Conflict("payment.nothing_open", payment=row.number)
    return Question(
        _("Put %(number)s on invoices", number=row.number),
        (),
        "billing/allocate_fields.html",
        Shares(_rows(there, _oldest_first(row.unapplied, there)), row.currency, Money(row.unapplied, row.currency)),
        url_for("billing.allocate_split", payment_id=row.id),
        _("Put it on these invoices"),
        url_for("billing.payment", payment_id=row.id),
        (Crumb(_("Payments"), url_for("billing.payments")),),
    )


def _oldest_first(amount: Decimal, invoices: Sequence[OpenInvoice]) -> dict[UUID, Decimal]:
    shares: dict[UUID, Decimal] = {}
    for each in invoices:
        if (share := min(amount, each.open.amount)) > 0:
            shares[each.id] = share
            amount -= share
    return shares


def _rows(found: Sequence[OpenInvoice], shares: dict[UUID, Decimal]) -> tuple[ShareRow, ...]:
    return tuple(
        ShareRow(
            each.id, each.number, url_for("billing.invoice", invoice_id=each.id), each.order_number, each.due_on,
            each.open, shares.get(each.id), each.payee,
        )
        for each in found
    )  # fmt: skip
