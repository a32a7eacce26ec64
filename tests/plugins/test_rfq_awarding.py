"""Comparing and awarding: the best mix, orders at the quoted prices made once, what was asked never exceeded."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

import tongshang as ts
from core import orders, tenancy
from core.kernel import Conflict, Context, Forbidden, Invalid, uuid7
from core.orders import OrderLine, TradeOrder
from core.orders.events import OrderSubmitted
from core.orders.facts import event_of
from core.orders.model import select_plan
from plugins.rfq import following, reading, service
from plugins.rfq.comparing import as_csv, compare
from plugins.rfq.model import Award, AwardLine, Invitation, Request
from plugins.rfq.service.asking import zone_of
from tests.plugins.asking import Market

D = Decimal


def order_of(ctx: Context, award: Award) -> TradeOrder:
    found: TradeOrder = ctx.session.get_one(TradeOrder, award.order_id)
    return found


def lines_of(ctx: Context, award: Award) -> list[OrderLine]:
    return list(ctx.session.query(OrderLine).filter_by(order_id=award.order_id).order_by(OrderLine.no))


def test_each_line_goes_to_the_seller_with_the_better_price(market: Market) -> None:
    request = market.published()
    first, second = market.quoted(request, "95", "250"), market.quoted(request, "96", "240", rival=True)
    bar, plate = market.line(first, 1), market.line(second, 2)
    made = service.award(market.buyer(), request.id, [service.Choice(bar), service.Choice(plate)], version=1)
    ctx = market.buyer()
    assert {each.seller_id for each in made} == {market.trade.seller_id, market.rival_id}
    expected = (("10", "95", "950"), ("4", "240", "960"))
    for award, (quantity, price, total) in zip(sorted(made, key=lambda one: one.total), expected, strict=True):
        order = order_of(ctx, award)
        assert (order.state, order.mode, order.total, order.source_ref) == ("in_progress", "rfq", D(total), f"rfq:{award.id}")
        (line,) = lines_of(ctx, award)
        assert (line.quantity, line.unit_price, line.gross) == (D(quantity), D(price), D(total))
        assert award.total == order.total
    assert reading.request_facts(ctx, request.id).state == "awarded"
    assert {part.result for part in reading.request_facts(ctx, request.id).invitations} == {"won"}


def test_the_loser_is_told_without_the_price_unless_the_buyer_wants_that(market: Market) -> None:
    for tells, told in ((False, None), (True, D("950.00"))):
        request = market.published()
        won = market.quoted(request, "95", None)
        market.quoted(request, "99", None, rival=True)
        line = market.line(won, 1)
        ctx = market.buyer()
        ctx.settings = {"tell_winning_price": tells}
        service.award(ctx, request.id, [service.Choice(line)])
        facts = reading.request_facts(market.rival(), request.id)
        assert [(part.result, part.winning_total) for part in facts.invitations] == [("lost", told)]
        market.trade.session.expunge_all()
        rival = market.rival()
        assert rival.session.query(Award).count() == 0 and rival.session.query(AwardLine).count() == 0


def test_an_award_is_made_once(market: Market) -> None:
    request = market.published()
    line = market.line(market.quoted(request), 1)
    service.award(market.buyer(), request.id, [service.Choice(line)])
    with pytest.raises(Conflict, match=r"rfq\.already_awarded"):
        service.award(market.buyer(), request.id, [service.Choice(line)])
    assert market.buyer().session.query(TradeOrder).count() == 1


def test_a_line_is_split_among_sellers_and_never_beyond_what_was_asked(market: Market) -> None:
    request = market.published()
    mine = market.quoted(request)
    theirs = market.quoted(request, "94", rival=True)
    a, b = market.line(mine, 1), market.line(theirs, 1)
    service.award(market.buyer(), request.id, [service.Choice(a, D("6.5"))], finish=False)
    with pytest.raises(Invalid) as refused:
        service.award(market.buyer(), request.id, [service.Choice(b, D(4))], finish=False)
    assert (refused.value.errors[0].code, refused.value.errors[0].values["most"]) == ("rfq.awarded_too_much", D("3.5"))
    (rest,) = service.award(market.buyer(), request.id, [service.Choice(b)], finish=False)
    assert lines_of(market.buyer(), rest)[0].quantity == D("3.5")
    with pytest.raises(Invalid):
        service.award(market.buyer(), request.id, [service.Choice(a, D(1))])
    wish = market.wish()
    for act in (
        lambda: service.amend(market.buyer(), request.id, wish),
        lambda: service.withdraw(market.buyer(), request.id, "no"),
    ):
        with pytest.raises(Conflict, match=r"rfq\.already_awarded"):
            act()
    service.finish(market.buyer(), request.id)
    assert reading.request_facts(market.buyer(), request.id).state == "awarded"


def test_the_database_itself_refuses_more_than_was_asked(market: Market) -> None:
    request = market.published()
    mine = market.quoted(request)
    line = market.line(mine, 1)
    (made,) = service.award(market.buyer(), request.id, [service.Choice(line)], finish=False)
    ctx = market.buyer()
    again = text(
        "INSERT INTO plugin_rfq.award_line SELECT buyer_id, seller_id, ts.uuid7(), request_id, invitation_id, award_id,"
        " quote_line_id, no + 1, line_no, sku_id, 0.000001, unit, unit_price, tax_included, vat_rate"
        " FROM plugin_rfq.award_line WHERE award_id = :award"
    )
    with pytest.raises(DBAPIError, match="beyond what was asked"), ctx.session.begin_nested():
        ctx.session.execute(again, {"award": made.id})


def test_the_price_of_the_tier_that_is_reached_holds(market: Market) -> None:
    request = market.published()
    offered = service.Offered(1, "BAR", D(100), tiers=((D(5), D(97)), (D(10), D(92))))
    line = market.line(market.quoted(request, lines=[offered]), 1)
    (made,) = service.award(market.buyer(), request.id, [service.Choice(line, D("6"))], finish=False)
    assert lines_of(market.buyer(), made)[0].unit_price == D(97) and made.total == D("582.00")
    (made,) = service.award(market.buyer(), request.id, [service.Choice(line, D("4"))], finish=False)
    assert lines_of(market.buyer(), made)[0].unit_price == D(100)


def test_an_order_is_paid_and_dated_as_the_quote_says(market: Market) -> None:
    request = market.published()
    offered = [service.Offered(1, "BAR", D("95.55"), lead_days=21), service.Offered(2, "PLATE", D(240), lead_days=7)]
    quote = market.quoted(request, lines=offered, prepay_percent=D(30), terms_days=45, tax_included=False)
    choices = [service.Choice(market.line(quote, no)) for no in (1, 2)]
    (made,) = service.award(market.buyer(), request.id, choices)
    ctx = market.buyer()
    order = order_of(ctx, made)
    plan = ctx.session.scalars(select_plan(order.id)).all()
    assert [(each.kind, each.amount, each.due_days, each.gate) for each in plan] == [
        ("prepay", D("649.36"), 0, "start"),
        ("delivery", D("1515.16"), 45, None),
    ]
    assert order.total == sum(each.amount for each in plan) == made.total == D("2164.52")
    today: date = ctx.now.astimezone(zone_of(ctx)).date()
    assert order.delivery_date == today + timedelta(days=21)
    assert order.state == "confirmed"


def test_an_alternative_is_ordered_as_the_product_it_is(market: Market) -> None:
    request = market.published()
    offered = [service.Offered(2, "PLATE", D(240)), service.Offered(2, "BEARING", D(200), option=1)]
    quote = market.quoted(request, lines=offered)
    line_id = market.line(quote, 2, 1)
    (made,) = service.award(market.buyer(), request.id, [service.Choice(line_id)])
    (line,) = lines_of(market.buyer(), made)
    assert (line.sku_code, line.unit_price, line.quantity) == ("BEARING", D(200), D(4))


def test_a_product_without_a_price_or_a_listing_is_sold_at_the_quoted_price(market: Market) -> None:
    request = market.published()
    quote = market.quoted(request, "88", rival=True)
    line_id = market.line(quote, 1)
    (made,) = service.award(market.buyer(), request.id, [service.Choice(line_id)])
    (line,) = lines_of(market.buyer(), made)
    assert (line.sku_code, line.unit_price, line.components[0]["reason"]) == ("W-BAR", D(88), "quote")


def test_what_cannot_be_awarded(market: Market) -> None:
    request = market.published()
    quote = market.quoted(request)
    line = market.line(quote, 1)
    with pytest.raises(Invalid, match="choices"):
        service.award(market.buyer(), request.id, [])
    with pytest.raises(Invalid):
        service.award(market.buyer(), request.id, [service.Choice(uuid7())])
    for quantity in ("0", "-1", "10.000001", "NaN"):
        with pytest.raises(Invalid):
            service.award(market.buyer(), request.id, [service.Choice(line, D(quantity))])
    with pytest.raises(Conflict, match=r"rfq\.version_changed"):
        service.award(market.buyer(), request.id, [service.Choice(line)], version=9)
    wish = market.wish()
    service.amend(market.buyer(), request.id, wish)
    with pytest.raises(Conflict, match=r"rfq\.quote_outdated"):
        service.award(market.buyer(), request.id, [service.Choice(line)])
    fresh = market.line(market.quoted(request), 1)
    with pytest.raises(Invalid):
        service.award(market.buyer(), request.id, [service.Choice(line)])  # a version that no longer stands
    market.trade.shift("15 days")
    with pytest.raises(Conflict, match=r"rfq\.quote_expired"):
        service.award(market.buyer(), request.id, [service.Choice(fresh)])


def test_amount_limits_hold_for_the_whole_award(market: Market) -> None:
    request = market.published()
    first, second = market.quoted(request, "95", None), market.quoted(request, None, "240", rival=True)
    choices = [service.Choice(market.line(first, 1)), service.Choice(market.line(second, 2))]
    with pytest.raises(Forbidden) as refused:
        service.award(market.buyer(limit=D("1909.99")), request.id, choices)
    assert refused.value.values["amount"] == D("1910.00")
    assert len(service.reckon(market.buyer(limit=D("1910.00")), request.id, choices)) == 2


def test_at_the_threshold_a_colleague_approves_before_the_order_binds(market: Market) -> None:
    market.trade.move(approval_threshold=D(500))
    request = market.published()
    line = market.line(market.quoted(request), 1)
    (made,) = service.award(market.buyer(), request.id, [service.Choice(line)])
    order = order_of(market.buyer(), made)
    assert (order.state, order.number) == ("pending_approval", None)
    approver = market.trade.approver()
    orders.approve(approver, order.id)
    assert order.state == "submitted" and order.total == D("950.00")
    seller = market.trade.system(market.trade.seller_id)
    submitted = event_of(OrderSubmitted, order, seller.now)
    following.confirm_award(seller, submitted)
    assert order.state == "in_progress"
    following.confirm_award(market.trade.system(market.trade.seller_id), submitted)


def test_an_order_that_came_to_nothing_frees_what_it_took(market: Market) -> None:
    market.trade.move(approval_threshold=D(500))
    request = market.published()
    line = market.line(market.quoted(request), 1)
    (made,) = service.award(market.buyer(), request.id, [service.Choice(line)])
    orders.cancel(market.trade.buyer(), made.order_id, "nobody approved")
    service.void(market.trade.system(market.trade.buyer_id), made.order_id)
    service.void(market.trade.system(market.trade.buyer_id), made.order_id)
    assert reading.request_facts(market.buyer(), request.id).state == "closed"
    market.trade.move(approval_threshold=None)
    (again,) = service.award(market.buyer(), request.id, [service.Choice(line)])
    assert again.id != made.id


def test_nobody_orders_at_quoted_prices_without_an_award(market: Market) -> None:
    request = market.published()
    line = market.line(market.quoted(request), 1)
    for source in (None, "rfq:nonsense", f"rfq:{uuid7()}"):
        with pytest.raises(Conflict, match=r"rfq\.not_awarded"):
            orders.place(market.buyer(), market.trade.wish(("bar", "10"), mode="rfq", source_ref=source))
    (made,) = service.award(market.buyer(), request.id, [service.Choice(line)])
    with pytest.raises(Conflict, match=r"rfq\.not_awarded"):
        orders.place(market.buyer(), market.trade.wish(("bar", "10"), mode="rfq", source_ref=f"rfq:{made.id}"))


def test_a_blocked_partner_takes_the_whole_award_back(market: Market) -> None:
    request = market.published()
    first, second = market.quoted(request, "95", None), market.quoted(request, None, "240", rival=True)
    choices = [service.Choice(market.line(first, 1)), service.Choice(market.line(second, 2))]
    tenancy.set_partner(market.trade.system(market.rival_id), market.trade.buyer_id, blocked=True)
    ctx = market.buyer()
    with pytest.raises(Exception, match=r"order\.partner_blocked"), ctx.session.begin_nested():
        service.award(ctx, request.id, choices)
    assert market.buyer().session.query(TradeOrder).count() == 0


def test_the_comparison_marks_the_best_and_adds_up_the_mix(market: Market) -> None:
    request = market.published()
    market.quoted(request, lines=[service.Offered(1, "BAR", D(95)), service.Offered(2, "PLATE", D(250))])
    market.quoted(
        request, lines=[service.Offered(1, "W-BAR", D(96)), service.Offered(2, "W-PLATE", D(200), quantity=D(3))], rival=True
    )
    facts = reading.request_facts(market.buyer(), request.id)
    found = compare(facts, market.buyer().now)
    assert [row.best.line.sku_code if row.best else None for row in found.rows] == ["BAR", "PLATE"]
    assert (found.mix, found.unserved) == (D("1950.00"), 0)
    by_seller = {column.part.seller_id: column for column in found.columns}
    assert (by_seller[market.trade.seller_id].missing, by_seller[market.trade.seller_id].lowest) == (0, True)
    assert by_seller[market.rival_id].missing == 1
    sheet = as_csv(facts, found)
    assert sheet.startswith("\ufeff") and len(sheet.splitlines()) == 5


def test_a_sheet_runs_no_formula(market: Market) -> None:
    request = market.published(lines=[service.WantedItem("=1+1", D(1), "t")])
    market.quoted(request, lines=[service.Offered(1, "BAR", D(95), remark="@SUM(A1)")])
    facts = reading.request_facts(market.buyer(), request.id)
    sheet = as_csv(facts, compare(facts, market.buyer().now))
    assert "'=1+1" in sheet and "'@SUM(A1)" in sheet


price = st.decimals(min_value=D("0.01"), max_value=D("9999.99"), places=2)
rate = st.sampled_from([D("0"), D("0.06"), D("0.09"), D("0.13")])
board = st.integers(1, 5).flatmap(
    lambda lines: st.lists(
        st.tuples(st.booleans(), st.lists(st.one_of(st.none(), st.tuples(price, rate)), min_size=lines, max_size=lines)),
        min_size=1,
        max_size=4,
    )
)


def drawn_up(offers: list[tuple[bool, list[tuple[D, D] | None]]]) -> reading.RequestFacts:
    """A request of as many lines as the offers have, one ton more each, quoted by each of them."""
    now = datetime(2026, 6, 1, tzinfo=UTC)
    lines = tuple(reading.Item(no + 1, None, "", "x", "", D(no + 1), "t") for no in range(len(offers[0][1])))
    parts = []
    for incl, row in offers:
        quoted = []
        for item, cell in zip(lines, row, strict=True):
            if cell is None:
                continue
            amounts = ts.vat(ts.round2(cell[0] * item.quantity), cell[1], incl)
            quoted.append(
                reading.OfferedLine(
                    uuid7(), item.no, 0, uuid7(), "S", "", item.quantity, "t", cell[0], cell[1], None, "", *amounts, ()
                )
            )
        quote = reading.QuoteFacts(
            uuid7(), uuid7(), 1, 1, now + timedelta(days=1), incl, D(0), 30, "", D(0), D(0), D(0), now, tuple(quoted)
        )
        parts.append(
            reading.Part(uuid7(), uuid7(), "s", "quoted", 1, None, None, None, None, "", None, True, quote)
        )
    return reading.RequestFacts(
        uuid7(), uuid7(), "b", "RFQ", "t", "open", 1, "CNY", False, "chosen", now, None, "", "", "", None, True, False,
        lines, tuple(parts),
    )  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(board, st.sampled_from(["gross", "net"]))
def test_the_best_mix_is_never_above_any_single_seller(offers: list[Any], basis: str) -> None:
    facts = drawn_up(offers)
    found = compare(facts, facts.closes_at, basis)  # type: ignore[arg-type]
    assert found.unserved == sum(all(row[index] is None for _, row in offers) for index in range(len(facts.lines)))
    for column in found.columns:
        if not column.missing:
            assert found.mix <= column.total
    for row in found.rows:
        amounts = [cell.amount for cells in row.cells for cell in cells]
        if row.best is not None:
            assert row.best.amount == min(amounts)
    assert (found.mix_gross if basis == "gross" else found.mix_net) == found.mix


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(1, 12_000_000)), min_size=1, max_size=6))
def test_awards_of_any_size_never_exceed_what_was_asked(asked: list[tuple[bool, int]]) -> None:
    market = MARKET[0]
    ctx = market.buyer()
    with ctx.session.begin_nested() as point:
        request = market.published(lines=[service.WantedItem("bar", D(10), "t")])
        lines: dict[bool, UUID] = {}
        for rival in (False, True):
            lines[rival] = market.line(market.quoted(request, "95", None, rival=rival), 1)
        given = D(0)
        for rival, millionths in asked:
            quantity = D(millionths) / 1_000_000
            try:
                service.award(market.buyer(), request.id, [service.Choice(lines[rival], quantity)], finish=False)
            except (Invalid, Conflict):
                assert given + quantity > 10
            else:
                given += quantity
        total = sum((row.quantity for row in market.buyer().session.query(AwardLine).filter_by(request_id=request.id)), D(0))
        assert total == given <= 10
        point.rollback()


MARKET: list[Market] = []


@pytest.fixture(autouse=True)
def _market(market: Market) -> None:
    """Hypothesis wants no fixture that is made once for many examples, so it finds the market here."""
    MARKET[:] = [market]


def test_the_seller_of_a_won_quote_sees_its_award_only(market: Market) -> None:
    request = market.published()
    first, second = market.quoted(request, "95", None), market.quoted(request, None, "240", rival=True)
    choices = [service.Choice(market.line(first, 1)), service.Choice(market.line(second, 2))]
    service.award(market.buyer(), request.id, choices)
    market.trade.session.expunge_all()
    for enter, own in ((market.seller, market.trade.seller_id), (market.rival, market.rival_id)):
        ctx = enter()
        for table in (Award, AwardLine, Invitation):
            assert {row.seller_id for row in ctx.session.query(table)} == {own}
        assert ctx.session.query(Request).count() == 1
