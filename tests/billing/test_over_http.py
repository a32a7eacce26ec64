"""Goods and money over JSON and in the portal: one trade from shipment to the last payment, and what lists cost."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from core import rooms
from tests.conftest import Server
from tests.orders.conftest import open_portal
from tests.orders.portal import Portal, Visitor

SELLING = ("seller.sales", "seller.warehouse", "seller.finance")
BUYING = ("buyer.clerk", "buyer.warehouse", "buyer.finance")


@pytest.fixture
def portal(server: Server, keys: None, tmp_path: Path) -> Iterator[Portal]:
    """A portal of its own for each test: they count what both enterprises own."""
    yield from open_portal(server, tmp_path)


@pytest.fixture
def selling(portal: Portal) -> Visitor:
    return portal.visitor("Li Min", *SELLING)


@pytest.fixture
def buying(portal: Portal) -> Visitor:
    return portal.visitor("Wang Fang", *BUYING)


@pytest.fixture
def order(portal: Portal, buying: Visitor, selling: Visitor) -> dict[str, Any]:
    """Ten of one article and four of another, confirmed and in progress."""
    lines = [{"sku_id": portal.trade.skus[name], "quantity": q} for name, q in (("bar", "10"), ("plate", "4"))]
    found = buying.api("POST", "/orders", {"seller_id": portal.trade.seller_id, "lines": lines}).json
    assert selling.api("POST", f"/orders/{found['id']}/confirm", {}).json["state"] == "in_progress"
    return found


def breaches(server: Server, database: str) -> dict[str, list[Any]]:
    """What `verify` would find, over both enterprises."""
    engine = create_engine(server.url_for("ts_migrator", database), poolclass=NullPool)
    with engine.connect() as connection:
        connection.execute(text("SET ROLE ts_owner"))
        found = {
            ident: connection.exec_driver_sql(sql.replace("%", "%%")).all()
            for room in ("ledger", "stock", "orders", "fulfilment", "billing")
            for ident, _, sql in getattr(rooms.part(room, "invariants"), "CHECKS", ())
        }
    engine.dispose()
    return {ident: rows for ident, rows in found.items() if rows}


def ok(answer: Any, status: int = 200) -> Any:
    assert answer.status_code == status, answer.text
    return answer.json


def test_a_trade_goes_from_shipment_to_the_last_payment_over_json(
    portal: Portal, order: dict[str, Any], buying: Visitor, selling: Visitor, server: Server
) -> None:
    path, (bar, plate) = f"/orders/{order['id']}", (line["id"] for line in order["lines"])
    sent = ok(
        selling.api(
            "POST", f"{path}/shipments",
            {"lines": [{"line_id": bar, "quantity": "6"}], "carrier": "中远", "waybill": "W-1"},
        ), 201,
    )  # fmt: skip
    assert (sent["number"][:3], sent["lines"][0]["lots"], sent["arrived"]) == ("SH-", ["L1"], False)
    counted = ok(
        buying.api(
            "POST", f"/shipments/{sent['id']}/receipts",
            {"lines": [{"line_id": bar, "received": "7", "rejected": "1", "reason": "锈蚀"}]},
        ), 201,
    )  # fmt: skip
    (row,) = counted["lines"]
    assert [row[name] for name in ("received", "accepted", "rejected", "over_held")] == ["6", "5", "1", "1"]
    kept = ok(buying.api("POST", f"/receipt-lines/{row['id']}/accept-excess", {}))
    assert kept["lines"][0]["accepted"] == "6"
    assert ok(selling.api("POST", f"/receipt-lines/{row['id']}/take-back", {}))["lines"][0]["returned"] == "1"
    bill = ok(selling.api("POST", f"{path}/invoices", {}), 201)
    assert (bill["total"], bill["open"], bill["state"]) == ("600.00", "600.00", "issued")

    rest = [{"line_id": bar, "quantity": "4"}, {"line_id": plate, "quantity": "3"}]
    sent = ok(selling.api("POST", f"{path}/shipments", {"lines": rest}), 201)
    counts = [{"line_id": bar, "received": "4"}, {"line_id": plate, "received": "3"}]
    ok(buying.api("POST", f"/shipments/{sent['id']}/receipts", {"lines": counts}), 201)
    asked = ok(selling.api("POST", f"{path}/short-close", {"line_id": plate, "reason": "缺货"}))
    assert (asked["state"], asked["quantity"]) == ("open", "1")
    assert ok(buying.api("POST", f"{path}/short-close", {"line_id": plate}))["state"] == "done"
    second = ok(selling.api("POST", f"{path}/invoices", {}), 201)
    assert second["total"] == "1151.50"
    assert breaches(server, portal.db.engine.url.database) == {}

    paid = ok(buying.api("POST", f"{path}/payments", {"amount": "1751.00", "bank_ref": "B-1"}), 201)
    assert (paid["state"], paid["allocated"]) == ("announced", "0.00")
    paid = ok(selling.api("POST", f"/payments/{paid['id']}/confirm", {}))
    assert (paid["state"], paid["allocated"], paid["unapplied"]) == ("confirmed", "1751.00", "0.00")
    refused = selling.api("POST", f"/invoices/{bill['id']}/write-off", {"reason": "x"})
    assert (refused.status_code, refused.json["code"]) == (409, "invoice.nothing_open")
    done = ok(selling.api("POST", f"/invoices/{second['id']}/write-off", {"reason": "尾差"}))
    assert done["state"] == "paid"
    assert ok(buying.api("GET", path))["state"] == "completed"
    detail = ok(buying.api("GET", f"/invoices/{second['id']}"))
    assert [part["amount"] for part in detail["settled_by"]] == ["1151.00", "0.50"]
    books = {row["code"].split(":")[0]: row["balance"] for row in ok(selling.api("GET", "/ledger/accounts"))["items"]}
    assert (books["bank"], books["receivable"], books["rounding"]) == ("1751.00", "0.00", "0.50")
    assert breaches(server, portal.db.engine.url.database) == {}


def test_a_refused_write_off_names_the_limits_in_words(order: dict[str, Any], buying: Visitor, selling: Visitor) -> None:
    path, bar = f"/orders/{order['id']}", order["lines"][0]["id"]
    sent = ok(selling.api("POST", f"{path}/shipments", {"lines": [{"line_id": bar, "quantity": "1"}]}), 201)
    ok(buying.api("POST", f"/shipments/{sent['id']}/receipts", {"lines": [{"line_id": bar, "received": "1"}]}), 201)
    bill = ok(selling.api("POST", f"{path}/invoices", {}), 201)
    paid = ok(buying.api("POST", f"/invoices/{bill['id']}/payments", {"amount": "99.50", "bank_ref": "B-1"}), 201)
    ok(selling.api("POST", f"/payments/{paid['id']}/confirm", {}))
    refused = selling.api("POST", f"/invoices/{bill['id']}/write-off", {"reason": "尾差"})
    assert (refused.status_code, refused.json["code"]) == (409, "invoice.write_off_limit")
    assert "0.50" in refused.json["detail"] and "0.10" in refused.json["detail"] and "1.00" in refused.json["detail"]


def test_repeating_an_act_with_its_key_does_it_once(order: dict[str, Any], buying: Visitor, selling: Visitor) -> None:
    path, bar, key = f"/orders/{order['id']}", order["lines"][0]["id"], uuid4().hex
    body = {"lines": [{"line_id": bar, "quantity": "10"}]}
    first, again = (selling.api("POST", f"{path}/shipments", body, key) for _ in range(2))
    assert first.text == again.text and again.headers["Idempotency-Replayed"] == "true"
    assert len(ok(buying.api("GET", f"{path}/shipments"))["items"]) == 1


def test_strangers_find_nothing_and_cannot_tell(
    portal: Portal, order: dict[str, Any], selling: Visitor, buying: Visitor
) -> None:
    path, bar = f"/orders/{order['id']}", order["lines"][0]["id"]
    sent = ok(selling.api("POST", f"{path}/shipments", {"lines": [{"line_id": bar, "quantity": "5"}]}), 201)
    ok(buying.api("POST", f"/shipments/{sent['id']}/receipts", {"lines": [{"line_id": bar, "received": "5"}]}), 201)
    bill = ok(selling.api("POST", f"{path}/invoices", {}), 201)
    paid = ok(buying.api("POST", f"{path}/payments", {"amount": "1.00", "bank_ref": "B-1"}), 201)
    stranger = portal.visitor("Nobody", "admin", at=uuid4())
    money = {"amount": "1.00", "bank_ref": "B-2"}
    for method, foreign, body in (
        ("GET", f"{path}/shipments", None),
        ("GET", f"/shipments/{sent['id']}", None),
        ("GET", f"{path}/invoices", None),
        ("GET", f"/invoices/{bill['id']}", None),
        ("GET", f"{path}/payments", None),
        ("POST", f"{path}/shipments", {"lines": [{"line_id": bar, "quantity": "1"}]}),
        ("POST", f"/shipments/{sent['id']}/receipts", {"lines": [{"line_id": bar, "received": "1"}]}),
        ("POST", f"{path}/invoices", {}),
        ("POST", f"/invoices/{bill['id']}/credit", {"reason": "x"}),
        ("POST", f"{path}/payments", money),
        ("POST", f"/payments/{paid['id']}/confirm", {}),
        ("POST", f"{path}/short-close", {"line_id": bar, "reason": "x"}),
    ):
        missing = foreign.replace(order["id"], str(uuid4())).replace(sent["id"], str(uuid4()))
        missing = missing.replace(bill["id"], str(uuid4())).replace(paid["id"], str(uuid4()))
        answers = [stranger.api(method, where, body) for where in (foreign, missing)]
        assert [answer.status_code for answer in answers] == [404, 404], (foreign, answers[0].text)
        assert answers[0].json["code"] == answers[1].json["code"]


def deliver(order: dict[str, Any], selling: Visitor, buying: Visitor, times: int) -> None:
    path, bar = f"/orders/{order['id']}", order["lines"][0]["id"]
    for _ in range(times):
        sent = ok(selling.api("POST", f"{path}/shipments", {"lines": [{"line_id": bar, "quantity": "1"}]}), 201)
        ok(buying.api("POST", f"/shipments/{sent['id']}/receipts", {"lines": [{"line_id": bar, "received": "1"}]}), 201)
        ok(selling.api("POST", f"{path}/invoices", {}), 201)
        paid = buying.api("POST", f"{path}/payments", {"amount": "10.00", "bank_ref": uuid4().hex})
        ok(selling.api("POST", f"/payments/{ok(paid, 201)['id']}/confirm", {}))


def test_lists_cost_the_same_few_statements_however_long_they_are(
    order: dict[str, Any], buying: Visitor, selling: Visitor
) -> None:
    deliver(order, selling, buying, 1)
    path = f"/orders/{order['id']}"
    account = ok(selling.api("GET", "/ledger/accounts"))["items"][0]["id"]
    lists = (
        "/invoices", "/payments", "/shipments", f"{path}/shipments", f"{path}/invoices", f"{path}/payments",
        "/ledger/accounts", f"/ledger/accounts/{account}/entries",
    )  # fmt: skip

    def cost() -> dict[str, int]:
        return {where: int(selling.api("GET", where).headers["X-Statements"]) for where in lists}

    cost()
    few = cost()
    deliver(order, selling, buying, 3)
    assert cost() == few
    assert max(few.values()) <= 6, few
    page = ok(selling.api("GET", "/invoices?limit=3"))
    rest = ok(selling.api("GET", f"/invoices?limit=3&after={page['next']}"))
    assert len(page["items"]) == 3 and len(rest["items"]) == 1 and rest["next"] is None
    assert selling.api("GET", "/invoices?after=xx").status_code == 400


def figures_of(html: str, action: str) -> dict[str, str]:
    """The fields of the form that posts to an address, as a browser would send them."""
    found = re.search(rf'<form[^>]*action="{re.escape(action)}"[^>]*>(.*?)</form>', html, re.S)
    assert found, action
    fields = dict(re.findall(r'<input[^>]*name="([^"_][^"]*)"[^>]*value="([^"]*)"', found[1]))
    for name, options in re.findall(r'<select[^>]*name="([^"]+)"[^>]*>(.*?)</select>', found[1], re.S):
        fields[name] = re.findall(r'value="([^"]*)"', options)[0]
    return {name: value for name, value in fields.items() if name not in ("later", "decision", "money")}


@pytest.mark.parametrize("lang", ["zh-CN", "en"])
def test_the_same_trade_in_the_portal(
    portal: Portal, order: dict[str, Any], buying: Visitor, selling: Visitor, server: Server, lang: str
) -> None:
    page = f"/orders/{order['id']}"

    def do(who: Visitor, act: str, room: str = "billing", **more: str) -> None:
        address = f"/{room}{page}/{act}"
        fields = figures_of(who.get(page, lang).text, address)
        answer = who.post(address, **{**fields, **more})
        assert (answer.status_code, answer.headers["Location"]) == (303, page), answer.text

    do(selling, "ship", "fulfilment")
    do(buying, "receive", "fulfilment")
    do(selling, "issue-invoice")
    do(buying, "announce-payment", amount="2,001.40", bank_ref="B-1")
    do(selling, "confirm-payment")
    do(selling, "write-off", reason="尾差")
    assert ok(buying.api("GET", page))["state"] == "completed"
    assert breaches(server, portal.db.engine.url.database) == {}

    bill = ok(selling.api("GET", "/invoices"))["items"][0]["id"]
    sent = ok(selling.api("GET", "/shipments"))["items"][0]["id"]
    account = ok(selling.api("GET", "/ledger/accounts"))["items"][0]["id"]
    for who in (selling, buying):
        for where in (
            "/billing", "/billing?view=collect", "/billing?view=pay", "/billing/payments", f"/billing/invoices/{bill}",
            "/billing/ledger", "/fulfilment", "/fulfilment?side=buyer", f"/fulfilment/shipments/{sent}", "/", page,
        ):  # fmt: skip
            answer = who.get(where, lang)
            assert answer.status_code == 200, (where, answer.text)
    assert "2,001.40" in selling.get(f"/billing/ledger/{account}", lang).text or account
    assert selling.get(f"/billing/ledger/{account}", lang).status_code == 200
    do(selling, "credit-invoice", amount="5.00", reason="质量扣款")
    do(selling, "refund-payment", bank_ref="R-1", reason="折让退款")
    assert ok(buying.api("GET", page))["state"] == "completed"
    assert ok(buying.api("GET", "/payments"))["items"][0]["refunded"] == "5.00"
    assert breaches(server, portal.db.engine.url.database) == {}


def test_a_page_that_refuses_says_why_and_changes_nothing(
    portal: Portal, order: dict[str, Any], buying: Visitor, selling: Visitor
) -> None:
    page = f"/orders/{order['id']}"
    bar = order["lines"][0]["id"]
    answer = selling.post(f"/fulfilment{page}/ship", True, **{f"qty-{bar}": "11"})
    assert "10.00" in answer.text and "may still leave" in answer.text
    answer = selling.post(f"/fulfilment{page}/ship", True, **{f"qty-{bar}": "much"})
    assert answer.status_code == 422 and 'value="much"' in answer.text
    assert ok(selling.api("GET", f"{page}/shipments"))["items"] == []
    assert buying.post(f"/fulfilment{page}/ship", **{f"qty-{bar}": "1"}).status_code == 403


def test_the_workbench_tells_each_side_what_waits(order: dict[str, Any], buying: Visitor, selling: Visitor) -> None:
    path, bar = f"/orders/{order['id']}", order["lines"][0]["id"]
    assert "Ship an order" in selling.get("/").text
    sent = ok(selling.api("POST", f"{path}/shipments", {"lines": [{"line_id": bar, "quantity": "10"}]}), 201)
    assert "Receive a shipment" in buying.get("/").text
    ok(buying.api("POST", f"/shipments/{sent['id']}/receipts", {"lines": [{"line_id": bar, "received": "10"}]}), 201)
    assert "Bill what was accepted" in selling.get("/").text
    ok(selling.api("POST", f"{path}/invoices", {}), 201)
    assert "Pay an invoice" in buying.get("/").text
    ok(buying.api("POST", f"{path}/payments", {"amount": "1.00", "bank_ref": "B-1"}), 201)
    assert "Confirm a payment" in selling.get("/").text
