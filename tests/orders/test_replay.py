"""An order is its events (V-S4), and every invariant of the room holds after a long life."""

from collections.abc import Iterator
from decimal import Decimal

import pytest
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.pool import NullPool

from core import orders
from core.orders.invariants import CHECKS
from core.orders.replay import Step, replay, unlike_their_events
from tests.conftest import Server
from tests.orders.trade import Trade

D = Decimal


@pytest.fixture
def owner(server: Server, fresh_db: object) -> Iterator[Connection]:
    """Who sees every enterprise's rows."""
    engine = create_engine(server.url_for("ts_migrator", fresh_db.name), poolclass=NullPool)  # type: ignore[attr-defined]
    with engine.connect() as connection:
        connection.execute(text("SET ROLE ts_owner"))
        yield connection
        connection.rollback()
    engine.dispose()


def long_lives(trade: Trade) -> list[orders.TradeOrder]:
    """Orders that went many ways."""
    countered = trade.place()
    orders.counter(trade.seller(), countered.id, {"lines": [{"no": 10, "unit_price": "110"}]}, "dearer")
    orders.counter_offer(trade.buyer(), countered.id, {"lines": [{"no": 10, "unit_price": "105"}]}, "halfway")
    orders.counter(trade.seller(), countered.id, {"lines": [{"no": 10, "unit_price": "108"}]}, "nearly")
    orders.accept(trade.buyer(), countered.id)
    orders.propose_amendment(trade.buyer(), countered.id, {"lines": [{"no": 10, "quantity": "12"}]}, "more")
    orders.agree(trade.seller(), countered.id)
    delivered = trade.confirmed(("bar", "5"))
    line = orders.lines(trade.seller(), delivered.id)[0]
    for verb, counts in (("shipped", {"shipped": D(5)}), ("received", {"received": D(5), "accepted": D(5)})):
        orders.tally(trade.seller(), delivered, {line.id: counts})
        orders.note(trade.seller(), delivered, verb)
        orders.advance(trade.seller(), delivered)
    sent_back = orders.draft(trade.buyer(), trade.wish())
    orders.edit(trade.buyer(), sent_back.id, trade.wish(("bar", "1")), sent_back.version)
    trade.move(approval_threshold=D(1))
    orders.submit(trade.buyer(), sent_back.id)
    orders.send_back(trade.approver(), sent_back.id, "too dear")
    trade.move(approval_threshold=None)
    held = trade.confirmed(mode="prepaid")
    orders.place_hold(trade.seller(), held.id, "quality", "in doubt", ["ship"])
    orders.waive_gate(trade.seller(), held.id, "payment:1", "old customer")
    rejected = trade.place(("bar", "1"))
    orders.reject(trade.seller(), rejected.id, "no capacity")
    return [countered, delivered, sent_back, held, rejected]


def test_replaying_every_order_gives_its_state(committed: Trade, owner: Connection) -> None:
    lives = long_lives(committed)
    committed.unit.finish(committed.system(committed.seller_id))
    assert [order.state for order in lives] == ["in_progress", "accepted", "draft", "in_progress", "rejected"]
    assert unlike_their_events(owner) == []
    for ident, sentence, query in CHECKS:
        assert owner.execute(text(query)).all() == [], f"{ident} {sentence}"


def test_a_state_that_was_written_past_the_verbs_is_found(committed: Trade, owner: Connection) -> None:
    order = committed.place()
    committed.unit.finish(committed.system(committed.seller_id))
    owner.execute(text("UPDATE ts.trade_order SET state = 'completed' WHERE id = :id"), {"id": order.id})
    (found,) = unlike_their_events(owner)
    assert (found["number"], found["stored"]) == (order.number, "completed v2, round 0")
    assert found["replayed"] == "submitted v2, round 0"
    owner.execute(
        text("UPDATE ts.order_line SET net = net + 1, gross = gross + 1 WHERE order_id = :id"),
        {"id": order.id},
    )
    broken = {ident for ident, _, query in CHECKS if owner.execute(text(query)).all()}
    assert broken == {"O1", "O2"}


@pytest.mark.parametrize(
    ("steps", "fault"),
    [
        ([Step(3, "submit", "draft", "submitted")], "version 3 follows 1"),
        ([Step(2, "confirm", "submitted", "confirmed")], "confirm starts at submitted, not at draft"),
        ([Step(2, "submit", "draft", "confirmed")], "submit leads from draft to submitted, not to confirmed"),
        ([Step(2, "held", "draft", "submitted")], "held leads from draft to draft, not to submitted"),
    ],
)
def test_an_event_that_does_not_follow_is_named(steps: list[Step], fault: str) -> None:
    assert replay(steps).fault == fault
