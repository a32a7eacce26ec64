"""A spot trade from the cart to the last five cents, as the people at both ends live it.

North Machines buys 10 t of bar at 100.00 and 2 t of plate at 250.50 (VAT of 13 % included) from South Steel. Half a ton of
bar never comes, and the last payment is five cents short. In the end every figure ties, in both books.
"""

from decimal import Decimal as D

import pytest

from core import billing, fulfilment, orders, stock, tenancy
from core.kernel import Forbidden
from plugins.spot import service as cart
from tests.scenarios.conftest import Floor


def test_a_spot_trade_ties_to_the_last_cent(floor: Floor) -> None:
    north, south, sku = floor.trade.buyer_id, floor.trade.seller_id, floor.trade.skus
    with floor.unit.system(north, "set-up") as ctx:
        tenancy.set_trade_settings(ctx, approval_threshold=D("1000.00"))

    # Wang Fang fills her cart. It shows her price, the tax in it, the stock, and that somebody else must approve.
    with floor.of("Wang Fang", "buyer.clerk") as ctx:
        cart.put(ctx, sku["bar"], D(10))
        cart.put(ctx, sku["plate"], D(2))
        (part,) = cart.cart(ctx)
        assert (part.net, part.tax, part.total) == (D("1328.32"), D("172.68"), D("1501.00"))
        assert part.approval_needed and part.orderable
        order_id = cart.order(ctx, south, buyer_po="PO-2026-117", ship_to="沈阳市铁西区 1 号门").id
    with floor.of("Wang Fang", "buyer.clerk") as ctx, pytest.raises(Forbidden):
        orders.approve(ctx, order_id)

    # Zhao Lei approves. Now the goods are held, the seller sees the order, and the cart is empty.
    with floor.of("Zhao Lei", "buyer.approver", limit="5000") as ctx:
        assert orders.approve(ctx, order_id).state == "submitted"
    floor.deliver()
    with floor.of("Wang Fang", "buyer.clerk") as ctx:
        assert cart.cart(ctx) == ()

    # Li Min confirms: both are bound, the stock is reserved for good, payment is due 30 days after the invoice.
    with floor.of("Li Min", "seller.sales") as ctx:
        order = orders.confirm(ctx, order_id)
        assert (order.state, order.buyer_po) == ("in_progress", "PO-2026-117")
        assert [(item.kind, item.amount, item.due_days) for item in ctx.session.scalars(orders.model.select_plan(order_id))] == [
            ("delivery", D("1501.00"), 30)
        ]
        bar, plate = (line.id for line in orders.lines(ctx, order_id))
        assert stock.available(ctx, [sku["bar"]])[sku["bar"]].hard == D(10)

    # A first truck brings 6 t of bar and the plate. All of it is good; Sun Yue bills it.
    with floor.of("Sun Bo", "seller.warehouse") as ctx:
        truck = fulfilment.ship(ctx, order_id, [fulfilment.Portion(bar, D(6)), fulfilment.Portion(plate, D(2))], "顺丰", "SF-1")
    with floor.of("Guo Tao", "buyer.warehouse") as ctx:
        fulfilment.receive(ctx, truck.id, [fulfilment.Count(bar, D(6)), fulfilment.Count(plate, D(2))])
    with floor.of("Sun Yue", "seller.finance") as ctx:
        first = billing.issue_invoice(ctx, order_id)
        assert (first.net, first.tax, first.total) == (D("974.33"), D("126.67"), D("1101.00"))

    # A second truck brings 3.5 t. The last half ton will not come: the seller says so, the buyer agrees.
    with floor.of("Sun Bo", "seller.warehouse") as ctx:
        truck = fulfilment.ship(ctx, order_id, [fulfilment.Portion(bar, D("3.5"))], "顺丰", "SF-2")
    with floor.of("Guo Tao", "buyer.warehouse") as ctx:
        fulfilment.receive(ctx, truck.id, [fulfilment.Count(bar, D("3.5"))])
    with floor.of("Li Min", "seller.sales") as ctx:
        fulfilment.short_close(ctx, order_id, bar, "轧机停产")
    with floor.of("Wang Fang", "buyer.clerk") as ctx:
        assert fulfilment.short_close(ctx, order_id, bar, "同意").state == "done"
    with floor.of("Sun Yue", "seller.finance") as ctx:
        second = billing.issue_invoice(ctx, order_id)
        assert (second.net, second.tax, second.total) == (D("309.74"), D("40.26"), D("350.00"))
        assert ctx.session.get_one(orders.TradeOrder, order_id).state == "accepted"

    # He Ping pays both, the second five cents short (bank charges). Sun Yue finds the money and lets the five cents go.
    with floor.of("He Ping", "buyer.finance") as ctx:
        payments = [
            billing.announce_payment(ctx, D("1101.00"), "ICBC-1", invoice_ids=[first.id]).id,
            billing.announce_payment(ctx, D("349.95"), "ICBC-2", invoice_ids=[second.id]).id,
        ]
    with floor.of("Sun Yue", "seller.finance") as ctx:
        for payment in payments:
            billing.confirm_payment(ctx, payment)
        billing.write_off(ctx, second.id, "手续费")
        order = ctx.session.get_one(orders.TradeOrder, order_id)
        assert order.state == "completed"
        assert (order.total, order.invoiced, order.paid, order.prepaid) == (D("1501.00"), D("1451.00"), D("1451.00"), D(0))

    # What was delivered is what was billed: 9.5 t x 100.00 + 2 t x 250.50 = 1,451.00.
    with floor.unit.system(south, "audit") as ctx:
        found = stock.available(ctx, [sku["bar"], sku["plate"]])
        assert (found[sku["bar"]].on_hand, found[sku["bar"]].free) == (D("990.5"), D("990.5"))
        assert (found[sku["plate"]].on_hand, found[sku["plate"]].free) == (D(998), D(998))
        assert [(line.accepted, line.short_closed, line.invoiced) for line in orders.lines(ctx, order_id)] == [
            (D("9.5"), D("0.5"), D("9.5")),
            (D(2), D(0), D(2)),
        ]

    # Both books, side by side. 1,450.95 went through the bank; 5 cents are a rounding difference on either side.
    assert floor.books(south) == {
        "bank": D("1450.95"), "revenue": D("-1284.07"), "output_vat": D("-166.93"), "rounding": D("0.05"),
    }  # fmt: skip
    assert floor.books(north) == {
        "bank": D("-1450.95"), "purchases": D("1284.07"), "input_vat": D("166.93"), "rounding": D("-0.05"),
    }  # fmt: skip

    floor.deliver()
    assert floor.seal_and_verify() == []
