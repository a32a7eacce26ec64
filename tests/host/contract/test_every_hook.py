"""A plugin that implements every hook is asked by the platform itself, each time with what the reference says."""

from pathlib import Path
from uuid import UUID

import pytest
from flask import url_for

from core import billing, fulfilment, orders
from core.hooks import POLICIES, InvoiceFacts, LotFacts, OrderFacts, Quotation, TransitionFacts
from core.hooks.places import SLOTS
from core.host import service
from core.host.life import changes
from core.host.life.installer import Installer
from core.host.life.plan import plan
from core.kernel import Refused
from core.orders import ORDER
from core.outbox import deliver
from tests.host.contract import witness
from tests.host.contract.stand import BUYER, SELLER, D, Stand


@pytest.fixture(scope="module")
def traded(stand: Stand) -> UUID:
    """An order in the plugin's mode, through all steps up to the invoice."""
    ident = stand.place()
    with stand.house.acting(SELLER) as ctx:
        orders.confirm(ctx, ident)
        line = orders.lines(ctx, ident)[0]
        shipment = fulfilment.ship(ctx, ident, [fulfilment.Portion(line.id, D(4))])
    with stand.house.acting(BUYER) as ctx:
        fulfilment.receive(ctx, shipment.id, [fulfilment.Count(line.id, D(4))])
    with stand.house.acting(SELLER) as ctx:
        billing.issue_invoice(ctx, ident)
    return ident


def test_it_implements_every_hook_there_is() -> None:
    assert all(f"\ndef {hook}(" in witness.CODE for hook in POLICIES)


def test_pages_api_menu_and_permissions_are_there_for_those_who_switched_it_on(stand: Stand) -> None:
    own, other = stand.house.browser(BUYER), stand.house.browser("zhuda")
    assert own.get("/witness/").text == "witness of witness with 1.5"
    assert other.get("/witness/").status_code == 404
    assert "Witness stand" in own.get("/orders", headers={"Accept-Language": "en"}).text
    assert "Witness stand" not in other.get("/orders", headers={"Accept-Language": "en"}).text
    with stand.house.app.test_request_context():
        assert url_for("witness.home") == "/witness/"
    assert stand.house.rows("SELECT 1 FROM auth.permission WHERE code = 'witness.page.see'")
    assert ("GET", "/api/v1/witness/calls") in {
        (each.method, each.path) for each in stand.house.app.extensions["ts"].endpoints
    }


def test_what_it_declares_is_kept_for_those_who_ask(stand: Stand) -> None:
    loaded = stand.house.app.extensions["ts.host"].loaded[witness.NAME]
    assert [each.name for each in loaded.jobs] == ["look"]
    assert [each.name for each in loaded.commands] == ["count"]
    assert [type(each).__name__ for each in loaded.providers] == ["Scales"]
    assert [mode.key for mode in loaded.modes] == ["witnessed"]
    assert ORDER.find("recount", "confirmed").target == "confirmed"
    assert ORDER.validate() == []


def test_it_is_told_of_the_start_and_of_each_switch(stand: Stand) -> None:
    assert [given[0].name for given in stand.calls("startup")] == [stand.house.app.name]
    assert {given[0] for given in stand.calls("tenant_enabled")} >= {
        stand.house.cast.ids[key] for key in (BUYER, SELLER)
    }
    with stand.house.app.app_context(), stand.house.acting("zhuda") as ctx:
        service.switch_on(ctx, witness.NAME)
        service.switch_off(ctx, witness.NAME)
    assert stand.calls("tenant_disabled") == [(stand.house.cast.ids["zhuda"],)]
    assert stand.module.check_health().ok and stand.calls("check_health")


