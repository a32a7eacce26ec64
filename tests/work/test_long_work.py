"""Long work goes on batch by batch, never does a part twice, and ends in a way one can read."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from core import work
from core.db import Database, Unit
from core.kernel import Actor, Conflict, Forbidden, Invalid, NotFound
from core.work.working import TRIES

NO_TIME = timedelta(0)
Begin = Callable[..., UUID]
Look = Callable[[UUID], work.WorkRun]


def recorded(unit: Unit, tenant: UUID) -> list[int]:
    with unit.system(tenant, "look") as ctx:
        rows = ctx.session.execute(
            text("SELECT detail ->> 'at' FROM ts.audit_entry WHERE action = 'test.count' ORDER BY id")
        )
        return sorted(int(row[0]) for row in rows)


def test_a_run_is_done_batch_by_batch(
    worker: Unit, unit: Unit, counting, begin: Begin, look: Look, tenant: UUID
) -> None:
    run_id = begin(12)
    assert look(run_id).state == "queued"
    assert work.work(worker) == 3
    run = look(run_id)
    assert (run.state, run.done, run.refused, run.mark) == ("done", 12, 3, {"at": 12})
    assert counting.ended == ["done"] and recorded(unit, tenant) == [0, 5, 10]
    with unit.system(tenant, "look") as ctx:
        assert [why.place for why in work.reasons(ctx, run)] == [5, 10, 12]
    assert work.work(worker) == 0


def test_runs_take_turns(worker: Unit, begin: Begin, look: Look) -> None:
    first, second = begin(20), begin(5)
    work.work(worker, turn=0.0)
    work.work(worker, turn=0.0)
    assert (look(first).done, look(first).state, look(second).state) == (5, "running", "done")
    work.work(worker)
    assert look(first).state == "done"


def test_a_batch_that_breaks_is_done_again_from_its_beginning(
    worker: Unit, unit: Unit, counting, begin: Begin, look: Look, tenant: UUID
) -> None:
    run_id = begin(10)
    broken = iter([False, True, False])

    def before(at: int) -> None:
        if next(broken):
            raise RuntimeError("the power is gone")

    counting.before = before
    with pytest.raises(RuntimeError):
        work.work(worker, lease=NO_TIME)
    assert (look(run_id).state, look(run_id).done) == ("running", 5)
    work.work(worker, lease=NO_TIME)
    assert (look(run_id).state, look(run_id).done) == ("done", 10)
    assert recorded(unit, tenant) == [0, 5] and counting.begun == [0, 5]


def test_whoever_lost_the_run_takes_his_batch_back(
    worker: Unit, unit: Unit, counting, begin: Begin, look: Look, tenant: UUID
) -> None:
    run_id = begin(10)
    overtaken = iter([True, *[False] * 9])

    def before(at: int) -> None:
        if next(overtaken):
            work.work(worker, lease=NO_TIME)

    counting.before = before
    work.work(worker, lease=NO_TIME)
    assert (look(run_id).state, look(run_id).done) == ("done", 10)
    assert recorded(unit, tenant) == [0, 5] and counting.ended == ["done"]


def test_a_run_that_never_gets_on_is_given_up(worker: Unit, counting, begin: Begin, look: Look) -> None:
    run_id = begin(10)

    def before(at: int) -> None:
        raise RuntimeError("always")

    counting.before = before
    for _ in range(TRIES):
        with pytest.raises(RuntimeError):
            work.work(worker, lease=NO_TIME)
    work.work(worker, lease=NO_TIME)
    run = look(run_id)
    assert (run.state, run.reason, run.reason_values) == ("failed", "work.gave_up", {"tries": str(TRIES)})


def test_what_is_refused_fails_the_run_with_its_reason(
    worker: Unit, counting, begin: Begin, look: Look
) -> None:
    run_id = begin(10)

    def before(at: int) -> None:
        raise Invalid.one("file", "import.too_large", max=20)

    counting.before = before
    work.work(worker)
    run = look(run_id)
    assert (run.state, run.reason, run.reason_values) == ("failed", "import.too_large", {"max": "20"})
    assert counting.ended == ["failed"]


def test_a_kind_nobody_knows_fails(worker: Unit, unit: Unit, tenant: UUID, counting, look: Look) -> None:
    with unit.system(tenant, "test") as ctx:
        strange = work.Kind("test.strange", ("order.view",), counting.kind.begin)
        run_id = work.start(ctx, strange, "?", {}).id
    work.work(worker)
    with unit.system(tenant, "look") as ctx:
        assert work.find_run(ctx, strange, run_id).reason == "work.unknown_kind"


def test_a_waiting_run_is_cancelled_at_once_and_a_running_one_after_its_batch(
    worker: Unit, unit: Unit, counting, begin: Begin, look: Look, tenant: UUID
) -> None:
    waiting, running = begin(10), begin(20)

    def stop(run_id: UUID) -> None:
        with unit.system(tenant, "test") as ctx:
            work.cancel(ctx, counting.kind, run_id)

    stop(waiting)
    assert look(waiting).state == "cancelled"
    counting.before = lambda at: stop(running) if at == 5 else None
    work.work(worker)
    assert (look(running).state, look(running).done) == ("cancelled", 10)
    assert counting.ended == ["cancelled", "cancelled"]
    with pytest.raises(Conflict, match=r"work\.over"):
        stop(running)


def test_only_who_may_ask_and_only_ones_own_is_found(
    unit: Unit, counting, begin: Begin, make_ctx, other_tenant: UUID
) -> None:
    run_id = begin(10)
    with pytest.raises(Forbidden):
        work.start(make_ctx(grants={}), counting.kind, "x", {})
    with unit.system(other_tenant, "look") as ctx:
        for act in (work.find_run, work.cancel):
            with pytest.raises(NotFound):
                act(ctx, counting.kind, run_id)
        assert work.recent_runs(ctx, counting.kind) == []


def test_work_may_no_more_than_its_asker(worker: Unit, unit: Unit, tenant: UUID, counting) -> None:
    allowed: list[bool] = []

    def begin(ctx, run):
        allowed.extend((ctx.allows("order.view"), ctx.allows("price.edit"), ctx.allows("product.edit")))
        return lambda ctx: work.Batch(0, last=True)

    kind = work.Kind("test.may", ("order.view",), begin, uses=("price.edit",))
    work.offer(kind)
    with unit.acting(tenant, Actor("person", None, "Li"), {"order.view": None, "product.edit": None}) as ctx:
        work.start(ctx, kind, "x", {})
    work.work(worker)
    assert allowed == [True, False, False]


def test_the_application_cannot_take_runs(fresh_db: Database) -> None:
    with fresh_db.session() as session, pytest.raises(ProgrammingError, match="permission denied"):
        session.execute(text("SELECT * FROM ts.work_claim(interval '1 second')"))
