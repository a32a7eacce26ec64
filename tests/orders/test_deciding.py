"""Coming to terms: confirm, counter, accept, reject, and the deadline that ends the talking (V-S2, V-S3)."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from core import orders
from core.kernel import Conflict, Forbidden, Invalid, Refused
from core.orders import TradeOrder
from core.orders.deciding import MAX_ROUNDS
from tests.conftest import Server
from tests.orders.trade import Trade, grants_of

D = Decimal


def test_confirmation_binds_reserves_hard_and_freezes_the_terms(
    trade: Trade, submitted_order: TradeOrder
) -> None:
    order = orders.confirm(trade.seller(), submitted_order.id, submitted_order.version)
    assert order.state == "in_progress"  # nothing stands before the start of an order on account
    assert (order.terms_version, order.offer_expires_at) == (1, None)
    stock = trade.stock_of("bar")
    assert (stock.hard, stock.soft) == (10, 0)
    plan = trade.session.execute(
        text("SELECT sum(amount) FROM ts.plan_item WHERE order_id = :o"), {"o": order.id}
    ).scalar()
    assert plan == order.total


def test_confirmation_waits_for_the_gates_of_the_plan(trade: Trade, confirmed_order: TradeOrder) -> None:
    assert confirmed_order.state == "confirmed"
    orders.book(trade.seller(), confirmed_order, prepaid=D("750.49"))
    orders.advance(trade.seller(), confirmed_order)
    assert confirmed_order.state == "confirmed"
    orders.book(trade.seller(), confirmed_order, prepaid=D("0.01"))
    orders.advance(trade.seller(), confirmed_order)
    assert confirmed_order.state == "in_progress"


def test_only_the_seller_confirms(trade: Trade, submitted_order: TradeOrder) -> None:
    both = trade.as_("Everyman", "buyer.clerk", "seller.sales", at=trade.buyer_id)
    with pytest.raises(Conflict, match="order.only_seller"):
        orders.confirm(both, submitted_order.id)


def test_a_seller_confirms_up_to_their_limit(trade: Trade, submitted_order: TradeOrder) -> None:
    with trade.session.begin_nested() as attempt:
        with pytest.raises(Forbidden, match="permission.over_limit"):
            orders.confirm(trade.seller(limit=D("1500.99")), submitted_order.id)
        attempt.rollback()
    assert orders.confirm(trade.seller(limit=D("1501.00")), submitted_order.id).confirmed_at


def test_an_old_version_is_refused_and_the_current_one_named(
    trade: Trade, submitted_order: TradeOrder
) -> None:
    with pytest.raises(Conflict) as stale:
        orders.confirm(trade.seller(), submitted_order.id, submitted_order.version - 1)
    assert (stale.value.code, stale.value.values["current"]) == (
        "order.version_conflict",
        submitted_order.version,
    )


def test_a_rejection_needs_a_reason_and_frees_the_goods(trade: Trade, submitted_order: TradeOrder) -> None:
    with pytest.raises(Invalid, match="field.required"):
        orders.reject(trade.seller(), submitted_order.id, " ")
    orders.reject(trade.seller(), submitted_order.id, "no capacity")
    assert (submitted_order.state, submitted_order.reason) == ("rejected", "no capacity")
    assert trade.stock_of("bar").soft == 0


# counters


def test_an_accepted_counter_changes_price_quantity_and_date(
    trade: Trade, submitted_order: TradeOrder
) -> None:
    wish = {"lines": [{"no": 10, "quantity": "8", "unit_price": "110"}], "delivery_date": "2027-01-05"}
    orders.counter(trade.seller(), submitted_order.id, wish, "short of bars")
    assert (submitted_order.state, submitted_order.total) == ("countered", D("1501.00"))
    orders.accept(trade.buyer(), submitted_order.id)
    assert (submitted_order.total, str(submitted_order.delivery_date)) == (D("1381.00"), "2027-01-05")
    assert trade.stock_of("bar").hard == 8


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        ({"lines": [{"no": 15, "quantity": "8"}]}, "order.no_such_line"),
        ({"lines": []}, "order.nothing_changed"),
        ({"lines": [{"no": 10, "quantity": "0"}]}, "decimal.must_be_positive"),
    ],
)
def test_a_counter_names_what_it_cannot_change(
    trade: Trade, submitted_order: TradeOrder, wish: dict, code: str
) -> None:
    with pytest.raises(Invalid, match=code):
        orders.counter(trade.seller(), submitted_order.id, wish, "why")


def test_the_buyer_makes_another_offer(trade: Trade, submitted_order: TradeOrder) -> None:
    orders.counter(trade.seller(), submitted_order.id, {"lines": [{"no": 10, "unit_price": "120"}]}, "dearer")
    orders.counter_offer(
        trade.buyer(), submitted_order.id, {"lines": [{"no": 10, "unit_price": "105"}]}, "halfway"
    )
    assert (submitted_order.state, submitted_order.total) == ("submitted", D("1551.00"))
    orders.confirm(trade.seller(), submitted_order.id)
    assert submitted_order.state == "in_progress"


def test_after_ten_rounds_there_is_no_other_offer(trade: Trade, submitted_order: TradeOrder) -> None:
    for price in range(MAX_ROUNDS):
        wish = {"lines": [{"no": 10, "unit_price": str(110 + price)}]}
        orders.counter(trade.seller(), submitted_order.id, wish, "dearer")
        if price < MAX_ROUNDS - 1:
            orders.counter_offer(
                trade.buyer(), submitted_order.id, {"lines": [{"no": 10, "unit_price": "90"}]}, "no"
            )
    with pytest.raises(Conflict, match="order.too_many_rounds"):
        orders.counter_offer(
            trade.buyer(), submitted_order.id, {"lines": [{"no": 10, "unit_price": "90"}]}, "no"
        )
    orders.accept(trade.buyer(), submitted_order.id)


def test_a_dearer_counter_past_the_threshold_needs_somebody_else_to_accept(
    trade: Trade, submitted_order: TradeOrder
) -> None:
    trade.move(approval_threshold=D("1600"))
    orders.counter(trade.seller(), submitted_order.id, {"lines": [{"no": 10, "unit_price": "120"}]}, "dearer")
    with trade.session.begin_nested() as attempt:
        with pytest.raises(Forbidden):
            orders.accept(trade.buyer(), submitted_order.id)
        attempt.rollback()
    orders.accept(trade.approver(), submitted_order.id)
    assert submitted_order.total == D("1701.00")


# V-S2


def test_of_two_clerks_who_confirm_at_once_one_is_too_late(committed: Trade) -> None:
    ctx = committed.buyer()
    order = orders.place(ctx, committed.wish())
    committed.unit.finish(ctx)
    outcomes: list[str] = []
    ready = threading.Barrier(2)

    def confirm(name: str) -> None:
        with committed.unit.acting(
            committed.seller_id, committed.people[name], grants_of("seller.sales")
        ) as ctx:
            ready.wait()
            try:
                orders.confirm(ctx, order.id)
                committed.unit.finish(ctx)
                outcomes.append("confirmed")
            except Conflict as lost:
                ctx.session.rollback()
                outcomes.append(lost.code)

    for name in ("Li Min", "Zhang Kai"):
        committed.as_(name, "seller.sales")
    committed.session.commit()
    threads = [threading.Thread(target=confirm, args=(name,)) for name in ("Li Min", "Zhang Kai")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["confirmed", "order.wrong_state"]


# V-S3: t < deadline is in time, t = deadline is late


@pytest.fixture
def stopped_clock(committed: Trade, server: Server, fresh_db: object) -> Iterator[Trade]:
    """In this database `ts.clock()` stands where `shift_to` puts it."""
    engine = create_engine(server.url_for("ts_migrator", fresh_db.name), poolclass=NullPool)  # type: ignore[attr-defined]
    with engine.begin() as connection:
        connection.execute(text("SET LOCAL ROLE ts_owner"))
        connection.execute(
            text(
                "CREATE OR REPLACE FUNCTION ts.clock() RETURNS timestamptz LANGUAGE sql VOLATILE PARALLEL SAFE RETURN"
                " coalesce(nullif(current_setting('ts.clock_stop', true), '')::timestamptz, clock_timestamp())"
            )
        )
    engine.dispose()
    yield committed
    committed.session.rollback()


@pytest.mark.parametrize(("offset", "in_time"), [(-1, True), (0, False), (1, False)])
def test_an_offer_is_in_time_before_its_deadline_only(
    stopped_clock: Trade, offset: int, in_time: bool
) -> None:
    trade = stopped_clock
    order = trade.place()
    deadline = order.offer_expires_at
    assert deadline is not None
    trade.shift_to(deadline + timedelta(milliseconds=offset))
    if in_time:
        assert orders.expire(trade.system(trade.seller_id), order.id) is None
        assert orders.confirm(trade.seller(), order.id).confirmed_at == deadline - timedelta(milliseconds=1)
        return
    with pytest.raises(Conflict) as late:
        orders.confirm(trade.seller(), order.id)
    assert (late.value.code, late.value.values["at"]) == ("order.expired", deadline)
    assert orders.expire(trade.system(trade.seller_id), order.id) is order
    assert (order.state, trade.stock_of("bar").soft) == ("expired", 0)


def test_a_counter_can_run_out_too(stopped_clock: Trade) -> None:
    trade = stopped_clock
    order = trade.place()
    orders.counter(trade.seller(), order.id, {"delivery_date": "2027-01-05"}, "later")
    assert order.offer_expires_at is not None
    trade.shift_to(order.offer_expires_at)
    with pytest.raises(Refused, match="order.expired"):
        orders.accept(trade.buyer(), order.id)
    orders.expire(trade.system(trade.seller_id), order.id)
    assert order.state == "expired"


def test_what_waits_for_an_answer_is_not_countered_again(trade: Trade, submitted_order: TradeOrder) -> None:
    orders.counter(trade.seller(), submitted_order.id, {"delivery_date": "2027-01-04"}, "later")
    with pytest.raises(Conflict, match="order.proposal_open"):
        orders.counter(trade.seller(), submitted_order.id, {"delivery_date": "2027-01-05"}, "even later")
