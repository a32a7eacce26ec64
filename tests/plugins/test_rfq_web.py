"""Requests in the portal: a trade from the question to the order, and what each side sees."""

import io
import re
from decimal import Decimal
from uuid import UUID

from core import tenancy
from core.kernel import uuid7
from tests.plugins.fair import Fair, asked, form, offer, part

D = Decimal


def test_a_trade_from_the_question_to_the_order_in_the_portal(fair: Fair) -> None:
    request_id = asked(fair)
    mine, theirs = part(fair, request_id), part(fair, request_id, fair.market.rival_id)
    page = fair.seller.get(f"/rfq/in/{mine}", "zh-CN")
    assert page.status_code == 200 and "我方报价" in page.text and "待报价" in page.text
    assert fair.seller.post(f"/rfq/in/{mine}/quote", version="1", **offer()).status_code == 303
    dear = offer(q1_sku="W-BAR", q1_price="90", q2_sku="W-PLATE", q2_price="260")
    assert fair.rival.post(f"/rfq/in/{theirs}/quote", version="1", **dear).status_code == 303
    assert "240.00" in fair.seller.get(f"/rfq/in/{mine}").text
    board = fair.buyer.get(f"/rfq/{request_id}/compare", "zh-CN")
    assert (
        board.status_code == 200 and board.text.count("</svg>最低</span>") == 2 and "1,860.00" in board.text
    )
    picked = dict(re.findall(r'name="(pick-\d)" value="([0-9a-f-]+)" checked', board.text))
    assert set(picked) == {"pick-1", "pick-2"}
    review = fair.buyer.post(f"/rfq/{request_id}/compare", version="1", **picked)
    assert review.status_code == 200 and "900.00" in review.text and "The order binds at once" in review.text
    made = fair.buyer.post(f"/rfq/{request_id}/award", version="1", **picked)
    assert made.status_code == 303
    shown = fair.buyer.get(f"/rfq/{request_id}", "zh-CN")
    assert "授予结果" in shown.text and "已授予" in shown.text
    order = re.search(r'href="/orders/([0-9a-f-]{36})"', shown.text)
    assert order is not None
    page = fair.buyer.whole(f"/orders/{order[1]}", "zh-CN")
    assert "询报价" in page and f"/rfq/{request_id}" in page
    assert "中选" in fair.seller.get(f"/rfq/in/{mine}", "zh-CN").text


def test_the_form_keeps_what_was_typed_and_names_what_is_wrong(fair: Fair) -> None:
    wrong = fair.buyer.post("/rfq/new", **form(fair, title="", l1_quantity="many", l1_unit=""))
    assert wrong.status_code == 422
    assert (
        'value="螺纹钢"' in wrong.text
        and 'id="f-l1_quantity-e"' in wrong.text
        and 'id="f-title-e"' in wrong.text
    )
    more = fair.buyer.post("/rfq/new", **form(fair, act="more"))
    assert more.status_code == 200 and "l7_text" in more.text and 'value="螺纹钢"' in more.text
    pasted = fair.buyer.post(
        "/rfq/new", **form(fair, act="paste", paste="轴承\t6204\t1,200\tpcs\n阀门；DN50；3；台")
    )
    assert 'value="轴承"' in pasted.text and 'value="1200"' in pasted.text and 'value="台"' in pasted.text
    found = fair.buyer.post("/rfq/new", **form(fair, act="find", find="西南"))
    assert f"s-{fair.market.rival_id}" in found.text
    past = fair.buyer.post("/rfq/new", **form(fair, closes_at="2001-01-01T00:00"))
    assert past.status_code == 422 and "This moment has passed" in past.text
    nobody = fair.buyer.post(
        "/rfq/new", **{name: text for name, text in form(fair).items() if not name.startswith("s-")}
    )
    assert nobody.status_code == 422 and "Choose at least one seller" in nobody.text
    strange = fair.buyer.post("/rfq/new", **form(fair, **{"s-nonsense": "1"}))
    assert strange.status_code == 422


def test_a_quote_that_will_not_do_is_shown_again_with_its_errors(fair: Fair) -> None:
    mine = part(fair, asked(fair))
    wrong = fair.seller.post(
        f"/rfq/in/{mine}/quote", version="1", **offer(q1_price="cheap", q2_sku="NONE", q1_lead="soon")
    )
    assert wrong.status_code == 422 and 'id="f-q1_price-e"' in wrong.text and 'value="cheap"' in wrong.text
    wrong = fair.seller.post(f"/rfq/in/{mine}/quote", version="1", **offer(q2_sku="NONE"))
    assert (
        wrong.status_code == 422
        and 'id="f-q2_sku-e"' in wrong.text
        and "NONE is none of your products" in wrong.text
    )
    wrong = fair.seller.post(f"/rfq/in/{mine}/quote", version="1", **offer(q1_tiers="ten for ninety"))
    assert wrong.status_code == 422 and 'id="f-q1_tiers-e"' in wrong.text
    wrong = fair.seller.post(f"/rfq/in/{mine}/quote", version="7", **offer())
    assert wrong.status_code == 422 and "look at it again" in wrong.text


