"""The buyer's half: drafts, submission, approval, credit, stock."""

from decimal import Decimal

import pytest

from core import orders, stock, tenancy
from core.db import count_statements
from core.kernel import Conflict, Forbidden, Invalid, NotFound, Refused, uuid7
from core.orders import NewOrder, WantedLine
from tests.orders.trade import Trade

D = Decimal


def test_an_order_is_priced_reserved_and_numbered(trade: Trade) -> None:
    order = trade.place(("bar", "10"), ("plate", "2"), ("bearing", "4"), buyer_po="4500187736")
    assert (order.state, order.total, order.net + order.tax) == ("submitted", D("1647.00"), D("1647.00"))
    assert order.number is not None and order.number.startswith("SO-")
    assert order.offer_expires_at is not None and order.buyer_po == "4500187736"
    assert [(line.no, line.gross) for line in orders.lines(trade.buyer(), order.id)] == [
        (10, D("1000.00")),
        (20, D("501.00")),
        (30, D("146.00")),
    ]
    assert trade.stock_of("bar").soft == 10


def test_placing_three_lines_takes_few_statements(trade: Trade) -> None:
    trade.place()
    wish = trade.wish(("bar", "1"), ("plate", "1"), ("bearing", "1"))
    ctx = trade.buyer()
    with count_statements() as seen:
        orders.place(ctx, wish)
        trade.session.flush()
    assert len(seen) <= 16, "\n".join(seen)


def test_nothing_is_ordered_without_lines_or_from_oneself(trade: Trade) -> None:
    with pytest.raises(Invalid, match="order.no_lines"):
        orders.place(trade.buyer(), NewOrder(trade.seller_id, []))
    with pytest.raises(Invalid, match="order.own_goods"):
        orders.place(trade.buyer(), NewOrder(trade.buyer_id, [WantedLine(trade.skus["bar"], D(1))]))


def test_every_wrong_line_is_named(trade: Trade) -> None:
    wrong = [WantedLine(uuid7(), D(1)), WantedLine(trade.skus["bar"], D(1), "furlong")]
    with pytest.raises(Invalid) as refused:
        orders.place(trade.buyer(), NewOrder(trade.seller_id, wrong))
    assert [error.path for error in refused.value.errors] == ["lines.0.sku_id", "lines.1.uom"]


def test_a_mode_that_one_side_has_not_switched_on_is_refused(trade: Trade) -> None:
    with pytest.raises(Refused) as unknown:
        trade.place(mode="auction")
    assert unknown.value.values["side"] == "buyer"
    tenancy.disable_plugin(trade.system(trade.seller_id), "spot")
    with pytest.raises(Refused) as off:
        trade.place()
    assert off.value.values["side"] == "seller"


def test_more_than_is_in_stock_is_refused_and_holds_nothing(trade: Trade) -> None:
    with pytest.raises(Conflict, match="stock.short"):
        trade.place(("bar", "10"), ("plate", "1001"))
    assert trade.stock_of("bar").soft == 0


def test_a_clerk_places_up_to_their_limit(trade: Trade) -> None:
    assert orders.place(trade.buyer(limit=D("1501.00")), trade.wish()).total == D("1501.00")
    with pytest.raises(Forbidden, match="permission.over_limit"):
        orders.place(trade.buyer(limit=D("1500.99")), trade.wish())


def test_a_blocked_buyer_cannot_order(trade: Trade) -> None:
    tenancy.set_partner(trade.system(trade.seller_id), trade.buyer_id, blocked=True)
    with pytest.raises(Refused, match="order.partner_blocked"):
        trade.place()


def test_a_draft_is_the_buyers_alone_until_it_is_submitted(trade: Trade) -> None:
    order = orders.draft(trade.buyer(), trade.wish())
    assert (order.state, order.number, trade.stock_of("bar").soft) == ("draft", None, 0)
    orders.submit(trade.buyer(), order.id)
    assert order.state == "submitted" and order.number
    assert trade.stock_of("bar").soft == 10


def test_a_draft_is_edited_and_priced_again(trade: Trade) -> None:
    order = orders.draft(trade.buyer(), trade.wish())
    orders.edit(trade.buyer(), order.id, trade.wish(("bar", "3"), buyer_po="PO-9"), order.version)
    assert (order.total, order.buyer_po, order.version) == (D("300.00"), "PO-9", 2)
    with pytest.raises(Conflict) as stale:
        orders.edit(trade.buyer(), order.id, trade.wish(), 1)
    assert stale.value.values["current"] == 2
    with pytest.raises(Invalid, match="order.seller_is_fixed"):
        elsewhere = NewOrder(uuid7(), [WantedLine(trade.skus["bar"], D(1))])
        orders.edit(trade.buyer(), order.id, elsewhere, order.version)


def test_only_a_draft_can_be_edited(trade: Trade) -> None:
    order = trade.place()
    with pytest.raises(Conflict, match="order.wrong_state"):
        orders.edit(trade.buyer(), order.id, trade.wish(), order.version)


