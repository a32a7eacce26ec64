"""What can be offered can also be agreed: absurd figures are refused when they are typed, not when somebody accepts them."""

from decimal import Decimal
from typing import Any

import pytest

from core import orders
from core.kernel import Conflict, Context, Forbidden, Invalid
from core.orders import TradeOrder, reading
from core.orders.changes import changed_amounts, offered_total
from tests.orders.portal import Portal, Visitor
from tests.orders.test_order_pages import placed, state
from tests.orders.test_refused_forms import field
from tests.orders.trade import Trade

D = Decimal
ABSURD = [
    ({"quantity": "0"}, "quantity", "decimal.must_be_positive"),
    ({"quantity": "-3"}, "quantity", "decimal.must_be_positive"),
    ({"quantity": "1000000000.1"}, "quantity", "decimal.out_of_range"),
    ({"quantity": "1.0000001"}, "quantity", "decimal.too_many_digits"),
    ({"quantity": "NaN"}, "quantity", "decimal.out_of_range"),
    ({"unit_price": "-0.01"}, "unit_price", "decimal.too_small"),
    ({"unit_price": "1e12"}, "unit_price", "decimal.out_of_range"),
    ({"unit_price": "0.0000001"}, "unit_price", "decimal.too_many_digits"),
    ({"quantity": "1000000000", "unit_price": "1000000000"}, "unit_price", "order.too_large"),
    ({"unit_price": "1000000000", "quantity": "1000000"}, "unit_price", "order.too_large"),
]


def offer(ctx: Context, order: TradeOrder, **entry: Any) -> TradeOrder:
    return orders.counter(ctx, order.id, {"lines": [{"no": 20, **entry}]}, "the mill")


@pytest.mark.parametrize(("entry", "at", "code"), ABSURD)
def test_an_absurd_counter_is_refused_at_its_field(
    trade: Trade, submitted_order: TradeOrder, entry: dict[str, str], at: str, code: str
) -> None:
    with pytest.raises(Invalid) as refused:
        offer(trade.seller(), submitted_order, **entry)
    assert [(error.path, error.code) for error in refused.value.errors] == [(f"lines.0.{at}", code)]


def test_the_largest_offer_that_fits_can_be_accepted(trade: Trade, submitted_order: TradeOrder) -> None:
    offer(trade.seller(), submitted_order, quantity="1", unit_price="999999999.999999")
    assert reading.detail(trade.buyer(), submitted_order.id).proposal
    orders.accept(trade.buyer(), submitted_order.id)
    assert submitted_order.total == D("1000001000.00")


def test_several_wrong_things_are_told_at_once(trade: Trade, submitted_order: TradeOrder) -> None:
    wish = {
        "lines": [{"no": 10, "quantity": "0"}, {"no": 20, "unit_price": "-1"}, {"no": 20, "quantity": "1"}, {"no": 7}],
        "delivery_date": "soon",
    }
    with pytest.raises(Invalid) as refused:
        orders.counter(trade.seller(), submitted_order.id, wish, "x")
    assert [error.path for error in refused.value.errors] == [
        "lines.0.quantity", "lines.1.unit_price", "lines.2.no", "lines.3.no", "delivery_date",
    ]  # fmt: skip


def test_a_counter_counts_against_the_sellers_own_limit(trade: Trade, submitted_order: TradeOrder) -> None:
    """A counter binds its seller as soon as the buyer accepts, so it is worth what it offers."""
    with trade.session.begin_nested() as attempt:
        with pytest.raises(Forbidden, match="permission.over_limit"):
            offer(trade.seller(limit=D("2000.99")), submitted_order, unit_price="500.50")
        attempt.rollback()
    assert offer(trade.seller(limit=D("2001.00")), submitted_order, unit_price="500.50").state == "countered"


def test_a_dearer_counter_stays_within_the_credit(trade: Trade, submitted_order: TradeOrder) -> None:
    trade.credit("1600")
    with trade.session.begin_nested() as attempt:
        with pytest.raises(Conflict) as refused:
            offer(trade.seller(), submitted_order, unit_price="300.51")
        attempt.rollback()
    assert (refused.value.code, refused.value.values["total"]) == ("order.credit", D("1601.02"))
    assert offer(trade.seller(), submitted_order, unit_price="300").state == "countered"


def test_a_cheaper_counter_is_no_question_of_credit(trade: Trade, submitted_order: TradeOrder) -> None:
    trade.credit("10")
    assert offer(trade.seller(), submitted_order, unit_price="1").state == "countered"


def test_a_dearer_answer_of_the_buyer_stays_within_the_credit_too(trade: Trade, submitted_order: TradeOrder) -> None:
    offer(trade.seller(), submitted_order, unit_price="251")
    trade.credit("1600")
    with pytest.raises(Conflict, match="order.credit"):
        orders.counter_offer(trade.buyer(), submitted_order.id, {"lines": [{"no": 10, "quantity": "12"}]}, "two more")


def test_an_amendment_beyond_what_an_order_holds_is_never_proposed(trade: Trade, running_order: TradeOrder) -> None:
    running_order.over_tol = D(0)
    wish = {"lines": [{"no": 10, "quantity": "1000000000.5"}]}
    with pytest.raises(Invalid) as refused:
        orders.propose_amendment(trade.buyer(), running_order.id, wish, "more")
    assert [(error.path, error.code) for error in refused.value.errors] == [("lines.0.quantity", "decimal.out_of_range")]


def test_amounts_of_an_offer_have_the_digits_of_the_currency(trade: Trade, submitted_order: TradeOrder) -> None:
    line = orders.lines(trade.seller(), submitted_order.id)[0]
    submitted_order.currency = "JPY"
    amounts = changed_amounts(submitted_order, line, {"quantity": "3", "unit_price": "33.45"})
    assert (amounts.gross, amounts.net + amounts.tax) == (D(100), D(100))
    trade.session.expire(submitted_order)


def test_what_is_offered_is_what_it_comes_to(trade: Trade, submitted_order: TradeOrder) -> None:
    current = orders.lines(trade.seller(), submitted_order.id)
    changes = {"lines": [{"no": 10, "quantity": "8", "unit_price": "110"}]}
    assert offered_total(submitted_order, current, changes) == D("1381.00")
    orders.counter(trade.seller(), submitted_order.id, changes, "short")
    found = reading.detail(trade.buyer(), submitted_order.id).proposal
    assert found and found.total == D("1381.00")


def test_the_form_and_the_api_name_the_field(portal: Portal, buying: Visitor, selling: Visitor) -> None:
    order_id = placed(portal)
    path = f"/orders/{order_id}"
    typed = {"quantity-10": "999999999", "price-10": "999999999", "reason": "the mill"}
    page = selling.post(f"{path}/counter", _act="counter", **typed)
    assert page.status_code == 422
    wrong = field(page.text, "price-10")
    assert 'aria-invalid="true"' in wrong and 'value="999999999"' in wrong and "autofocus" in wrong
    late = selling.post(f"{path}/counter", _act="counter", delivery_date="2027-02-30", reason="x")
    assert late.status_code == 422 and 'aria-invalid="true"' in field(late.text, "delivery_date")
    body = {"lines": [{"no": 10, "quantity": "1000000000", "unit_price": "1000000000"}], "reason": "x"}
    answer = selling.api("POST", f"{path}/counter", body)
    assert answer.status_code == 422, answer.text
    assert [error["path"] for error in answer.json["errors"]] == ["lines.0.unit_price"]
    assert state(portal, order_id) == "submitted"
