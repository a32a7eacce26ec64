"""A worker killed in the middle of a file: the next one goes on exactly where the last commit left off."""

import os
import signal
import subprocess
import sys
from datetime import timedelta
from uuid import UUID

from sqlalchemy import text

from core import catalog, tenancy, work
from core.db import Database, Unit
from tests.conftest import Server

ROWS = 1_700
KILLED = """
import sys
from dataclasses import replace
from core import rooms, work
from core.catalog.imports import IMPORT
from core.db import Database, keyring
from tests.conftest import make_unit

keyring.load({1: b"k" * 32})
rooms.load_models()

def begin(ctx, run):
    step, batches = IMPORT.begin(ctx, run), []

    def third_never_commits(ctx):
        batch = step(ctx)
        batches.append(batch)
        if len(batches) == 3:
            print("in the middle", flush=True)
            sys.stdin.read()
        return batch

    return third_never_commits

work.offer(replace(IMPORT, begin=begin))
work.work(make_unit(Database(sys.argv[1])), turn=600.0)
"""


def test_a_killed_import_goes_on_where_it_stopped(
    server: Server, fresh_db: Database, worker: Unit, unit: Unit, tenant: UUID
) -> None:
    lines = [f"P{n:05},品{n},{n % 90 + 1}.5,active" for n in range(ROWS)]
    lines[600], lines[1600] = "P00600,,1,active", "P00003,又一次,9,active"
    content = "\n".join(["code,name_zh,price,status", *lines]).encode()
    with unit.system(tenant, "seed") as ctx:
        tenancy.register_enterprise(ctx, name="江南钢材有限公司", uscc="91350100M000100Y43", kind="trader")
        run_id = catalog.start_import(ctx, "goods.csv", content).id
    url = server.url_for("ts_worker", fresh_db.name)  # type: ignore[attr-defined]
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "in the middle\n"
        os.kill(child.pid, signal.SIGKILL)
    found = state(unit, tenant, run_id)
    assert (found.run.state, found.run.done, found.landed, found.run.refused) == ("running", 1000, 999, 1)

    assert work.work(worker) == 0, "the dead worker's lease still stands"
    with worker.system(tenant, "test") as ctx:  # as if the lease had run out
        ctx.session.execute(text("UPDATE ts.work_run SET lease_until = clock_timestamp()"))
    while work.work(worker, lease=timedelta(minutes=1)):
        pass
    found = state(unit, tenant, run_id)
    assert (found.run.state, found.run.done, found.added, found.run.refused) == ("done", ROWS, ROWS - 2, 2)
    with unit.system(tenant, "look") as ctx:
        why = [(each.place, each.code) for each in catalog.import_reasons(ctx, run_id)]
        assert why == [(602, "field.required"), (1602, "product.code_twice")]
        assert ctx.session.scalar(text("SELECT count(*) FROM ts.listing")) == ROWS - 2
        versions = ctx.session.scalar(text("SELECT max(version) FROM ts.product"))
        assert versions == 2, "added and listed once each: nothing was done a second time"
        heard = text("SELECT count(*) FROM ts.outbox_event WHERE name = 'ProductsImported'")
        assert ctx.session.scalar(heard) == 1


def state(unit: Unit, tenant: UUID, run_id: UUID) -> catalog.Imported:
    with unit.system(tenant, "look") as ctx:
        found = catalog.find_import(ctx, run_id)
        ctx.session.expunge_all()
        return found
