"""The pages of a mapping in a real browser: they fit their screen, are accessible, and lead to what was asked for."""

import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from werkzeug.serving import WSGIRequestHandler, make_server

import core
from core.sync.mapping import service

pytestmark = [pytest.mark.browser, pytest.mark.slow]

sync_api = pytest.importorskip("playwright.sync_api", reason="the test extra is not installed")
AXE = Path(core.__file__).parent.parent / "tests" / "e2e" / "vendor" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
RULE = {"target": "FSaleOrderEntry[].F_TS_DAY", "value": "days(order.delivery_on, -2)", "type": "date", "format": "YYYYMMDD"}


class Silent(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: object) -> None:
        pass


@pytest.fixture
def site(house: Any, engine: Any, acting: Any, signed_in: Any, app: Any) -> Iterator[tuple[str, str, str]]:
    """(address, path of the mapping, session) with a version saved, an order sent and a value missing."""
    acting(service.save_mapping, {"tables": {"units": {"pcs": "Pcs"}}, "out": {"sales_order": [RULE]}}, 0)
    house.order("SO-1")
    house.push(engine)
    house.sql("DELETE FROM ts.external_ref")
    house.kingdee.world.merge({"customers": [{"number": "C0217", "name": "别人", "tax_code": "X"}]})
    house.order("SO-2")
    house.push(engine)
    house.kingdee.world.merge({"customers": [{"number": "C0217", "name": "锡安达机电", "tax_code": "91350100M000100Y43"}]})
    session = signed_in("it").get_cookie("ts_session").value
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Silent)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.port}", f"/connections/{house.connection_id}/mapping", session
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    program = os.environ.get("TS_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    program = program or shutil.which("google-chrome")
    if not program:
        pytest.skip("no Chromium here; install it with: apt-get install chromium, or set TS_CHROMIUM")
    with sync_api.sync_playwright() as play:
        found = play.chromium.launch(executable_path=program, args=FLAGS)
        yield found
        found.close()


def test_pages_fit_are_accessible_and_show_what_was_tried(site: tuple[str, str, str], browser: Any) -> None:
    base, here, session = site
    for width, lang, theme in ((1440, "zh-CN", "light"), (390, "en", "dark")):
        context = browser.new_context(viewport={"width": width, "height": 900 if width > 800 else 844})
        wanted = {"ts_lang": lang, "ts_theme": theme, "ts_session": session}
        context.add_cookies([{"name": name, "value": value, "url": base} for name, value in wanted.items()])
        context.set_default_timeout(10_000)
        page = context.new_page()
        complaints: list[str] = []
        page.on("pageerror", lambda error, said=complaints: said.append(str(error)))
        for part in ("", "/out", "/in", "/unmapped", "/versions"):
            page.goto(base + here + part)
            sound(page, width, f"{part} {width} {lang}")
        page.goto(f"{base}{here}/out")
        page.click("button[value=run]")
        page.wait_for_selector("#result")
        assert "FSaleOrderEntry[0].F_TS_DAY" in page.content() and "20261203" in page.content()
        sound(page, width, f"dry run {width} {lang}")
        assert not complaints
        context.close()


def sound(page: Any, width: int, where: str) -> None:
    assert page.evaluate("document.documentElement.scrollWidth") <= width, where
    height = page.evaluate("document.documentElement.scrollHeight")
    page.set_viewport_size({"width": width, "height": height})  # so that no fixed bar covers what is measured
    page.evaluate("scrollTo(0, 0)")
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate(
        "tags => axe.run({runOnly: {type: 'tag', values: tags}}).then(r => r.violations.map("
        "v => v.id + ': ' + v.nodes.map(n => n.html.slice(0, 120) + ' ' + n.failureSummary).join(' | ')))",
        RULES,
    )
    assert not found, (where, "\n".join(found))
