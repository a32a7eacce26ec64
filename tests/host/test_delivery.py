"""Events reach the handlers of enabled plugins, as often as they must, with one effect (V-P3)."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from core import outbox, tenancy
from core.db import Database, Unit
from core.kernel import Context, Event, uuid7
from core.outbox import Handler
from tests.conftest import make_unit


@dataclass(frozen=True)
class SomethingHappened(Event):
    subject_id: UUID
    buyer_id: UUID
    seller_id: UUID


class Ear:
    """Counts what it hears; fails as often as it is told."""

    def __init__(self, failures: int = 0) -> None:
        self.heard: list[tuple[UUID, str, Any]] = []
        self.failures = failures

    def __call__(self, ctx: Context, event: Event) -> None:
        if self.failures:
            self.failures -= 1
            raise SystemExit("not yet")
        self.heard.append((ctx.tenant_id, ctx.actor.kind, dict(ctx.settings)))
        ctx.session.execute(
            text("INSERT INTO ts.order_private (id, tenant_id, order_id, note) VALUES (:id, :tenant, :id, 'effect')"),
            {"id": uuid7(), "tenant": ctx.tenant_id},
        )


@pytest.fixture
def worker(worker_db: Database) -> Unit:
    return make_unit(worker_db)


def publish(unit: Unit, tenant: UUID, other: UUID, *enabled: UUID) -> None:
    for each in enabled:
        with unit.system(each, "test") as ctx:
            tenancy.enable_plugin(ctx, "ear", version="1.0", settings={"loud": True})
    with unit.system(tenant, "test") as ctx:
        ctx.publish(SomethingHappened(uuid7(), tenant, other))


def deliver(worker: Unit, ear: Ear, plugin: str | None = "ear") -> int:
    return outbox.deliver(worker, [Handler("ear.hear", SomethingHappened, ear, plugin=plugin)])


def effects(unit: Unit, *tenants: UUID) -> int:
    found = 0
    for tenant in tenants:
        with unit.system(tenant, "test") as ctx:
            found += ctx.session.scalar(text("SELECT count(*) FROM ts.order_private"))
    return found


def test_an_event_is_heard_at_both_sides_where_the_plugin_is_enabled(
    unit: Unit, worker: Unit, tenant: UUID, other_tenant: UUID
) -> None:
    ear = Ear()
    publish(unit, tenant, other_tenant, other_tenant)
    assert deliver(worker, ear) == 1
    assert ear.heard == [(other_tenant, "plugin", {"loud": True})]
    assert deliver(worker, ear) == 0


def test_an_event_delivered_twice_has_one_effect(
    unit: Unit, worker: Unit, tenant: UUID, other_tenant: UUID
) -> None:
    ear = Ear()
    publish(unit, tenant, other_tenant, tenant, other_tenant)
    deliver(worker, ear)
    for each in (tenant, other_tenant):
        with unit.system(each, "test") as ctx:
            ctx.session.execute(
                text("UPDATE ts.outbox_event SET state = 'new', lease_until = NULL, not_before = clock_timestamp()")
            )
    assert deliver(worker, ear) == 1
    assert len(ear.heard) == 2
    assert effects(unit, tenant, other_tenant) == 2


def test_a_failing_handler_is_tried_again_and_has_left_nothing_behind(
    unit: Unit, worker: Unit, tenant: UUID, other_tenant: UUID
) -> None:
    ear = Ear(failures=1)
    publish(unit, tenant, other_tenant, tenant)
    deliver(worker, ear)
    assert effects(unit, tenant) == 0
    with unit.system(tenant, "test") as ctx:
        waiting = ctx.session.execute(text("SELECT state, last_error FROM ts.outbox_event")).one()
        assert waiting.state == "new" and "SystemExit: not yet" in waiting.last_error
        ctx.session.execute(text("UPDATE ts.outbox_event SET not_before = clock_timestamp()"))
    deliver(worker, ear)
    assert effects(unit, tenant) == 1


def test_an_event_nobody_here_knows_any_more_does_not_stop_the_others(
    unit: Unit, worker: Unit, tenant: UUID, other_tenant: UUID
) -> None:
    publish(unit, tenant, other_tenant, tenant)
    with unit.system(tenant, "test") as ctx:
        ctx.session.execute(text("UPDATE ts.outbox_event SET name = 'GoneWithItsPlugin'"))
    publish(unit, tenant, other_tenant)
    ear = Ear()
    assert deliver(worker, ear) == 2
    assert len(ear.heard) == 1


def test_an_event_keeps_for_a_stopped_plugin_and_no_attempt_is_counted(
    unit: Unit, worker: Unit, tenant: UUID, other_tenant: UUID
) -> None:
    stopped, core = Ear(), Ear()
    publish(unit, tenant, other_tenant, tenant)
    both = [
        Handler("core.hear", SomethingHappened, core),
        Handler("ear.hear", SomethingHappened, stopped, plugin="ear"),
    ]
    worker.ports.dispatch.stopped = {"ear": "it misbehaves"}
    assert outbox.deliver(worker, both) == 1
    assert waiting(unit, tenant) == [("waiting", 0, ["ear"])]
    assert (len(core.heard), stopped.heard) == (2, [])
    assert outbox.deliver(worker, both) == 0  # nobody is asked as long as it is stopped
    worker.ports.dispatch.stopped = {}
    assert outbox.deliver(worker, both) == 1
    assert (len(core.heard), len(stopped.heard)) == (2, 1)
    assert waiting(unit, tenant) == []
    assert outbox.deliver(worker, both) == 0


def test_what_a_stopped_plugin_has_not_heard_keeps_nobody_else_and_comes_back_in_order(
    unit: Unit, worker: Unit, tenant: UUID, other_tenant: UUID
) -> None:
    stopped, core = Ear(), Ear()
    both = [
        Handler("core.hear", SomethingHappened, core),
        Handler("ear.hear", SomethingHappened, stopped, plugin="ear"),
    ]
    with unit.system(tenant, "test") as ctx:
        tenancy.enable_plugin(ctx, "ear", version="1.0", settings={"loud": True})
    subject = uuid7()

    def happens() -> None:
        with unit.system(tenant, "test") as ctx:
            ctx.publish(SomethingHappened(subject, tenant, tenant))

    worker.ports.dispatch.stopped = {"ear": "it misbehaves"}
    for count in (1, 2):
        happens()
        assert outbox.deliver(worker, both) == 1
        assert len(core.heard) == count  # the second of the same subject is not kept back by the first
    assert waiting(unit, tenant) == [("waiting", 0, ["ear"])] * 2
    worker.ports.dispatch.stopped = {}
    happens()
    assert outbox.deliver(worker, both) == 2  # the first that waits, and the new one, which must wait its turn now
    assert (len(core.heard), len(stopped.heard)) == (3, 1)
    assert waiting(unit, tenant) == [("waiting", 0, ["ear"])] * 2
    assert [outbox.deliver(worker, both) for _ in range(3)] == [1, 1, 0]
    assert (len(core.heard), len(stopped.heard)) == (3, 3)


def test_events_wait_for_an_installed_plugin_that_did_not_come_in(
    unit: Unit, worker: Unit, tenant: UUID, other_tenant: UUID
) -> None:
    ear = Ear()
    publish(unit, tenant, other_tenant, tenant)
    assert outbox.deliver(worker, [], frozenset({"ear", "deaf"})) == 1  # safe mode, say
    assert waiting(unit, tenant) == [("waiting", 0, ["ear"])]
    assert deliver(worker, ear) == 1
    assert len(ear.heard) == 1


def waiting(unit: Unit, tenant: UUID) -> list[tuple[str, int, list[str]]]:
    """Events that somebody has not heard yet: state, attempts, plugins waited for."""
    with unit.system(tenant, "test") as ctx:
        rows = ctx.session.execute(
            text("SELECT state, attempt, waits_for FROM ts.outbox_event WHERE state NOT IN ('done', 'dead') ORDER BY id")
        )
        return [tuple(row) for row in rows]
