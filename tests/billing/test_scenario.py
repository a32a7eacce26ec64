"""One trade from order to money: a partial shipment, a short line, a write-off. Every figure ties."""

from decimal import Decimal

from core import billing, fulfilment, ledger
from tests.billing.checks import breaches
from tests.fulfilment.trading import Trade

D = Decimal


def test_partial_shipment_short_line_and_write_off_end_completed_with_both_books_square(trade: Trade) -> None:
    order = trade.order({"RB12": D("33.333"), "RB16": D("17.77")})
    assert (order.net, order.tax, order.total) == (D("511.03"), D("66.43"), D("577.46"))

    # two trucks; two tons of the second article never come and one is rejected
    trade.receive(trade.ship("20.001"), "20.001")
    first = trade.invoice()
    trade.receive(trade.ship("13.332", "15.77"), "13.332", ("15.77", "1"))
    short = trade.lines[1].id
    fulfilment.short_close(trade.ctx, trade.order_id, short, "缺货")
    with trade.buyer() as ctx:
        fulfilment.short_close(ctx, trade.order_id, short, "同意")
    second = trade.invoice()
    assert trade.now.state == "accepted"

    # RB12 33.333 t at 10.00: 333.33 net, 43.33 tax in all; RB16 14.77 t: 147.70 net, 19.20 tax
    assert (first.net, first.tax) == (D("200.01"), D("26.00"))
    assert (second.net, second.tax) == (D("281.02"), D("36.53"))
    total = first.total + second.total
    assert (first.net + second.net, first.tax + second.tax, total) == (D("481.03"), D("62.53"), D("543.56"))
    assert trade.now.invoiced == total

    # paid in two amounts, seven cents short
    trade.pay("226.01", "B-1", invoice_ids=[first.id])
    trade.pay("317.48", "B-2", invoice_ids=[second.id])
    assert trade.now.state == "accepted"
    billing.write_off(trade.ctx, second.id, "尾差")
    assert trade.now.state == "completed"
    assert trade.now.paid == trade.now.invoiced == total

    seller = {found.code.split(":")[0]: found.balance for found in ledger.accounts(trade.ctx)}
    assert seller == {
        "bank": D("543.49"),
        "receivable": D("0.00"),
        "revenue": D("-481.03"),
        "output_vat": D("-62.53"),
        "rounding": D("0.07"),
    }
    with trade.buyer() as ctx:
        buyer = {found.code.split(":")[0]: found.balance for found in ledger.accounts(ctx)}
    assert buyer == {
        "bank": D("-543.49"),
        "payable": D("0.00"),
        "purchases": D("481.03"),
        "input_vat": D("62.53"),
        "rounding": D("-0.07"),
    }
    assert breaches(trade) == {}
