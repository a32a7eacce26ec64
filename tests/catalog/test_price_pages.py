"""Price lists, groups and the explanation in the portal and over JSON."""

from typing import Any
from uuid import UUID

import pytest

from core import tenancy
from core.db import Unit
from tests.catalog.portal import csrf_of
from tests.conftest import OTHER, TENANT


@pytest.fixture
def partner(unit: Unit, goods: dict[str, UUID]) -> None:
    with unit.system(TENANT, "test") as ctx:
        tenancy.set_partner(ctx, OTHER, price_group="A")


def opened(seller: Any, **more: str) -> Any:
    token = csrf_of(seller, "/price-lists/new")
    given = {"_csrf": token, "name": "Group A", "audience": "group", "group": "A", "ladder": "volume"}
    return seller.post("/price-lists/new", data=given | {"tax_incl": "1"} | more)


def test_every_page_shows_in_both_languages(signed_in: Any, partner: None, goods: dict[str, UUID]) -> None:
    explain = f"/price-lists/explain?customer_id={OTHER}&code=6200&quantity=12"
    for language in ("zh-CN", "en"):
        seller = signed_in(TENANT, "admin", language=language)
        address = opened(seller, name=f"A {language}").headers["Location"]
        for url in (
            "/price-lists", "/price-lists?view=group", "/price-lists?view=customer", "/price-lists/new", address,
            f"{address}?q=nothing", "/price-lists/groups", "/price-lists/explain", explain,
        ):  # fmt: skip
            page = seller.get(url)
            text = page.get_data(as_text=True)
            assert page.status_code == 200, (url, text[:2000])
            assert ("目录" in text) == (language == "zh-CN")
            assert "style=" not in text and " onclick" not in text
    auditor = signed_in(TENANT, "auditor").get(address).get_data(as_text=True)
    assert "Save prices" not in auditor
    assert signed_in(OTHER, "buyer.clerk").get("/price-lists").status_code == 403
    assert signed_in(OTHER, "admin").get(address).status_code == 404


def test_a_list_is_opened_or_says_what_is_wrong(signed_in: Any, partner: None) -> None:
    seller = signed_in(TENANT, "admin")
    for more, said in (
        ({"name": " "}, "A price list needs a name"),
        ({"audience": "tenant"}, "customer"),
        ({"group": ""}, "group"),
        ({"audience": "moon"}, "audience"),
        ({"customer_id": "x", "audience": "tenant"}, "customer_id"),
        ({"valid_from": "soon"}, "valid_from"),
        ({"valid_from": "2026-12-02", "last_day": "2026-12-01"}, "last_day"),
        ({"last_day": "9999-12-31"}, "last_day"),
    ):
        wrong = opened(seller, **more)
        assert wrong.status_code == 422 and said in wrong.get_data(as_text=True), more
    assert opened(seller, last_day="2099-12-31").status_code == 303
    assert opened(seller).status_code == 422
    assert "2099-12-31" in seller.get("/price-lists").get_data(as_text=True)


def test_prices_are_set_changed_and_taken_off(signed_in: Any, partner: None, goods: dict[str, UUID]) -> None:
    seller = signed_in(TENANT, "admin")
    url = opened(seller).headers["Location"]
    token = csrf_of(seller, url)
    tiers = {
        "_csrf": token,
        "code": "6201",
        "min_qty.0": "1",
        "price.0": "91",
        "min_qty.1": "10",
        "price.1": "90.5",
    }
    for more, said in (
        ({"code": "none"}, "You have no product with the code"),
        ({"price.1": "much"}, "f-price-1"),
        ({"min_qty.1": "1"}, "f-min_qty-1"),
        ({"price.0": "-1"}, "f-price-0"),
    ):
        wrong = seller.post(f"{url}/tiers", data=tiers | more)
        assert wrong.status_code == 422 and said in wrong.get_data(as_text=True), more
    assert seller.post(f"{url}/tiers", data={"_csrf": token, "code": "6201"}).status_code == 422
    assert seller.post(f"{url}/tiers", data=tiers).status_code == 303
    text = seller.get(f"{url}?code=6201").get_data(as_text=True)
    assert "90.50" in text and 'value="90.5"' in text
    explain = f"/price-lists/explain?customer_id={OTHER}&code=6201&quantity=12"
    text = seller.get(explain).get_data(as_text=True)
    assert "Gives the price" in text and "A level before it has a price" in text and "1,086.00" in text
    change = {
        "_csrf": token,
        "version": "2",
        "name": "Autumn",
        "valid_from": "2026-01-01",
        "last_day": "2026-01-31",
    }
    assert seller.post(url, data=change | {"valid_from": ""}).status_code == 422
    assert seller.post(url, data=change | {"last_day": "2025-01-31"}).status_code == 422
    assert seller.post(url, data=change).status_code == 303
    assert seller.post(url, data=change).status_code == 422
    text = seller.get(url).get_data(as_text=True)
    assert "Autumn" in text and "Over" in text and 'value="2026-01-31"' in text
    gone = {"_csrf": token, "sku_id": str(goods["6201"])}
    assert seller.post(f"{url}/drop", data=gone).status_code == 303
    assert "Nothing on the list yet" in seller.get(url).get_data(as_text=True)
    assert seller.post(f"{url}/drop", data=gone).status_code == 404
    assert seller.post(f"{url}/drop", data=gone | {"sku_id": "x"}).status_code == 303


