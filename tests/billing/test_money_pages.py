"""One payment over several invoices, and a red invoice by quantity, as pages: what is proposed, what is refused, what is kept."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.conftest import Server
from tests.orders.conftest import open_portal
from tests.orders.portal import Portal, Visitor


@pytest.fixture(scope="module")
def portal(server: Server, keys: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    yield from open_portal(server, Path(tmp_path_factory.mktemp("money")))


@pytest.fixture(scope="module")
def selling(portal: Portal) -> Visitor:
    return portal.visitor("Li Min", "seller.sales", "seller.warehouse", "seller.finance")


@pytest.fixture(scope="module")
def buying(portal: Portal) -> Visitor:
    return portal.visitor("Wang Fang", "buyer.clerk", "buyer.warehouse", "buyer.finance")


def ok(answer: Any, status: int = 200) -> Any:
    assert answer.status_code == status, answer.text
    return answer.json


def billed(portal: Portal, buying: Visitor, selling: Visitor, quantity: str) -> dict[str, Any]:
    """An order of one article (100.00 each, VAT inside), delivered and billed: its invoice as JSON answers it."""
    wanted = [{"sku_id": portal.trade.skus["bar"], "quantity": quantity}]
    order = ok(buying.api("POST", "/orders", {"seller_id": portal.trade.seller_id, "lines": wanted}), 201)
    path, line = f"/orders/{order['id']}", order["lines"][0]["id"]
    ok(selling.api("POST", f"{path}/confirm", {}))
    sent = ok(selling.api("POST", f"{path}/shipments", {"lines": [{"line_id": line, "quantity": quantity}]}), 201)
    count = {"lines": [{"line_id": line, "received": quantity}]}
    ok(buying.api("POST", f"/shipments/{sent['id']}/receipts", count), 201)
    made: dict[str, Any] = ok(selling.api("POST", f"{path}/invoices", {}), 201)
    return made


def field(html: str, name: str) -> str:
    found = re.search(rf'<input[^>]*name="{re.escape(name)}"[^>]*>', html)
    assert found, name
    return found[0]


def invoice(who: Visitor, invoice_id: str) -> dict[str, Any]:
    found: dict[str, Any] = ok(who.api("GET", f"/invoices/{invoice_id}"))["invoice"]
    return found


def test_one_transfer_pays_invoices_of_two_orders(portal: Portal, buying: Visitor, selling: Visitor) -> None:
    one, two = (billed(portal, buying, selling, quantity) for quantity in ("3", "2"))
    page = buying.get("/billing/pay").text
    (href,) = set(re.findall(r'href="(/billing/pay/[^"]+)"', page))
    href = href.replace("&amp;", "&")
    form = buying.get(href).text
    shares = {name: f"share-{made['id']}" for name, made in (("one", one), ("two", two))}
    assert 'value="300"' in field(form, shares["one"]) and 'value="200"' in field(form, shares["two"])

    typed = {shares["one"]: "300.00", shares["two"]: "200.01", "bank_ref": "BK-1", "note": "October"}
    refused = buying.post(href, **typed)
    assert refused.status_code == 422
    wrong = field(refused.text, shares["two"])
    assert 'value="200.01"' in wrong and 'aria-invalid="true"' in wrong and "autofocus" in wrong
    assert 'value="BK-1"' in refused.text and 'value="October"' in refused.text and "200.00" in refused.text

    for bad, at in (
        ({shares["one"]: "1.234"}, shares["one"]),
        ({shares["one"]: "much"}, shares["one"]),
        ({shares["one"]: "-5"}, shares["one"]),
        ({shares["one"]: "", shares["two"]: ""}, shares["one"]),
        ({"amount": "1"}, "amount"),
        ({"bank_ref": " "}, "bank_ref"),
    ):
        again = buying.post(href, **{**typed, shares["two"]: "200", **bad})
        assert again.status_code == 422 and 'aria-invalid="true"' in field(again.text, at), bad

    made = buying.post(href, **{**typed, shares["two"]: "150"})
    assert made.status_code == 303, made.text
    where = made.headers["Location"]
    assert "/confirm" not in buying.get(where).text, "the buyer does not confirm"
    assert buying.get(f"{where}/confirm").status_code == 403

    form = selling.get(f"{where}/confirm").text
    assert 'value="300"' in field(form, shares["one"]) and 'value="150"' in field(form, shares["two"]), "as announced"
    done = selling.post(f"{where}/confirm", **{shares["one"]: "250", shares["two"]: "200", "bank_ref": "BK-1"})
    assert done.status_code == 303, done.text
    assert (invoice(buying, one["id"])["open"], invoice(buying, two["id"])["open"]) == ("50.00", "0.00")
    for lang in ("zh-CN", "en"):
        shown = buying.get(where, lang).text
        assert "250.00" in shown and "200.00" in shown
    late = selling.post(f"{where}/confirm", **{shares["one"]: "50", "bank_ref": "BK-1"})
    assert late.status_code == 303, "what is decided is refused where one came from"
    assert invoice(buying, one["id"])["open"] == "50.00"


def test_a_reference_that_is_taken_is_said_at_its_field(portal: Portal, buying: Visitor, selling: Visitor) -> None:
    made = billed(portal, buying, selling, "1")
    href = f"/billing/pay/{portal.trade.seller_id}"
    reference = uuid4().hex
    assert buying.post(href, **{f"share-{made['id']}": "40", "bank_ref": reference}).status_code == 303
    again = buying.post(href, **{f"share-{made['id']}": "60", "bank_ref": reference})
    assert again.status_code == 422 and 'aria-invalid="true"' in field(again.text, "bank_ref")
    order = f"/orders/{made['order_id']}"
    dialog = buying.post(
        f"/billing{order}/announce-payment", _act="announce_payment", amount="60", bank_ref=reference, note="rest"
    )
    assert dialog.status_code == 409 and 'aria-invalid="true"' in field(dialog.text, "bank_ref")
    assert 'value="60"' in field(dialog.text, "amount") and 'value="rest"' in dialog.text


def test_spare_money_goes_where_the_seller_says(portal: Portal, buying: Visitor, selling: Visitor) -> None:
    first = billed(portal, buying, selling, "1")
    href = f"/billing/pay/{portal.trade.seller_id}"
    made = buying.post(href, **{f"share-{first['id']}": "100", "amount": "180", "bank_ref": uuid4().hex})
    assert made.status_code == 303, made.text
    where = made.headers["Location"]
    share = {f"share-{first['id']}": "100"}
    assert selling.post(f"{where}/confirm", bank_ref=uuid4().hex, **share).status_code == 303
    second = billed(portal, buying, selling, "2")
    page = selling.get(f"{where}/allocate")
    assert page.status_code == 200 and "80.00" in page.text
    much = selling.post(f"{where}/allocate", **{f"share-{second['id']}": "80.01"})
    assert much.status_code == 422 and 'value="80.01"' in field(much.text, f"share-{second['id']}")
    assert selling.post(f"{where}/allocate", **{f"share-{second['id']}": "80"}).status_code == 303
    assert invoice(buying, second["id"])["open"] == "120.00"
    assert selling.get(f"{where}/allocate").status_code == 409, "nothing is left"


def test_a_red_invoice_takes_back_pieces(portal: Portal, buying: Visitor, selling: Visitor) -> None:
    blue = billed(portal, buying, selling, "10")
    where = f"/billing/invoices/{blue['id']}"
    assert f'href="{where}/credit"' in selling.get(where).text and f'href="{where}/credit"' not in buying.get(where).text
    form = selling.get(f"{where}/credit", "zh-CN")
    (name,) = re.findall(r'name="(qty-[^"]+)"', form.text)
    for bad, at in (
        ({name: "11"}, name),
        ({name: "-1"}, name),
        ({name: "0.0000001"}, name),
        ({name: ""}, name),
        ({"what": "amount", "amount": ""}, "amount"),
        ({"what": "amount", "amount": "1000.01"}, "amount"),
        ({"what": "everything"}, "what"),
        ({"reason": " "}, "reason"),
    ):
        refused = selling.post(f"{where}/credit", **{"what": "lines", name: "2.5", "reason": "rust", **bad})
        assert refused.status_code == 422, bad
        assert re.search(rf'name="{at}"[^>]*aria-describedby', refused.text), bad
    assert invoice(selling, blue["id"])["credited"] == "0.00"

    made = selling.post(f"{where}/credit", what="lines", reason="rust", **{name: "2.5"})
    assert made.status_code == 303, made.text
    assert invoice(selling, blue["id"])["credited"] == "250.00"
    red = ok(selling.api("GET", f"/invoices/{made.headers['Location'].rpartition('/')[2]}"))
    assert (red["invoice"]["total"], red["lines"][0]["quantity"]) == ("-250.00", "-2.5")
    assert "7.5" in selling.get(f"{where}/credit").text
    assert selling.post(f"{where}/credit", what="whole", reason="all of it").status_code == 303
    assert selling.get(f"{where}/credit").status_code == 409
    assert buying.get(f"{where}/credit").status_code == 403


def test_strangers_find_no_payment(portal: Portal, buying: Visitor, selling: Visitor) -> None:
    for who in (buying, selling):
        assert who.get(f"/billing/payments/{uuid4()}").status_code == 404
    assert buying.get(f"/billing/pay/{uuid4()}").status_code == 404
    assert buying.get(f"/billing/pay/{portal.trade.seller_id}?currency=XXX").status_code == 409
