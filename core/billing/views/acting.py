"""The acts about money that an order's page offers: one form for each verb."""

from uuid import UUID

from core import billing
from core.billing.schema import PaidIn
from core.billing.views.frame import Given, amount_in, amount_of, id_in, pages, share_names, shares_in
from core.kernel import Context
from core.orders.views.asking import fields_named, order_act
from core.web import gettext as _
from core.web.mending import read_form


@order_act(pages, "/orders/<uuid:order_id>/issue-invoice", permission="invoice.issue")
def issue_invoice(ctx: Context, order_id: UUID, typed: Given) -> str:
    """Bill what is accepted."""
    made = billing.issue_invoice(ctx, order_id)
    return _("Invoice %(number)s is issued", number=made.number)


@order_act(pages, "/orders/<uuid:order_id>/announce-payment", permission="payment.announce")
def announce_payment(ctx: Context, order_id: UUID, typed: Given) -> str:
    """Say that money was sent for this order, by invoice if its shares are given."""
    amount, shares = amount_in(typed, "amount"), shares_in(typed)
    given = read_form(PaidIn(), {**typed, "amount": "" if amount is None else f"{amount:f}"})
    with fields_named(share_names(shares)):
        made = billing.announce_payment(
            ctx, given["amount"], given["bank_ref"], order_id=order_id, split=shares or None, note=given.get("note") or "",
        )  # fmt: skip
    return _("Payment %(number)s is announced", number=made.number)


@order_act(pages, "/orders/<uuid:order_id>/confirm-payment", permission="payment.confirm")
def confirm_payment(ctx: Context, order_id: UUID, typed: Given) -> str:
    """Say that the money arrived."""
    made = billing.confirm_payment(
        ctx, id_in(typed, "payment_id"), bank_ref=typed.get("bank_ref", "").strip()[:100] or None
    )
    return _("Payment %(number)s is confirmed", number=made.number)


@order_act(pages, "/orders/<uuid:order_id>/reject-payment", permission="payment.confirm")
def reject_payment(ctx: Context, order_id: UUID, typed: Given) -> str:
    """Say that the money did not arrive."""
    made = billing.reject_payment(ctx, id_in(typed, "payment_id"), typed.get("reason", "")[:500])
    return _("Payment %(number)s is marked as not received", number=made.number)


@order_act(pages, "/orders/<uuid:order_id>/write-off", permission="invoice.write_off")
def write_off(ctx: Context, order_id: UUID, typed: Given) -> str:
    """Give a small remainder up."""
    made = billing.write_off(ctx, id_in(typed, "invoice_id"), typed.get("reason", "")[:500])
    return _("The remainder of %(number)s is written off", number=made.number)


@order_act(pages, "/orders/<uuid:order_id>/credit-invoice", permission="invoice.credit")
def credit_invoice(ctx: Context, order_id: UUID, typed: Given) -> str:
    """Answer an invoice with a red one, whole or by an amount; by quantity it is asked on a page of its own."""
    credit = billing.Credit(
        typed.get("reason", "")[:500], amount=amount_in(typed, "amount"), refund=typed.get("money") == "refund",
        bank_ref=typed.get("bank_ref", "")[:100],
    )  # fmt: skip
    made = billing.credit_invoice(ctx, id_in(typed, "invoice_id"), credit)
    return _("Red invoice %(number)s is issued", number=made.number)


@order_act(pages, "/orders/<uuid:order_id>/refund-payment", permission="payment.confirm")
def refund_payment(ctx: Context, order_id: UUID, typed: Given) -> str:
    """Send money back."""
    made = billing.refund_payment(
        ctx, id_in(typed, "payment_id"), amount_of(typed, "amount"), typed.get("bank_ref", "")[:100],
        typed.get("reason", "")[:500],
    )  # fmt: skip
    return _("Money of %(number)s goes back", number=made.number)
