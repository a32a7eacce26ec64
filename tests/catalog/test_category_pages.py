"""Categories in the portal and over JSON."""

import re
from typing import Any
from uuid import UUID

from tests.catalog.portal import csrf_of
from tests.conftest import OTHER, TENANT


def address(seller: Any, name: str = "Bearings") -> str:
    text = seller.get("/categories").get_data(as_text=True)
    found = re.search(rf'href="(/categories/[0-9a-f-]+)">{name}<', text)
    assert found, text
    return found.group(1)


def form(token: str, **more: str) -> dict[str, str]:
    named = {name.replace("__", "."): value for name, value in more.items()}
    return {"_csrf": token, "name_zh": "轴承", "name_en": "Bearings"} | named


def test_the_tree_shows_goods_and_owners(signed_in: Any, goods: dict[str, UUID]) -> None:
    seller = signed_in(TENANT, "admin")
    text = seller.get("/categories").get_data(as_text=True)
    assert "Own" in text and "/products?category=bearing" in text and ">60<" in text
    stranger = signed_in(OTHER, "admin")
    assert "Of others" in stranger.get("/categories").get_data(as_text=True)
    assert "Another enterprise keeps this category" in stranger.get(address(stranger)).get_data(as_text=True)
    for language in ("zh-CN", "en"):
        seller = signed_in(TENANT, "seller.planner", language=language)
        for url in (
            "/categories",
            "/categories/new?parent=bearing",
            address(seller, "(?:Bearings|轴承)"),
        ):
            page = seller.get(url)
            assert page.status_code == 200 and ("目录" in page.get_data(as_text=True)) == (
                language == "zh-CN"
            )
    assert signed_in(TENANT, "seller.sales").get("/categories").status_code == 403


def test_a_category_is_added_with_attributes_and_mended(signed_in: Any, goods: dict[str, UUID]) -> None:
    seller = signed_in(TENANT, "admin")
    token = csrf_of(seller, "/categories/new")
    given = form(token, name_en="Rollers", code="roller", parent="bearing")
    given |= {"attributes.2.key": "Rows", "attributes.2.name_zh": "列数", "attributes.2.name_en": "Rows"}
    given |= {"attributes.2.kind": "enum", "attributes.2.choices": "1\n2"}
    wrong = seller.post("/categories/new", data=given)
    text = wrong.get_data(as_text=True)
    assert wrong.status_code == 422 and "A key begins with a small letter" in text and 'value="Rows"' in text
    more = seller.post("/categories/new", data=given | {"more": "1"})
    assert more.status_code == 200 and "attributes.5.key" in more.get_data(as_text=True)
    done = seller.post("/categories/new", data=given | {"attributes.2.key": "rows"})
    assert done.status_code == 303
    text = seller.get(done.headers["Location"]).get_data(as_text=True)
    assert "bearing/roller" in text and "From the categories above" in text and "A number (mm)" in text
    again = seller.post("/categories/new", data=given | {"attributes.2.key": "rows"})
    assert again.status_code == 422 and "There is a category bearing/roller already" in again.get_data(
        as_text=True
    )


def test_names_and_attributes_are_changed_and_removed(signed_in: Any, goods: dict[str, UUID]) -> None:
    seller = signed_in(TENANT, "admin")
    url = address(seller)
    text = seller.get(url).get_data(as_text=True)
    assert "60 products state it" in text and "Buyers find 60 products by these names" in text
    token = csrf_of(seller, url)
    bore = {"attributes.0.key": "bore", "attributes.0.name_zh": "内径", "attributes.0.name_en": "Bore"}
    bore |= {"attributes.0.kind": "number", "attributes.0.unit": "mm", "attributes.0.gone": "1"}
    first = form(token, version="1", name_en="All bearings") | bore
    assert seller.post(url, data=first).status_code == 303
    text = seller.get(url).get_data(as_text=True)
    assert "All bearings" in text and 'value="bore"' not in text
    stale = seller.post(url, data=first)
    assert stale.status_code == 422
    assert seller.post(url, data=form(token, version="x", name_zh="")).status_code == 422


