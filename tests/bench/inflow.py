"""What it costs to take 100,000 materials in, end to end against the K/3 Cloud simulator, beside plain inserts of as many rows.

The simulator is a process of its own, as an ERP is. A first run of 10,000 rows warms up and shows how much memory a run
takes; the memory that the long run takes beyond it is what grows with the number of rows.
"""

import json
import resource
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import psycopg

from core.app import Installation
from core.config import Config
from core.db import Database
from core.sync import NewConnection, OutboundRule, Puller, connect, connectors, sync_now
from core.sync.streams import CHECK
from tests.bench import backlog, ours
from tests.bench.world import World

ROWS, FIRST, AT_ONCE = 100_000, 10_000, 10_000
PAGE = 2_000  # rows the connector fetches, stores and commits at once
BAR = 1500.0  # rows a second
KILO = 1024 if sys.platform != "darwin" else 1024 * 1024  # in what `ru_maxrss` is told, to MiB
PRODUCTS = """INSERT INTO ts.product (id, tenant_id, code, category_path, name_zh, name_en, spec, base_uom, tax_class, attributes,
  part_no, words, code_key, part_key, search, status, version)
SELECT r.id, %s, r.code, '', r.name, '', '', 'pcs', 'goods', '{}', '', '', lower(r.code), '', to_tsvector('simple', r.name),
  'draft', 1
FROM unnest(%s::uuid[], %s::text[], %s::text[]) AS r(id, code, name)"""
COUNT = "SELECT count(*) FROM ts.product WHERE tenant_id = %s AND code LIKE 'B0%%'"
REFS = """INSERT INTO ts.external_ref (id, tenant_id, connection_id, kind, local_id, external_id, external_number)
SELECT gen_random_uuid(), %s, %s, 'product', r.id, r.code, r.code FROM unnest(%s::uuid[], %s::text[]) AS r(id, code)"""


@contextmanager
def practised() -> Iterator[dict[str, Any]]:
    """A simulator in a process of its own, as it tells about itself."""
    server = subprocess.Popen(
        [sys.executable, "-P", "-m", "connectors.kingdee.simulator"], cwd=ours.ROOT, stdout=subprocess.PIPE, text=True
    )
    try:
        assert server.stdout is not None
        yield json.loads(server.stdout.readline())
    finally:
        server.terminate()
        server.wait(15)


def materials(admin: str, letter: str, count: int) -> None:
    """So many further materials over there."""
    for start in range(0, count, AT_ONCE):
        rows = [
            {"number": f"{letter}{no:06}", "name": f"内六角螺栓 {no}", "specification": f"M8×{no % 200}", "unit": "Pcs"}
            for no in range(start, min(start + AT_ONCE, count))
        ]
        asked = urllib.request.Request(f"{admin}/world", json.dumps({"materials": rows}).encode(), method="POST")
        with urllib.request.urlopen(asked, timeout=120) as answer:
            answer.read()


def measure(config: Config, world: World) -> dict[str, Any]:
    """Rows a second from the first call to the last commit, MiB that grew with their number, and the plain inserts."""
    seller = world.sellers[-1].id
    with ExitStack() as stack:
        there = stack.enter_context(practised())
        app = Installation(config, Database(config.url("app"), pool_size=2))
        stack.callback(app.database.dispose)
        worker = Installation(config, Database(config.url("worker"), pool_size=4))
        stack.callback(worker.database.dispose)
        told = {"way": "signed", "username": "demo"} | {key: there[key] for key in ("acct_id", "app_id", "app_secret")}
        with app.unit.system(seller, "bench") as ctx:
            wired = connect(ctx, connectors()["kingdee"], NewConnection("ERP", there["url"], "100", told)).id
        rule = OutboundRule.parse(there["url"].partition("//")[2].partition("/")[0])
        puller = Puller(worker.unit, connectors(), lambda: [rule])

        def run() -> float:
            with app.unit.system(seller, "bench") as ctx:
                sync_now(ctx, wired, "products")
            while (pull := puller.claim()) is not None and pull.key == CHECK:
                puller.run(pull)
            assert pull is not None
            began = time.perf_counter()
            if (how := puller.run(pull)) != "done":
                raise RuntimeError(f"the run is {how}")
            return time.perf_counter() - began

        materials(there["admin"], "A", FIRST)
        run()
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        materials(there["admin"], "B", ROWS)
        seconds = run()
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / KILO
        owner = stack.enter_context(psycopg.connect(backlog.dsn(config, "migrate")))
        owner.execute("SET ROLE ts_owner")
        came = owner.execute(COUNT, (seller,)).fetchone()
        if came != (ROWS,):
            raise RuntimeError(f"{came} of {ROWS} materials came in")
        plain = _plain(owner, seller, wired)
    return {
        "materials_in": {
            "per_s": round(ROWS / seconds),
            "bar_per_s": BAR,
            "grown_mib": round(grown, 1),
            "raw_per_s": round(ROWS / plain),
            "times_raw": round(seconds / plain, 1),
        }
    }


def _plain(owner: psycopg.Connection[Any], seller: uuid.UUID, wired: uuid.UUID) -> float:
    """Seconds of the two inserts that nobody can do without, page by page with a commit each, and no question asked."""
    began = time.perf_counter()
    for start in range(0, ROWS, PAGE):
        ids = [uuid.uuid4() for _ in range(PAGE)]
        codes = [f"C{no:06}" for no in range(start, start + PAGE)]
        owner.execute(PRODUCTS, (seller, ids, codes, codes))
        owner.execute(REFS, (seller, wired, ids, codes))
        owner.commit()
        owner.execute("SET ROLE ts_owner")
    return time.perf_counter() - began