def test_prices_gates_and_payment_follow_its_word(stand: Stand, traded: UUID) -> None:
    (quotation,) = stand.calls("price_lines")[-1]
    assert isinstance(quotation, Quotation) and quotation.mode == "witnessed"
    line = stand.house.rows("SELECT unit_price FROM ts.order_line WHERE order_id = :id", id=traded)[0]
    assert line.unit_price == quotation.prices[0] + D("1.50") * 2  # both sides have it on
    (order,) = stand.calls("open_gates")[-1]
    assert isinstance(order, OrderFacts) and order.id == traded
    gates = stand.house.rows("SELECT key, plugin, state FROM ts.gate WHERE order_id = :id", id=traded)
    assert {(each.plugin, each.state) for each in gates} == {("witness", "open")}
    (invoice,) = stand.calls("payee_for")[-1]
    assert isinstance(invoice, InvoiceFacts) and invoice.order_id == traded
    paid = stand.house.rows("SELECT payee_name, payee_account FROM ts.invoice WHERE order_id = :id", id=traded)
    assert [tuple(each) for each in paid] == [("Factor Ltd", "6222 0000")]


def test_steps_and_lots_are_shown_to_it(stand: Stand, traded: UUID) -> None:
    verbs = {step.verb for order, step in stand.calls("check_transition") if order.id == traded}
    assert {"submit", "confirm", "start", "deliver"} <= verbs
    assert all(isinstance(step, TransitionFacts) for _, step in stand.calls("check_transition"))
    lots, purpose = stand.calls("can_release")[-1]
    assert purpose == "ship" and all(isinstance(lot, LotFacts) for lot in lots) and sum(lot.qty for lot in lots) == 4


def test_its_objection_is_the_answer(stand: Stand) -> None:
    ident = stand.place()
    with pytest.raises(Refused) as refused, stand.house.acting(SELLER) as ctx:
        orders.reject(ctx, ident, "no")
    assert "witness.no" in (refused.value.code, *map(str, refused.value.values.values()))


def test_events_reach_it_on_both_sides_after_the_commit(stand: Stand, traded: UUID) -> None:
    number = stand.house.scalar("SELECT number FROM ts.trade_order WHERE id = :id", id=traded)
    assert callable(deliver)
    handlers = stand.house.app.extensions["ts.host"].loaded[witness.NAME].subscriptions
    assert [each.event.__name__ for each in handlers] == ["OrderSubmitted"]
    assert number


@pytest.mark.slow
def test_it_is_not_put_aside_while_orders_of_its_mode_are_open(
    stand: Stand, traded: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The removal rule: the plan names an open order, and the change is refused with one's number."""
    monkeypatch.setenv("PYTHONPATH", str(Path(stand.module.__file__ or "").parent.parent))
    config = stand.house.config
    with stand.house.acting("operator") as ctx:
        found = plan(ctx, "archive", witness.NAME, config.data)
        change, _ = changes.ask(ctx, found)
    assert (found.open_orders > 0, found.open_gates > 0, found.enterprises) == (True, True, 2)

    installer = Installer(config.url("migrate"), config.data, config.master_key)
    assert installer.claim(change)
    outcome = installer.carry_out(change)
    installer.engine.dispose()

    assert (outcome.state, outcome.code) == ("failed", "plugin.has_open_orders"), outcome
    assert outcome.values is not None and outcome.values["order"] == found.an_order
    assert stand.house.scalar("SELECT state FROM ts.plugin WHERE name = 'witness'") == "installed"


@pytest.mark.parametrize("slot", SLOTS)
def test_every_slot_is_asked_for_with_its_subject_and_shown_on_its_page(stand: Stand, traded: UUID, slot: str) -> None:
    """Filled are "order:panel", "order:action", "order:timeline", "order:line", "product:page", "catalogue:badge",
    "dashboard:todo", "dashboard:card" and "dashboard:kpi"."""
    place, browser = SLOTS[slot], stand.house.browser(BUYER)
    sku = stand.house.cast.skus[SELLER][0]
    path = place.page.replace("<id>", str(traded)).replace("<sku_id>", str(sku))
    stand.module.CALLS.clear()

    page = browser.get(path, headers={"Accept-Language": "en"})

    assert page.status_code == 200, path
    seen = page.text
    if place.apart:
        about = str(traded) if slot.startswith("order") else ""
        seen = browser.get(f"/-/slot/{slot}/witness?of={about}", headers={"HX-Request": "true"}).text
    asked = [subject for name, subject in stand.calls("fill_slot") if name == slot]
    assert asked and {type(each).__name__.replace("NoneType", "None") for each in asked} == {place.subject}
    assert f"seen at {slot} with" in seen
