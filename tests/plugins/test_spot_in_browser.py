"""The cart in a real browser, full and refused: accessible, fitting, no breach of the strict policy."""

import os
import shutil
import threading
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from werkzeug.serving import make_server

from core import catalog, tenancy
from tests.orders.portal import Portal, Visitor
from tests.plugins.test_spot_web import clerk, installed, portal, put  # noqa: F401  fixtures of the same pages

pytestmark = [pytest.mark.browser, pytest.mark.slow]

sync_api = pytest.importorskip("playwright.sync_api", reason="the test extra is not installed")
AXE = Path(__file__).parent.parent / "e2e" / "vendor" / "axe.min.js"
RULES = "axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']})"


@pytest.fixture
def site(portal: Portal) -> Iterator[str]:  # noqa: F811
    server = make_server("127.0.0.1", 0, portal.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def chromium() -> Iterator[Any]:
    program = os.environ.get("TS_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if not program:
        pytest.skip("no Chromium here; install it with: apt-get install chromium, or set TS_CHROMIUM")
    with sync_api.sync_playwright() as play:
        found = play.chromium.launch(
            executable_path=program,
            args=["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"],
        )
        yield found
        found.close()


def furnish(portal: Portal, clerk: Visitor) -> None:  # noqa: F811
    """Three lines, one of them withdrawn meanwhile; an address; an order that needs approval."""
    put(portal, clerk, bar="10", plate="2", bearing="120")
    trade = portal.trade
    catalog.withdraw_products(trade.system(trade.seller_id), [trade.skus["bearing"]])
    ctx = trade.system(trade.buyer_id)
    tenancy.save_address(
        ctx, label="主料场", contact="陈工", phone="024-5566", province="辽宁省", city="沈阳市", street="铁西区 1 号门"
    )
    tenancy.set_trade_settings(ctx, approval_threshold=Decimal(1000))
    trade.unit.finish(ctx)


def look(page: Any, width: int, name: str) -> None:
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate(RULES)
    assert [(one["id"], [node["html"][:160] for node in one["nodes"]]) for one in found["violations"]] == []
    if folder := os.environ.get("TS_SHOTS"):
        page.screenshot(path=f"{folder}/{name}-{width}.png", full_page=True)


def test_the_cart_is_accessible_and_fits(site: str, chromium: Any, portal: Portal, clerk: Visitor) -> None:  # noqa: F811
    furnish(portal, clerk)
    complaints: list[str] = []
    for width, lang, theme in ((1440, "zh-CN", "light"), (390, "en", "dark")):
        context = chromium.new_context(viewport={"width": width, "height": 900})
        kept = {"ts_lang": lang, "ts_theme": theme, "ts_session": clerk.token}
        context.add_cookies([{"name": name, "value": value, "url": site} for name, value in kept.items()])
        page = context.new_page()
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        page.goto(site + "/spot/cart")
        look(page, width, "cart")
        page.goto(f"{site}/catalog/{portal.trade.skus['bar']}")
        look(page, width, "product")
        context.close()
    assert complaints == []


def test_an_order_is_placed_by_hand_and_what_is_wrong_keeps_what_was_typed(
    site: str, chromium: Any, portal: Portal, clerk: Visitor  # noqa: F811
) -> None:
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    context.add_cookies([{"name": n, "value": v, "url": site} for n, v in {"ts_lang": "en", "ts_session": clerk.token}.items()])
    page = context.new_page()
    page.goto(f"{site}/catalog/{portal.trade.skus['bar']}")
    page.fill("#spot-quantity", "10")
    page.click("form[action='/spot/cart'] button")
    page.wait_for_url("**/spot/cart")
    page.fill("input[name^='q-']", "12")
    page.press("input[name^='q-']", "Enter")
    page.wait_for_load_state()
    assert page.input_value("input[name^='q-']") == "12"
    page.fill("input[name=buyer_po]", "PO-11")
    page.evaluate("document.querySelector('input[name=delivery_date]').removeAttribute('min')")
    page.fill("input[name=delivery_date]", "2001-01-01")
    page.click("form[action*='/spot/cart/order'] button.pri")
    page.wait_for_selector(".errsum")
    assert page.input_value("input[name=buyer_po]") == "PO-11"
    look(page, 1280, "cart-refused")
    page.fill("input[name=delivery_date]", "")
    page.click("form[action*='/spot/cart/order'] button.pri")
    page.wait_for_url("**/orders/*")
    assert "PO-11" in page.inner_text("main")
    context.close()
