"""Invoices, payments and the books as lists, and one invoice whole."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Response, request, url_for

from core import ledger, tenancy
from core.billing import finding
from core.billing.finding import InvoiceDetail, InvoiceRow, PaymentRow
from core.billing.panel import state_of
from core.billing.views.frame import named, pages
from core.hooks import InvoiceFacts
from core.kernel import Context, Money, NotFound
from core.web import Rejected, render, slots
from core.web import gettext as _
from core.web.page import Crumb, here
from core.web.pager import cut, decode

PAGE = 50
Tab = tuple[str, str, bool, None]
KINDS = {
    "invoice": "Invoice", "payment": "Payment", "advance_applied": "Advance applied", "allocation": "Allocation",
    "write_off": "Write-off", "credit_note": "Red invoice", "advance_released": "Advance released",
    "refund": "Refund", "penalty": "Settlement", "reversal": "Reversal",
}  # fmt: skip
"""What caused a posting, as a msgid."""


@dataclass(frozen=True)
class InvoiceView:
    """An invoice in the list, in the reader's language. Amounts include VAT; `late` says it is overdue."""

    number: str
    href: str
    partner: str
    order_number: str | None
    order_href: str
    issued_on: date
    due_on: date | None
    total: Money
    open: Money
    state: tuple[str, str]
    late: bool


@dataclass(frozen=True)
class InvoicesPage:
    """Invoices of both sides; `views` are the tabs. `pay_url` is None for who may not pay."""

    rows: tuple[InvoiceView, ...]
    views: tuple[Tab, ...]
    first_url: str | None
    next_url: str | None
    pay_url: str | None


@dataclass(frozen=True)
class PaymentView:
    """A payment in the list. `unapplied` is what settles nothing yet."""

    number: str
    href: str
    partner: str
    order_number: str | None
    order_href: str | None
    bank_ref: str
    announced_at: object
    amount: Money
    unapplied: Money
    state: tuple[str, str]


@dataclass(frozen=True)
class PaymentsPage:
    """Payments of both sides; `views` are the tabs. `pay_url` is None for who may not pay."""

    rows: tuple[PaymentView, ...]
    views: tuple[Tab, ...]
    first_url: str | None
    next_url: str | None
    pay_url: str | None


@dataclass(frozen=True)
class InvoicePage:
    """One invoice whole. `names` are the goods' names in the reader's language, line by line."""

    detail: InvoiceDetail
    state: tuple[str, str]
    total: Money
    net: Money
    tax: Money
    open: Money
    names: tuple[str, ...]
    order_href: str
    original_href: str | None
    credit_url: str | None
    pay_url: str | None
    offers_url: str | None


@dataclass(frozen=True)
class AccountView:
    """An account: its name, the partner it is kept for, and what stands on it (debit positive)."""

    name: str
    partner: str
    nature: str
    balance: Money
    href: str


@dataclass(frozen=True)
class BooksPage:
    """Every account of the enterprise."""

    rows: tuple[AccountView, ...]


@dataclass(frozen=True)
class EntryView:
    """One entry of a statement, with the balance after it."""

    at: object
    kind: str
    label: str
    amount: Money
    balance: Money


@dataclass(frozen=True)
class StatementPage:
    """An account and its entries, newest first."""

    account: AccountView
    rows: tuple[EntryView, ...]
    first_url: str | None
    next_url: str | None


@pages.get("", permission="invoice.view")
def invoices(ctx: Context) -> Response:
    """What is to be collected and what is to be paid."""
    chosen = request.args.get("view", "all")
    side, states = {"collect": ("seller", finding.OPEN), "pay": ("buyer", finding.OPEN)}.get(
        chosen, ("all", ())
    )
    found = finding.list_invoices(ctx, side, states, request.args.get("after"), PAGE)
    today = ctx.now.astimezone(ZoneInfo(tenancy.trade_settings(ctx).timezone)).date()
    tabs = (("all", _("All")), ("collect", _("To collect")), ("pay", _("To pay")))
    page = InvoicesPage(
        tuple(_invoice(row, today) for row in found.rows),
        _tabs("billing.invoices", tabs, chosen),
        *_around(found.next),
        url_for("billing.owed") if ctx.allows("payment.announce") else None,
    )
    return render("billing/invoices.html", page)


@pages.get("/payments", permission="invoice.view")
def payments(ctx: Context) -> Response:
    """What came in and what went out."""
    chosen = request.args.get("view", "all")
    side, states = {"confirm": ("seller", ("announced",)), "in": ("seller", ()), "out": ("buyer", ())}.get(
        chosen, ("all", ())
    )
    found = finding.list_payments(ctx, side, states, request.args.get("after"), PAGE)
    tabs = (("all", _("All")), ("confirm", _("To confirm")), ("in", _("Money in")), ("out", _("Money out")))
    page = PaymentsPage(
        tuple(_payment(row) for row in found.rows),
        _tabs("billing.payments", tabs, chosen),
        *_around(found.next),
        url_for("billing.owed") if ctx.allows("payment.announce") else None,
    )
    return render("billing/payments.html", page)


