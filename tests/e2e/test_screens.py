"""Every screen, in both languages, light and dark, wide and narrow: accessible, within the strict policy, nothing spills."""

from typing import Any

import pytest

from core import rooms
from tests.e2e.conftest import AXE

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
WIDE, NARROW = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
LOOKS = [("zh-CN", "light", WIDE), ("en", "dark", NARROW)]
NO_PAGES = ("/products/export.csv", "/join/", "/connections/new")
MORE = ["/catalog?q=62", "/orders?side=seller", "/orders?q=nothing-like-this"]

pytestmark = pytest.mark.slow


def screens(house: Any, who: str) -> list[str]:
    """Every address without a parameter that a signed-in person can open, and some of this enterprise's own things."""
    plain = sorted(
        endpoint.path
        for endpoint in house.app.extensions["ts"].endpoints
        if endpoint.kind == "page"
        and endpoint.method == "GET"
        and "<" not in endpoint.path
        and not endpoint.path.startswith(NO_PAGES)
        and not (endpoint.permission and operators_only(house, endpoint.permission))
    )
    doors = {"/signin", "/mfa"}
    mine = [
        what
        for buyer, what in house.cast.orders
        if buyer == "hengke" and (what != "draft" or who == "hengke")
    ]
    orders = [f"/orders/{house.cast.orders['hengke', what]}" for what in mine]
    sku = house.cast.skus["lianhang"][0]
    own = (
        [f"/products/{sku}", f"/stock/{sku}", "/connections/new?connector=kingdee"]
        if who == "lianhang"
        else [f"/catalog/{sku}"]
    )
    return [path for path in plain if path not in doors] + orders + own + MORE


def operators_only(house: Any, permission: str) -> bool:
    """Whether only the platform's operator may hold a permission."""
    known = [*rooms.collected("permissions", "PERMISSIONS"), *house.app.extensions["ts.host"].all("permissions")]
    roles = next(each.roles for each in known if each.code == permission)
    return all(role.startswith("operator.") for role in roles)


def look_at(context: Any, portal: str, paths: list[str], width: int) -> list[str]:
    """What is wrong with these pages: an answer that is no page, axe's findings, policy violations, overflow."""
    wrong: list[str] = []
    page = context.new_page()
    page.on(
        "console",
        lambda message: wrong.append(f"console: {message.text}") if message.type == "error" else None,
    )
    page.on("pageerror", lambda error: wrong.append(f"script: {error}"))
    for path in paths:
        answer = page.goto(portal + path)
        if answer is None or answer.status != 200:
            wrong.append(f"{path}: answered {answer and answer.status}")
            continue
        page.evaluate(AXE.read_text("utf-8"))
        found = page.evaluate("rules => axe.run({runOnly: rules}).then(r => r.violations)", RULES)
        wrong += [f"{path}: {each['id']} {[node['target'] for node in each['nodes']][:3]}" for each in found]
        spill = page.evaluate("document.documentElement.scrollWidth")
        if spill > width:
            wrong.append(f"{path}: {spill} px wide on {width}")
    page.close()
    return wrong


@pytest.mark.parametrize(
    ("who", "language", "scheme", "size"),
    [
        pytest.param("hengke", *LOOKS[0], id="hengke-zh-light-wide"),
        pytest.param("hengke", *LOOKS[1], id="hengke-en-dark-narrow", marks=pytest.mark.long),
        pytest.param("lianhang", *LOOKS[0], id="lianhang-zh-light-wide", marks=pytest.mark.long),
        pytest.param("lianhang", *LOOKS[1], id="lianhang-en-dark-narrow"),
    ],
)
def test_no_screen_has_a_finding(house, portal, chromium, who, language, scheme, size):
    with chromium.new_context(viewport=size, color_scheme=scheme, bypass_csp=False) as context:
        token = house.browser(who).get_cookie("ts_session").value
        context.add_cookies(
            [
                {"name": "ts_session", "value": token, "url": portal},
                {"name": "ts_lang", "value": language, "url": portal},
            ]
        )
        findings = look_at(context, portal, screens(house, who), size["width"])
        assert not findings, "\n".join(findings)


@pytest.mark.parametrize(("language", "scheme", "size"), LOOKS, ids=["zh-light-wide", "en-dark-narrow"])
def test_the_door_has_no_finding(portal, chromium, language, scheme, size):
    with chromium.new_context(viewport=size, color_scheme=scheme) as context:
        context.add_cookies([{"name": "ts_lang", "value": language, "url": portal}])
        findings = look_at(context, portal, ["/signin"], size["width"])
        assert not findings, "\n".join(findings)
