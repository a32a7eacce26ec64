"""The shell in a real browser: accessible, within the strict policy, wide enough, quick to the keyboard."""

import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from shell_samples import make_app
from werkzeug.serving import WSGIRequestHandler, make_server

import core

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


class Silent(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: object) -> None:
        pass


def serve(person: bool) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, make_app(person), threaded=True, request_handler=Silent)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    yield from serve(person=True)


@pytest.fixture(scope="module")
def door() -> Iterator[str]:
    yield from serve(person=False)


@pytest.fixture(scope="module")
def browser():
    program = os.environ.get("TS_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    program = program or shutil.which("google-chrome")
    if not program:
        pytest.skip("no Chromium here; install it with: apt-get install chromium, or set TS_CHROMIUM")
    with sync_api.sync_playwright() as play:
        found = play.chromium.launch(executable_path=program, args=FLAGS)
        yield found
        found.close()


@pytest.fixture
def visit(browser):
    """Open an address as a reader would; what the browser complains about fails the test."""
    contexts, complaints = [], []

    def go(url: str, width: int = 1440, scripts: bool = True, **cookies: str):
        context = browser.new_context(
            viewport={"width": width, "height": 900 if width > 800 else 844}, java_script_enabled=scripts
        )
        contexts.append(context)
        context.set_default_timeout(5000)
        context.add_cookies(
            [{"name": f"ts_{name}", "value": value, "url": url} for name, value in cookies.items()]
        )
        page = context.new_page()
        page.on(
            "console",
            lambda said: (
                said.type == "error" and "status of" not in said.text and complaints.append(said.text)
            ),
        )
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(url)
        return page

    yield go
    for context in contexts:
        context.close()
    assert not complaints


LOOKS = [(1440, "zh-CN", "light"), (1440, "en", "dark"), (390, "zh-CN", "dark"), (390, "en", "light")]
"""Every two of width, language and theme meet in one of them; the other four come with the slow tests."""
OTHERS = [(1440, "zh-CN", "dark"), (1440, "en", "light"), (390, "zh-CN", "light"), (390, "en", "dark")]


@pytest.mark.parametrize(
    ("width", "lang", "theme"), [*LOOKS, *(pytest.param(*look, marks=pytest.mark.slow) for look in OTHERS)]
)
@pytest.mark.parametrize(
    "path", ["/samples", "/menu", "/keys", "/ask", "/wrong/404", "door:/signin", "door:/wrong/500"]
)
def test_a_page_is_accessible_and_fits_its_screen(visit, site, door, path, lang, theme, width):
    base, path = (door, path.removeprefix("door:")) if path.startswith("door:") else (site, path)
    page = visit(base + path, width, lang=lang, theme=theme)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    height = page.evaluate("document.documentElement.scrollHeight")
    page.set_viewport_size({"width": width, "height": height})  # so that no fixed bar covers what is measured
    page.evaluate("scrollTo(0, 0)")
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate(
        "tags => axe.run({runOnly: {type: 'tag', values: tags}}).then(r => r.violations.map("
        "v => v.id + ': ' + v.nodes.map(n => n.html.slice(0, 120) + ' ' + n.failureSummary).join(' | ')))",
        RULES,
    )
    assert not found, "\n".join(found)


def test_open_dialogs_are_accessible_too(visit, site):
    page = visit(f"{site}/samples", lang="zh-CN")
    page.evaluate(AXE.read_text(encoding="utf-8"))
    for name in ("pal", "keys", "cancel"):
        page.evaluate("name => document.getElementById(name).showModal()", name)
        found = page.evaluate("name => axe.run('#' + name).then(r => r.violations.map(v => v.id))", name)
        assert not found, (name, found)
        page.evaluate("name => document.getElementById(name).close()", name)


def test_the_palette_finds_marks_and_goes(visit, site):
    page = visit(f"{site}/samples", lang="zh-CN")
    page.keyboard.press("Control+k")
    page.keyboard.type("命")
    assert page.locator("#pal [role=option]:visible").all_inner_texts() == ["命令"]
    page.keyboard.press("Enter")
    page.wait_for_url("**/links")


def test_a_question_without_a_match_goes_to_the_search_page(visit, site):
    page = visit(f"{site}/samples", lang="en")
    page.evaluate("scrollTo(0, 0); document.activeElement.blur()")
    page.keyboard.press("/")
    page.keyboard.type("6205-2RS")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search?q=6205-2RS")


def test_g_and_a_letter_go_somewhere_unless_single_keys_are_off(visit, site):
    page = visit(f"{site}/samples", lang="en", keys="off")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("g")
    page.keyboard.press("p")
    page.wait_for_timeout(150)
    assert page.url.endswith("/samples")
    page = visit(f"{site}/samples", lang="en")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("g")
    page.keyboard.press("p")
    page.wait_for_url("**/goods")


def test_j_and_x_walk_and_select_rows_and_the_bulk_bar_counts(visit, site):
    page = visit(f"{site}/samples", lang="en")
    page.evaluate("document.activeElement.blur()")
    assert not page.locator(".bulk").is_visible()
    for key in "jjxjx":
        page.keyboard.press(key)
    assert page.locator(".bulk [data-n]").inner_text() == "2"
    assert page.locator("tr.sel").count() == 2
    page.locator("[data-all]").check()
    assert page.locator(".bulk [data-n]").inner_text() == "3"


def test_a_theme_is_applied_at_once_and_survives_the_next_page(visit, site):
    page = visit(f"{site}/samples", lang="en", theme="light")
    page.locator("summary:has(.vh)").click()
    with page.expect_response("**/preferences"):
        page.get_by_role("button", name="Dark", exact=True).click()
    assert page.locator("html").get_attribute("data-theme") == "dark"
    page.reload()
    assert page.locator("html").get_attribute("data-theme") == "dark"


def test_a_typed_form_is_not_lost_without_a_warning(visit, site):
    page = visit(f"{site}/samples", lang="en")
    asked = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    page.locator("#f-name").fill("PO-1")
    page.goto(f"{site}/menu")
    assert asked == ["beforeunload"]


def test_the_error_summary_takes_the_focus_and_leads_to_its_field(visit, site):
    page = visit(f"{site}/samples", lang="en")
    assert page.evaluate("document.activeElement.className") == "errsum"
    page.locator(".errsum a").click()
    assert page.evaluate("document.activeElement.id") == "f-quantity"


def test_a_dialog_opens_keeps_and_the_drawer_opens_on_a_phone(visit, site):
    page = visit(f"{site}/samples", 390, lang="en")
    page.locator(".note a[data-do=dialog]").first.click()
    assert page.locator("dialog#cancel").is_visible()
    page.locator("dialog#cancel [data-do=close]").click()
    page.locator(".botnav [data-do=side]").click()
    assert page.locator("#side").is_visible()
    page.keyboard.press("Escape")
    assert not page.locator("#side").is_visible()


def test_without_scripts_every_control_leads_somewhere(visit, site):
    page = visit(f"{site}/samples", 390, scripts=False, lang="en")
    page.locator(".botnav a", has_text="More").click()
    assert page.url.endswith("/menu") and page.get_by_role("heading", level=1).inner_text() == "Navigation"
    page = visit(f"{site}/samples", scripts=False, lang="en")
    assert page.locator(".bulk").is_visible()
    assert not page.locator("[data-do=reveal]").is_visible()
    page.locator("summary:has(.vh)").click()
    page.get_by_role("button", name="Dark", exact=True).click()
    assert page.locator("html").get_attribute("data-theme") == "dark"
