"""Requests in a real browser, both sides: accessible, fitting a phone, no breach of the strict policy, all by keyboard."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from werkzeug.serving import make_server

from tests.plugins.fair import Fair, asked, offer, part
from tests.plugins.test_spot_in_browser import AXE, RULES, chromium  # noqa: F401

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
def site(fair: Fair) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, fair.portal.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(("width", "scheme", "lang"), [(1440, "light", "zh-CN"), (390, "dark", "en")])
def test_the_pages_of_a_request_hold_what_they_promise(
    fair: Fair, site: str, chromium: Any, width: int, scheme: str, lang: str  # noqa: F811
) -> None:
    request_id = asked(fair)
    mine = part(fair, request_id)
    fair.seller.post(f"/rfq/in/{mine}/quote", version="1", **offer())
    rival = offer(q1_sku="W-BAR", q1_price="94", q2_sku="W-PLATE", q2_price="250", a2_sku="W-BEARING", a2_price="200")
    fair.rival.post(f"/rfq/in/{part(fair, request_id, fair.market.rival_id)}/quote", version="1", **rival)
    fair.seller.post(f"/rfq/invitations/{mine}/say", body="能否分两批交货")
    open_now = asked(fair)
    buying = (
        "/rfq", "/rfq/new", f"/rfq/{request_id}", f"/rfq/{request_id}/edit", f"/rfq/{request_id}/compare",
        f"/rfq/{request_id}/compare?split=1", "/",
    )  # fmt: skip
    selling = ("/rfq", f"/rfq/in/{mine}", f"/rfq/in/{part(fair, open_now)}", "/")
    for visitor, paths in ((fair.buyer, buying), (fair.seller, selling)):
        context = chromium.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=False, base_url=site
        )
        context.add_cookies([
            {"name": "ts_session", "value": visitor.token, "url": site}, {"name": "ts_lang", "value": lang, "url": site},
        ])  # fmt: skip
        page = context.new_page()
        said: list[str] = []
        page.on("console", lambda message, said=said: said.append(message.text) if message.type in ("error", "warning") else None)
        for path in paths:
            answer = page.goto(path)
            assert answer is not None and answer.status == 200, path
            assert page.evaluate("document.documentElement.scrollWidth") <= width, path
            assert said == [], path
            page.evaluate(AXE.read_text(encoding="utf-8"))
            found = page.evaluate(RULES)
            assert [each["id"] for each in found["violations"]] == [], path
        context.close()


def test_a_line_is_decided_with_the_arrow_keys(fair: Fair, site: str, chromium: Any) -> None:  # noqa: F811
    request_id = asked(fair)
    fair.seller.post(f"/rfq/in/{part(fair, request_id)}/quote", version="1", **offer())
    rival = offer(q1_sku="W-BAR", q1_price="94", q2_sku="W-PLATE", q2_price="250")
    fair.rival.post(f"/rfq/in/{part(fair, request_id, fair.market.rival_id)}/quote", version="1", **rival)
    context = chromium.new_context(base_url=site)
    context.add_cookies([{"name": "ts_session", "value": fair.buyer.token, "url": site}])
    page = context.new_page()
    page.goto(f"/rfq/{request_id}/compare")
    before = page.input_value("input[name=pick-1]:checked")
    page.focus("input[name=pick-1]:checked")
    page.keyboard.press("ArrowRight")
    after = page.input_value("input[name=pick-1]:checked")
    assert after != before
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.name") == "pick-2"
    page.keyboard.press("Enter")
    page.wait_for_load_state()
    assert page.locator("form[action$='/award'] input[name=pick-1]").get_attribute("value") == after
    context.close()