def test_no_page_of_the_rival_shows_anothers_price(fair: Fair) -> None:
    request_id = asked(fair)
    mine, theirs = part(fair, request_id), part(fair, request_id, fair.market.rival_id)
    fair.seller.post(f"/rfq/in/{mine}/quote", version="1", **offer(q1_price="77.77"))
    for path in (f"/rfq/in/{mine}", f"/rfq/{request_id}/compare", f"/rfq/{request_id}/compare.csv"):
        assert fair.rival.get(path).status_code in (403, 404)
    assert fair.rival.get(f"/rfq/{request_id}").headers["Location"].endswith(f"/rfq/in/{theirs}")
    assert "77.77" not in fair.rival.get(f"/rfq/in/{theirs}").text
    for path in (f"/rfq/requests/{request_id}", f"/rfq/invitations/{theirs}/quotes"):
        answer = fair.rival.api("GET", path)
        assert (
            answer.status_code == 200
            and "77.77" not in answer.text
            and str(fair.market.trade.seller_id) not in answer.text
        )
    for path in (f"/rfq/invitations/{mine}/quotes", f"/rfq/invitations/{mine}/messages"):
        assert fair.rival.api("GET", path).status_code == 404
    assert fair.rival.api("POST", f"/rfq/invitations/{mine}/decline", {"reason": "theirs"}).status_code == 404
    stranger = fair.portal.visitor("Nobody", "buyer.clerk", at=_stranger(fair))
    assert stranger.api("GET", f"/rfq/requests/{request_id}").status_code == 404
    assert stranger.get(f"/rfq/{request_id}").status_code == 404


def _stranger(fair: Fair) -> UUID:
    home = uuid7()
    trade = fair.market.trade
    trade.session.commit()
    with trade.unit.system(home, "test") as ctx:
        tenancy.register_enterprise(ctx, name="旁观者有限公司", uscc="91320500MA1MCD5K7R", kind="trader")
        tenancy.enable_plugin(ctx, "rfq", version="0.1.0")
    return home


def test_a_sealed_request_shows_no_price_on_any_page_or_answer(fair: Fair) -> None:
    request_id = asked(fair, sealed="1")
    mine = part(fair, request_id)
    fair.seller.post(f"/rfq/in/{mine}/quote", version="1", **offer(q1_price="66.66"))
    page = fair.buyer.get(f"/rfq/{request_id}", "zh-CN")
    assert "报价密封中" in page.text and "已有 1 家报价" in page.text and "66.66" not in page.text
    assert fair.buyer.get(f"/rfq/{request_id}/compare").status_code in (303, 409)
    for path in (f"/rfq/requests/{request_id}", f"/rfq/invitations/{mine}/quotes"):
        assert "66.66" not in fair.buyer.api("GET", path).text
    assert "66.66" in fair.seller.api("GET", f"/rfq/invitations/{mine}/quotes").text


def test_the_acts_around_a_request_have_their_forms(fair: Fair) -> None:
    request_id = asked(fair, **{f"s-{fair.market.rival_id}": ""})
    mine = part(fair, request_id)
    assert fair.buyer.post(f"/rfq/{request_id}/extend", closes_at="2099-06-09T17:00").status_code == 303
    assert fair.buyer.get(f"/rfq/{request_id}?find=西南").text.count(f"s-{fair.market.rival_id}") > 0
    assert (
        fair.buyer.post(f"/rfq/{request_id}/invite", **{f"s-{fair.market.rival_id}": "1"}).status_code == 303
    )
    fair.seller.post(f"/rfq/invitations/{mine}/say", body="有没有图纸")
    assert "有没有图纸" in fair.buyer.get(f"/rfq/{request_id}").text
    assert "Answer a question" in fair.buyer.get("/").text
    fair.buyer.post(f"/rfq/invitations/{mine}/say", body="已附上", to_all="1")
    theirs = part(fair, request_id, fair.market.rival_id)
    assert "已附上" in fair.rival.get(f"/rfq/in/{theirs}").text
    fair.rival.post(f"/rfq/in/{theirs}/decline", reason="没有产能")
    assert "没有产能" in fair.buyer.get(f"/rfq/{request_id}").text
    fair.seller.post(f"/rfq/in/{mine}/quote", version="1", **offer())
    fair.buyer.post(f"/rfq/invitations/{mine}/better", body="再低一点", until="2099-06-10T17:00")
    assert "再低一点" in fair.seller.get(f"/rfq/in/{mine}").text
    assert "A better offer is asked for" in fair.seller.get("/").text
    fair.seller.post(f"/rfq/in/{mine}/retract", reason="算错")
    assert "算错" in fair.buyer.get(f"/rfq/{request_id}").text
    edited = fair.buyer.get(f"/rfq/{request_id}/edit")
    assert edited.status_code == 200 and 'value="螺纹钢"' in edited.text and "sealed" not in edited.text
    assert (
        fair.buyer.post(
            f"/rfq/{request_id}/edit", **form(fair, act="amend", version="1", l0_quantity="12")
        ).status_code
        == 303
    )
    assert "Version 2" in fair.buyer.get(f"/rfq/{request_id}").text
    assert fair.buyer.post(f"/rfq/{request_id}/withdraw", reason="项目取消").status_code == 303
    assert "项目取消" in fair.seller.get(f"/rfq/in/{mine}").text


