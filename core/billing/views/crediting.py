"""A red invoice by quantity, by an amount, or for all that is left: asked on the invoice, line by line."""

from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from flask import Response, url_for

from core import billing
from core.billing import between, finding
from core.billing.views.frame import Given, amount_of, id_in, named, pages
from core.billing.views.question import Question, answer, ask
from core.kernel import Conflict, Context, FieldError, Invalid, Money
from core.orders.views.asking import fields_named
from core.orders.views.frame import figure
from core.web import flash, redirect
from core.web import gettext as _
from core.web.page import Crumb


@dataclass(frozen=True)
class LeftRow:
    """A billed line with what may still be taken back of it; `gross` is what that is worth, VAT included."""

    id: UUID
    no: int
    code: str
    name: str
    unit: str
    left: Decimal
    gross: Money


@dataclass(frozen=True)
class Left:
    """What is left of an invoice to credit, and what was paid of it already."""

    rows: tuple[LeftRow, ...]
    rest: Money
    paid: Money


@pages.get("/invoices/<uuid:invoice_id>/credit", permission="invoice.credit")
def credit(ctx: Context, invoice_id: UUID) -> Response:
    """What of an invoice is taken back."""
    return ask(_question(ctx, invoice_id))


@pages.post("/invoices/<uuid:invoice_id>/credit", permission="invoice.credit", idempotent=True)
def credit_lines(ctx: Context, invoice_id: UUID) -> Response:
    """Answer it with a red one."""

    def act(typed: Given) -> Response:
        what = typed.get("what", "")
        quantities = _quantities(typed) if what == "lines" else None
        amount = amount_of(typed, "amount") if what == "amount" else None
        if what not in ("lines", "amount", "whole"):
            raise Invalid.one("what", "choice.unknown")
        wish = billing.Credit(
            typed.get("reason", "")[:500], quantities, amount, typed.get("money") == "refund",
            typed.get("bank_ref", "")[:100],
        )  # fmt: skip
        with fields_named({f"quantities.{line}": f"qty-{line}" for line in quantities or ()}):
            made = billing.credit_invoice(ctx, invoice_id, wish)
        flash(_("Red invoice %(number)s is issued", number=made.number))
        return redirect("billing.invoice", invoice_id=made.id)

    return answer(ctx, act, lambda: _question(ctx, invoice_id))


def _quantities(typed: Given) -> dict[UUID, Decimal]:
    """The typed quantities by line, of which there must be one. Invalid names every wrong one."""
    found: dict[UUID, Decimal] = {}
    errors: list[FieldError] = []
    offered = [name for name in typed if name.startswith("qty-")]
    for name in offered:
        try:
            if quantity := figure(name, typed[name]):
                found[id_in({name: name.removeprefix("qty-")}, name)] = quantity
        except Invalid as wrong:
            errors += wrong.errors
    if errors:
        raise Invalid(errors)
    if not found:
        raise Invalid.one(offered[0] if offered else "what", "invoice.no_quantity")
    return found


def _question(ctx: Context, invoice_id: UUID) -> Question:
    row = finding.invoice_detail(ctx, invoice_id).row
    left = between.creditable(ctx, invoice_id)
    rest = row.total - row.credited
    if row.side != "seller" or row.kind != "blue" or rest <= 0:
        raise Conflict("invoice.not_creditable", invoice=row.number)
    rows = tuple(
        LeftRow(
            line.line_id, line.no, line.code, named(line.name_zh, line.name_en), line.unit, line.quantity,
            Money(line.gross, row.currency),
        )
        for line in left
    )  # fmt: skip
    return Question(
        _("Red invoice for %(number)s", number=row.number),
        (_("The invoice stays as it is; a red one takes back what was billed too much."), _("This cannot be undone.")),
        "billing/credit_fields.html",
        Left(rows, Money(rest, row.currency), Money(row.settled, row.currency)),
        url_for("billing.credit_lines", invoice_id=invoice_id),
        _("Issue the red invoice"),
        url_for("billing.invoice", invoice_id=invoice_id),
        (Crumb(_("Invoices"), url_for("billing.invoices")), Crumb(row.number, url_for("billing.invoice", invoice_id=invoice_id))),
        danger=True,
    )
