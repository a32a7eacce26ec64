"""Asking and quoting: who is told, who sees what, what a quote may be, and what time does to both."""

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from core import tenancy
from core.kernel import Conflict, Forbidden, Invalid, NotFound
from plugins.rfq import reading, service
from plugins.rfq.model import Invitation, Message, Quote, QuoteLine, QuoteTier, Request, RequestLine
from tests.plugins.asking import Market

D = Decimal


def test_a_draft_is_its_buyers_alone_until_it_is_published(market: Market) -> None:
    drafted = service.draft(market.buyer(), market.wish())
    assert (drafted.state, drafted.number) == ("draft", None)
    assert reading.invited(market.seller()) == []
    with pytest.raises(NotFound):
        reading.request_facts(market.seller(), drafted.id)
    published = service.publish(market.buyer(), drafted.id)
    assert published.state == "open" and published.number is not None and published.number.startswith("RFQ-")
    (row,) = reading.invited(market.seller())
    assert (row.title, row.partner, row.state) == ("六月钢材", "北方机械有限公司", "invited")
    assert [line.text for line in reading.request_facts(market.seller(), published.id).lines] == ["螺纹钢", "中厚板 20mm"]


def test_a_seller_sees_its_own_invitation_and_quote_and_nothing_of_its_rival(market: Market) -> None:
    request = market.published()
    market.quoted(request, "95", "240", tax_included=True)
    market.quoted(request, "94", "250", rival=True)
    invitation = market.invitation(request, market.rival_id)
    service.ask(market.rival(), invitation.id, "材质书要原件吗")
    market.trade.session.expunge_all()
    for enter, own in ((market.seller, market.trade.seller_id), (market.rival, market.rival_id)):
        ctx = enter()
        facts = reading.request_facts(ctx, request.id)
        assert [part.seller_id for part in facts.invitations] == [own]
        for table in (Invitation, Quote, QuoteLine, Message):
            assert {row.seller_id for row in ctx.session.query(table)} <= {own}
    market.trade.session.expunge_all()
    seller = market.seller()
    raw = seller.session.execute(text("SELECT DISTINCT seller_id FROM plugin_rfq.quote_line")).scalars().all()
    assert raw == [market.trade.seller_id]


def test_a_stranger_sees_nothing_of_it_at_all(market: Market) -> None:
    request = market.published()
    market.quoted(request)
    market.trade.session.expunge_all()
    stranger = market.trade.stranger()
    for table in (Request, RequestLine, Invitation, Quote, QuoteLine, QuoteTier, Message):
        assert stranger.session.query(table).count() == 0
    with pytest.raises(NotFound):
        reading.request_facts(stranger, request.id)


def test_nobody_but_the_seller_writes_its_quote_and_nobody_invites_himself(market: Market) -> None:
    request = market.published()
    given = market.quoted(request)
    ctx = market.trade.system(market.trade.buyer_id)
    forged = "INSERT INTO plugin_rfq.quote SELECT (q).* FROM (SELECT q FROM plugin_rfq.quote q WHERE id = :id) s"
    with pytest.raises(DBAPIError, match="row-level security"), ctx.session.begin_nested():
        ctx.session.execute(text(forged), {"id": given.id})
    rival = market.trade.system(market.trade.stranger().tenant_id)
    with pytest.raises(DBAPIError, match="row-level security"), rival.session.begin_nested():
        rival.session.execute(
            text(
                "INSERT INTO plugin_rfq.invitation (id, buyer_id, seller_id, request_id, state, told_version, quote_version,"
                " result) VALUES (ts.uuid7(), :buyer, :me, :request, 'invited', 1, 0, '')"
            ),
            {"buyer": market.trade.buyer_id, "me": rival.tenant_id, "request": request.id},
        )


def test_a_sealed_quote_is_not_there_for_the_buyer_before_the_deadline(market: Market) -> None:
    request = market.published(sealed=True)
    market.quoted(request)
    market.trade.session.expunge_all()
    buyer = market.buyer()
    facts = reading.request_facts(buyer, request.id)
    assert facts.hidden and [part.state for part in facts.invitations] == ["quoted", "invited"]
    assert all(part.quote is None for part in facts.invitations)
    for table in ("quote", "quote_line", "quote_tier"):
        assert buyer.session.scalar(text(f"SELECT count(*) FROM plugin_rfq.{table}")) == 0
    with pytest.raises(Conflict, match=r"rfq\.still_sealed"):
        service.award(buyer, request.id, [service.Choice(request.id)])
    assert request.closes_at is not None
    market.trade.shift("3 days 1 second")
    facts = reading.request_facts(market.buyer(), request.id)
    assert not facts.hidden and facts.invitations[0].quote is not None


