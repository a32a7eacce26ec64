"""The open rest of a line is given up: alone within the tolerance, together beyond it."""

from decimal import Decimal

import pytest

from core import fulfilment, stock, tenancy
from core.kernel import Conflict, Invalid
from tests.fulfilment.trading import Trade

D = Decimal


def test_within_the_tolerance_one_side_closes_alone_and_the_stock_is_free_again(trade: Trade) -> None:
    tenancy.set_trade_settings(trade.ctx, under_tol=D("0.05"))
    trade.order({"RB12": D(100), "RB16": D(50)})
    trade.receive(trade.ship("95", "10"), "94", "10")
    first, second = trade.lines
    with pytest.raises(Invalid, match="field.required"):
        fulfilment.short_close(trade.ctx, trade.order_id, second.id, " ")
    done = fulfilment.short_close(trade.ctx, trade.order_id, first.id, "库存不足")
    assert (done.state, done.quantity) == ("open", D(6))
    trade.receive(trade.ship("1"), "1")
    with trade.buyer() as ctx, pytest.raises(Conflict, match="short_close.changed"):
        fulfilment.short_close(ctx, trade.order_id, first.id, "同意")
    fulfilment.refuse_short_close(trade.ctx, trade.order_id, first.id)
    done = fulfilment.short_close(trade.ctx, trade.order_id, first.id, "库存不足")
    assert (done.state, done.quantity) == ("done", D(5))
    assert trade.lines[0].short_closed == D(5)
    assert stock.available(trade.ctx, [trade.skus["RB12"]])[trade.skus["RB12"]].hard == 0
    assert stock.available(trade.ctx, [trade.skus["RB16"]])[trade.skus["RB16"]].hard == D(40)


def test_beyond_the_tolerance_both_sides_agree(running: Trade) -> None:
    running.receive(running.ship("100", "30"), "100", "30")
    line = running.lines[1]
    with running.buyer() as ctx:
        asked = fulfilment.short_close(ctx, running.order_id, line.id, "工程取消")
    assert (asked.state, asked.side) == ("open", "buyer")
    assert running.lines[1].short_closed == 0
    with running.buyer() as ctx, pytest.raises(Conflict, match="short_close.waiting"):
        fulfilment.short_close(ctx, running.order_id, line.id, "再问一次")
    agreed = fulfilment.short_close(running.ctx, running.order_id, line.id, "")
    assert (agreed.id, agreed.state) == (asked.id, "done")
    assert running.lines[1].short_closed == D(20)
    assert running.now.state == "accepted"
    with pytest.raises(Conflict, match="order.wrong_state"):
        fulfilment.short_close(running.ctx, running.order_id, line.id, "又来")


def test_goods_that_come_after_the_closing_are_held(running: Trade) -> None:
    late = running.ship("100", "50")
    running.receive(late, "100", "45")
    line = running.lines[1]
    fulfilment.short_close(running.ctx, running.order_id, line.id, "在途丢失")
    with running.buyer() as ctx:
        fulfilment.short_close(ctx, running.order_id, line.id, "同意")
    assert running.now.state == "accepted"


def test_a_line_without_an_open_rest_cannot_be_closed(running: Trade) -> None:
    running.receive(running.ship("100", "0"), "100")
    with pytest.raises(Conflict, match="short_close.nothing_open"):
        fulfilment.short_close(running.ctx, running.order_id, running.lines[0].id, "多余")
    with pytest.raises(Conflict, match="short_close.not_asked"):
        fulfilment.refuse_short_close(running.ctx, running.order_id, running.lines[0].id)
