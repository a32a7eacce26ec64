"""Invoices bill what was accepted, to the fen; a wrong one is answered by a red one."""

from decimal import Decimal

import pytest
from sqlalchemy import select

from core import billing, ledger
from core.hooks import Payee, hookimpl
from core.kernel import Conflict, Forbidden, Invalid, Refused
from tests.fulfilment.trading import Trade, dispatch_of_tests

D = Decimal


def amounts(invoice: billing.Invoice) -> tuple[Decimal, Decimal, Decimal]:
    return invoice.net, invoice.tax, invoice.total


def test_the_invoices_of_a_fully_delivered_order_sum_to_it_to_the_fen(trade: Trade) -> None:
    """Three thirds of an odd quantity: each rounds, the last takes what is missing."""
    order = trade.order({"RB12": D("10.001"), "RB16": D("0.333")})
    parts = [("3.333", "0.111"), ("3.334", "0.111"), ("3.334", "0.111")]
    invoices = []
    for first, second in parts:
        trade.receive(trade.ship(first, second), first, second)
        invoices.append(trade.invoice())
    assert [invoice.net for invoice in invoices] == [D("34.44"), D("34.45"), D("34.45")]
    sums = tuple(sum(figures) for figures in zip(*(amounts(invoice) for invoice in invoices), strict=True))
    assert sums == (order.net, order.tax, order.total)
    assert trade.now.invoiced == order.total


def test_nothing_accepted_means_nothing_to_bill(trade: Trade) -> None:
    trade.order({"RB12": D(100)})
    trade.ship("50")
    with pytest.raises(Conflict, match="invoice.nothing_to_bill"):
        trade.invoice()


def test_an_accepted_over_delivery_is_billed_as_accepted(trade: Trade) -> None:
    from core import tenancy

    tenancy.set_trade_settings(trade.ctx, over_tol=D("0.05"))
    trade.order({"RB12": D(100)})
    trade.receive(trade.ship("105"), "105")
    assert amounts(trade.invoice()) == (D("1050.00"), D("136.50"), D("1186.50"))
    trade.pay("1186.50")
    assert trade.now.state == "completed"


def test_every_billed_piece_is_matched_to_its_receipt_oldest_first(trade: Trade) -> None:
    trade.order({"RB12": D(100)})
    trade.receive(trade.ship("30"), "30")
    trade.receive(trade.ship("30"), "30")
    trade.invoice()
    trade.receive(trade.ship("40"), "40")
    trade.invoice()
    matches = trade.ctx.session.scalars(
        select(billing.InvoiceMatch.quantity).order_by(billing.InvoiceMatch.id)
    ).all()
    assert matches == [D(30), D(30), D(40)]


def test_a_red_invoice_takes_an_unpaid_one_back_and_it_may_be_billed_again(accepted: Trade) -> None:
    blue = accepted.invoice()
    red = billing.credit_invoice(accepted.ctx, blue.id, billing.Credit("抬头有误"))
    assert amounts(red) == (D("-1000.00"), D("-130.00"), D("-1130.00"))
    assert (blue.state, accepted.now.invoiced) == ("credited", D(0))
    assert {found.balance for found in ledger.accounts(accepted.ctx)} == {D("0.00")}
    with pytest.raises(Conflict, match="invoice.not_creditable"):
        billing.credit_invoice(accepted.ctx, blue.id, billing.Credit("再来一次"))
    with pytest.raises(Conflict, match="invoice.not_creditable"):
        billing.credit_invoice(accepted.ctx, red.id, billing.Credit("红票"))
    again = accepted.invoice()
    assert amounts(again) == (D("1000.00"), D("130.00"), D("1130.00"))


def test_v_mt2_a_credit_on_a_paid_invoice_becomes_the_buyers_credit(accepted: Trade) -> None:
    blue = accepted.invoice()
    payment = accepted.pay("1130.00")
    assert accepted.now.state == "completed"
    red = billing.credit_invoice(accepted.ctx, blue.id, billing.Credit("质量扣款", amount=D("5.00")))
    assert amounts(red) == (D("-4.42"), D("-0.58"), D("-5.00"))
    assert (blue.credited, blue.settled, blue.state) == (D("5.00"), D("1125.00"), "paid")
    assert payment.unapplied == D("5.00")
    assert ledger.balance(accepted.ctx, f"advances_received:{accepted.buyer_id}") == D("-5.00")
    assert accepted.now.state == "completed"
    with pytest.raises(Conflict, match="invoice.nothing_to_bill"):
        accepted.invoice()


