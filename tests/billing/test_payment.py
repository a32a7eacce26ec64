"""Payments settle what they were meant for, once, and the rest stays the buyer's."""

from decimal import Decimal

import pytest

from core import billing, ledger, tenancy
from core.kernel import Conflict, Forbidden, Invalid, Money, NotFound, Refused, uuid7
from tests.fulfilment.trading import Trade

D = Decimal


def bill(trade: Trade, *tons: str) -> list[billing.Invoice]:
    """An order and an invoice for each quantity; 10.00 a ton, prices here without VAT make `tons` x 11.30."""
    invoices = []
    for quantity in tons:
        trade.order({"RB12": D(quantity)})
        trade.receive(trade.ship(quantity), quantity)
        invoices.append(trade.invoice())
    return invoices


def exact(trade: Trade, *totals: str) -> list[billing.Invoice]:
    """Invoices of exactly these totals, VAT included."""
    prices = {total: D(total) for total in totals}
    invoices = []
    for gross in prices.values():
        trade.reprice("RB16", gross)
        trade.order({"RB16": D(1)})
        trade.receive(trade.ship("1"), "1")
        invoices.append(trade.invoice())
    assert [invoice.total for invoice in invoices] == list(prices.values())
    return invoices


def test_v_py1_a_remainder_is_written_off_to_the_rounding_account(trade: Trade) -> None:
    """45.50 billed, 45.00 paid, 0.50 given up: paid. It is more than 0.1 %, so it takes the larger permission."""
    (invoice,) = exact(trade, "45.50")
    trade.pay("45.00")
    assert (invoice.state, invoice.open) == ("part_paid", D("0.50"))
    done = billing.write_off(trade.ctx, invoice.id, "尾差")
    assert (done.state, done.open) == ("paid", D(0))
    assert ledger.balance(trade.ctx, "rounding") == D("0.50")
    assert trade.now.state == "completed"


def test_v_py2_the_oldest_due_invoice_is_paid_first(trade: Trade) -> None:
    first, second = exact(trade, "17592.41", "700.00")
    payment = trade.pay("18230.00", invoice_ids=[second.id, first.id])
    assert (first.open, second.open) == (D(0), D("62.41"))
    assert (second.settled, payment.unapplied) == (D("637.59"), D(0))
    assert (first.state, second.state) == ("paid", "part_paid")


def test_v_py3_a_split_is_followed_to_the_letter(trade: Trade) -> None:
    invoices = exact(trade, "15000.00", "15000.01", "15000.02")
    trade.pay("15000.00", split={invoice.id: D("5000.00") for invoice in invoices})
    assert [invoice.settled for invoice in invoices] == [D("5000.00")] * 3


def test_v_py4_two_payments_make_an_invoice_part_paid_and_then_paid(trade: Trade) -> None:
    (invoice,) = exact(trade, "100.00")
    trade.pay("50.00", "B-1")
    assert invoice.state == "part_paid"
    trade.pay("50.00", "B-2")
    assert invoice.state == "paid"
    assert trade.now.state == "completed"


def test_the_same_bank_reference_counts_once(accepted: Trade) -> None:
    accepted.invoice()
    payment = accepted.pay("100.00", "B-1")
    with pytest.raises(Conflict, match="payment.bank_ref_used"):
        accepted.announce("100.00", "B-1")
    with pytest.raises(Conflict, match="payment.already_decided"):
        billing.confirm_payment(accepted.ctx, payment.id)
    other = accepted.announce("100.00", "B-2")
    with pytest.raises(Conflict, match="payment.bank_ref_used"):
        billing.confirm_payment(accepted.ctx, other.id, bank_ref="B-1")
    assert accepted.now.paid == D("100.00")


def test_a_rejected_payment_moves_nothing_and_may_be_announced_again(accepted: Trade) -> None:
    accepted.invoice()
    payment = accepted.announce("1130.00", "B-1")
    with pytest.raises(Invalid, match="field.required"):
        billing.reject_payment(accepted.ctx, payment.id, " ")
    billing.reject_payment(accepted.ctx, payment.id, "未到账")
    assert ledger.balance(accepted.ctx, "bank") == 0
    accepted.pay("1130.00", "B-1")
    assert accepted.now.state == "completed"


