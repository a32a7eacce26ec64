"""The posting table of the docs, row by row, against postings that a real trade makes."""

import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select

from core import billing, ledger, orders
from core.hooks import MoneyMove
from tests.fulfilment.trading import Trade

D = Decimal
PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "postings.md").read_text(encoding="utf-8")
Figures = dict[str, Decimal]


def rows_below(heading: str) -> list[list[str]]:
    """The cells of the first table below a heading, without its head."""
    section = PAGE.split(f"## {heading}\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


TABLE = {row[0]: row[1:] for row in rows_below("Table")}


def delivered(trade: Trade, mode: str = "terms") -> None:
    trade.order({"RB12": D(100)}, mode)
    trade.receive(trade.ship("100"), "100")


def issued(trade: Trade) -> Figures:
    delivered(trade)
    invoice = trade.invoice()
    return {"N": invoice.net, "T": invoice.tax, "G": invoice.total}


def paid_in_full(trade: Trade) -> Figures:
    delivered(trade)
    trade.invoice()
    trade.pay("1130.00")
    return {"P": D("1130.00")}


def paid_in_part(trade: Trade) -> Figures:
    delivered(trade)
    trade.invoice()
    trade.pay("1200.00")
    return {"P": D("1200.00"), "A": D("1130.00"), "R": D("70.00")}


def prepaid(trade: Trade) -> Figures:
    trade.order({"RB12": D(100)}, "advance")
    trade.pay("400.00")
    return {"P": D("400.00")}


def applied(trade: Trade) -> Figures:
    prepaid(trade)
    trade.receive(trade.ship("100"), "100")
    trade.invoice()
    return {"A": D("400.00")}


def allocated(trade: Trade) -> Figures:
    delivered(trade)
    first = trade.invoice()
    payment = trade.pay("1200.00", invoice_ids=[first.id])
    delivered(trade)
    trade.invoice()
    billing.allocate_payment(trade.ctx, payment.id)
    return {"A": D("70.00")}


def given_up(trade: Trade) -> Figures:
    delivered(trade)
    invoice = trade.invoice()
    trade.pay("1129.50")
    billing.write_off(trade.ctx, invoice.id, "尾差")
    return {"W": D("0.50")}


def credited(trade: Trade) -> Figures:
    figures = issued(trade)
    invoice = trade.ctx.session.scalar(select(billing.Invoice))
    assert invoice is not None
    billing.credit_invoice(trade.ctx, invoice.id, billing.Credit("冲红"))
    return figures


def credited_after_payment(trade: Trade) -> Figures:
    delivered(trade)
    invoice = trade.invoice()
    trade.pay("1130.00")
    billing.credit_invoice(trade.ctx, invoice.id, billing.Credit("扣款", amount=D("5.00"), refund=True, bank_ref="R-1"))
    return {"X": D("5.00")}


def compensated(payer: str, payee: str) -> Callable[[Trade], Figures]:
    def play(trade: Trade) -> Figures:
        trade.order({"RB12": D(100)})
        orders.propose_termination(trade.ctx, trade.order_id, [MoneyMove(payer, payee, D("50.00"), "penalty")], "停产")
        with trade.buyer() as ctx:
            orders.agree(ctx, trade.order_id)
        return {"S": D("50.00")}

    return play


PLAYS: dict[str, Callable[[Trade], Figures]] = {
    "Invoice issued": issued,
    "Payment confirmed, all of it on invoices": paid_in_full,
    "Payment confirmed, a part of it on invoices": paid_in_part,
    "Prepayment confirmed, before any invoice": prepaid,
    "Prepayment applied when the invoice is issued": applied,
    "Unapplied money put on an invoice later": allocated,
    "Remainder written off": given_up,
    "Red invoice": credited,
    "Red invoice on a paid one: the money is an advance again": credited_after_payment,
    "Money sent back": credited_after_payment,
    "Settlement: the seller compensates": compensated("seller", "buyer"),
    "Settlement: the buyer compensates": compensated("buyer", "seller"),
}


def written(debit: str, credit: str, figures: Figures) -> list[tuple[str, Decimal]]:
    """The cells `receivable G` and `revenue N, output_vat T` as (heading, amount), debit positive."""
    entries = []
    for cell, sign in ((debit, 1), (credit, -1)):
        for heading, letter in re.findall(r"(\w+) ([A-Z])", cell):
            entries.append((heading, sign * figures[letter]))
    return sorted(entries)


def booked(trade: Trade, kind: str, whose: UUID) -> tuple[list[tuple[str, Decimal]], set[UUID | None]]:
    """The newest posting of a kind in one side's books: its entries by heading, and the partners they name."""
    with trade.ctx.as_tenant(whose, "seller") as ctx:
        ref = ctx.session.scalar(
            select(ledger.LedgerTxn.ref)
            .where(ledger.LedgerTxn.kind == kind, ledger.LedgerTxn.tenant_id == whose)
            .order_by(ledger.LedgerTxn.id.desc())
            .limit(1)
        )
        made = ledger.posting(ctx, kind, ref or "")
    partners = {ledger.partner_of(code) for code, _ in made.entries}
    return sorted((ledger.heading_of(code).code, amount) for code, amount in made.entries), partners


def test_every_row_of_the_table_is_played() -> None:
    assert set(TABLE) == set(PLAYS)


@pytest.mark.parametrize("event", PLAYS)
def test_the_books_say_what_the_table_says(trade: Trade, event: str) -> None:
    kind, *cells = TABLE[event]
    figures = PLAYS[event](trade)
    seller, buyers = booked(trade, kind, trade.seller_id)
    buyer, sellers = booked(trade, kind, trade.buyer_id)
    assert seller == written(cells[0], cells[1], figures)
    assert buyer == written(cells[2], cells[3], figures)
    assert buyers <= {None, trade.buyer_id} and sellers <= {None, trade.seller_id}


def test_the_page_lists_the_chart_of_accounts() -> None:
    listed = {row[0]: tuple(row[1:]) for row in rows_below("Accounts")}
    assert listed == {
        heading.code: (heading.nature, "yes" if heading.partnered else "", heading.name_en, heading.name_zh)
        for heading in ledger.CHART.values()
    }
