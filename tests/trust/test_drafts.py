"""What was never submitted is its buyer's alone. The database holds that, however the seller asks."""

import pytest
from sqlalchemy import text

from core import orders
from core.orders import TradeOrder
from core.orders.model import OrderEvent, OrderLine
from core.orders.sides import side
from tests.orders.conftest import plugins, trade  # the trade of tests/orders
from tests.orders.trade import Trade

__all__ = ["plugins", "trade"]

SEEN = {
    "the order": "SELECT count(*) FROM ts.trade_order WHERE id = :id",
    "its lines": "SELECT count(*) FROM ts.order_line WHERE order_id = :id",
    "its story": "SELECT count(*) FROM ts.order_event WHERE order_id = :id",
}


def seen(trade: Trade, who: str, order: TradeOrder) -> dict[str, int]:
    """What a side counts when it asks the tables themselves."""
    ctx = trade.buyer() if who == "buyer" else trade.seller()
    ctx.session.flush()
    return {name: ctx.session.scalar(text(sql), {"id": order.id}) for name, sql in SEEN.items()}


def drafted(trade: Trade) -> TradeOrder:
    order = orders.draft(trade.buyer(), trade.wish(("bar", "10"), ("plate", "2")))
    orders.edit(trade.buyer(), order.id, trade.wish(("bar", "3"), ("plate", "1")))
    return order


def test_a_draft_exists_for_its_buyer_only(trade: Trade) -> None:
    order = drafted(trade)
    assert seen(trade, "buyer", order) == {"the order": 1, "its lines": 2, "its story": 1}
    assert seen(trade, "seller", order) == dict.fromkeys(SEEN, 0)


def test_a_seller_changes_nothing_of_a_draft(trade: Trade) -> None:
    order = drafted(trade)
    session = trade.seller().session
    for table, column in (("trade_order", "id"), ("order_line", "order_id")):
        name = "note" if table == "trade_order" else "spec"
        done = session.execute(text(f"UPDATE ts.{table} SET {name} = 'x' WHERE {column} = :id"), {"id": order.id})
        assert done.rowcount == 0
    assert session.execute(text("DELETE FROM ts.order_line WHERE order_id = :id"), {"id": order.id}).rowcount == 0


def test_submitting_shows_the_order_with_everything_that_is_on_it(trade: Trade) -> None:
    order = drafted(trade)
    orders.submit(trade.buyer(), order.id)
    mine = seen(trade, "buyer", order)
    assert seen(trade, "seller", order) == mine
    assert mine["its lines"] == 2


def test_a_draft_that_waits_for_approval_or_was_given_up_stays_hidden(trade: Trade) -> None:
    order = drafted(trade)
    orders.cancel(trade.buyer(), order.id, "not needed")
    assert seen(trade, "seller", order) == dict.fromkeys(SEEN, 0)


def test_a_crossing_leaves_the_draft_in_reach_and_ends_with_it(trade: Trade) -> None:
    order = drafted(trade)
    ctx = trade.buyer()
    with side(ctx, order, "seller"):
        assert ctx.session.scalar(text(SEEN["the order"]), {"id": order.id}) == 1
    assert seen(trade, "seller", order)["the order"] == 0


@pytest.mark.parametrize("model", [TradeOrder, OrderLine, OrderEvent])
def test_the_condition_is_part_of_the_policy(trade: Trade, model: type) -> None:
    policy = trade.session.scalar(
        text("SELECT qual FROM pg_policies WHERE schemaname = 'ts' AND tablename = :name AND policyname = 'side_read'"),
        {"name": model.__tablename__},
    )
    assert "number" in policy
