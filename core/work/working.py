"""The worker's side of long work: take the run that waited longest, do batches for a few seconds, give it back.

One transaction holds a batch, its reasons and the new mark, so a killed worker leaves nothing half done and nothing
is done twice. A worker whose lease ran out finds its claim gone and takes its batch back.
"""

import time
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select, text, update

from core.db import Unit
from core.kernel import Actor, Context, FieldError, Invalid, Refused, Unavailable
from core.work.kinds import Batch, Kind, Step, kind_named
from core.work.model import WorkRun
from core.work.service import end, keep_reasons

LEASE = timedelta(seconds=60)
TURN = 5.0  # seconds one run may hold the duty before others get their turn
TRIES = 5  # takers in a row that did not finish a single batch


class Lost(Exception):
    """Somebody else has taken the run over: what this batch did must not be committed."""


def work(unit: Unit, *, lease: timedelta = LEASE, turn: float = TURN) -> int:
    """One turn of one run, if any is due. Answers how many batches were done, at least 1 when there was a run."""
    with unit.database.session() as session:
        found = session.execute(text("SELECT * FROM ts.work_claim(:lease)"), {"lease": lease}).one_or_none()
        session.commit()
    return 0 if found is None else _Taker(unit, found, lease).turn(turn)


class _Taker:
    """One claim on one run."""

    def __init__(self, unit: Unit, claimed: Any, lease: timedelta) -> None:
        self.unit, self.claimed, self.lease = unit, claimed, lease
        self.kind: Kind | None = kind_named(claimed.kind)
        self.actor = Actor(claimed.actor_kind, claimed.actor_id, claimed.actor_name, claimed.person_id)
        self.grants: dict[str, Decimal | None] = dict.fromkeys(claimed.may)
        self.step: Step | None = None

    def turn(self, seconds: float) -> int:
        until, count = time.monotonic() + seconds, 0
        try:
            while True:
                count += 1
                if Unit.retrying(lambda: self._batch(until)):
                    return count
        except Lost:
            return count
        except Unavailable:
            raise  # the lease runs out, and the run is taken again
        except Refused as refused:
            self._fail(refused)
            return count

    def _batch(self, until: float) -> bool:
        """One batch and its commit. Whether this turn is over."""
        step, self.step = self.step, None  # a batch that is rolled back begins again at the mark
        with self.unit.acting(self.claimed.tenant_id, self.actor, self.grants) as ctx:
            run = self._held(ctx)
            if self._ended_early(ctx, run):
                return True
            assert self.kind is not None
            step = step or self.kind.begin(ctx, run)
            batch = step(ctx)
            rest = time.monotonic() > until
            self._advance(ctx, run, batch, give_back=rest)
        self.step = step
        return batch.last or rest

    def _fail(self, refused: Refused) -> None:
        first = next(iter(refused.errors), None) if isinstance(refused, Invalid) else None
        with self.unit.acting(self.claimed.tenant_id, self.actor, self.grants) as ctx, suppress(Lost):
            end(
                ctx,
                self.kind,
                self._held(ctx),
                "failed",
                first or FieldError("", refused.code, refused.values),
            )

    def _held(self, ctx: Context) -> WorkRun:
        wanted = select(WorkRun).where(
            WorkRun.tenant_id == ctx.tenant_id,
            WorkRun.id == self.claimed.id,
            WorkRun.claim == self.claimed.claim,
            WorkRun.state == "running",
        )
        run = ctx.session.scalar(wanted)
        if run is None:
            raise Lost
        return run

    def _ended_early(self, ctx: Context, run: WorkRun) -> bool:
        if run.stop_asked_at is not None:
            end(ctx, self.kind, run, "cancelled")
        elif self.kind is None:
            end(ctx, None, run, "failed", FieldError("", "work.unknown_kind", {"kind": run.kind}))
        elif run.tries > TRIES:
            end(ctx, self.kind, run, "failed", FieldError("", "work.gave_up", {"tries": TRIES}))
        else:
            return False
        return True

    def _advance(self, ctx: Context, run: WorkRun, batch: Batch, *, give_back: bool) -> None:
        keep_reasons(ctx, run.id, batch.reasons)
        moved = (
            update(WorkRun)
            .where(
                WorkRun.tenant_id == ctx.tenant_id,
                WorkRun.id == run.id,
                WorkRun.claim == self.claimed.claim,
                WorkRun.state == "running",
            )
            .values(
                done=WorkRun.done + batch.done,
                refused=WorkRun.refused + batch.refused,
                mark=dict(batch.mark),
                tries=0,
                turned_at=func.clock_timestamp(),
                lease_until=None if give_back else func.clock_timestamp() + self.lease,
            )
            .execution_options(synchronize_session=False)
        )
        if ctx.session.execute(moved).rowcount != 1:
            raise Lost
        ctx.session.refresh(run)
        if batch.last:
            end(ctx, self.kind, run, "done")


def work_off(ctx: Context, kind: Kind, run: WorkRun) -> WorkRun:
    """Do a whole run inside this very transaction: for seeding, where nobody waits and nothing may be half there."""
    run.state, run.started_at = "running", ctx.now
    step = kind.begin(ctx, run)
    last = False
    while not last:
        batch = step(ctx)
        keep_reasons(ctx, run.id, batch.reasons)
        run.done, run.refused, run.mark = run.done + batch.done, run.refused + batch.refused, dict(batch.mark)
        last = batch.last
    end(ctx, kind, run, "done")
    return run
