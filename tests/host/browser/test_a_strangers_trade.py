"""A third party's trade mode, through the store only: in, ordered in, upgraded, a bad upgrade undone, drained, away and back."""

from pathlib import Path
from typing import Any

import pytest

from tests.authoring.consigning import act
from tests.examples import build
from tests.host.browser.conftest import ENTERPRISE, OPERATOR
from tests.host.browser.test_the_store import MINUTES, carried_out

pytestmark = [pytest.mark.browser, pytest.mark.slow]
BUYER = "zhao.lin@hengke.example.com"
SUM = """SELECT md5(coalesce(string_agg(r::text, '|' ORDER BY r.id), '')) FROM plugin_consignment.{} r"""


def handed_in(operator: Any, address: str, file: Path) -> None:
    operator.goto(f"{address}/plugins/upload")
    operator.set_input_files("input[name=wheel]", str(file))
    operator.click("text=Upload and see the plan")
    operator.wait_for_selector("h2:has-text('What happens')")


def switched_on(page: Any, address: str) -> None:
    page.goto(f"{address}/plugins?q=consignment")
    page.click(".pcard >> text=Switch on")
    page.click("main button.pri")
    page.wait_for_selector(".badge:has-text('Switched on')")


def drained(page: Any, address: str) -> None:
    page.goto(f"{address}/plugins/consignment/drain")
    page.click("main form button.pri, main form button.danger")
    page.wait_for_selector(".badge:has-text('Finishing open orders')")


def switched_off(page: Any, address: str) -> None:
    page.goto(f"{address}/plugins/consignment/disable")
    page.click("main form button.danger")
    page.wait_for_selector(".badge:has-text('Switched off')")


def sums(running: Any) -> list[str]:
    return [running.scalar(SUM.format(table)) for table in ("consignment_stock", "usage_report")]


def test_consignment_from_its_wheel_to_its_archive_and_back(running: Any, enter: Any) -> None:
    here = running.address
    operator = enter(OPERATOR)
    handed_in(operator, here, build("1.0"))
    plan = operator.inner_text("main")
    assert "Nobody vouches for this package." in plan and "consignment_stock" in plan
    carried_out(operator, "Install")

    seller, buyer = enter(ENTERPRISE), enter(BUYER)
    switched_on(seller, here)
    switched_on(buyer, here)
    known = {
        side: str(running.scalar("SELECT tenant_id FROM ts.enterprise_card WHERE name = :name", name=name))
        for side, name in (("seller", "上海联航钢铁贸易有限公司"), ("buyer", "苏州恒科精密机械有限公司"))
    }
    known = act(running.config, "lay", known)

    buyer.goto(f"{here}/consignment")
    buyer.fill("input[name=quantity]", "40")
    buyer.click("text=Report usage")
    buyer.wait_for_selector(".toast:has-text('Usage reported')")
    known["open"] = str(running.scalar("SELECT id FROM ts.trade_order WHERE mode = 'consignment'"))
    buyer.goto(f"{here}/orders/{known['open']}")
    buyer.wait_for_selector("[data-slot='order:panel'] >> text=Left on consignment")

    handed_in(operator, here, build("1.1"))
    assert "1.0" in operator.inner_text("main") and "1.1" in operator.inner_text("main")
    before = sums(running)[1]
    carried_out(operator, "Upgrade")
    assert running.scalar("SELECT version FROM ts.plugin WHERE name = 'consignment'") == "1.1"
    assert sums(running)[1] == before
    buyer.goto(f"{here}/consignment")
    assert "60" in buyer.inner_text("main tbody")

    handed_in(operator, here, build("1.2"))
    before = sums(running)
    operator.click("main .savebar button")
    operator.wait_for_url("**/plugins/changes/**")
    operator.wait_for_selector("#change .note.bad", timeout=MINUTES)
    assert "division by zero" in operator.inner_text("#change")
    assert running.scalar("SELECT version FROM ts.plugin WHERE name = 'consignment'") == "1.1"
    assert sums(running) == before

    buyer.goto(f"{here}/plugins/consignment/disable")
    assert "1" in buyer.inner_text("main")  # the open order stands in the way
    drained(buyer, here)
    drained(seller, here)
    assert act(running.config, "close", known)["state"] == "completed"
    switched_off(buyer, here)
    switched_off(seller, here)

    before = sums(running)
    operator.goto(f"{here}/plugins/consignment/plan?verb=archive")
    carried_out(operator, "Archive")
    assert sums(running) == before
    operator.click("text=To the plugin")
    operator.click("main .ph-a >> text=Restore")
    carried_out(operator, "Restore")
    assert sums(running) == before
    buyer.goto(f"{here}/plugins/consignment")  # its card in the store offers the version that failed
    buyer.click("main .ph-a >> text=Switch on")
    buyer.click("main button.pri")
    buyer.wait_for_selector(".badge:has-text('Switched on')")
    buyer.goto(f"{here}/consignment")
    assert "60" in buyer.inner_text("main tbody")
