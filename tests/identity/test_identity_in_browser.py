"""Every screen of the door, the account, the members and the company, in a real browser: accessible, fitting, no CSP breach."""

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import text
from werkzeug.serving import make_server

from core.identity import invite_member, members
from core.tenancy import save_address, set_partner
from tests.conftest import OTHER, TENANT
from tests.identity.browser import open_app
from tests.identity.conftest import House

pytestmark = [pytest.mark.browser, pytest.mark.slow]

sync_api = pytest.importorskip("playwright.sync_api")
AXE = Path(__file__).parent.parent / "e2e" / "vendor" / "axe.min.js"
RULES = (
    "axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']})"
)
HERE = {
    "label": "主料场",
    "contact": "陈工",
    "phone": "021-5566",
    "province": "上海市",
    "city": "上海市",
    "street": "宝杨路 1 号",
}
SIGNED_IN = (
    "/account", "/members", "/members/invite", "/members/keys/new", "/members/<member>", "/members/<member>/remove",
    "/company", "/company/invoice", "/company/addresses/new", "/partners", "/partners/find?q=XY7W",
    "/partners/<partner>", "/step-up",
)  # fmt: skip
OUTSIDE = ("/signin", "/join/<link>", "/mfa", "/mfa?way=recovery")


@pytest.fixture(scope="module")
def app(house: House, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    with open_app(house, tmp_path_factory.mktemp("data")) as made:
        yield made


@pytest.fixture(scope="module")
def site(app: Flask) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def chromium() -> Iterator[object]:
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


@pytest.fixture(scope="module")
def cookies(house: House) -> dict[str, str]:
    email = house.person("admin", totp=True, email="limin@hdlg.example")
    full = house.sign_in_fully(email).token
    house.scalar("UPDATE auth.session SET second_factor_at = ts.clock() + interval '1 hour' RETURNING 1")
    return {"full": full, "pending": house.sign_in(email).token}


@pytest.fixture(scope="module")
def places(house: House) -> dict[str, str]:
    """Something to see on every page, and the ids in the addresses."""
    with house.unit.system(TENANT, "test") as ctx:
        save_address(ctx, **HERE)
        set_partner(ctx, OTHER, code="C-1", terms_days=45)
        link = invite_member(ctx, "zhou@guest.example", "小周", ["it"]).token
        member: UUID = members(ctx)[0].id
    return {"<member>": str(member), "<partner>": str(OTHER), "<link>": link}


@pytest.fixture
def open_page(
    chromium: object, site: str, cookies: dict[str, str], places: dict[str, str]
) -> Iterator[Callable[..., object]]:
    contexts, complaints = [], []

    def go(path: str, width: int, lang: str, theme: str) -> object:
        context = chromium.new_context(viewport={"width": width, "height": 900})  # type: ignore[attr-defined]
        contexts.append(context)
        kept = {"ts_lang": lang, "ts_theme": theme}
        if path in SIGNED_IN or path.startswith("/mfa"):
            kept["ts_session"] = cookies["pending" if path.startswith("/mfa") else "full"]
        context.add_cookies([{"name": name, "value": value, "url": site} for name, value in kept.items()])
        page = context.new_page()
        page.on(
            "console",
            lambda said: (
                complaints.append(said.text)
                if said.type == "error" and "status of" not in said.text
                else None
            ),
        )
        page.on("pageerror", lambda error: complaints.append(str(error)))
        for mark, value in places.items():
            path = path.replace(mark, value)
        answer = page.goto(site + path)
        assert answer.status == 200
        assert page.url == site + path
        return page

    yield go
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.mark.parametrize(("width", "lang", "theme"), [(1440, "zh-CN", "light"), (390, "en", "dark")])
@pytest.mark.parametrize("path", [*OUTSIDE, *SIGNED_IN])
def test_a_screen_is_accessible_and_fits(
    open_page: Callable[..., object], path: str, width: int, lang: str, theme: str
) -> None:
    page = open_page(path, width, lang, theme)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.set_viewport_size({"width": width, "height": page.evaluate("document.documentElement.scrollHeight")})
    page.evaluate("scrollTo(0, 0)")
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate(RULES)
    assert [(one["id"], [node["html"][:120] for node in one["nodes"]]) for one in found["violations"]] == []
    if folder := os.environ.get("TS_SHOTS"):
        page.screenshot(path=f"{folder}/{path.strip('/').replace('/', '-').replace('?', '-')}-{width}.png")


def test_the_password_can_be_shown_and_signing_in_works_by_hand(
    open_page: Callable[..., object], house: House, site: str
) -> None:
    email = house.person("admin")
    page = open_page("/signin", 1440, "en", "light")
    page.fill("#f-login", email)
    page.fill("#f-password", "seven horses over the wall")
    page.click("[data-do=reveal]")
    assert page.get_attribute("#f-password", "type") == "text"
    page.fill("#f-password", "wrong password here")
    page.click("main button.pri")
    assert page.input_value("#f-login") == email
    assert page.evaluate("document.activeElement.className") == "errsum"
    page.fill("#f-password", "seven horses over the wall")
    page.click("main button.pri")
    page.wait_for_load_state()
    with house.db.session() as session:
        assert session.scalar(text("SELECT 1")) == 1
    page.goto(site + "/account")
    assert page.locator("h1").inner_text() == "Account and security"