def test_the_buyer_cancels_before_it_binds_and_the_goods_are_free(trade: Trade) -> None:
    order = trade.place()
    with pytest.raises(Conflict, match="order.only_creator"):
        orders.cancel(trade.seller(), order.id, "no")
    orders.cancel(trade.buyer(), order.id, "not needed")
    assert (order.state, order.reason, order.ended_at is not None) == ("cancelled", "not needed", True)
    assert trade.stock_of("bar").soft == 0


# approval: one threshold, and the author never signs


@pytest.mark.parametrize(("threshold", "state"), [("1501.01", "submitted"), ("1501.00", "pending_approval")])
def test_from_the_threshold_on_an_approver_is_asked(trade: Trade, threshold: str, state: str) -> None:
    trade.move(approval_threshold=D(threshold))
    order = trade.place()
    assert order.state == state
    assert (order.number is None) == (state == "pending_approval")
    assert trade.stock_of("bar").soft == (10 if state == "submitted" else 0)


def test_the_author_cannot_approve(trade: Trade) -> None:
    trade.move(approval_threshold=D(1))
    order = orders.place(trade.as_("Zhao Lei", "buyer.approver"), trade.wish())
    with pytest.raises(Forbidden, match="order.own_approval"):
        orders.approve(trade.approver(), order.id)
    orders.approve(trade.as_("Chen Bo", "buyer.approver"), order.id)
    assert order.state == "submitted" and order.number


def test_an_approver_signs_up_to_their_limit(trade: Trade) -> None:
    trade.move(approval_threshold=D(1))
    order = trade.place()
    with trade.session.begin_nested() as attempt:
        with pytest.raises(Forbidden, match="permission.over_limit"):
            orders.approve(trade.approver(limit=D("1500.99")), order.id)
        attempt.rollback()
    orders.approve(trade.approver(limit=D("1501.00")), order.id)
    assert order.state == "submitted"


def test_a_clerk_without_the_permission_cannot_approve(trade: Trade) -> None:
    trade.move(approval_threshold=D(1))
    order = trade.place()
    with pytest.raises(Forbidden, match="permission.missing"):
        orders.approve(trade.as_("Somebody", "buyer.clerk"), order.id)


def test_an_order_sent_back_is_a_draft_with_a_reason(trade: Trade) -> None:
    trade.move(approval_threshold=D(1))
    order = trade.place()
    with pytest.raises(Invalid, match="field.required"):
        orders.send_back(trade.approver(), order.id, "  ")
    orders.send_back(trade.approver(), order.id, "too dear")
    assert (order.state, order.reason) == ("draft", "too dear")


# credit, V-CR1: limit 1,000,000; open 350,000; unpaid 420,000; unapplied 50,000 -> available 280,000


def owing(trade: Trade, open_amount: str, unpaid: str, unapplied: str) -> None:
    """Orders of the past that owe these amounts: confirmed and not invoiced, invoiced and not paid, paid ahead."""
    first, second = trade.confirmed(("bar", "1")), trade.confirmed(("bar", "1"))
    for order, amount in ((first, open_amount), (second, unpaid)):
        order.total, order.net, order.tax = D(amount), D(amount), D(0)
    first.prepaid, second.invoiced = D(unapplied), D(unpaid)
    trade.session.flush()


@pytest.mark.parametrize(("quantity", "ok"), [("2800", True), ("2800.0001", False)])
def test_an_order_fits_what_is_left_of_the_credit(trade: Trade, quantity: str, ok: bool) -> None:
    owing(trade, "350000", "420000", "50000")
    trade.credit("1000000")
    ctx = trade.system(trade.seller_id)
    place = stock.warehouses(ctx)[0]
    stock.receive_stock(ctx, [stock.Incoming(trade.skus["bar"], place.id, D(5000), "L2")])
    if ok:
        assert trade.place(("bar", quantity)).total == D("280000.00")
        return
    with pytest.raises(Conflict) as refused:
        trade.place(("bar", quantity))
    assert (refused.value.code, refused.value.values["available"]) == ("order.credit", D("280000.00"))
    assert refused.value.values["total"] == D("280000.01")


def test_credit_is_asked_again_when_the_seller_confirms(trade: Trade) -> None:
    order = trade.place()
    trade.credit("1500.99")
    with pytest.raises(Conflict, match="order.credit"):
        orders.confirm(trade.seller(), order.id)


def test_a_foreign_or_missing_order_answers_alike(trade: Trade) -> None:
    order = trade.place()
    for ctx, ident in ((trade.stranger(), order.id), (trade.buyer(), uuid7())):
        with pytest.raises(NotFound, match="order.not_found"):
            orders.cancel(ctx, ident, "x")


def test_an_approval_nobody_gives_runs_out_and_the_seller_never_hears_of_it(trade: Trade) -> None:
    trade.move(approval_threshold=D(1))
    order = trade.place()
    assert order.offer_expires_at is not None
    assert all(event["other_id"] is None for event in trade.session.info["events"])
    trade.shift("3 days")
    with pytest.raises(Conflict, match="order.expired"):
        orders.approve(trade.approver(), order.id)
    assert orders.expire(trade.system(trade.buyer_id), order.id) is not None
    assert order.state == "expired"
