"""Makes the pictures of docs/guides/first-connection.md anew, by going the whole way in a real browser, and times each part.

Needs a fresh demo (`run.py demo --fresh`), a fresh `run.py connector simulate kingdee`, its address allowed in the data folder's
`outbound.conf`, the test environment (`run.py test` makes it) with Pillow added, and Chromium (on the path, or in TS_CHROMIUM):

    python docs/images/connect/shoot.py --portal http://127.0.0.1:8080 --simulator http://127.0.0.1:8099
"""

import argparse
import io
import json
import os
import shutil
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pyotp
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

HERE = Path(__file__).parent
PASSWORD, AUTHENTICATOR = "tongshang-demo-2026", "TONGSHANGDEMOTONGSHANGDEMO234567"  # of invented people
IT, SALES = "pan.yue@yongtai.example.com", "wang.haiyan@yongtai.example.com"
BUYER = "zhao.lin@hengke.example.com"
ARTICLE = "VL-Z41H-16C-DN50"
WORLD = {
    "customers": [{"number": "KH0001", "name": "苏州恒科精密机械有限公司", "tax_code": "91320509MADEMC0300"}],
    "materials": [{"number": ARTICLE, "name": "楔式闸阀 Z41H-16C DN50", "unit": "Pcs", "specification": "DN50 PN16"}],
}
ACCOUNT = {"organisation": "100", "acct_id": "6715d2a4c8e0f1", "username": "demo", "saler": "XS01"}
APPLICATION = ("300117_VG9uZ3NoYW5nLVNpbXVsYXRvci0wMDAx", "5f0c3b7e9a1d4826b3e7c5d9f2a80614")  # of the simulator
LARGEST = 90_000  # bytes of a picture


