"""The cart over the whole application: as pages, as JSON, in the menu and in the slots of the core's pages."""

import re
from collections.abc import Iterator
from decimal import Decimal
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

import plugins.spot
from core import identity, orders, rooms, tenancy
from core.db import Database, roles
from plugins.spot import service
from tests.conftest import Server, make_unit
from tests.orders.portal import Portal, Visitor, make_app
from tests.orders.trade import Trade
from tests.plugins.bringing import bring, migrate

D = Decimal


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As `pip install` leaves it; nothing to do where the project is installed."""
    if any(point.name == "spot" for point in entry_points(group="tongshang.plugins")):
        return
    info = tmp_path / "spot_here-0.1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: spot-here\nVersion: 0.1.0\n")
    (info / "entry_points.txt").write_text("[tongshang.plugins]\nspot = plugins.spot\n")
    monkeypatch.syspath_prepend(str(tmp_path))


@pytest.fixture
def portal(installed: None, server: Server, keys: None, tmp_path: Path) -> Iterator[Portal]:
    name = server.clone()
    server.run(*roles.access_statements(name))
    migrate(server.url_for("ts_migrator", name), plugins.spot)
    host = bring(plugins.spot)
    owner = create_engine(server.url_for("ts_migrator", name))
    with owner.begin() as connection:
        identity.sync_roles(
            connection, [*rooms.collected("permissions", "PERMISSIONS"), *host.all("permissions")]
        )
    owner.dispose()
    url = server.url_for("ts_app", name)
    database = Database(url)
    with database.session() as session:
        trade = Trade(make_unit(database, host.dispatch), session).set_up()
        trade.unit.finish(trade.system(trade.seller_id))
        app = make_app(url, host.dispatch, tmp_path)
        yield Portal(app, trade, database)
        app.extensions["ts"].unit.database.dispose()
    database.dispose()


@pytest.fixture
def clerk(portal: Portal) -> Visitor:
    return portal.visitor("Wang Fang", "buyer.clerk")


def put(portal: Portal, visitor: Visitor, **wanted: str) -> None:
    for name, quantity in wanted.items():
        answer = visitor.post("/spot/cart", sku_id=str(portal.trade.skus[name]), quantity=quantity)
        assert answer.status_code == 303, answer.text


def forms(html: str) -> dict[str, str]:
    return dict(re.findall(r'name="(_key|_csrf)" value="([^"]+)"', html))


def test_an_empty_cart_says_what_it_is_good_for(clerk: Visitor) -> None:
    assert "购物车是空的" in clerk.get("/spot/cart", "zh-CN").text
    assert "Your cart is empty" in clerk.get("/spot/cart", "en").text


def test_goods_go_in_show_their_price_and_become_one_order(portal: Portal, clerk: Visitor) -> None:
    put(portal, clerk, bar="10", plate="2")
    page = clerk.get("/spot/cart", "zh-CN")
    for shown in ("江南钢材有限公司", "BAR", "PLATE", "公开价", "含税", "¥\u202f1,501.00", "1,000"):
        assert shown in page.text, shown
    assert re.search(r'href="/spot/cart"[^>]*>.*?<span class="count[^"]*">2</span>', page.text, re.S)
    given = {"buyer_po": "PO-7", "ship_to": "一号门", "_key": forms(page.text)["_key"]}
    path = f"/spot/cart/order/{portal.trade.seller_id}"
    first = clerk.post(path, **given)
    again = clerk.post(path, **given)
    assert first.status_code == again.status_code == 303, first.text
    assert first.headers["Location"] == again.headers["Location"]
    assert "/orders/" in first.headers["Location"]
    ctx = portal.trade.buyer()
    (order,) = ctx.session.query(orders.TradeOrder).all()
    assert (order.state, order.total, order.buyer_po, order.ship_to) == ("submitted", D("1501.00"), "PO-7", "一号门")
    assert "购物车是空的" in clerk.get("/spot/cart", "zh-CN").text
    ctx.session.rollback()


def test_what_stands_in_the_way_is_said_and_nothing_typed_is_lost(portal: Portal, clerk: Visitor) -> None:
    put(portal, clerk, bar="999")
    portal.trade.place(("bar", "2"))
    portal.trade.unit.finish(portal.trade.buyer())
    key = forms(clerk.get("/spot/cart").text)["_key"]
    given = {"buyer_po": "PO-8", "delivery_date": "2001-01-01", "note": "before Friday"}
    path = f"/spot/cart/order/{portal.trade.seller_id}"
    refused = clerk.post(path, _key=key, **given)
    assert refused.status_code == 422
    assert "The delivery date lies in the past" in refused.text
    assert 'value="PO-8"' in refused.text and "before Friday" in refused.text
    fresh = forms(refused.text)["_key"]
    assert fresh != key
    refused = clerk.post(path, _key=fresh, buyer_po="PO-8")
    assert refused.status_code == 422 and 'value="PO-8"' in refused.text
    assert "Not enough in stock" in refused.text
    assert clerk.get("/spot/cart").text.count("BAR") > 0


def test_an_order_that_needs_approval_says_so_before_it_is_placed(portal: Portal, clerk: Visitor) -> None:
    portal.trade.move(approval_threshold=D(1000))
    portal.trade.unit.finish(portal.trade.buyer())
    put(portal, clerk, bar="10")
    page = clerk.get("/spot/cart")
    assert "A colleague must approve this order." in page.text
    placed = clerk.post(f"/spot/cart/order/{portal.trade.seller_id}", _key=forms(page.text)["_key"])
    assert placed.status_code == 303
    assert "waits for a colleague" in clerk.get("/spot/cart").text


def test_quantities_change_and_lines_are_taken_out(portal: Portal, clerk: Visitor) -> None:
    put(portal, clerk, bar="10", plate="1")
    found = re.findall(r'name="q-([0-9a-f-]+)"', clerk.get("/spot/cart").text)
    assert len(found) == 2
    assert clerk.post("/spot/cart/change", **{f"q-{found[0]}": "3.5", f"q-{found[1]}": "1"}).status_code == 303
    assert 'value="3.5"' in clerk.get("/spot/cart").text
    assert clerk.post("/spot/cart/change", remove=found[1]).status_code == 303
    page = clerk.get("/spot/cart").text
    assert "PLATE" not in page.replace("PLATE is in the cart", "") and "BAR" in page
    assert clerk.post("/spot/cart/change", remove="nonsense").status_code == 404


def test_a_bad_quantity_is_kept_marked_and_changes_nothing(portal: Portal, clerk: Visitor) -> None:
    put(portal, clerk, bar="10", plate="1")
    bar, plate = (f"q-{one}" for one in re.findall(r'name="q-([0-9a-f-]+)"', clerk.get("/spot/cart").text))
    for bad, reason in (
        ("lots", "not a number"), ("0", "greater than 0"), ("-2", "greater than 0"), ("1.0000001", "too many decimals"),
        ("2000000000", "at most"), ("", "required"), ("NaN", "number"),
    ):  # fmt: skip
        refused = clerk.post("/spot/cart/change", **{bar: bad, plate: "7"})
        assert refused.status_code == 422, bad
        wrong, fine = (
            re.search(rf'<input[^>]*name="{name}"[^>]*>', refused.text)[0] for name in (bar, plate)
        )
        assert 'aria-invalid="true"' in wrong and "autofocus" in wrong and "data-focus" in wrong, bad
        assert 'value="7"' in fine and "aria-invalid" not in fine, "what is right is kept as typed too"
        assert refused.text.count(reason) >= 2 and f'href="#f-{bar}"' in refused.text, (bad, reason)
    page = clerk.get("/spot/cart").text
    assert 'value="10"' in page and 'value="1"' in page and "aria-invalid" not in page
    assert 'value="&#34;&gt;&lt;i&gt;"' in clerk.post("/spot/cart/change", **{bar: '"><i>', plate: "1"}).text
    both = clerk.post("/spot/cart/change", **{bar: "many", plate: "few"})
    assert both.text.count('aria-invalid="true"') == 2 and both.text.count("autofocus") == 1
    assert clerk.post("/spot/cart/change", **{bar: "1,000.5", plate: "1"}).status_code == 303
    assert 'value="1000.5"' in clerk.get("/spot/cart").text
    assert clerk.get("/spot/cart/change").status_code == 303
    chinese = clerk.client.post(
        "/spot/cart/change", data={"_csrf": forms(clerk.get("/spot/cart", "zh-CN").text)["_csrf"], bar: "很多", plate: "1"}
    )
    assert chinese.status_code == 422 and 'value="很多"' in chinese.text and "不是数字" in chinese.text


def test_a_bad_quantity_on_the_products_page_is_asked_again(portal: Portal, clerk: Visitor) -> None:
    sku = str(portal.trade.skus["bar"])
    refused = clerk.post("/spot/cart", sku_id=sku, quantity="a few")
    assert refused.status_code == 422 and 'value="a few"' in refused.text
    assert re.search(r'name="quantity"[^>]*autofocus', refused.text) and f"/catalog/{sku}" in refused.text


def test_goods_nobody_can_buy_are_refused_with_a_word(portal: Portal, clerk: Visitor) -> None:
    for wrong in (
        {"sku_id": "nonsense", "quantity": "1"},
        {"sku_id": str(portal.trade.seller_id), "quantity": "1"},
        {"sku_id": str(portal.trade.skus["bar"]), "quantity": "much"},
        {"sku_id": str(portal.trade.skus["bar"])},
    ):
        assert clerk.post("/spot/cart", **wrong).status_code in (303, 422)
    assert "Your cart is empty" in clerk.get("/spot/cart").text


def test_the_cart_over_json_does_what_the_page_does(portal: Portal, clerk: Visitor) -> None:
    put_in = clerk.api("POST", "/spot/cart", {"sku_id": portal.trade.skus["bar"], "quantity": "10"})
    assert put_in.status_code == 201, put_in.text
    item = put_in.json
    assert (item["quantity"], item["unit"]) == ("10", "t")
    (group,) = clerk.api("GET", "/spot/cart").json["groups"]
    assert (group["seller"], group["total"], group["orderable"]) == ("江南钢材有限公司", "1000.00", True)
    assert group["lines"][0]["components"][0]["level"] == "public"
    too_much = clerk.api("PUT", f"/spot/cart/{item['id']}", {"quantity": "1000000001"})
    assert (too_much.status_code, [error["path"] for error in too_much.json["errors"]]) == (422, ["quantity"])
    changed = clerk.api("PUT", f"/spot/cart/{item['id']}", {"quantity": "4"})
    assert changed.json["groups"][0]["lines"][0]["quantity"] == "4"
    placed = clerk.api("POST", "/spot/cart/order", {"seller_id": portal.trade.seller_id, "buyer_po": "PO-9"}, key="k1")
    assert (placed.status_code, placed.json["state"], placed.json["total"]) == (201, "submitted", "400.00")
    replayed = clerk.api("POST", "/spot/cart/order", {"seller_id": portal.trade.seller_id, "buyer_po": "PO-9"}, key="k1")
    assert replayed.json == placed.json
    assert clerk.api("POST", "/spot/cart/order", {"seller_id": portal.trade.seller_id}).status_code == 409
    put_in = clerk.api("POST", "/spot/cart", {"sku_id": portal.trade.skus["bar"], "quantity": "10"})
    assert clerk.api("DELETE", f"/spot/cart/{put_in.json['id']}").status_code == 204
    assert clerk.api("DELETE", f"/spot/cart/{put_in.json['id']}").status_code == 404


def test_json_that_will_not_do_names_its_field(portal: Portal, clerk: Visitor) -> None:
    bar = str(portal.trade.skus["bar"])
    for body, path in (
        ({"quantity": "1"}, "sku_id"),
        ({"sku_id": "x", "quantity": "1"}, "sku_id"),
        ({"sku_id": bar, "quantity": "-1"}, "quantity"),
        ({"sku_id": bar, "quantity": "1e30"}, "quantity"),
        ({"sku_id": bar, "quantity": "99999999999"}, "quantity"),
        ({"sku_id": bar, "quantity": "1", "unit": "sheet"}, "unit"),
        ({"sku_id": bar, "quantity": "1", "unit": "x" * 50}, "unit"),
        ({"sku_id": bar, "quantity": "1", "colour": "red"}, "colour"),
    ):
        answer = clerk.api("POST", "/spot/cart", body)
        assert answer.status_code == 422, (body, answer.text)
        assert [error["path"] for error in answer.json["errors"]] == [path]
        assert answer.json["errors"][0]["detail"] != answer.json["errors"][0]["code"]


def test_an_enterprise_that_does_not_use_the_plugin_finds_nothing_of_it(portal: Portal, clerk: Visitor) -> None:
    tenancy.disable_plugin(portal.trade.system(portal.trade.buyer_id), "spot")
    portal.trade.unit.finish(portal.trade.buyer())
    tenancy.enablement.forget(portal.app.extensions["ts"].unit.database.session())
    assert clerk.get("/spot/cart").status_code == 404
    answer = clerk.api("GET", "/spot/cart")
    assert (answer.status_code, answer.json["code"]) == (404, "plugin.not_enabled")
    assert "/spot/cart" not in clerk.get("/orders").text


def test_without_the_permission_the_cart_is_closed(portal: Portal) -> None:
    porter = portal.visitor("Guo Tao", "buyer.warehouse")
    assert porter.get("/spot/cart").status_code == 403
    assert porter.api("POST", "/spot/cart", {"sku_id": portal.trade.skus["bar"], "quantity": "1"}).status_code == 403
    assert "/spot/cart" not in porter.get("/orders").text


def test_a_products_page_offers_the_way_into_the_cart(portal: Portal, clerk: Visitor) -> None:
    page = clerk.get(f"/catalog/{portal.trade.skus['bar']}")
    assert page.status_code == 200
    assert 'action="/spot/cart"' in page.text and "1,000.00 t in stock" in page.text.replace("\u00a0", " ")


def test_an_orders_page_shows_what_holds_its_goods(portal: Portal, clerk: Visitor) -> None:
    order = portal.trade.place()
    portal.trade.unit.finish(portal.trade.buyer())
    page = clerk.whole(f"/orders/{order.id}", "zh-CN")
    assert "库存已暂锁，等卖家确认" in page and "已收 0.00" in page
    assert "Stock is held while the seller decides" in clerk.whole(f"/orders/{order.id}")


def test_a_panel_that_fails_leaves_a_word_and_the_page(
    portal: Portal, clerk: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    from plugins.spot import panels

    def fails(ctx: Any, subject: Any) -> None:
        raise SystemExit("broken")

    monkeypatch.setitem(panels.SLOTS, "product:page", fails)
    page = clerk.get(f"/catalog/{portal.trade.skus['bar']}", "zh-CN")
    assert page.status_code == 200
    assert "现货" in page.text and "暂不可用" in page.text
    assert 'action="/spot/cart"' not in page.text


def test_the_number_in_the_menu_costs_one_statement_and_its_failure_nothing(
    portal: Portal, clerk: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(portal, clerk, bar="1")
    clerk.get("/orders")
    assert int(clerk.get("/orders").headers["X-Statements"]) <= 6
    assert int(clerk.get("/spot/cart").headers["X-Statements"]) <= 10
    monkeypatch.setattr(service, "_size", lambda ctx: ctx.session.scalar(text("SELECT 1 / 0")))
    page = clerk.get("/orders")
    assert page.status_code == 200 and "/spot/cart" in page.text
