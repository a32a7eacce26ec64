"""A claimed document that cannot be read, for a lost key or an upgrade that went wrong: it waits, then a person is told."""

from datetime import timedelta
from typing import Any

from sqlalchemy import case, select, update

from core.db import Unit
from core.kernel import Actor
from core.sync.events import DocumentStuck
from core.sync.model import FLYING, SyncDocument
from core.sync.verdict import LONGEST_WAIT, MOST_TRIES, cause

CODE = "sync.unreadable"


def set_aside(unit: Unit, row: Any, said: str, first_wait: float) -> None:
    """Write down why `row` (id, tenant_id, attempt) was not worked on; nothing, when a newer token was given out since."""
    with unit.acting(row.tenant_id, Actor.system("sync"), {}) as ctx:
        here = (SyncDocument.tenant_id == row.tenant_id, SyncDocument.id == row.id, SyncDocument.attempt == row.attempt)
        tries = ctx.session.scalar(select(SyncDocument.tries).where(*here))
        if tries is None:
            return
        held = tries + 1 >= MOST_TRIES
        wait = timedelta(seconds=min(first_wait * 2.0 ** min(tries, 12), LONGEST_WAIT))
        told = cause("held", CODE, said) | {"tries": tries + 1, "not_before": ctx.now + wait, "lease_until": None}
        if not held:
            told["state"] = case((SyncDocument.state == "unknown", "unknown"), else_="new")
        written = ctx.session.execute(
            update(SyncDocument)
            .where(*here, SyncDocument.state.in_(FLYING))
            .values(changed_at=ctx.now, **told)
            .returning(
                SyncDocument.connection_id,
                SyncDocument.object_id,
                SyncDocument.kind,
                SyncDocument.intent,
                SyncDocument.reference,
            )
        ).one_or_none()
        if written is not None and held:
            ctx.record("sync.held", f"sync_document:{row.id}", reference=written.reference, cause=CODE)
            ctx.publish(
                DocumentStuck(
                    subject_id=written.object_id,
                    connection_id=written.connection_id,
                    kind=written.kind,
                    intent=written.intent,
                    reference=written.reference,
                    state="held",
                    cause=CODE,
                    at=ctx.now,
                )
            )