@pytest.mark.parametrize(
    "trick", ["sealed = false", "closes_at = closes_at - interval '2 days'", "closes_at = NULL", "state = 'draft'"]
)
def test_no_way_of_writing_opens_a_sealed_request_early(market: Market, trick: str) -> None:
    request = market.published(sealed=True)
    ctx = market.trade.system(market.trade.buyer_id)
    with pytest.raises(DBAPIError), ctx.session.begin_nested():
        ctx.session.execute(text(f"UPDATE plugin_rfq.request SET {trick} WHERE id = :id"), {"id": request.id})


def test_a_sealed_request_that_was_opened_takes_no_more_time(market: Market) -> None:
    request = market.published(sealed=True)
    later = market.buyer().now + timedelta(days=9)
    service.extend(market.buyer(), request.id, later)
    market.trade.shift("10 days")
    with pytest.raises(Conflict, match=r"rfq\.sealed_is_opened"):
        service.extend(market.buyer(), request.id, later + timedelta(days=9))


def test_an_amendment_is_told_and_marks_what_was_quoted_against_the_older_version(market: Market) -> None:
    request = market.published()
    market.quoted(request)
    lines = [service.WantedItem("螺纹钢", D(12), "t", "", market.trade.skus["bar"])]
    wish = market.wish(lines=lines)
    service.amend(market.buyer(), request.id, wish, version=1)
    invitation = market.invitation(request)
    facts, part = reading.of_invitation(market.seller(), invitation.id)
    assert (facts.version, [line.quantity for line in facts.lines]) == (2, [D(12)])
    assert part.quote is not None and part.quote.request_version == 1
    assert [event["name"] for event in market.trade.session.info["events"]].count("RequestAmended") == 2
    with pytest.raises(Conflict, match=r"rfq\.version_changed"):
        service.amend(market.buyer(), request.id, market.wish(), version=1)
    with pytest.raises(Conflict, match=r"rfq\.version_changed"):
        service.quote(market.seller(), part.id, market.offer(), request_version=1)
    renewed = market.quoted(request, plate=None)
    assert (renewed.version, renewed.request_version, renewed.gross) == (2, 2, D("1140.00"))


def test_quotes_are_added_never_changed(market: Market) -> None:
    request = market.published()
    market.quoted(request, "95")
    market.quoted(request, "93.5")
    invitation = market.invitation(request)
    found = reading.versions(market.seller(), invitation.id)
    assert [(each.version, each.lines[0].unit_price) for each in found] == [(2, D("93.5")), (1, D(95))]
    ctx = market.trade.system(market.trade.seller_id)
    for statement in ("UPDATE plugin_rfq.quote_line SET unit_price = 1", "DELETE FROM plugin_rfq.quote"):
        with pytest.raises(DBAPIError, match="permission denied"), ctx.session.begin_nested():
            ctx.session.execute(text(statement))


def test_a_quote_states_its_amounts_as_an_order_would(market: Market) -> None:
    request = market.published()
    lines = [
        service.Offered(1, "BAR", D("95.555"), vat_rate=D("0.13"), lead_days=7, tiers=((D(10), D("90.1")),)),
        service.Offered(2, "PLATE", D(240), quantity=D("2.5")),
        service.Offered(2, "BEARING", D(200), option=1, remark="替代"),
    ]
    market.quoted(request, lines=lines, tax_included=False)
    facts = reading.request_facts(market.buyer(), request.id)
    quote = facts.invitations[0].quote
    assert quote is not None
    first, second, other = quote.lines
    assert (first.net, first.tax, first.gross) == (D("901.00"), D("117.13"), D("1018.13"))
    assert (second.quantity, second.net, second.gross) == (D("2.5"), D("600.00"), D("678.00"))
    assert (other.option, other.sku_code) == (1, "BEARING")
    assert quote.gross == first.gross + second.gross


@pytest.mark.parametrize(
    ("line", "path"),
    [
        ({"sku_code": "NOTHING"}, "lines.0.sku_code"),
        ({"sku_code": "W-BAR"}, "lines.0.sku_code"),
        ({"line_no": 9}, "lines.0.line_no"),
        ({"quantity": D(11)}, "lines.0.quantity"),
        ({"quantity": D(0)}, "lines.0.quantity"),
        ({"vat_rate": D(13)}, "lines.0.vat_rate"),
        ({"lead_days": -1}, "lines.0.lead_days"),
        ({"option": 6}, "lines.0.option"),
        ({"tiers": ((D(5), D(1)), (D(5), D(2)))}, "lines.0.tiers"),
    ],
)
def test_a_line_that_will_not_do_is_named(market: Market, line: dict[str, object], path: str) -> None:
    request = market.published()
    given = {"line_no": 1, "sku_code": "BAR", "unit_price": D(95), **line}
    with pytest.raises(Invalid) as refused:
        market.quoted(request, lines=[service.Offered(**given)])  # type: ignore[arg-type]
    assert [error.path for error in refused.value.errors] == [path]


