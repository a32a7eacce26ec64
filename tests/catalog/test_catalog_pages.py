"""The pages and the API of catalogue and stock, as a signed-in person and a key meet them."""

import re
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from core import catalog, stock
from core.db import Unit
from tests.catalog.portal import csrf_of
from tests.conftest import OTHER, TENANT

D = Decimal


def test_a_buyer_sees_goods_with_its_own_price_and_the_free_stock(
    signed_in: Any, goods: dict[str, UUID]
) -> None:
    page = signed_in(OTHER, "buyer.clerk").get("/catalog?q=6200")
    text = page.get_data(as_text=True)
    assert page.status_code == 200
    assert "88.00" in text and "100.00" in text and "Exact match" in text and "江南轴承" in text
    assert re.search(r"\b40\b", text)


def test_lists_take_at_most_six_statements_and_as_many_for_one_row(
    signed_in: Any, goods: dict[str, UUID]
) -> None:
    buyer, seller = signed_in(OTHER, "buyer.clerk"), signed_in(TENANT, "admin")
    for client, urls in (
        (buyer, ("/catalog?q=6200", "/catalog")),
        (seller, ("/products?q=6200", "/products")),
        (seller, ("/stock?q=6200", "/stock")),
    ):
        client.get(urls[0])  # what the process learns once, it has learnt
        one, many = (int(client.get(url).headers["X-Statements"]) for url in urls)
        assert one == many <= 6, (urls, one, many)


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_every_page_shows_in_both_languages(signed_in: Any, goods: dict[str, UUID], language: str) -> None:
    seller = signed_in(TENANT, "admin", language=language)
    sku = goods["6200"]
    for url in (
        "/catalog",
        "/catalog?q=nothing-like-it",
        "/catalog?category=bearing&sort=-price",
        f"/catalog/{sku}",
        f"/catalog/{sku}?quantity=12",
        f"/catalog/{sku}?quantity=many",
        "/products",
        "/products?status=withdrawn",
        f"/products/{sku}",
        f"/products/{sku}/edit",
        "/products/new?category=bearing",
        "/products/import",
        "/stock",
        "/stock?state=out",
        f"/stock/{sku}",
        "/stock/receive",
    ):
        page = seller.get(url)
        text = page.get_data(as_text=True)
        assert page.status_code == 200, (url, text[:2000])
        assert ("目录" in text) == (language == "zh-CN")
        assert "style=" not in text and " onclick" not in text


def test_a_listing_explains_its_price(signed_in: Any, goods: dict[str, UUID]) -> None:
    text = signed_in(OTHER, "buyer.clerk").get(f"/catalog/{goods['6201']}?quantity=12").get_data(as_text=True)
    assert "1,140.00" in text and "Tier of the price list" in text and "131.15" in text


def test_the_next_page_goes_on_where_the_first_ended(signed_in: Any, goods: dict[str, UUID]) -> None:
    buyer = signed_in(OTHER, "buyer.clerk")
    first = buyer.get("/catalog").get_data(as_text=True)
    following = re.search(r'href="([^"]+)" rel="next"', first)
    assert following
    second = buyer.get(following.group(1).replace("&amp;", "&")).get_data(as_text=True)
    shown = [set(re.findall(r">[^<>]*\b(6224|6225)\b[^<>]*<", page)) for page in (first, second)]
    assert shown == [{"6224"}, {"6225"}]


def test_a_seller_adds_edits_prices_and_lists_a_product(
    signed_in: Any, unit: Unit, goods: dict[str, UUID]
) -> None:
    seller = signed_in(TENANT, "admin")
    token = csrf_of(seller, "/products/new")
    form = {"_csrf": token, "code": "NEW-1", "name_zh": "新品", "category": "bearing", "base_uom": "pcs"}
    form |= {"tax_class": "goods", "attributes.bore": "wide", "weight_kg": "0.5"}
    wrong = seller.post("/products/new", data=form)
    assert wrong.status_code == 422
    assert "must be a number" in wrong.get_data(as_text=True) and "新品" in wrong.get_data(as_text=True)
    added = seller.post("/products/new", data=form | {"attributes.bore": "12"})
    assert added.status_code == 303
    address = added.headers["Location"]
    priced = seller.post(f"{address}/prices", data={"_csrf": token, "min_qty.0": "1", "price.0": "12.5"})
    assert priced.status_code == 303
    assert (
        seller.post(f"{address}/prices", data={"_csrf": token, "min_qty.0": "x", "price.0": "1"}).status_code
        == 422
    )
    assert seller.post(f"{address}/publish", data={"_csrf": token}).status_code == 303
    edit = form | {"name_zh": "改名", "attributes.bore": "13", "version": "2"}
    assert seller.post(f"{address}/edit", data=edit).status_code == 303
    stale = seller.post(f"{address}/edit", data=edit | {"name_zh": "又改"})
    assert stale.status_code == 422 and "又改" in stale.get_data(as_text=True)
    with unit.system(OTHER, "look") as ctx:
        (row,) = catalog.find_listings(ctx, catalog.Search("NEW-1")).rows
        assert (row.name_zh, row.public_price, row.attributes) == ("改名", D("12.5"), {"bore": "13"})


def test_many_products_are_withdrawn_at_once(signed_in: Any, goods: dict[str, UUID]) -> None:
    seller = signed_in(TENANT, "admin")
    token = csrf_of(seller, "/products")
    chosen = [str(goods["6200"]), str(goods["6201"])]
    done = seller.post("/products/withdraw", data={"_csrf": token, "ids": chosen})
    assert done.status_code == 303
    assert "2 products withdrawn" in seller.get("/products").get_data(as_text=True)
    assert seller.post("/products/withdraw", data={"_csrf": token}).status_code == 303  # says: choose one
    assert "Choose at least one product" in seller.get("/products").get_data(as_text=True)


