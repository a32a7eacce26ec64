"""Deadlines, the waiting list, the price by formula: what time and others do to a reservation."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from core import billing, fulfilment, orders, stock
from core.kernel import Conflict, Forbidden, Invalid, NotFound, Refused
from core.orders.events import OrderAmended, OrderCancelled
from core.orders.facts import event_of
from plugins.presale import following, service
from plugins.presale.service import reserving, timing, waiting
from tests.plugins.presale.fair import NOON, Fair

D = Decimal
TICK = timedelta(milliseconds=1)


@pytest.mark.parametrize(("offset", "in_time"), [(-TICK, True), (timedelta(0), False), (TICK, False)])
def test_the_window_closes_at_its_very_moment(fair: Fair, offset: timedelta, in_time: bool) -> None:
    fair.publish()
    fair.at(fair.offer.closes_at + offset)
    if in_time:
        assert fair.reserve("1").state == "reserved"
        return
    with pytest.raises(Conflict, match=r"presale\.window_over"):
        fair.reserve("1")


def test_before_the_window_opens_nobody_reserves(fair: Fair) -> None:
    fair.publish(opens_at=NOON + timedelta(days=1))
    with pytest.raises(Conflict, match=r"presale\.not_open_yet"):
        fair.reserve("1")
    fair.at(NOON + timedelta(days=1))
    assert fair.reserve("1").state == "reserved"


@pytest.mark.parametrize(("offset", "ended"), [(-TICK, False), (timedelta(0), True)])
def test_a_balance_is_late_at_its_close_without_grace(fair: Fair, offset: timedelta, ended: bool) -> None:
    reservation = fair.balance_due()
    fair.at(reservation.balance_closes + offset)
    assert bool(timing.close_balance(fair.timer(), reservation.id)) == ended
    assert reservation.state == ("defaulted_buyer" if ended else "balance_due")


def test_a_payment_below_the_balance_keeps_it_due_and_comes_back_at_the_close(fair: Fair) -> None:
    reservation = fair.balance_due()
    fair.pay(reservation, "79999.99")
    assert reservation.state == "balance_due"
    fair.at(reservation.balance_closes)
    assert timing.close_balance(fair.timer(), reservation.id)
    assert (reservation.to_buyer, reservation.to_seller) == (D("79999.99"), D("20000.00"))


def test_money_announced_in_time_is_waited_for(fair: Fair) -> None:
    reservation = fair.balance_due()
    fair.at(reservation.balance_closes - TICK)
    fair.announce(reservation, "80000.00")
    fair.at(reservation.balance_closes)
    assert not timing.close_balance(fair.timer(), reservation.id)
    assert ("close", reservation.id) not in fair.due()
    fair.confirm_all()
    assert (reservation.state, fair.order(reservation).state) == ("paid", "in_progress")


def test_money_that_did_not_arrive_after_all_is_not_waited_for_any_longer(fair: Fair) -> None:
    reservation = fair.balance_due()
    fair.announce(reservation, "80000.00")
    fair.at(reservation.balance_closes)
    assert not timing.close_balance(fair.timer(), reservation.id)
    ctx = fair.cashier()
    (payment,) = ctx.session.query(billing.Payment).filter_by(state="announced").all()
    billing.reject_payment(ctx, payment.id, "nothing on the account")
    fair.at(reservation.balance_closes + timing.LOOK_AGAIN)
    assert fair.due() == [("close", reservation.id)]
    assert timing.close_balance(fair.timer(), reservation.id)
    assert reservation.state == "defaulted_buyer"


def test_a_day_late_first_payment_that_was_announced_in_time_is_waited_for(fair: Fair) -> None:
    fair.publish()
    reservation = fair.reserve()
    fair.announce(reservation, "20000.00")
    fair.at(reservation.pay_by)
    assert not timing.void_unpaid(fair.timer(), reservation.id)
    fair.confirm_all()
    assert reservation.state == "earnest_paid"


def test_what_is_due_first_is_taken_first(fair: Fair) -> None:
    fair.publish()
    first = fair.reserve("1")
    fair.at(NOON + timedelta(minutes=1))
    second = fair.reserve("2")
    fair.at(NOON + timedelta(days=2))
    assert fair.due() == [("unpaid", first.id), ("unpaid", second.id)]


def test_one_transfer_goes_to_what_falls_due_first(fair: Fair) -> None:
    fair.publish()
    first = fair.reserve("10")
    fair.at(NOON + timedelta(hours=1))
    second = fair.reserve("10")
    parts = service.pay(fair.paying(), fair.trade.seller_id, D("5000.00"), "ICBC-77")
    # 2,000.00 each until tomorrow, then the balance of whichever closes first
    assert parts == [(first, D("3000.00")), (second, D("2000.00"))]
    with pytest.raises(Invalid, match=r"presale\.above_due"):
        service.pay(fair.paying(), fair.trade.seller_id, D("15000.01"), "ICBC-78")
    with pytest.raises(Forbidden):
        service.pay(fair.buyer(), fair.trade.seller_id, D("1.00"), "ICBC-79")


def test_an_order_paid_early_starts_when_the_presale_has_closed(fair: Fair) -> None:
    fair.publish(min_total=D(100))
    reservation = fair.reserve()
    fair.pay(reservation, "100000.00")
    assert (reservation.state, fair.order(reservation).state) == ("paid", "confirmed")
    fair.at(fair.offer.closes_at)
    assert timing.close_window(fair.timer(), fair.offer.id)
    assert (fair.offer.state, fair.order(reservation).state) == ("reached", "in_progress")


def test_paid_goods_are_held_as_soon_as_they_are_there(fair: Fair) -> None:
    fair.publish()
    reservation = fair.reserve("1500")  # there are a thousand
    fair.pay(reservation, "1500000.00")
    fair.at(fair.offer.closes_at)
    timing.close_window(fair.timer(), fair.offer.id)
    assert not timing.hold(fair.timer(), reservation.id)
    assert fair.due() == []
    ctx = fair.timer()
    (place,) = stock.warehouses(ctx)
    stock.receive_stock(ctx, [stock.Incoming(fair.trade.skus["bar"], place.id, D(600), "L2")])
    fair.at(fair.offer.closes_at + timing.GOODS_AGAIN)
    assert fair.due() == [("goods", reservation.id)]
    assert timing.hold(fair.timer(), reservation.id)
    assert fair.trade.stock_of("bar").hard == 1500


def test_a_whole_trade_ends_with_the_escrow_at_the_seller(fair: Fair) -> None:
    reservation = fair.running()
    assert fair.escrow(reservation) == (D("100000.00"), 0, 0)
    assert fair.books("seller")["in_trust"] == D("100000.00")
    (line,) = orders.lines(fair.buyer(), reservation.order_id)
    wagon = fulfilment.ship(
        fair.as_("He Wei", "seller.warehouse"), reservation.order_id, [fulfilment.Portion(line.id, D(100))]
    )
    counted = [fulfilment.Count(line.id, D(100), D(0), reason="")]
    fulfilment.receive(fair.as_("Xu Na", "buyer.warehouse"), wagon.id, counted)
    billing.issue_invoice(fair.cashier(), reservation.order_id)
    order = fair.order(reservation)
    assert (order.state, order.paid, order.prepaid) == ("completed", D("100000.00"), 0)
    assert fair.escrow(reservation) == (0, D("100000.00"), 0)
    books = fair.books("seller")
    assert books["bank"] == D("100000.00") and "in_trust" not in books


# The cap and the waiting list


def test_two_cannot_both_have_the_last_of_it(fair: Fair) -> None:
    fair.publish(max_total=D(100))
    fair.reserve("60")
    with pytest.raises(Conflict, match=r"presale\.full"):
        fair.reserve("41", fair.other())
    assert fair.reserve("40", fair.other()).state == "reserved"
    assert fair.taken() == 100


def test_who_waits_is_offered_the_place_of_who_drops_out(fair: Fair) -> None:
    fair.publish(max_total=D(100))
    reservation = fair.reserve("100")
    entry = service.wait(fair.other(), fair.offer.id, fair.item().id, D(80))
    with pytest.raises(Conflict, match=r"presale\.waits_already"):
        service.wait(fair.other(), fair.offer.id, fair.item().id, D(1))
    with pytest.raises(Conflict, match=r"presale\.no_place_offered"):
        service.take_place(fair.other(), entry.id)
    assert fair.waiting(fair.buyer()) == []  # a rival does not see who waits
    fair.at(reservation.pay_by)
    assert timing.void_unpaid(fair.timer(), reservation.id)
    assert (entry.state, fair.taken()) == ("offered", 80)
    taken = service.take_place(fair.other(), entry.id)
    assert (taken.state, taken.quantity, fair.taken()) == ("reserved", 80, 80)


def test_a_place_nobody_takes_goes_to_the_next(fair: Fair) -> None:
    fair.publish(max_total=D(100))
    reservation = fair.reserve("100")
    first = service.wait(fair.other(), fair.offer.id, fair.item().id, D(100))
    second = service.wait(fair.buyer(), fair.offer.id, fair.item().id, D(50))
    fair.at(reservation.pay_by)
    timing.void_unpaid(fair.timer(), reservation.id)
    assert (first.state, second.state) == ("offered", "waiting")
    assert first.until is not None
    fair.at(first.until)
    with pytest.raises(Conflict, match=r"presale\.no_place_offered"):
        service.take_place(fair.other(), first.id)
    assert fair.due() == [("lapse", first.id)]
    assert waiting.lapse(fair.timer(), first.id)
    assert (first.state, second.state, fair.taken()) == ("lapsed", "offered", 50)
    service.leave_list(fair.buyer(), second.id)
    assert fair.taken() == 0


def test_after_a_default_the_place_is_offered_with_days_of_its_own_to_pay(fair: Fair) -> None:
    reservation = fair.balance_due(max_total=D(100))
    entry = service.wait(fair.other(), fair.offer.id, fair.item().id, D(100))
    fair.at(reservation.balance_closes)
    timing.close_balance(fair.timer(), reservation.id)
    assert entry.state == "offered"
    taken = service.take_place(fair.other(), entry.id)
    assert taken.balance_closes == reservation.balance_closes + waiting.BALANCE_AFTER
    fair.pay(taken, "100000.00")
    assert taken.state == "paid"


# The price by formula

FIRST = date(2027, 3, 8)


def by_formula(fair: Fair) -> reserving.Reservation:
    """The worked example: 60 t of rebar at a provisional 3,700.00, final = mean of the index + 50.00."""
    fair.publish(
        items=[service.NewItem("BAR", D(3700))],
        price_kind="formula",
        index_code="HRB400-SH",
        index_from=FIRST,
        index_to=FIRST + timedelta(days=2),
        premium=D(50),
    )
    reservation = fair.reserve("60")
    fair.pay(reservation, "44400.00")
    fair.at(fair.offer.closes_at)
    timing.close_window(fair.timer(), fair.offer.id)
    return reservation


def enter(fair: Fair, day: int, value: int, status: str = "final") -> None:
    service.enter_value(
        fair.seller(), "HRB400-SH", FIRST + timedelta(days=day), D(value), status, "Mysteel"
    )


def test_a_formula_is_settled_by_final_values_and_the_earnest_money_stays(fair: Fair) -> None:
    reservation = by_formula(fair)
    assert (reservation.total, reservation.earnest) == (D("222000.00"), D("44400.00"))
    enter(fair, 0, 3650)
    enter(fair, 2, 3700, "prelim")
    fair.at(fair.offer.balance_opens)
    with pytest.raises(Conflict, match=r"presale\.index_not_final"):
        service.fix_price(fair.seller(), fair.offer.id)
    enter(fair, 2, 3665)
    service.fix_price(fair.seller(), fair.offer.id)
    assert fair.item().final_price == D("3705.00")
    order = fair.order(reservation)
    assert (order.total, reservation.earnest, reservation.state) == (D("222300.00"), D("44400.00"), "balance_due")
    fair.pay(reservation, "177900.00")
    assert (reservation.state, fair.order(reservation).state) == ("paid", "in_progress")
    with pytest.raises(Conflict, match=r"presale\.price_is_fixed"):
        service.fix_price(fair.seller(), fair.offer.id)


def test_nobody_owes_a_balance_before_the_price_is_final(fair: Fair) -> None:
    reservation = by_formula(fair)
    fair.at(fair.offer.balance_closes)
    assert not timing.close_balance(fair.timer(), reservation.id)
    assert reservation.state == "earnest_paid"
    fair.pay(reservation, "177600.00")
    assert (reservation.state, fair.order(reservation).state) == ("earnest_paid", "confirmed")
    enter(fair, 0, 3650)
    assert timing.open_balance(fair.timer(), reservation.id)
    assert (fair.order(reservation).total, reservation.state) == (D("222000.00"), "paid")


def test_a_final_value_is_superseded_by_a_final_one_only(fair: Fair) -> None:
    enter(fair, 0, 3650, "prelim")
    enter(fair, 0, 3651)
    with pytest.raises(Conflict, match=r"presale\.index_is_final"):
        enter(fair, 0, 3649, "prelim")
    enter(fair, 0, 3652)
    values = service.index_values(fair.buyer(), fair.trade.seller_id, "HRB400-SH", FIRST, FIRST)
    assert [each.value for each in values] == [D(3652)]


# Who may do what


def test_each_verb_asks_for_its_permission_and_its_side(fair: Fair) -> None:
    reservation = fair.balance_due()
    with pytest.raises(Forbidden):
        service.publish(fair.buyer(), fair.terms())
    with pytest.raises(Forbidden):
        fair.reserve("1", fair.paying())
    with pytest.raises(Forbidden):
        service.leave(fair.paying(), reservation.id, "x")
    with pytest.raises(Conflict, match=r"presale\.only_buyer"):
        service.leave(fair.seller(), reservation.id, "x")
    with pytest.raises(Conflict, match=r"presale\.only_seller"):
        service.seller_fails(fair.buyer(), reservation.id, "x")
    with pytest.raises(Invalid, match=r"presale\.own_offer"):
        ctx = fair.seller()
        ctx.grants = {**ctx.grants, "presale.reservation.make": None}
        fair.reserve("1", ctx)


def test_a_stranger_finds_no_reservation(fair: Fair) -> None:
    reservation = fair.balance_due()
    for act in (service.leave, service.seller_fails):
        with pytest.raises(NotFound, match=r"presale\.reservation_not_found"):
            act(fair.other(), reservation.id, "x")
    assert fair.other().session.query(reserving.Reservation).all() == []


def test_an_order_of_this_mode_needs_a_reservation(fair: Fair) -> None:
    fair.publish()
    with pytest.raises(Refused, match=r"presale\.not_reserved"):
        orders.place(fair.buyer(), fair.trade.wish(mode="presale"))
    reservation = fair.reserve("10")
    with pytest.raises(Refused, match=r"presale\.not_reserved"):  # more than was reserved
        orders.place(
            fair.buyer(), fair.trade.wish(("bar", "11"), mode="presale", source_ref=f"presale:{reservation.id}")
        )


def test_terms_that_contradict_each_other_are_all_named(fair: Fair) -> None:
    with pytest.raises(Invalid) as refused:
        fair.publish(
            closes_at=NOON, balance_opens=NOON - timedelta(days=1), balance_closes=NOON - timedelta(days=2),
            ship_by=NOON.date() - timedelta(days=9), min_total=D(2), max_total=D(1), earnest_percent=D(100),
            items=[service.NewItem("BAR", D(0)), service.NewItem("BAR", D(1)), service.NewItem("NOPE", D(1))],
        )  # fmt: skip
    found = {error.path for error in refused.value.errors}
    assert found >= {
        "closes_at", "balance_opens", "balance_closes", "ship_by", "min_total", "earnest_percent", "items.0.unit_price",
        "items.1.code", "items.2.code",
    }  # fmt: skip


def test_an_order_called_off_on_its_own_page_ends_the_reservation(fair: Fair) -> None:
    reservation = fair.balance_due()
    orders.cancel_confirmed(fair.buyer(), reservation.order_id, "cheaper elsewhere")
    event = event_of(OrderCancelled, fair.order(reservation), NOON)
    fair.retold(event)
    fair.retold(event)
    assert reservation.state == "defaulted_buyer"
    assert fair.escrow(reservation) == (0, D("20000.00"), 0)


def test_an_offer_that_somebody_reserved_of_stays(fair: Fair) -> None:
    fair.publish()
    fair.reserve("1")
    with pytest.raises(Conflict, match=r"presale\.has_reservations"):
        service.withdraw(fair.seller(), fair.offer.id)
    with pytest.raises(NotFound):
        ctx = fair.other()
        ctx.grants = {**ctx.grants, "presale.offer.edit": None}
        service.withdraw(ctx, fair.offer.id)


def test_what_both_sides_amend_on_the_orders_page_counts(fair: Fair) -> None:
    reservation = fair.balance_due(max_total=D(100))
    orders.propose_amendment(fair.buyer(), reservation.order_id, {"lines": [{"no": 10, "quantity": "50"}]}, "fewer")
    orders.agree(fair.seller(), reservation.order_id)
    ctx = fair.timer()
    following.order_amended(ctx, event_of(OrderAmended, fair.order(reservation), NOON))
    assert (reservation.quantity, reservation.total, fair.taken()) == (50, D("50000.00"), 50)


@pytest.mark.parametrize("path", ["opens_at", "closes_at", "balance_opens", "balance_closes"])
def test_moments_beyond_all_calendars_are_refused(fair: Fair, path: str) -> None:
    for moment in (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)):
        with pytest.raises(Invalid, match=r"presale\.") as refused:
            fair.publish(**{path: moment})
        assert path in {error.path for error in refused.value.errors}
    with pytest.raises(Invalid):
        fair.publish(price_kind="formula", index_code="X", index_from=date.min, index_to=date.min)