def test_a_customer_is_put_into_a_group_and_taken_out(signed_in: Any, partner: None) -> None:
    seller = signed_in(TENANT, "admin")
    token = csrf_of(seller, "/price-lists/groups")
    put = {"_csrf": token, "customer_id": str(OTHER), "group": "Gold"}
    assert seller.post("/price-lists/groups", data=put).status_code == 303
    text = seller.get("/price-lists/groups").get_data(as_text=True)
    assert "Gold" in text and "none yet, so the group changes nothing" in text
    for more in ({"customer_id": ""}, {"group": "x" * 41}):
        assert seller.post("/price-lists/groups", data=put | more).status_code == 422
    seller.post("/price-lists/groups", data=put | {"group": ""})
    assert "No customer groups yet" in seller.get("/price-lists/groups").get_data(as_text=True)
    clerk = signed_in(TENANT, "seller.planner")
    assert "Put in" not in clerk.get("/price-lists/groups").get_data(as_text=True)


def test_a_question_that_cannot_be_answered_says_why(signed_in: Any, partner: None) -> None:
    seller = signed_in(TENANT, "admin")
    for query, said in (
        ("code=6200", "f-customer_id"),
        (f"customer_id={OTHER}&code=none", "You have no product"),
        (f"customer_id={OTHER}&code=6200&quantity=many", "f-quantity"),
        (f"customer_id={OTHER}&code=6200&quantity=-1", "f-quantity"),
    ):
        page = seller.get(f"/price-lists/explain?{query}")
        assert page.status_code == 422 and said in page.get_data(as_text=True), query


def test_the_api_keeps_lists_and_explains_prices(call: Any, partner: None, goods: dict[str, UUID]) -> None:
    made = call("POST", "/price-lists", {"name": "A", "audience": "group", "group": "A"}).get_json()
    url, sku = f"/price-lists/{made['id']}", str(goods["6201"])
    tiers = {"prices": [{"sku_id": sku, "min_qty": "1", "price": "90"}]}
    assert call("PUT", f"{url}/prices", tiers).get_json() == {"count": 1}
    found = call("GET", f"{url}/prices?q=6201").get_json()
    assert found["rows"][0]["tiers"] == [{"min_qty": "1", "price": "90"}] and found["next"] is None
    detail = call("GET", url)
    assert (detail.get_json()["products"], detail.headers["ETag"]) == (1, '"2"')
    asked = f"/price-explanations?customer_id={OTHER}&sku_id={sku}"
    told = call("GET", asked).get_json()
    assert told["price"]["unit_price"] == "90"
    assert [(each["tier"]["list_name"], each["verdict"]) for each in told["candidates"]] == [
        ("A", "wins"), ("Public prices", "later_level"),
    ]  # fmt: skip
    assert call("GET", f"{asked}&quantity=0").status_code == 422
    groups = call("GET", "/price-groups").get_json()
    assert [(each["code"], len(each["members"]), each["lists"][0]["name"]) for each in groups] == [
        ("A", 1, "A")
    ]
    change = {"name": "B", "valid_from": "2026-01-01T00:00:00+08:00", "valid_to": "2026-02-01T00:00:00+08:00"}
    assert call("PUT", url, change).status_code == 428
    assert call("PUT", url, change, If_Match='"2"').get_json()["name"] == "B"
    assert call("PUT", url, change, If_Match='"2"').status_code == 412
    assert call("GET", asked).get_json()["price"]["unit_price"] == "100"
    assert call("DELETE", f"{url}/prices/{sku}").status_code == 204
    assert call("DELETE", f"{url}/prices/{sku}").status_code == 404
    for path in ("", "/prices"):
        assert call("GET", f"/price-lists/{UUID(int=1)}{path}").status_code == 404