class Tour:
    """One way through the portal; `shot` keeps what stands there, `part` says how long what came before it took."""

    def __init__(self, browser: Browser, portal: str, simulator: str) -> None:
        self.browser, self.portal, self.simulator = browser, portal, simulator
        self.since = time.monotonic()

    def part(self, name: str) -> None:
        now = time.monotonic()
        print(f"{now - self.since:6.1f} s  {name}", flush=True)
        self.since = now

    def sign_in(self, login: str) -> Page:
        context = self.browser.new_context(viewport={"width": 1440, "height": 900}, color_scheme="light", locale="zh-CN")
        context.add_cookies([{"name": "ts_lang", "value": "zh-CN", "url": self.portal}])
        page = context.new_page()
        page.goto(f"{self.portal}/signin")
        page.fill("[name=login]", login)
        page.fill("[name=password]", PASSWORD)
        page.click("main button.pri")
        page.wait_for_url(lambda url: "/signin" not in url)
        if "/mfa" in page.url:
            page.fill("[name=code]", pyotp.TOTP(AUTHENTICATOR).now())
            page.click("main button.pri")
            page.wait_for_url(f"{self.portal}/")
        return page

    def shot(self, page: Page, name: str, *, what: str = "main", height: int = 840) -> None:
        """The picture of one element, no higher than `height`, with as few colours as look well."""
        page.wait_for_timeout(400)
        box = page.locator(what).first.bounding_box()
        assert box, f"{what} is not on the page {page.url}"
        top = max(box["y"], 0)
        clip = {"x": box["x"], "y": top, "width": box["width"], "height": min(height, box["height"])}
        file = HERE / f"{name}.png"
        image = Image.open(io.BytesIO(page.screenshot(clip=clip))).convert("RGB")  # type: ignore[arg-type]
        few = image.quantize(160, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
        few.save(file, optimize=True)
        assert file.stat().st_size < LARGEST, f"{file.name} is too large"

    def until(self, page: Page, there: Callable[[], bool], seconds: float = 60) -> None:
        end = time.monotonic() + seconds
        while not there():
            assert time.monotonic() < end, f"nothing came of it at {page.url}"
            page.wait_for_timeout(500)

    def tested(self, page: Page) -> None:
        page.wait_for_url("**/setup")
        self.until(page, lambda: page.locator("#setup[hx-get]").count() == 0)

    # -- the way, in the order of the guide

    def connect(self, page: Page) -> str:
        page.goto(f"{self.portal}/connections")
        self.shot(page, "1-empty", height=420)
        page.click("main a.pri")
        page.set_viewport_size({"width": 1440, "height": 1360})
        self.shot(page, "2-choose", height=1240)
        page.set_viewport_size({"width": 1440, "height": 900})
        page.click("a[href$='connector=kingdee']")
        page.fill("[name=base_url]", f"{self.simulator}/k3cloud")
        for name, value in {**ACCOUNT, "app_id": APPLICATION[0], "app_secret": "mistyped"}.items():
            page.fill(f"[name={name}]", value)
        page.evaluate("scrollTo(0, 0)")
        self.shot(page, "3-connect")
        page.click("main form button.pri")
        self.tested(page)
        self.shot(page, "4-failed", height=790)
        self.part("chosen, connected with a mistyped secret, told so")
        page.click(".note a")
        page.fill("[name=app_secret]", APPLICATION[1])
        page.click("main form button.pri")
        self.tested(page)
        self.shot(page, "5-passed", height=790)
        self.part("secret mended, test passed")
        return page.url.removesuffix("/setup")

    def map_and_enable(self, page: Page, connection: str) -> None:
        page.goto(f"{connection}/mapping")
        self.shot(page, "6-mapping")
        page.goto(f"{connection}/setup")
        for stream in ("receipts", "stock", "prices"):
            page.uncheck(f"#stream-{stream}")
        page.click("form[action$='/enable'] button.pri")
        page.wait_for_url(connection)
        self.until(page, lambda: page.locator("#runs tbody tr").count() >= 6 and not page.locator(".runbar").count())
        page.reload()
        self.shot(page, "7-enabled")
        self.part("mapping looked at, streams chosen, switched on, first runs done")

    def trade(self, it: Page, connection: str) -> None:
        buyer = self.sign_in(BUYER)
        buyer.goto(f"{self.portal}/catalog?q={ARTICLE}")
        buyer.click("main a[href^='/catalog/0']")
        buyer.fill("#spot-quantity", "2")
        buyer.click("form[action='/spot/cart'] button")
        buyer.wait_for_url("**/spot/cart")
        buyer.click("form[action*='/spot/cart/order'] button.pri")
        buyer.wait_for_url("**/orders/*")
        seller = self.sign_in(SALES)
        seller.goto(buyer.url)
        self.shot(seller, "8-confirm", height=620)
        seller.click("main .pri:has-text('确认订单')")
        seller.click("dialog[open] button.pri")
        seller.wait_for_selector("dialog[open]", state="detached")
        self.part("order placed by the buyer, confirmed by the seller")
        it.goto(f"{connection}/documents")
        self.until(it, lambda: bool(it.reload()) and it.locator("main tbody :text('已完成')").count() > 0)
        it.click("main table tbody a")
        it.wait_for_load_state()
        self.shot(it, "9-done")
        self.part("order done in Kingdee")
        it.goto(f"{self.simulator}/_sim")
        it.get_by_text("SAL_SaleOrder").last.scroll_into_view_if_needed()
        it.evaluate("scrollTo(0, document.body.scrollHeight)")
        self.shot(it, "10-there", what="body table >> nth=-1", height=200)
        self.part("seen on the simulator's page")

    def rehearse(self, it: Page, connection: str, minutes: float) -> None:
        it.goto(f"{connection}/drills")
        it.fill("main input[name=name]", "金蝶云·星空")
        it.click("main form button.danger")
        it.wait_for_url("**/drills/*")
        self.until(it, lambda: bool(it.reload()) and it.locator("main tbody tr").count() >= 8, minutes * 60)
        self.shot(it, "11-drill")
        self.part("drill begun, its first cases passed")
        it.goto(f"{connection}/reconciling")
        it.click("main form button.pri")
        it.wait_for_load_state()
        it.wait_for_timeout(3000)
        it.reload()
        self.shot(it, "12-reconciling", height=620)
        self.part("a day reconciled")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--portal", default="http://127.0.0.1:8080")
    parser.add_argument("--simulator", default="http://127.0.0.1:8099")
    parser.add_argument("--drill-minutes", type=float, default=10, help="how long the first cases may take")
    given = parser.parse_args()
    world = urllib.request.Request(f"{given.simulator}/_sim/world", json.dumps(WORLD).encode(), method="POST")
    urllib.request.urlopen(world, timeout=10).close()
    program = os.environ.get("TS_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        tour = Tour(browser, given.portal, given.simulator)
        it = tour.sign_in(IT)
        tour.part("signed in")
        connection = tour.connect(it)
        tour.map_and_enable(it, connection)
        tour.trade(it, connection)
        tour.rehearse(it, connection, given.drill_minutes)
        browser.close()


if __name__ == "__main__":
    main()