def test_stock_is_corrected_and_received_in_the_portal(
    signed_in: Any, unit: Unit, goods: dict[str, UUID]
) -> None:
    keeper = signed_in(TENANT, "seller.warehouse")
    url, token = f"/stock/{goods['6200']}", csrf_of(keeper, f"/stock/{goods['6200']}")
    with unit.system(TENANT, "look") as ctx:
        store = str(stock.warehouses(ctx)[0].id)
    wrong = keeper.post(
        f"{url}/adjust", data={"_csrf": token, "warehouse": store, "quantity": "-2", "reason": ""}
    )
    assert wrong.status_code == 422
    too_much = {"_csrf": token, "warehouse": store, "quantity": "-50", "reason": "lost"}
    assert keeper.post(f"{url}/adjust", data=too_much).status_code == 422
    done = keeper.post(f"{url}/adjust", data=too_much | {"quantity": "-2"})
    assert done.status_code == 303
    assert "lost" in keeper.get(url).get_data(as_text=True)
    incoming = {
        "_csrf": token,
        "warehouse": store,
        "code": "6200",
        "quantity": "5",
        "lot_no": "L1",
        "heat_no": "H1",
    }
    assert keeper.post("/stock/receive", data=incoming).status_code == 303
    assert keeper.post("/stock/receive", data=incoming | {"code": "nothing"}).status_code == 422
    with unit.system(TENANT, "look") as ctx:
        assert stock.available(ctx, [goods["6200"]])[goods["6200"]].on_hand == 43


def test_foreign_and_missing_things_look_alike(signed_in: Any, goods: dict[str, UUID]) -> None:
    buyer = signed_in(OTHER, "admin")
    for path in ("/products/{}", "/products/{}/edit", "/stock/{}", "/products/imports/{}"):
        foreign = buyer.get(path.format(goods["6200"]))
        missing = buyer.get(path.format(UUID(int=1)))
        assert foreign.status_code == missing.status_code == 404


def test_a_buyer_may_not_open_the_sellers_pages(signed_in: Any, goods: dict[str, UUID]) -> None:
    buyer = signed_in(OTHER, "buyer.clerk")
    for path in ("/products", "/stock", "/products/import", "/products/new"):
        assert buyer.get(path).status_code == 403


def test_the_api_does_what_the_portal_does(call: Any, goods: dict[str, UUID]) -> None:
    found = call("GET", "/listings?q=6200&limit=1").get_json()
    assert (found["total"], found["rows"][0]["code"], found["rows"][0]["public_price"]) == (1, "6200", "100")
    detail = call("GET", f"/listings/{goods['6201']}?quantity=12").get_json()
    assert detail["price"]["amounts"] == {"net": "1008.85", "tax": "131.15", "gross": "1140.00"}
    assert len(detail["tiers"]) == 2
    added = call("POST", "/products", {"code": "API-1", "name_zh": "接口", "category": "bearing"})
    assert added.status_code == 201, added.get_json()
    sku, tag = added.get_json()["id"], added.headers["ETag"]
    changed = {"code": "API-1", "name_zh": "改"}
    assert call("PUT", f"/products/{sku}", changed).status_code == 428
    assert call("PUT", f"/products/{sku}", changed, If_Match=tag).status_code == 200
    assert call("PUT", f"/products/{sku}", changed, If_Match=tag).status_code == 412
    assert call("POST", "/products", changed).status_code == 409
    wrong = call("POST", "/products", {"code": "X", "name_zh": "y", "base_uom": "stone"})
    assert (wrong.status_code, wrong.get_json()["errors"][0]["path"]) == (422, "base_uom")
    assert call("POST", "/products/publish", {"ids": [sku]}).get_json() == {"count": 1}
    lists = call("GET", "/price-lists").get_json()
    public = next(each["id"] for each in lists if each["audience"] == "public")
    prices = {"prices": [{"sku_id": sku, "min_qty": "1", "price": "7.5"}]}
    assert call("PUT", f"/price-lists/{public}/prices", prices).status_code == 200
    store = call("GET", "/warehouses").get_json()[0]["id"]
    row = {"sku_id": sku, "warehouse_id": store, "qty": "9"}
    assert call("POST", "/stock/receipts", {"rows": [row]}).status_code == 204
    assert call("POST", "/stock/adjustments", row | {"qty": "-1", "reason": "broken"}).status_code == 204
    counted = call("POST", "/stock/counts", {"rows": [row | {"qty": "6"}], "reason": "count"})
    assert counted.get_json() == {"refused": []}
    assert call("GET", f"/stock/{sku}").get_json()["on_hand"] == "6"
    levels = call("GET", "/stock?q=API-1").get_json()
    assert levels["rows"][0]["free"] == "6"
    assert "API-1" in call("GET", "/products/export").get_data(as_text=True)
    category = {"code": "ring", "name_zh": "圈", "name_en": "Ring", "parent": "bearing"}
    assert call("POST", "/categories", category).get_json()["path"] == "bearing/ring"
    assert [each["path"] for each in call("GET", "/categories").get_json()] == ["bearing", "bearing/ring"]
    for path in ("/products/{}", "/listings/{}", "/stock/{}", "/imports/{}"):
        assert call("GET", path.format(UUID(int=1))).status_code == 404