def test_what_no_invoice_needs_stays_unapplied_until_it_is_put_somewhere(accepted: Trade) -> None:
    first = accepted.invoice()
    payment = accepted.pay("1500.00", invoice_ids=[first.id])
    assert (first.open, payment.unapplied) == (D(0), D("370.00"))
    assert ledger.balance(accepted.ctx, f"advances_received:{accepted.buyer_id}") == D("-370.00")
    with pytest.raises(Conflict, match="payment.nothing_open"):
        billing.allocate_payment(accepted.ctx, payment.id)
    (second,) = bill(accepted, "20")
    with pytest.raises(Invalid, match="payment.above_open"):
        billing.allocate_payment(accepted.ctx, payment.id, {second.id: D("226.01")})
    billing.allocate_payment(accepted.ctx, payment.id)
    assert (second.state, payment.unapplied) == ("paid", D("144.00"))
    billing.refund_payment(accepted.ctx, payment.id, D("144.00"), "R-1", "多付")
    assert (payment.unapplied, payment.refunded) == (D(0), D("144.00"))
    assert ledger.balance(accepted.ctx, "bank") == D("1356.00")
    with pytest.raises(Invalid, match="payment.above_refundable"):
        billing.refund_payment(accepted.ctx, payment.id, D("0.01"), "R-2", "多付")


@pytest.mark.parametrize(
    ("amount", "split", "code"),
    [
        ("100", {0: "60", 1: "50"}, "payment.above_amount"),
        ("100", {0: "120"}, "payment.above_open"),
        ("0", {}, "decimal"),
    ],
)
def test_a_split_that_cannot_be_is_refused(
    trade: Trade, amount: str, split: dict[int, str], code: str
) -> None:
    invoices = exact(trade, "100.00", "100.01")
    what = {"split": {invoices[index].id: D(share) for index, share in split.items()}} if split else {}
    with pytest.raises(Invalid, match=code):
        trade.announce(amount, **what)


def test_payments_need_their_side_their_permission_and_stay_within_the_limit(accepted: Trade) -> None:
    invoice = accepted.invoice()
    with pytest.raises(Refused, match="order.only_buyer"):
        billing.announce_payment(accepted.ctx, D(1), "B-1", invoice_ids=[invoice.id])
    accepted.ctx.everything, accepted.ctx.grants = False, {"payment.announce": D("1000")}
    with accepted.buyer() as ctx, pytest.raises(Forbidden, match="permission.over_limit"):
        billing.announce_payment(ctx, D("1130"), "B-1", invoice_ids=[invoice.id])
    payment = accepted.announce("1000.00")
    with accepted.buyer() as ctx:
        ctx.everything = True
        with pytest.raises(Refused, match="order.only_seller"):
            billing.confirm_payment(ctx, payment.id)


def test_money_of_strangers_cannot_be_found(accepted: Trade) -> None:
    invoice = accepted.invoice()
    payment = accepted.announce("10.00")
    with accepted.ctx.as_tenant(uuid7(), "seller") as ctx:
        for act in (
            lambda: billing.confirm_payment(ctx, payment.id),
            lambda: billing.write_off(ctx, invoice.id, "x"),
            lambda: billing.announce_payment(ctx, D(1), "B-9", invoice_ids=[invoice.id]),
            lambda: billing.issue_invoice(ctx, accepted.order_id),
        ):
            with pytest.raises(NotFound):
                act()


def test_a_large_remainder_is_not_written_off_by_those_for_small_ones(trade: Trade) -> None:
    small, large, many = exact(trade, "1000.00", "100.00", "5000.00")
    trade.ctx.everything, trade.ctx.grants = False, {"invoice.write_off": None}
    for invoice, paid in ((large, "99.50"), (many, "4998.50"), (small, "999.00")):
        trade.ctx.everything = True
        trade.pay(paid, f"B-{invoice.number}", invoice_ids=[invoice.id])
    trade.ctx.everything = False
    with pytest.raises(Refused) as refused:
        billing.write_off(trade.ctx, large.id, "尾差")
    assert (refused.value.code, refused.value.values["most"], refused.value.values["limit"]) == (
        "invoice.write_off_limit",
        Money(D("1.00")),
        Money(D("0.10")),
    )
    with pytest.raises(Refused, match="invoice.write_off_limit"):
        billing.write_off(trade.ctx, many.id, "尾差")
    assert billing.write_off(trade.ctx, small.id, "尾差").state == "paid"
    trade.ctx.grants = {"invoice.write_off": None, "invoice.write_off_large": D("1.00")}
    assert billing.write_off(trade.ctx, large.id, "尾差").state == "paid"
    with pytest.raises(Refused, match="invoice.write_off_limit"):
        billing.write_off(trade.ctx, many.id, "尾差")
    trade.ctx.everything = True


