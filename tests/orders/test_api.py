"""Orders over JSON: one trade from order to amendment, what is promised about retries, and what it costs."""

from typing import Any
from uuid import uuid4

import pytest
from werkzeug.test import TestResponse

from core import tenancy
from tests.orders.portal import Portal, Visitor


def wish(portal: Portal, **more: Any) -> dict[str, Any]:
    lines = [
        {"sku_id": str(portal.trade.skus[name]), "quantity": "2"} for name in ("bar", "plate", "bearing")
    ]
    return {"seller_id": str(portal.trade.seller_id), "lines": lines, **more}


def placed(portal: Portal, buying: Visitor, **more: Any) -> dict[str, Any]:
    answer = buying.api("POST", "/orders", wish(portal, **more))
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json
    return found


def code(answer: TestResponse) -> tuple[int, str]:
    return answer.status_code, answer.json["code"]


def test_an_order_goes_through_its_life_over_json(portal: Portal, buying: Visitor, selling: Visitor) -> None:
    order = placed(portal, buying, buyer_po="4500187736", delivery_date="2027-01-05")
    assert (order["state"], order["total"], order["version"]) == ("submitted", "774.00", 2)
    assert [line["gross"] for line in order["lines"]] == ["200.00", "501.00", "73.00"]
    path = f"/orders/{order['id']}"
    changes = {"lines": [{"no": 10, "unit_price": "110"}], "reason": "dearer", "version": 2}
    assert selling.api("POST", f"{path}/counter", changes).json["state"] == "countered"
    assert buying.api("POST", f"{path}/accept", {}).json["state"] == "in_progress"
    proposed = buying.api(
        "POST", f"{path}/amendments", {"lines": [{"no": 10, "quantity": "3"}], "reason": "one more"}
    )
    assert (proposed.status_code, proposed.json["kind"]) == (201, "amend")
    found = selling.api("GET", path).json
    assert found["proposal"]["changes"] == [
        {"no": 10, "what": "quantity", "before": "2.000000", "after": "3"}
    ]
    assert {act["verb"] for act in found["acts"]} >= {"agree", "refuse", "hold"}
    agreed = selling.api("POST", f"{path}/agree", {}).json
    assert (agreed["total"], agreed["terms_version"]) == ("904.00", 2)
    verbs = [event["verb"] for event in buying.api("GET", f"{path}/events").json["items"]]
    assert verbs == ["amend", "proposed_amend", "start", "accept", "counter", "submit"]
    listed = selling.api("GET", "/orders?q=4500187736").json["items"]
    assert [(row["number"], row["side"]) for row in listed] == [(order["number"], "seller")]


def test_the_etag_is_the_version_and_a_known_one_is_not_sent_again(portal: Portal, buying: Visitor) -> None:
    order = placed(portal, buying)
    answer = buying.api("GET", f"/orders/{order['id']}")
    assert answer.headers["ETag"] == '"2"'
    assert buying.api("GET", f"/orders/{order['id']}", **{"If-None-Match": '"2"'}).status_code == 304


# ruling 11


def test_the_same_key_and_body_answer_the_same_and_order_once(portal: Portal, buying: Visitor) -> None:
    body, key = wish(portal, buyer_po="only once"), uuid4().hex
    first, again = (buying.api("POST", "/orders", body, key) for _ in range(2))
    assert (first.status_code, first.text) == (again.status_code, again.text)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert len(buying.api("GET", "/orders?q=only once").json["items"]) == 1


def test_the_same_key_with_another_body_is_refused(portal: Portal, buying: Visitor) -> None:
    key = uuid4().hex
    buying.api("POST", "/orders", wish(portal), key)
    assert code(buying.api("POST", "/orders", wish(portal, note="other"), key)) == (
        422,
        "idempotency.key_reused",
    )


def test_a_missing_key_is_refused(portal: Portal, buying: Visitor) -> None:
    assert code(buying.api("POST", "/orders", wish(portal), None)) == (400, "idempotency.key_missing")


def test_the_same_key_of_another_person_or_route_is_another_key(portal: Portal, buying: Visitor) -> None:
    colleague, key = portal.visitor("Chen Bo", "buyer.clerk"), uuid4().hex
    first = buying.api("POST", "/orders", wish(portal), key)
    second = colleague.api("POST", "/orders", wish(portal), key)
    assert first.json["id"] != second.json["id"]
    assert (
        buying.api("POST", f"/orders/{first.json['id']}/cancel", {"reason": "x"}, key).json["state"]
        == "cancelled"
    )


def test_a_refused_command_keeps_its_key_free(portal: Portal, buying: Visitor) -> None:
    key = uuid4().hex
    short = wish(portal)
    short["lines"][0]["quantity"] = "100000"
    assert code(buying.api("POST", "/orders", short, key)) == (409, "stock.short")
    assert buying.api("POST", "/orders", wish(portal), key).status_code == 201


# drafts, versions