def test_a_unit_the_product_is_not_sold_in_is_refused_when_quoting_not_when_awarding(market: Market) -> None:
    lines = [service.WantedItem("螺纹钢", D(10), "roll")]
    request = market.published(lines=lines)
    with pytest.raises(Invalid) as refused:
        market.quoted(request, plate=None)
    assert [(error.path, error.code) for error in refused.value.errors] == [("lines.0.sku_code", "uom.no_factor")]


def test_quotes_are_taken_until_the_deadline_and_not_at_it(market: Market) -> None:
    request = market.published()
    assert request.closes_at is not None
    mine, other = market.invitation(request), market.invitation(request, market.rival_id)
    market.trade.shift_to(request.closes_at - timedelta(microseconds=1))
    market.quoted(request)
    market.trade.shift_to(request.closes_at)
    for act in (
        lambda: market.quoted(request),
        lambda: service.decline(market.rival(), other.id, "no"),
        lambda: service.retract(market.seller(), mine.id),
        lambda: service.amend(market.buyer(), request.id, market.wish()),
    ):
        with pytest.raises(Conflict, match=r"rfq\.not_open"):
            act()
    service.extend(market.buyer(), request.id, request.closes_at + timedelta(days=1))
    market.quoted(request, rival=True)


def test_time_closes_a_request_and_runs_out_a_quote(market: Market) -> None:
    request = market.published()
    quote = market.quoted(request)
    invitation = market.invitation(request)
    system = market.trade.system(market.trade.buyer_id)
    assert service.close(system, request.id) is None
    market.trade.shift_to(request.closes_at)  # type: ignore[arg-type]
    closed = service.close(market.trade.system(market.trade.buyer_id), request.id)
    assert closed is not None and closed.state == "closed"
    assert service.expire(market.trade.system(market.trade.seller_id), invitation.id) is None
    market.trade.shift_to(quote.valid_until)
    expired = service.expire(market.trade.system(market.trade.seller_id), invitation.id)
    assert expired is not None and expired.state == "expired"
    (row,) = reading.invited(market.seller())
    assert row.state == "expired"


def test_a_seller_declines_with_a_reason_and_may_think_again(market: Market) -> None:
    request = market.published()
    invitation = market.invitation(request)
    with pytest.raises(Invalid):
        service.decline(market.seller(), invitation.id, "  ")
    service.decline(market.seller(), invitation.id, "产能不足")
    part = reading.request_facts(market.buyer(), request.id).invitations[0]
    assert (part.state, part.reason) == ("declined", "产能不足")
    market.quoted(request)
    with pytest.raises(Conflict, match=r"rfq\.quote_stands"):
        service.decline(market.seller(), invitation.id, "no")
    service.retract(market.seller(), invitation.id, "算错了")
    part = reading.request_facts(market.buyer(), request.id).invitations[0]
    assert (part.state, part.quote) == ("retracted", None)


def test_an_answer_may_go_to_all_without_naming_who_asked(market: Market) -> None:
    request = market.published()
    mine, other = market.invitation(request), market.invitation(request, market.rival_id)
    service.ask(market.seller(), mine.id, "能否分两批交货")
    service.answer(market.buyer(), mine.id, "可以分两批", to_all=True)
    heard = [(each.kind, each.body) for each in reading.messages(market.rival(), request.id)]
    assert heard == [("notice", "可以分两批")]
    assert [each.kind for each in reading.messages(market.seller(), request.id)] == ["question", "answer"]
    with pytest.raises(NotFound):
        service.ask(market.seller(), other.id, "对手问了什么")
    with pytest.raises(NotFound):
        service.answer(market.trade.system(market.trade.seller_id), mine.id, "我替买家说")


def test_a_better_offer_may_come_after_the_deadline_from_whom_it_was_asked_of(market: Market) -> None:
    request = market.published()
    market.quoted(request)
    market.quoted(request, rival=True)
    market.trade.shift_to(request.closes_at)  # type: ignore[arg-type]
    until = market.buyer().now + timedelta(hours=4)
    invitation = market.invitation(request)
    service.ask_better(market.buyer(), invitation.id, "再降 2%", until)
    assert market.quoted(request, "92").version == 2
    with pytest.raises(Conflict, match=r"rfq\.not_open"):
        market.quoted(request, "91", rival=True)
    market.trade.shift_to(until)
    with pytest.raises(Conflict, match=r"rfq\.not_open"):
        market.quoted(request, "90")


