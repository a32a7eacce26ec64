"""A kind of long work that counts, and the worker's way into the same database."""

from collections.abc import Callable, Iterator
from uuid import UUID

import pytest

from core import work
from core.db import Database, Unit
from core.kernel import Context, FieldError
from tests.conftest import make_unit


class Counting:
    """Goes through `total` parts, five a batch; `before` is asked ahead of each batch and may refuse or break."""

    def __init__(self) -> None:
        self.begun: list[int] = []
        self.ended: list[str] = []
        self.before: Callable[[int], None] = lambda at: None
        self.kind = work.Kind(
            "test.count", ("order.view",), self._begin, ended=lambda ctx, run: self.ended.append(run.state)
        )

    def _begin(self, ctx: Context, run: work.WorkRun) -> work.Step:
        at, total = run.mark.get("at", 0), run.total or 0
        self.begun.append(at)

        def step(ctx: Context) -> work.Batch:
            nonlocal at
            self.before(at)
            ctx.record("test.count", run, at=at)
            size = min(5, total - at)
            at += size
            why = work.Why(at, FieldError("n", "field.required", {}))
            return work.Batch(size, 1, (why,), {"at": at}, last=at >= total)

        return step


@pytest.fixture
def counting() -> Counting:
    made = Counting()
    work.offer(made.kind)
    return made


@pytest.fixture
def worker(worker_db: Database) -> Iterator[Unit]:
    yield make_unit(worker_db)


@pytest.fixture
def begin(unit: Unit, counting: Counting, tenant: UUID) -> Callable[[int], UUID]:
    def start(total: int, tenant_id: UUID = tenant) -> UUID:
        with unit.system(tenant_id, "test") as ctx:
            return work.start(ctx, counting.kind, "counting", {}, total).id

    return start


@pytest.fixture
def look(unit: Unit, counting: Counting, tenant: UUID) -> Callable[[UUID], work.WorkRun]:
    def found(run_id: UUID) -> work.WorkRun:
        with unit.system(tenant, "look") as ctx:
            run = work.find_run(ctx, counting.kind, run_id)
            ctx.session.expunge(run)
            return run

    return found