def test_a_category_is_moved_retired_and_restored(signed_in: Any, goods: dict[str, UUID]) -> None:
    seller = signed_in(TENANT, "admin")
    url, token = address(seller), csrf_of(seller, "/categories/new")
    seller.post("/categories/new", data=form(token, name_en="Parts", name_zh="零件", code="parts"))
    moved = seller.post(f"{url}/move", data={"_csrf": token, "version": "1", "parent": "parts"})
    assert moved.status_code == 303
    assert "parts/bearing" in seller.get(url).get_data(as_text=True)
    bad = seller.post(f"{url}/move", data={"_csrf": token, "version": "2", "parent": "nowhere"})
    assert bad.status_code == 303
    assert "nowhere" in seller.get(url).get_data(as_text=True)
    asked = seller.get(f"{url}/retire").get_data(as_text=True)
    assert "60 products stand on it, 60 of them listed" in asked
    assert seller.post(f"{url}/retire", data={"_csrf": token, "version": "2"}).status_code == 303
    assert "Restore category" in seller.get(url).get_data(as_text=True)
    assert "bearing" not in re.findall(
        r'option value="([^"]+)"', seller.get("/products/new").get_data(as_text=True)
    )
    assert seller.post(f"{url}/restore", data={"_csrf": token, "version": "3"}).status_code == 303
    stranger = signed_in(OTHER, "admin")
    other = csrf_of(stranger, "/categories/new")
    for act in ("move", "retire", "restore"):
        assert stranger.post(f"{url}/{act}", data={"_csrf": other, "version": "4"}).status_code == 404
    assert stranger.get(f"/categories/{UUID(int=1)}").status_code == 404


def test_somebody_elses_category_becomes_an_own_one(signed_in: Any, goods: dict[str, UUID]) -> None:
    stranger = signed_in(OTHER, "admin")
    url = address(stranger)
    made = stranger.post(f"{url}/adopt", data={"_csrf": csrf_of(stranger, "/categories/new")})
    assert made.status_code == 303 and made.headers["Location"] != url
    assert "Retire category" in stranger.get(made.headers["Location"]).get_data(as_text=True)


def test_the_api_arranges_categories(call: Any) -> None:
    found = next(each for each in call("GET", "/categories").get_json() if each["path"] == "bearing")
    url = f"/categories/{found['id']}"
    detail = call("GET", url)
    assert detail.headers["ETag"] == '"1"'
    assert detail.get_json()["use"] == {
        "products": 60,
        "listed": 60,
        "below": 0,
        "shelves": 0,
        "stated": {"bore": 60},
    }
    assert detail.get_json()["attributes"][0]["key"] == "bore" and detail.get_json()["own"] is True
    body = {
        "name_zh": "轴承",
        "name_en": "Bearing",
        "attributes": [{"key": "d", "name_zh": "径", "name_en": "d"}],
    }
    assert call("PUT", url, body).status_code == 428
    assert call("PUT", url, body, If_Match='"1"').headers["ETag"] == '"2"'
    assert call("PUT", url, body, If_Match='"1"').status_code == 412
    wrong = call(
        "PUT", url, body | {"attributes": [{"key": "D!", "name_zh": "径", "name_en": "d"}]}, If_Match='"2"'
    )
    assert wrong.get_json()["errors"][0]["path"] == "attributes.0.key"
    call("POST", "/categories", {"code": "top", "name_zh": "顶", "name_en": "Top"})
    moved = call("POST", f"{url}/move", {"parent": "top", "version": 2})
    assert moved.get_json()["path"] == "top/bearing"
    assert call("POST", f"{url}/move", {"parent": "top/bearing", "version": 3}).status_code == 422
    assert call("POST", f"{url}/retire", {"version": 3}).get_json()["retired_at"]
    assert call("POST", f"{url}/restore", {"version": 3}).status_code == 409
    assert call("POST", f"{url}/restore", {"version": 4}).get_json()["retired_at"] is None
    assert call("POST", f"{url}/adopt").get_json()["id"] == found["id"]
    assert call("GET", f"/categories/{UUID(int=1)}").status_code == 404