def test_what_is_small_is_the_sellers_own_setting(trade: Trade) -> None:
    one, two = exact(trade, "100.00", "200.00")
    for invoice, paid in ((one, "98.00"), (two, "198.00")):
        trade.pay(paid, f"B-{invoice.number}", invoice_ids=[invoice.id])
    tenancy.set_trade_settings(trade.ctx, write_off_amount=D("5.00"), write_off_share=D("0.02"))
    trade.ctx.everything, trade.ctx.grants = False, {"invoice.write_off": None}
    assert billing.write_off(trade.ctx, one.id, "尾差").state == "paid"
    trade.ctx.everything = True
    tenancy.set_trade_settings(trade.ctx, write_off_amount=D(0))
    trade.ctx.everything = False
    with pytest.raises(Refused) as refused:
        billing.write_off(trade.ctx, two.id, "尾差")
    assert (refused.value.values["most"], refused.value.values["percent"]) == (Money(D(0)), D(2))
    trade.ctx.everything = True


def test_the_buyers_own_setting_is_nothing_to_the_seller(trade: Trade) -> None:
    (invoice,) = exact(trade, "100.00")
    trade.pay("98.00", "B-1", invoice_ids=[invoice.id])
    with trade.buyer() as ctx:
        tenancy.set_trade_settings(ctx, write_off_amount=D("500"), write_off_share=D(1))
    trade.ctx.everything, trade.ctx.grants = False, {"invoice.write_off": None}
    with pytest.raises(Refused, match="invoice.write_off_limit"):
        billing.write_off(trade.ctx, invoice.id, "尾差")
    trade.ctx.everything = True


def test_money_in_advance_opens_the_start_and_settles_the_invoice(trade: Trade) -> None:
    order = trade.order({"RB12": D(100)}, mode="advance")
    assert order.state == "confirmed"
    trade.pay("338.00", "B-1")
    assert (trade.now.state, trade.now.prepaid) == ("confirmed", D("338.00"))
    trade.pay("1.00", "B-2")
    assert (trade.now.state, trade.now.prepaid) == ("in_progress", D("339.00"))
    assert ledger.balance(trade.ctx, f"advances_received:{trade.buyer_id}") == D("-339.00")
    trade.receive(trade.ship("100"), "100")
    invoice = trade.invoice()
    assert (invoice.state, invoice.open) == ("part_paid", D("791.00"))
    assert (trade.now.prepaid, trade.now.paid) == (D(0), D("339.00"))
    trade.pay("791.00", "B-3")
    assert trade.now.state == "completed"
    assert ledger.balance(trade.ctx, f"advances_received:{trade.buyer_id}") == 0


def test_more_in_advance_than_the_order_is_worth_stays_with_the_buyer(trade: Trade) -> None:
    trade.order({"RB12": D(100)}, mode="advance")
    payment = trade.pay("1200.00")
    assert (trade.now.prepaid, payment.unapplied) == (D("1130.00"), D("70.00"))
    billing.refund_payment(trade.ctx, payment.id, D("100.00"), "R-1", "多付")
    assert (trade.now.prepaid, payment.unapplied) == (D("1100.00"), D(0))


def test_a_hold_on_payments_stops_both_sides(accepted: Trade) -> None:
    from core import orders

    accepted.invoice()
    payment = accepted.announce("10.00")
    orders.place_hold(accepted.ctx, accepted.order_id, "audit", "对账", ["pay"])
    with pytest.raises(Conflict, match="order.held"):
        accepted.announce("10.00", "B-2")
    with pytest.raises(Conflict, match="order.held"):
        billing.confirm_payment(accepted.ctx, payment.id)


def test_an_invoice_keeps_the_titles_of_its_day(trade: Trade) -> None:
    (invoice,) = exact(trade, "100.00")
    assert (invoice.buyer_title, invoice.seller_title) == ("北方机械有限公司", "江南钢材有限公司")
