"""Invoices and payments that come in: they land when both sides mean the same amount, once."""

from decimal import Decimal

from sqlalchemy import func, select

from core.billing import Invoice, Payment
from core.sync import InvoiceIn, PaymentIn
from tests.sync.landing.conftest import DAY, Wired, codes

D = Decimal
GROSS = "1695.00"  # 150 t at 10.00 and 13 % VAT


def delivered(wired: Wired) -> Wired:
    wired.trade.receive(wired.trade.ship("100", "50"), "100", "50")
    return wired


def invoices(wired: Wired) -> list[Invoice]:
    return list(wired.trade.ctx.session.scalars(select(Invoice).order_by(Invoice.id)))


def test_an_invoice_is_issued_here_when_it_was_issued_there(wired: Wired) -> None:
    delivered(wired)
    for _ in range(2):
        assert not wired.land("seller", wired.invoice(GROSS))
    (invoice,) = invoices(wired)
    assert (invoice.total, invoice.issued_by) == (D(GROSS), "ERP of the seller")


def test_another_amount_is_listed_with_both_figures_and_nothing_is_posted(wired: Wired) -> None:
    delivered(wired)
    (left,) = wired.land("seller", wired.invoice("1695.01"))
    assert (left.code, left.said) == ("sync.invoice_differs", "FP-I1: 1695.00 / 1695.01 CNY")
    assert invoices(wired) == []
    assert [each.invoiced for each in wired.trade.lines] == [0, 0]


def test_an_invoice_that_changes_there_later_is_listed(wired: Wired) -> None:
    delivered(wired)
    wired.land("seller", wired.invoice(GROSS))
    assert codes(wired.land("seller", wired.invoice("1600.00"))) == ["sync.invoice_differs"]


def test_what_cannot_be_billed_is_listed(wired: Wired) -> None:
    assert codes(wired.land("seller", wired.invoice(GROSS))) == ["invoice.nothing_to_bill"]
    assert codes(wired.land("seller", wired.invoice("-5"))) == ["sync.invoice_red"]
    assert codes(wired.land("seller", wired.invoice("NaN"))) == ["sync.unusable"]
    assert codes(wired.land("seller", wired.invoice(GROSS, currency="USD"))) == ["sync.invoice_differs"]


def test_an_invoice_issued_by_hand_is_the_one_that_is_meant(wired: Wired) -> None:
    by_hand = delivered(wired).trade.invoice()
    assert not wired.land("seller", wired.invoice(GROSS))
    assert [each.id for each in invoices(wired)] == [by_hand.id]


def test_money_that_came_in_confirms_what_was_announced(wired: Wired) -> None:
    invoice = delivered(wired).trade.invoice()
    payment = wired.trade.announce(GROSS, "SK-1", invoice_ids=[invoice.id])
    for _ in range(2):
        assert not wired.land("seller", wired.payment(GROSS))
    wired.trade.ctx.session.refresh(payment)
    wired.trade.ctx.session.refresh(invoice)
    assert (payment.state, payment.decided_by) == ("confirmed", "ERP of the seller")
    assert invoice.open == 0


def test_a_payment_is_found_by_its_invoice_and_its_amount(wired: Wired) -> None:
    delivered(wired)
    wired.land("seller", wired.invoice(GROSS))
    (invoice,) = invoices(wired)
    payment = wired.trade.announce(GROSS, "BANK-7", invoice_ids=[invoice.id])
    assert not wired.land("seller", wired.payment(GROSS, "SK-99", reference="FP-I1"))
    wired.trade.ctx.session.refresh(payment)
    assert (payment.state, payment.bank_ref) == ("confirmed", "BANK-7")


def test_what_nobody_announced_is_listed_and_nothing_is_made_up(wired: Wired) -> None:
    delivered(wired).trade.invoice()
    (left,) = wired.land("seller", wired.payment("500.00"))
    assert (left.code, left.said) == ("sync.payment_unannounced", "SK-1: 500.00 CNY")
    assert wired.trade.ctx.session.scalar(select(func.count()).select_from(Payment)) == 0


def test_another_amount_or_two_that_fit_are_listed(wired: Wired) -> None:
    delivered(wired)
    wired.trade.announce("100.00", "SK-1")
    assert codes(wired.land("seller", wired.payment("99.00"))) == ["sync.payment_differs"]
    wired.trade.announce("100.00", "SK-2")
    assert codes(wired.land("seller", wired.payment("100.00", "SK-3"))) == ["sync.payment_ambiguous"]
    states = set(wired.trade.ctx.session.scalars(select(Payment.state)))
    assert states == {"announced"}


def test_money_without_a_reference_is_not_that_of_an_invoice_without_a_number(wired: Wired) -> None:
    delivered(wired)
    bill = InvoiceIn("I1", "", wired.reference, DAY, "CNY", D(GROSS))
    assert not wired.land("seller", bill)
    wired.trade.announce(GROSS, "SK-1", invoice_ids=[each.id for each in invoices(wired)])
    nothing = PaymentIn("P1", "SK-1", " ", DAY, "CNY", D(GROSS))
    assert codes(wired.land("seller", nothing)) == ["sync.order_unknown"]