def test_v_mt2_or_it_is_refunded_when_the_seller_says_so(accepted: Trade) -> None:
    blue = accepted.invoice()
    payment = accepted.pay("1130.00")
    with pytest.raises(Invalid, match="field.required"):
        billing.credit_invoice(accepted.ctx, blue.id, billing.Credit("扣款", amount=D("5.00"), refund=True))
    billing.credit_invoice(
        accepted.ctx, blue.id, billing.Credit("扣款", amount=D("5"), refund=True, bank_ref="R-1")
    )
    assert (payment.refunded, payment.unapplied) == (D("5.00"), D(0))
    assert ledger.balance(accepted.ctx, "bank") == D("1125.00")


def test_v_mt2_one_payment_serves_invoices_of_three_orders_and_one_order_has_three_invoices(
    trade: Trade,
) -> None:
    first = []
    for _ in range(3):
        trade.order({"RB12": D(10)})
        trade.receive(trade.ship("10"), "10")
        first.append(trade.invoice())
    trade.pay("339.00", invoice_ids=[invoice.id for invoice in first])
    assert {invoice.state for invoice in first} == {"paid"}
    trade.order({"RB12": D(30)})
    for _ in range(3):
        trade.receive(trade.ship("10"), "10")
        trade.invoice()
    assert trade.now.invoiced == trade.now.total == D("339.00")


def test_a_credit_by_quantity_is_matched_back_and_leaves_the_rest(accepted: Trade) -> None:
    blue = accepted.invoice()
    line = accepted.lines[0].id
    with pytest.raises(Invalid, match="invoice.more_than_billed"):
        billing.credit_invoice(accepted.ctx, blue.id, billing.Credit("多开", quantities={line: D("100.1")}))
    red = billing.credit_invoice(
        accepted.ctx, blue.id, billing.Credit("多开", quantities={line: D("33.333")})
    )
    assert amounts(red) == (D("-333.33"), D("-43.33"), D("-376.66"))
    assert (blue.open, accepted.lines[0].invoiced) == (D("753.34"), D("66.667"))
    rest = billing.credit_invoice(accepted.ctx, blue.id, billing.Credit("全部冲红"))
    assert amounts(rest) == (D("-666.67"), D("-86.67"), D("-753.34"))
    assert blue.state == "credited"


def test_crediting_a_written_off_invoice_gives_the_write_off_back_too(accepted: Trade) -> None:
    blue = accepted.invoice()
    accepted.pay("1129.50")
    billing.write_off(accepted.ctx, blue.id, "尾差")
    billing.credit_invoice(accepted.ctx, blue.id, billing.Credit("全部冲红"))
    assert (blue.state, blue.settled) == ("credited", D(0))
    assert ledger.balance(accepted.ctx, "rounding") == 0
    assert ledger.balance(accepted.ctx, f"advances_received:{accepted.buyer_id}") == D("-1129.50")
    assert accepted.now.state == "accepted"


def test_only_the_seller_with_the_permission_bills(accepted: Trade) -> None:
    with accepted.buyer() as ctx, pytest.raises(Refused, match="order.only_seller"):
        billing.issue_invoice(ctx, accepted.order_id)
    accepted.ctx.everything = False
    with pytest.raises(Forbidden, match="permission.missing"):
        billing.issue_invoice(accepted.ctx, accepted.order_id)
    accepted.ctx.everything = True


class Assigned:
    """A plugin that has bought the claim."""

    @hookimpl
    def payee_for(self, ctx: object, invoice: object) -> Payee:
        return Payee("保理公司", "工商银行", "6222", "应收账款转让")


def test_a_plugin_may_redirect_the_payment_and_two_may_not(make_ctx, tenant, other_tenant) -> None:  # type: ignore[no-untyped-def]
    dispatch = dispatch_of_tests()
    dispatch.register("terms", Assigned())
    trade = Trade(make_ctx(tenant, dispatch=dispatch), tenant, other_tenant)
    trade.set_up({"RB12": D(1000)})
    trade.order({"RB12": D(100)})
    trade.receive(trade.ship("50"), "50")
    invoice = trade.invoice()
    assert (invoice.payee_name, invoice.payee_account) == ("保理公司", "6222")
    trade.receive(trade.ship("50"), "50")
    dispatch.register("advance", Assigned())
    with pytest.raises(Conflict, match="invoice.two_payees"):
        trade.invoice()
