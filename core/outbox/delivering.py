"""Delivery after the commit: every subscription of every enabled plugin, at least once, effective once, then dead-lettered."""

import logging
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text, update
from sqlalchemy.dialects.postgresql import insert as upsert

from core.db import Unit
from core.kernel import Actor, Event, event_class, from_payload, uuid7
from core.outbox.model import Delivery, OutboxEvent

log = logging.getLogger("tongshang.outbox")
BATCH, LEASE, TRIES = 50, timedelta(seconds=60), 8
WAITS = "5 seconds"  # until an event looks again whether a stopped plugin goes on


class Waits(Exception):
    """The handler's plugin is stopped: the event keeps for it, and no attempt is counted."""


@dataclass(frozen=True)
class Handler:
    """Who hears an event: `plugin` None is the core itself, else only where that plugin is enabled."""

    name: str
    event: type[Event]
    run: Callable[[Any, Event], None]
    plugin: str | None = None


def deliver(unit: Unit, handlers: Sequence[Handler]) -> int:
    """Claim due events and hand each to its handlers, one transaction per handler. How many events were claimed."""
    with unit.database.session() as session:
        claimed = session.execute(text("SELECT * FROM ts.outbox_claim(:batch, :lease)"), {"batch": BATCH, "lease": LEASE}).all()
        session.commit()
    for row in claimed:
        _deliver_one(unit, row, handlers)
    return len(claimed)


def _deliver_one(unit: Unit, row: Any, handlers: Sequence[Handler]) -> None:
    kind = event_class(row.name)
    failures: list[str] = []
    waits = False
    if kind is not None:
        event = from_payload(kind, row.payload)
        for tenant in filter(None, (row.tenant_id, row.other_id)):
            for handler in handlers:
                if isinstance(event, handler.event):
                    try:
                        failures += _hand_over(unit, row.id, tenant, handler, event)
                    except Waits:
                        waits = True
    with unit.database.session(row.tenant_id) as session:
        session.execute(
            update(OutboxEvent)
            .where(OutboxEvent.tenant_id == row.tenant_id, OutboxEvent.id == row.id, OutboxEvent.attempt == row.attempt)
            .values(_postponed(row.attempt, failures) if waits else _outcome(row.attempt, failures))
        )
        session.commit()


def _hand_over(unit: Unit, event_id: UUID, tenant: UUID, handler: Handler, event: Event) -> list[str]:
    """What went wrong, in words. Raises Waits while the handler's plugin is stopped."""
    try:
        with unit.acting(tenant, Actor("plugin" if handler.plugin else "system", None, handler.name), {}, everything=True) as ctx:
            if handler.plugin is not None:
                if handler.plugin not in ctx.ports.enabled(ctx, tenant):
                    return []
                ctx.plugin, ctx.settings = handler.plugin, ctx.ports.settings(ctx, tenant, handler.plugin)
            taken = ctx.session.execute(
                upsert(Delivery.__table__)
                .values(id=uuid7(), tenant_id=tenant, event_id=event_id, handler=handler.name)
                .on_conflict_do_nothing()
                .returning(Delivery.id)
            ).scalar()
            if taken is not None:
                if handler.plugin is not None and handler.plugin in ctx.ports.dispatch.stopped:
                    raise Waits
                handler.run(ctx, event)
        return []
    except (KeyboardInterrupt, GeneratorExit, Waits):
        raise
    except BaseException as fault:  # a handler may raise anything; its event is retried and then dead-lettered
        log.warning("handler %s failed for %s: %s", handler.name, event.name, fault, exc_info=True)
        return [f"{handler.name}: {type(fault).__name__}: {fault}"[:500]]


def _postponed(attempt: int, failures: list[str]) -> dict[str, Any]:
    """Handlers that are through are written down and stay out of it; the others are asked again."""
    return {
        "attempt": attempt - 1,
        "lease_until": None,
        "last_error": "; ".join(failures) or None,
        "not_before": text(f"clock_timestamp() + interval '{WAITS}'"),
    }


def _outcome(attempt: int, failures: list[str]) -> dict[str, Any]:
    if not failures:
        return {"state": "done", "lease_until": None}
    if attempt >= TRIES:
        return {"state": "dead", "lease_until": None, "last_error": "; ".join(failures)}
    wait = min(2.0**attempt, 300.0) * random.uniform(0.5, 1.5)
    return {
        "lease_until": None,
        "last_error": "; ".join(failures),
        "not_before": text(f"clock_timestamp() + interval '{wait:.1f} seconds'"),
    }