def test_splitting_a_line_keeps_what_was_typed_when_it_is_too_much(fair: Fair) -> None:
    request_id = asked(fair)
    fair.seller.post(f"/rfq/in/{part(fair, request_id)}/quote", version="1", **offer())
    page = fair.buyer.get(f"/rfq/{request_id}/compare?split=1")
    names = re.findall(r'name="(qty-[0-9a-f-]+)"', page.text)
    assert len(names) == 2
    refused = fair.buyer.post(f"/rfq/{request_id}/compare", version="1", **{names[0]: "11"})
    assert (
        refused.status_code == 422
        and 'value="11"' in refused.text
        and "This cannot be awarded" in refused.text
    )
    assert fair.buyer.post(f"/rfq/{request_id}/compare", version="1").status_code == 422
    good = fair.buyer.post(f"/rfq/{request_id}/compare", version="1", **{names[0]: "2.5"})
    assert good.status_code == 200 and "237.50" in good.text


def test_the_comparison_comes_as_a_sheet(fair: Fair) -> None:
    request_id = asked(fair)
    fair.seller.post(f"/rfq/in/{part(fair, request_id)}/quote", version="1", **offer())
    sheet = fair.buyer.get(f"/rfq/{request_id}/compare.csv", "zh-CN")
    assert sheet.status_code == 200 and sheet.mimetype == "text/csv"
    assert "螺纹钢" in sheet.text and "950.00" in sheet.text and "交货期（天）" in sheet.text


def test_what_waits_stands_on_the_workbench_and_in_the_menu(fair: Fair) -> None:
    asked(fair, title="工作台上的询价")
    home = fair.seller.get("/", "zh-CN")
    assert "工作台上的询价" in home.text and "报价或回复不报价" in home.text
    assert "/rfq" in home.text
    empty = fair.portal.visitor("Guo Tao", "buyer.warehouse")
    assert "dashboard:todo" not in empty.get("/").text
    assert empty.get("/rfq").status_code == 403
    assert empty.get("/rfq/new").status_code == 403


def test_a_products_page_leads_to_a_request_for_it(fair: Fair) -> None:
    sku = fair.market.trade.skus["bar"]
    page = fair.buyer.get(f"/catalog/{sku}", "zh-CN")
    assert f"/rfq/new?sku={sku}" in page.text
    filled = fair.buyer.get(f"/rfq/new?sku={sku}")
    assert (
        filled.status_code == 200
        and 'value="bar"' in filled.text
        and f"s-{fair.market.trade.seller_id}" in filled.text
    )
    assert fair.buyer.get("/rfq/new?sku=nonsense").status_code == 404


def test_the_lists_of_both_sides(fair: Fair) -> None:
    request_id = asked(fair, title="列表里的询价")
    assert "列表里的询价" in fair.buyer.get("/rfq", "zh-CN").text
    assert "列表里的询价" in fair.seller.get("/rfq", "zh-CN").text
    assert "列表里的询价" not in fair.buyer.get("/rfq?state=draft").text
    assert f"/rfq/{request_id}" in fair.buyer.get("/rfq?state=open").text
    assert int(fair.buyer.get("/rfq").headers["X-Statements"]) <= 12


def test_files_go_with_the_request(fair: Fair) -> None:
    request_id = asked(fair)
    fair.buyer.post(f"/rfq/{request_id}/files", file=(io.BytesIO(b"%PDF-1.7 x"), "drawing.pdf"))
    link = re.search(
        r'href="(/rfq/files/[0-9a-f-]+)"', fair.seller.get(f"/rfq/in/{part(fair, request_id)}").text
    )
    assert link is not None
    got = fair.seller.get(link[1])
    assert (got.status_code, got.mimetype, got.data) == (200, "application/pdf", b"%PDF-1.7 x")
    assert "attachment" in got.headers["Content-Disposition"]
