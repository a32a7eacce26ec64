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


class Waits(Exception):
    """The handler's plugin is stopped or absent: the event keeps for it, and no attempt is counted."""


@dataclass(frozen=True)
class Handler:
    """Who hears an event: `plugin` None is the core itself, else only where that plugin is enabled."""

    name: str
    event: type[Event]
    run: Callable[[Any, Event], None]
    plugin: str | None = None


def deliver(unit: Unit, handlers: Sequence[Handler], absent: frozenset[str] = frozenset()) -> int:
    """Claim due events and hand each to its handlers, one transaction per handler. How many events were claimed.

    `absent` are installed plugins that this process could not bring in: whatever concerns them waits, since nobody here
    knows what they listen to.
    """
    away = absent | frozenset(unit.ports.dispatch.stopped)
    with unit.database.session() as session:
        claimed = session.execute(
            text("SELECT * FROM ts.outbox_claim(:batch, :lease, :away)"), {"batch": BATCH, "lease": LEASE, "away": sorted(away)}
        ).all()
        session.commit()
    everybody = [*handlers, *(Handler(f"{name}.*", Event, _nobody, plugin=name) for name in sorted(absent))]
    for row in claimed:
        _deliver_one(unit, row, everybody, absent.union(row.waits_for))
    return len(claimed)


def _nobody(_ctx: Any, _event: Event) -> None:
    raise AssertionError("a plugin that is absent is never asked")


def _deliver_one(unit: Unit, row: Any, handlers: Sequence[Handler], held: frozenset[str]) -> None:
    kind = event_class(row.name)
    failures: list[str] = []
    waits: set[str] = set()
    if kind is not None:
        event = from_payload(kind, row.payload)
        for tenant in filter(None, (row.tenant_id, row.other_id)):
            for handler in handlers:
                if isinstance(event, handler.event):
                    try:
                        failures += _hand_over(unit, row.id, tenant, handler, event, held)
                    except Waits:
                        waits.add(handler.plugin or "")
    with unit.database.session(row.tenant_id) as session:
        session.execute(
            update(OutboxEvent)
            .where(OutboxEvent.tenant_id == row.tenant_id, OutboxEvent.id == row.id, OutboxEvent.attempt == row.attempt)
            .values(_outcome(row.attempt, failures, sorted(waits)))
        )
        session.commit()


def _hand_over(
    unit: Unit, event_id: UUID, tenant: UUID, handler: Handler, event: Event, held: frozenset[str]
) -> list[str]:
    """What went wrong, in words. Raises Waits while the handler's plugin is stopped, or an earlier event waits for it."""
    try:
        with unit.acting(tenant, Actor("plugin" if handler.plugin else "system", None, handler.name), {}, everything=True) as ctx:
            plugin, dispatch = handler.plugin, ctx.ports.dispatch
            if plugin is not None and plugin not in ctx.ports.enabled(ctx, tenant):
                return []
            taken = ctx.session.execute(
                upsert(Delivery.__table__)
                .values(id=uuid7(), tenant_id=tenant, event_id=event_id, handler=handler.name)
                .on_conflict_do_nothing()
                .returning(Delivery.id)
            ).scalar()
            if taken is None:
                return []
            if plugin is None:
                handler.run(ctx, event)
            elif plugin in held or plugin in dispatch.stopped:
                raise Waits
            else:
                dispatch.hear(plugin, f"event:{event.name}", ctx, lambda: handler.run(ctx, event))
        return []
    except (KeyboardInterrupt, GeneratorExit, Waits):
        raise
    except BaseException as fault:  # a handler may raise anything; its event is retried and then dead-lettered
        log.warning("handler %s failed for %s: %s", handler.name, event.name, fault, exc_info=True)
        return [f"{handler.name}: {type(fault).__name__}: {fault}"[:500]]


def _outcome(attempt: int, failures: list[str], waits: list[str]) -> dict[str, Any]:
    """Handlers that are through are written down and stay out of it; the others are asked again."""
    error = "; ".join(failures) or None
    if waits and (not failures or attempt >= TRIES):
        counted = attempt if failures else attempt - 1
        return {"state": "waiting", "waits_for": waits, "attempt": counted, "lease_until": None, "last_error": error,
                "not_before": text("clock_timestamp()")}  # fmt: skip
    if not failures:
        return {"state": "done", "waits_for": [], "lease_until": None}
    if attempt >= TRIES:
        return {"state": "dead", "waits_for": [], "lease_until": None, "last_error": error}
    wait = min(2.0**attempt, 300.0) * random.uniform(0.5, 1.5)
    return {"state": "new", "waits_for": [], "lease_until": None, "last_error": error,
            "not_before": text(f"clock_timestamp() + interval '{wait:.1f} seconds'")}  # fmt: skip