def test_every_partner_that_takes_requests_is_invited_where_the_buyer_wants_that(market: Market) -> None:
    ctx = market.trade.system(market.trade.buyer_id)
    tenancy.set_partner(ctx, market.rival_id, code="V-2")
    request = market.published(audience="partners", sellers=())
    assert [part.seller_id for part in reading.request_facts(market.buyer(), request.id).invitations] == [market.rival_id]


def test_whom_one_cannot_invite(market: Market) -> None:
    tenancy.disable_plugin(market.trade.system(market.rival_id), "rfq")
    for seller, code in (
        (market.rival_id, "rfq.seller_not_ready"),
        (market.trade.buyer_id, "rfq.oneself"),
        (market.trade.stranger().tenant_id, "rfq.seller_unknown"),
    ):
        with pytest.raises(Invalid) as refused:
            service.draft(market.buyer(), market.wish(sellers=(seller,)))
        assert [error.code for error in refused.value.errors] == [code]
    nobody = service.draft(market.buyer(), market.wish(sellers=()))
    with pytest.raises(Invalid) as refused:
        service.publish(market.buyer(), nobody.id)
    assert refused.value.errors[0].code == "rfq.nobody_invited"


@pytest.mark.parametrize(
    ("wrong", "path"),
    [
        ({"title": " "}, "title"),
        ({"lines": []}, "lines"),
        ({"lines": [service.WantedItem("", D(1), "t")]}, "lines.0.text"),
        ({"lines": [service.WantedItem("a", D(0), "t")]}, "lines.0.quantity"),
        ({"lines": [service.WantedItem("a", D("NaN"), "t")]}, "lines.0.quantity"),
        ({"lines": [service.WantedItem("a", D(1), " ")]}, "lines.0.unit"),
        ({"closes_at": None}, "closes_at"),
    ],
)
def test_a_request_that_will_not_do_names_its_field(market: Market, wrong: dict[str, object], path: str) -> None:
    with pytest.raises(Invalid) as refused:
        service.publish(market.buyer(), service.draft(market.buyer(), market.wish(**wrong)).id)
    assert [error.path for error in refused.value.errors] == [path]


def test_a_drawing_is_read_by_the_invited_and_nobody_else(market: Market) -> None:
    request = service.draft(market.buyer(), market.wish(sellers=(market.trade.seller_id,)))
    kept = service.attach(market.buyer(), request.id, "../图纸.pdf", b"%PDF-1.7 drawing")
    market.trade.session.expunge_all()
    with pytest.raises(NotFound):
        reading.document(market.seller(), kept.id)
    service.publish(market.buyer(), request.id)
    row, content = reading.document(market.seller(), kept.id)
    assert (row.name, row.media_type, content) == ("图纸.pdf", "application/pdf", b"%PDF-1.7 drawing")
    with pytest.raises(NotFound):
        reading.document(market.rival(), kept.id)
    with pytest.raises(Invalid):
        service.attach(market.buyer(), request.id, "run.exe", b"MZ")


def test_without_the_permission_nothing_is_asked_or_quoted(market: Market) -> None:
    request = market.published()
    porter = market.trade.as_("Guo Tao", "buyer.warehouse")
    for act in (
        lambda: service.draft(porter, market.wish()),
        lambda: service.publish(porter, request.id),
        lambda: service.withdraw(porter, request.id, "no"),
        lambda: service.award(porter, request.id, []),
        lambda: reading.requests(porter),
        lambda: reading.request_facts(porter, request.id),
    ):
        with pytest.raises(Forbidden):
            act()
    porter = market.trade.as_("Guo Tao", "seller.warehouse")
    invitation, offer = market.invitation(request), market.offer()
    with pytest.raises(Forbidden):
        service.quote(porter, invitation.id, offer)


def test_a_withdrawn_request_says_why_and_takes_nothing_more(market: Market) -> None:
    request = market.published()
    service.withdraw(market.buyer(), request.id, "项目取消")
    facts = reading.request_facts(market.seller(), request.id)
    assert (facts.state, facts.reason, facts.invitations[0].state) == ("withdrawn", "项目取消", "withdrawn")
    with pytest.raises(Conflict, match=r"rfq\.not_open"):
        market.quoted(request)