def test_a_draft_is_replaced_under_if_match(portal: Portal, buying: Visitor, selling: Visitor) -> None:
    order = buying.api("POST", "/orders/drafts", wish(portal)).json
    path = f"/orders/{order['id']}"
    assert code(selling.api("GET", path)) == (404, "order.not_found")
    assert code(buying.api("PUT", path, wish(portal))) == (428, "version.required")
    changed = buying.api("PUT", path, wish(portal, note="soon"), **{"If-Match": '"1"'})
    assert (changed.status_code, changed.json["version"]) == (200, 2)
    assert buying.api("PUT", path, wish(portal), **{"If-Match": '"1"'}).status_code in (409, 412)
    assert buying.api("POST", f"{path}/submit", {"version": 2}).json["state"] == "submitted"


def test_a_stale_version_is_a_conflict_that_names_the_current_one(
    portal: Portal, buying: Visitor, selling: Visitor
) -> None:
    order = placed(portal, buying)
    answer = selling.api("POST", f"/orders/{order['id']}/confirm", {"version": 1})
    assert code(answer) == (409, "order.version_conflict")
    assert "2" in answer.json["detail"]


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"lines": []}, "lines"),
        ({"seller_id": "x"}, "seller_id"),
        ({"colour": "red"}, "colour"),
        ({"lines": [{"sku_id": str(uuid4()), "quantity": "1"}]}, "lines.0.sku_id"),
        ({"lines": [{"sku_id": str(uuid4()), "quantity": "NaN"}]}, "lines.0.quantity"),
        ({"lines": [{"sku_id": str(uuid4()), "quantity": "1e30"}]}, "lines.0.quantity"),
        ({"lines": [{"sku_id": str(uuid4()), "quantity": "-1"}]}, "lines.0.quantity"),
        ({"lines": [{"sku_id": str(uuid4()), "quantity": "1.0000001"}]}, "lines.0.quantity"),
        ({"note": "a\x00b"}, "note"),
        ({"delivery_date": "tomorrow"}, "delivery_date"),
    ],
)
def test_what_cannot_be_understood_is_named_by_its_path(
    portal: Portal, buying: Visitor, change: dict[str, Any], path: str
) -> None:
    answer = buying.api("POST", "/orders", {**wish(portal), **change})
    assert answer.status_code == 422
    assert [error["path"] for error in answer.json["errors"]] == [path]
    assert all("." not in error["detail"].split()[0] for error in answer.json["errors"]), answer.json


# cost


def test_placing_three_lines_costs_at_most_twenty_statements(portal: Portal, buying: Visitor) -> None:
    placed(portal, buying)
    answer = buying.api("POST", "/orders", wish(portal))
    assert int(answer.headers["X-Statements"]) <= 20


def test_an_order_worth_more_than_a_column_holds_is_refused(
    portal: Portal, buying: Visitor, selling: Visitor
) -> None:
    order = placed(portal, buying)
    huge = {"lines": [{"no": 10, "quantity": "999999999", "unit_price": "999999999"}], "reason": "?"}
    refused = selling.api("POST", f"/orders/{order['id']}/counter", huge)
    assert code(refused) == (422, "input.invalid")
    assert refused.json["errors"][0]["path"] == "lines.0.unit_price"


def test_a_list_costs_the_same_for_any_number_of_rows(
    portal: Portal, buying: Visitor, selling: Visitor
) -> None:
    costs = []
    for _ in range(2):
        placed(portal, buying)
        costs += [int(one.api("GET", "/orders").headers["X-Statements"]) for one in (buying, selling)]
    assert len(set(costs)) == 1 and costs[0] <= 6


def test_amounts_of_a_list_are_written_like_those_of_an_order(portal: Portal, buying: Visitor) -> None:
    order = placed(portal, buying)
    row = next(each for each in buying.api("GET", "/orders").json["items"] if each["id"] == order["id"])
    assert row["total"] == order["total"] and len(row["total"].partition(".")[2]) == 2
    assert [row[name] for name in ("invoiced", "prepaid", "paid")] == ["0.00"] * 3


def test_pages_of_a_list_follow_each_other_without_gaps(portal: Portal, buying: Visitor) -> None:
    numbers = [placed(portal, buying, buyer_po="PAGES")["number"] for _ in range(5)]
    path = "/orders?limit=2&q=PAGES"
    first = buying.api("GET", path).json
    second = buying.api("GET", f"{path}&after={first['next']}").json
    third = buying.api("GET", f"{path}&after={second['next']}").json
    seen = [row["number"] for page in (first, second, third) for row in page["items"]]
    assert seen == numbers[::-1] and third["next"] is None
    assert code(buying.api("GET", "/orders?after=nonsense")) == (400, "page.bad_cursor")


def test_a_stranger_finds_nothing(portal: Portal, buying: Visitor) -> None:
    order = placed(portal, buying)
    with portal.trade.unit.system(other := uuid4(), "test") as ctx:
        tenancy.register_enterprise(ctx, name="别家公司", uscc="91110108MA00123455", kind="trader")
    stranger = portal.visitor("Nobody", "admin", at=other)
    for answer in (stranger.api("GET", f"/orders/{order['id']}"), stranger.api("GET", f"/orders/{uuid4()}")):
        assert code(answer) == (404, "order.not_found")
    assert stranger.api("GET", "/orders").json["items"] == []
    assert code(stranger.api("POST", f"/orders/{order['id']}/confirm", {})) == (404, "order.not_found")
