"""Requests over JSON, two that award at once, and what the worker closes."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal

from sqlalchemy import text

import plugins.rfq
from core.db import Database
from plugins.rfq import jobs, reading
from tests.conftest import Server, make_unit
from tests.orders.portal import Visitor
from tests.plugins.bringing import bring
from tests.plugins.fair import Fair, asked, offer, part

D = Decimal


def test_the_whole_over_json(fair: Fair) -> None:
    trade = fair.market.trade
    body = {
        "title": "JSON", "closes_at": "2099-06-01T17:00:00+08:00",
        "lines": [{"sku_id": trade.skus["bar"], "quantity": "10", "unit": "t"}, {"text": "plate", "quantity": "4", "unit": "t"}],
        "sellers": [trade.seller_id],
    }  # fmt: skip
    drafted = fair.buyer.api("POST", "/rfq/requests", body)
    assert drafted.status_code == 201, drafted.text
    request_id = drafted.json["id"]
    assert (drafted.json["state"], drafted.json["lines"][0]["sku_code"]) == ("draft", "BAR")
    assert (
        fair.buyer.api("PUT", f"/rfq/requests/{request_id}", {**body, "title": "JSON 2"}).json["title"]
        == "JSON 2"
    )
    assert fair.buyer.api("POST", f"/rfq/requests/{request_id}/publish").json["state"] == "open"
    invitation = fair.buyer.api("GET", f"/rfq/requests/{request_id}").json["invitations"][0]["id"]
    rows = fair.seller.api("GET", "/rfq/requests?side=seller").json["rows"]
    assert invitation in [row["invitation_id"] for row in rows]
    said = fair.seller.api("POST", f"/rfq/invitations/{invitation}/messages", {"body": "how soon?"})
    assert (said.status_code, said.json["kind"]) == (201, "question")
    assert (
        fair.buyer.api("POST", f"/rfq/invitations/{invitation}/messages", {"body": "in June"}).json["kind"]
        == "answer"
    )
    bar = {"line_no": 1, "sku_code": "BAR", "unit_price": "95"}
    first = {"valid_until": "2099-07-01T00:00:00Z", "request_version": 1, "lines": [bar]}
    quoted = fair.seller.api("POST", f"/rfq/invitations/{invitation}/quotes", first)
    assert quoted.status_code == 201 and quoted.json["gross"] == "950.00", quoted.text
    amended = fair.buyer.api(
        "POST", f"/rfq/requests/{request_id}/amend", {**body, "title": "v2"}, **{"If-Match": '"1"'}
    )
    assert (amended.status_code, amended.json["version"]) == (200, 2)
    stale = fair.buyer.api(
        "POST", f"/rfq/requests/{request_id}/amend", {**body, "title": "v3"}, **{"If-Match": '"1"'}
    )
    assert (stale.status_code, stale.json["code"]) == (409, "rfq.version_changed")
    stale_choice = {"request_version": 2, "choices": [{"quote_line_id": quoted.json["lines"][0]["id"]}]}
    outdated = fair.buyer.api("POST", f"/rfq/requests/{request_id}/award", stale_choice)
    assert (outdated.status_code, outdated.json["code"]) == (409, "rfq.quote_outdated")
    better = {"body": "2 % less", "until": "2099-06-02T00:00:00Z"}
    assert fair.buyer.api("POST", f"/rfq/invitations/{invitation}/better", better).status_code == 200
    second = {"valid_until": "2099-07-01T00:00:00Z", "lines": [{**bar, "unit_price": "93.10"}]}
    again = fair.seller.api("POST", f"/rfq/invitations/{invitation}/quotes", second)
    choices = {
        "request_version": 2,
        "choices": [{"quote_line_id": again.json["lines"][0]["id"], "quantity": "10"}],
    }
    made = fair.buyer.api("POST", f"/rfq/requests/{request_id}/award", choices, key="award-1")
    assert made.status_code == 201 and made.json["awards"][0]["total"] == "931.00", made.text
    replayed = fair.buyer.api("POST", f"/rfq/requests/{request_id}/award", choices, key="award-1")
    assert replayed.json == made.json
    order = fair.buyer.api("GET", f"/orders/{made.json['awards'][0]['order_id']}").json
    assert (order["mode"], order["state"], order["total"]) == ("rfq", "in_progress", "931.00")


def test_of_two_that_award_at_once_one_wins(fair: Fair) -> None:
    request_id = asked(fair)
    fair.seller.post(f"/rfq/in/{part(fair, request_id)}/quote", version="1", **offer())
    quote = fair.buyer.api("GET", f"/rfq/requests/{request_id}").json["invitations"]
    lines = next(each["quote"]["lines"] for each in quote if each["quote"])
    body = {"request_version": 1, "choices": [{"quote_line_id": each["id"]} for each in lines]}

    def go(_number: int) -> tuple[int, str]:
        visitor = Visitor(fair.portal.app.test_client(), fair.buyer.token)
        answer = visitor.api("POST", f"/rfq/requests/{request_id}/award", body)
        return answer.status_code, answer.json.get("code", "")

    with ThreadPoolExecutor(4) as pool:
        outcomes = sorted(pool.map(go, range(4)))
    assert outcomes == [(201, ""), *[(409, "rfq.already_awarded")] * 3]
    with fair.portal.db.session(fair.market.trade.buyer_id) as session:
        made = "SELECT count(*) FROM ts.trade_order o JOIN plugin_rfq.award a ON a.order_id = o.id WHERE a.request_id = :id"
        assert session.scalar(text(made), {"id": request_id}) == 1


def test_json_that_will_not_do_names_its_field(fair: Fair) -> None:
    line = {"text": "x", "quantity": "1", "unit": "t"}
    for body, path in (
        ({"lines": [line]}, "title"),
        ({"title": "x", "lines": []}, "lines"),
        ({"title": "x", "lines": [{**line, "quantity": "-1"}]}, "lines.0.quantity"),
        ({"title": "x", "lines": [{**line, "unit": ""}]}, "lines.0.unit"),
        ({"title": "x", "lines": [line], "audience": "everybody"}, "audience"),
        ({"title": "x", "lines": [line], "closes_at": "tomorrow"}, "closes_at"),
        ({"title": "x", "lines": [line], "colour": "red"}, "colour"),
        ({"title": "x", "lines": [line], "sellers": ["me"]}, "sellers.0"),
    ):
        answer = fair.buyer.api("POST", "/rfq/requests", body)
        assert answer.status_code == 422, (body, answer.text)
        assert [error["path"] for error in answer.json["errors"]] == [path]
        assert answer.json["errors"][0]["detail"] != answer.json["errors"][0]["code"]


def test_the_worker_closes_what_is_due(fair: Fair, server: Server) -> None:
    market = fair.market
    trade = market.trade
    trade.session.commit()
    request = market.published(closes_at=market.buyer().now + timedelta(seconds=1))
    trade.unit.finish(market.buyer())
    closes_at = request.closes_at
    database = Database(server.url_for("ts_worker", fair.portal.db.name))  # type: ignore[attr-defined]

    class Installation:
        unit = make_unit(database, bring(plugins.rfq).dispatch)

    with fair.portal.db.session() as session:
        session.execute(text("SELECT pg_sleep_until(CAST(:at AS timestamptz))"), {"at": closes_at})
    assert jobs.run_out(Installation) >= 1
    assert reading.request_facts(market.buyer(), request.id).state == "closed"
    assert jobs.run_out(Installation) == 0
    database.dispose()