@pages.get("/invoices/<uuid:invoice_id>", permission="invoice.view")
def invoice(ctx: Context, invoice_id: UUID) -> Response:
    """One invoice with its lines and what settled it."""
    found = finding.invoice_detail(ctx, invoice_id)
    row = found.row
    page = InvoicePage(
        found, state_of(row.state, row.kind), Money(row.total, row.currency), Money(row.net, row.currency),
        Money(row.tax, row.currency), Money(row.open, row.currency),
        tuple(named(line.name_zh, line.name_en) for line in found.lines),
        url_for("orders.detail", order_id=row.order_id),
        url_for("billing.invoice", invoice_id=found.original_id) if found.original_id else None,
        url_for("billing.credit", invoice_id=row.id) if _creditable(ctx, row) else None,
        url_for("billing.pay", seller_id=row.partner_id, currency=row.currency) if _payable(ctx, row) else None,
        slots.offers_url(ctx, "invoice", str(row.id)),
    )  # fmt: skip
    return render("billing/invoice.html", page, crumbs=(Crumb(_("Invoices"), url_for("billing.invoices")),))


def subject(ctx: Context, key: str) -> InvoiceFacts:
    """What offers for an invoice are about."""
    ctx.require("invoice.view")
    try:
        return finding.facts_of(ctx, UUID(key))
    except ValueError:
        raise NotFound("invoice.not_found") from None


def _creditable(ctx: Context, row: InvoiceRow) -> bool:
    mine = row.side == "seller" and row.kind == "blue"
    return mine and row.total > row.credited and ctx.allows("invoice.credit")


def _payable(ctx: Context, row: InvoiceRow) -> bool:
    return row.side == "buyer" and row.open > 0 and ctx.allows("payment.announce")


@pages.get("/ledger", permission="ledger.view")
def books(ctx: Context) -> Response:
    """Every account and what stands on it."""
    return render("billing/ledger.html", BooksPage(tuple(_accounts(ctx, ledger.accounts(ctx)))))


@pages.get("/ledger/<uuid:account_id>", permission="ledger.view")
def statement(ctx: Context, account_id: UUID) -> Response:
    """The entries of one account."""
    account, lines = ledger.statement(ctx, account_id, after=_seen(request.args.get("after")), limit=PAGE)
    page = cut(lines, PAGE, lambda line: (line.id, line.balance))
    rows = tuple(
        EntryView(
            line.at, _(KINDS.get(line.kind, line.kind)), line.label, Money(line.amount, account.currency),
            Money(line.balance, account.currency),
        )
        for line in page.rows
    )  # fmt: skip
    shown = StatementPage(_accounts(ctx, [account])[0], rows, *_around(page.next))
    return render("billing/statement.html", shown, crumbs=(Crumb(_("Ledger"), url_for("billing.books")),))


def _invoice(row: InvoiceRow, today: date) -> InvoiceView:
    return InvoiceView(
        row.number, url_for("billing.invoice", invoice_id=row.id), named(row.partner_zh, row.partner_en),
        row.order_number, url_for("orders.detail", order_id=row.order_id), row.issued_on,
        row.due_on if row.open else None, Money(row.total, row.currency), Money(row.open, row.currency),
        state_of(row.state, row.kind), row.open > 0 and today > row.due_on,
    )  # fmt: skip


def _payment(row: PaymentRow) -> PaymentView:
    return PaymentView(
        row.number, url_for("billing.payment", payment_id=row.id), named(row.partner_zh, row.partner_en), row.order_number,
        url_for("orders.detail", order_id=row.order_id) if row.order_id else None, row.bank_ref, row.announced_at,
        Money(row.amount, row.currency), Money(row.unapplied, row.currency), state_of(row.state),
    )  # fmt: skip


def _accounts(ctx: Context, found: list[ledger.AccountBalance]) -> list[AccountView]:
    """Accounts in the order of the chart, each with the name of its partner."""
    partners = tenancy.cards(ctx, [partner for row in found if (partner := ledger.partner_of(row.code))])
    ranks = {code: rank for rank, code in enumerate(ledger.CHART)}
    rows = sorted(found, key=lambda row: (ranks[ledger.heading_of(row.code).code], row.code, row.currency))
    shown = []
    for row in rows:
        heading, partner = ledger.heading_of(row.code), ledger.partner_of(row.code)
        card = partners.get(partner) if partner else None
        shown.append(
            AccountView(
                named(heading.name_zh, heading.name_en), named(card.name, card.name_en) if card else "",
                _(NATURES[heading.nature]), Money(row.balance, row.currency),
                url_for("billing.statement", account_id=row.id),
            )
        )  # fmt: skip
    return shown


NATURES = {"asset": "Asset", "liability": "Liability", "income": "Income", "cost": "Cost"}
"""What an account is, as a msgid."""


def _tabs(endpoint: str, tabs: tuple[tuple[str, str], ...], chosen: str) -> tuple[Tab, ...]:
    known = chosen if chosen in dict(tabs) else "all"
    return tuple((text, url_for(endpoint, view=key), key == known, None) for key, text in tabs)


def _around(following: str | None) -> tuple[str | None, str | None]:
    """The way back to the first page and on to the next one."""
    return here(after=None) if request.args.get("after") else None, here(
        after=following
    ) if following else None


def _seen(cursor: str | None) -> tuple[UUID, Decimal] | None:
    keys = decode(cursor, 2)
    if keys is None:
        return None
    try:
        return UUID(keys[0]), Decimal(keys[1])
    except (ValueError, InvalidOperation):
        raise Rejected(400, "page.bad_cursor") from None
