"""Ending an order early: the signed moves are posted, and nothing stays open."""

from decimal import Decimal

import pytest

from core import ledger, orders
from core.hooks import MoneyMove
from core.kernel import Conflict, Invalid
from tests.fulfilment.trading import Trade

D = Decimal


def end(trade: Trade, *moves: MoneyMove) -> None:
    """The seller offers the termination, the buyer signs."""
    orders.propose_termination(trade.ctx, trade.order_id, list(moves), "停产")
    with trade.buyer() as ctx:
        orders.agree(ctx, trade.order_id)


def test_what_is_open_is_paid_and_the_penalty_comes_on_top(trade: Trade) -> None:
    trade.order({"RB12": D(100)})
    trade.receive(trade.ship("40"), "40")
    invoice = trade.invoice()
    trade.pay("52.00")
    end(
        trade,
        MoneyMove("buyer", "seller", D("400.00"), "outstanding"),
        MoneyMove("seller", "buyer", D("50.00"), "penalty"),
    )
    assert (trade.now.state, invoice.state) == ("terminated", "paid")
    assert ledger.balance(trade.ctx, "bank") == D("402.00")
    assert ledger.balance(trade.ctx, "settlement_cost") == D("50.00")
    with trade.buyer() as ctx:
        assert ledger.balance(ctx, "settlement_income") == D("-50.00")
        assert ledger.balance(ctx, "bank") == D("-402.00")


def test_money_paid_in_advance_goes_back(trade: Trade) -> None:
    trade.order({"RB12": D(100)}, mode="advance")
    trade.pay("300.00", "B-1")
    trade.pay("100.00", "B-2")
    trade.receive(trade.ship("10"), "10")
    trade.invoice()
    assert (trade.now.paid, trade.now.prepaid) == (D("113.00"), D("287.00"))
    end(trade, MoneyMove("seller", "buyer", D("287.00"), "refund"))
    assert (trade.now.state, trade.now.prepaid) == ("terminated", D(0))
    assert ledger.balance(trade.ctx, "bank") == D("113.00")
    assert ledger.balance(trade.ctx, f"advances_received:{trade.buyer_id}") == 0


def test_a_confirmed_order_called_off_together_gives_the_advance_back(trade: Trade) -> None:
    trade.order({"RB12": D(100)}, mode="advance")
    trade.pay("200.00")
    orders.propose_cancel(trade.ctx, trade.order_id, "计划变更")
    with trade.buyer() as ctx:
        orders.agree(ctx, trade.order_id)
    assert (trade.now.state, trade.now.prepaid) == ("cancelled", D(0))
    assert ledger.balance(trade.ctx, "bank") == 0


def test_moves_that_do_not_square_what_is_open_are_refused(trade: Trade) -> None:
    trade.order({"RB12": D(100)})
    trade.receive(trade.ship("40"), "40")
    trade.invoice()
    with pytest.raises(Invalid, match="order.settlement_does_not_sum"):
        end(trade, MoneyMove("buyer", "seller", D("400.00"), "outstanding"))
    with pytest.raises(Conflict, match="settlement.above_open"):
        end(
            trade,
            MoneyMove("buyer", "seller", D("500.00"), "outstanding"),
            MoneyMove("seller", "buyer", D("48.00"), "refund"),
        )
    trade.ctx.session.rollback()
