"""The removal rule and what a misbehaving hook may do, word for word (V-P1 to V-P4), over the whole application."""

import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from core import billing, fulfilment, orders
from core.db import Database
from core.host import service
from core.kernel import Conflict, Refused, uuid7
from core.outbox import Handler, deliver
from tests.conftest import make_unit
from tests.host.contract.stand import BUYER, SELLER, D, Stand
from tests.host.contract.witness import NAME


def number(stand: Stand, ident: UUID) -> str:
    return str(stand.house.scalar("SELECT number FROM ts.trade_order WHERE id = :id", id=ident))


def test_vp1_an_open_order_keeps_it_on_and_draining_lets_it_finish(stand: Stand) -> None:
    ident = stand.place()
    with stand.house.app.app_context(), pytest.raises(Conflict) as refused, stand.house.acting(SELLER) as ctx:
        service.switch_off(ctx, NAME)
    assert (refused.value.code, refused.value.values["order"]) == ("plugin.has_open_orders", number(stand, ident))

    with stand.house.app.app_context(), stand.house.acting(SELLER) as ctx:
        assert service.switch_off(ctx, NAME, drain=True).state == "draining"
    with pytest.raises(Refused):
        stand.place()  # no new work

    with stand.house.acting(SELLER) as ctx:  # open work goes on
        orders.confirm(ctx, ident)
        line = orders.lines(ctx, ident)[0]
        shipment = fulfilment.ship(ctx, ident, [fulfilment.Portion(line.id, D(4))])
    with stand.house.acting(BUYER) as ctx:
        fulfilment.receive(ctx, shipment.id, [fulfilment.Count(line.id, D(4))])
    with stand.house.acting(SELLER) as ctx:
        invoice = billing.issue_invoice(ctx, ident)
    with stand.house.acting(BUYER) as ctx:
        payment = billing.announce_payment(ctx, invoice.total, f"BANK-{ident}", invoice_ids=[invoice.id])
    with stand.house.acting(SELLER) as ctx:
        billing.confirm_payment(ctx, payment.id)
    with stand.house.app.app_context(), pytest.raises(Conflict), stand.house.acting(SELLER) as ctx:
        service.switch_off(ctx, NAME)  # its gate still holds the order open
    for gate in stand.house.rows("SELECT key FROM ts.gate WHERE order_id = :id AND state = 'open'", id=ident):
        with stand.house.acting(SELLER) as ctx:
            orders.waive_gate(ctx, ident, gate.key, "seen by everybody")
    assert stand.house.scalar("SELECT state FROM ts.trade_order WHERE id = :id", id=ident) == "completed"
    with stand.house.app.app_context(), stand.house.acting(SELLER) as ctx:
        assert service.switch_off(ctx, NAME).state == "disabled"
        service.switch_on(ctx, NAME)


def test_vp2_a_hook_that_raises_refuses_the_step_by_name_and_leaves_nothing(stand: Stand) -> None:
    ident = stand.place()
    before = footprint(stand, ident)

    def fail() -> None:
        raise KeyError("scales")

    answer = confirmed_while(stand, ident, fail)

    assert (answer.status_code, answer.json["code"]) == (409, "plugin.failed")
    assert "Witness" in answer.json["detail"] or NAME in answer.json["detail"]
    assert footprint(stand, ident) == before
    assert confirmed_while(stand, ident, lambda: None).status_code == 200


def test_vp3_an_event_delivered_twice_has_one_effect(stand: Stand) -> None:
    ident = stand.place()
    with stand.house.owner.begin() as connection:  # everything older is of no interest here
        others = "UPDATE ts.outbox_event SET state = 'done' WHERE payload->>'order_id' IS DISTINCT FROM :id"
        connection.execute(text(others), {"id": str(ident)})
    database = Database(stand.house.config.url("worker"), pool_size=2)
    unit = make_unit(database, stand.house.app.extensions["ts.host"].dispatch)
    (heard,) = stand.house.app.extensions["ts.host"].loaded[NAME].subscriptions
    handlers = [Handler(f"{NAME}.heard", heard.event, heard.handler, plugin=NAME)]
    try:
        deliver(unit, handlers)
        with stand.house.owner.begin() as connection:
            again = "UPDATE ts.outbox_event SET state = 'new', not_before = now() WHERE payload->>'order_id' = :id"
            connection.execute(text(again), {"id": str(ident)})
        deliver(unit, handlers)
    finally:
        database.dispose()
    seen = [given for given in stand.calls("event") if given[1] == number(stand, ident)]
    assert sorted(given[0] for given in seen) == sorted(stand.house.cast.ids[key] for key in (BUYER, SELLER))


@pytest.mark.slow
def test_vp4_a_hook_past_its_time_is_cut_off_and_refused_alike(stand: Stand) -> None:
    ident = stand.place()
    before, began = footprint(stand, ident), time.monotonic()

    answer = confirmed_while(stand, ident, lambda: time.sleep(4))

    assert (answer.status_code, answer.json["code"]) == (409, "plugin.failed")
    assert footprint(stand, ident) == before
    assert time.monotonic() - began < 10
    assert confirmed_while(stand, ident, lambda: None).json["code"] == "plugin.out_of_order"


def confirmed_while(stand: Stand, ident: UUID, mood: Callable[[], None]) -> Any:
    """The seller confirms over JSON while the witness is in that mood."""
    stand.module.MOOD["confirm"] = mood
    try:
        headers = {"Idempotency-Key": str(uuid7()), "Accept-Language": "en"}
        return stand.house.api(SELLER)("POST", f"/api/v1/orders/{ident}/confirm", headers=headers, json={})
    finally:
        stand.module.MOOD.clear()


def footprint(stand: Stand, ident: UUID) -> list[Any]:
    """What a confirmation would change."""
    return stand.house.rows(
        "SELECT state, version, (SELECT count(*) FROM ts.outbox_event), (SELECT count(*) FROM ts.audit_entry),"
        " (SELECT sum(hard) FROM ts.stock_level), (SELECT count(*) FROM ts.gate) FROM ts.trade_order WHERE id = :id", id=ident,
    )  # fmt: skip
