"""The operator brings a plugin in through the store, an enterprise switches it on and off, it is archived and restored."""

import pytest

from tests.host.browser.conftest import ENTERPRISE, OPERATOR
from tests.host.life.wheels import file_name, wheel

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.long]
MINUTES = 120_000  # milliseconds; a change waits for every process to take it over


def carried_out(page, verb: str) -> None:
    """Consent to the plan on the page and watch the change to its end, without reloading by hand."""
    page.wait_for_selector("h2:has-text('What happens')")
    page.click("main .savebar button")
    page.wait_for_url("**/plugins/changes/**")
    assert verb in page.inner_text("h1")
    page.wait_for_selector("#change .note.ok", timeout=MINUTES)
    assert "new set of plugins." in page.inner_text("#change")


def test_a_plugin_comes_in_is_used_put_aside_and_brought_back(running, enter, tmp_path):
    file = tmp_path / file_name("hut")
    file.write_bytes(wheel("hut"))
    before = running.workers()

    operator = enter(OPERATOR)
    operator.goto(f"{running.address}/plugins")
    operator.click("text=Upload a package")
    operator.set_input_files("input[name=wheel]", str(file))
    operator.click("text=Upload and see the plan")
    operator.wait_for_selector("text=Nobody vouches for this package.")
    plan = operator.inner_text("main")
    assert "hut.use" in plan and "New table" in plan and "Start it" not in plan
    carried_out(operator, "Install")
    assert running.scalar("SELECT version FROM ts.plugin WHERE name = 'hut'") == "1.0"
    assert set(running.workers()).isdisjoint(before), "the web process was replaced"

    trader = enter(ENTERPRISE)
    trader.goto(f"{running.address}/plugins?q=hut")
    trader.click(".pcard >> text=Switch on")
    trader.click("main button.pri")
    trader.wait_for_selector(".badge:has-text('Switched on')")

    operator.goto(f"{running.address}/plugins/hut/plan?verb=archive")
    assert "1 enterprise has it on." in operator.inner_text("main")
    assert operator.is_disabled("main .savebar button")

    trader.click("text=Switch off")
    trader.click("main button.danger")
    trader.wait_for_selector(".badge:has-text('Switched off')")

    operator.reload()
    carried_out(operator, "Archive")
    operator.click("text=To the plugin")
    operator.wait_for_selector("text=This plugin is archived.")
    operator.click("main .ph-a >> text=Restore")
    carried_out(operator, "Restore")
    operator.click("text=To the plugin")
    operator.wait_for_selector(".badge:has-text('Not switched on'), .badge:has-text('Switched off')")
    assert running.scalar("SELECT state FROM ts.plugin WHERE name = 'hut'") == "installed"
