"""What it costs to claim documents out of a backlog of 100,000, beside the plain queue claim anybody would write.

Both are asked by turns on the same rows. Every case begins with the statistics of an empty table, as after a sudden
flood, and what is claimed is finished outside the measured time.
"""

import json
import math
import statistics
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psycopg

from core.config import Config
from tests.bench.world import World

WAITING = 100_000
CLAIMS = 60
BATCH = 20
AT_ONCE = 8
BAR_MS = 50.0
MANY = 5_000

OURS = "SELECT id, tenant_id, attempt FROM ts.sync_claim(%s, interval '2 minutes', %s)"
PLAIN = """WITH mine AS MATERIALIZED (
  SELECT d.id FROM ts.sync_document d WHERE d.connection_id = %s AND d.state IN ('new', 'sending', 'unknown')
    AND d.not_before <= now() AND (d.lease_until IS NULL OR d.lease_until <= now())
  ORDER BY d.not_before, d.id LIMIT %s FOR UPDATE SKIP LOCKED)
UPDATE ts.sync_document d SET state = 'sending', attempt = d.attempt + 1, lease_until = now() + interval '2 minutes'
FROM mine WHERE d.id = mine.id RETURNING d.id, d.tenant_id, d.attempt"""
DONE = "UPDATE ts.sync_document SET state = 'done', lease_until = NULL WHERE id = ANY(%s)"
CONNECTIONS = """INSERT INTO ts.erp_connection (id, tenant_id, connector, name, base_url, secrets)
SELECT c.id, c.tenant, 'kingdee', 'bench ' || c.id, 'https://erp.example.com', ''
FROM unnest(%s::uuid[], %s::uuid[]) AS c(id, tenant)"""
DOCUMENTS = """INSERT INTO ts.sync_document (id, tenant_id, connection_id, kind, object_id, intent, version, idem_key, reference,
  partner, total, body, state, tries, not_before)
SELECT gen_random_uuid(), %(tenant)s, %(connection)s, 'sales_order', o.id, %(intent)s, %(version)s,
  o.id || ':' || %(version)s, 'SO-' || o.no, '锡安达机电', 1000, %(body)s::jsonb, %(state)s, %(version)s,
  clock_timestamp() + %(due)s::interval + o.no * interval '1 millisecond'
FROM (SELECT no, md5(%(connection)s::text || no)::uuid AS id FROM generate_series(1, %(count)s) AS no) o"""


@dataclass(frozen=True)
class Queue:
    """The table of documents, filled and emptied by its owner."""

    owner: psycopg.Connection[Any]
    tenants: list[uuid.UUID]
    body: dict[str, Any]

    def empty(self) -> None:
        self.owner.execute("TRUNCATE ts.sync_document, ts.erp_connection CASCADE")
        self.owner.execute("ANALYZE ts.sync_document, ts.erp_connection")

    def connections(self, count: int) -> list[tuple[uuid.UUID, uuid.UUID]]:
        """So many connections over all tenants, each with its tenant."""
        made = [(uuid.uuid4(), self.tenants[no % len(self.tenants)]) for no in range(count)]
        ids, tenants = (list(column) for column in zip(*made, strict=True))
        self.owner.execute(CONNECTIONS, (ids, tenants))
        return made

    def documents(
        self,
        of: tuple[uuid.UUID, uuid.UUID],
        count: int,
        *,
        version: int = 1,
        state: str = "new",
        due: str = "-1 hour",
    ) -> None:
        facts = {"connection": of[0], "tenant": of[1], "count": count, "version": version, "state": state}
        intent = "create" if version == 1 else "change"
        self.owner.execute(DOCUMENTS, facts | {"due": due, "intent": intent, "body": json.dumps(self.body)})


LINE = {
    "no": 10,
    "sku_id": str(uuid.UUID(int=7)),
    "material": "BRG-6204",
    "name": "深沟球轴承 6204",
    "quantity": "120",
}
BODY = {
    "kind": "sales_order",
    "reference": "SO-1",
    "ordered_on": "2026-11-23",
    "lines": [LINE] * 10,
}  # about 1 kB


def even(queue: Queue) -> None:
    """Eight connections with as much each."""
    for each in queue.connections(8):
        queue.documents(each, WAITING // 8)


def dead(queue: Queue) -> None:
    """The oldest nine tenths belong to a connection whose breaker is open."""
    first, *others = queue.connections(8)
    queue.documents(first, WAITING * 9 // 10, due="-2 hours")
    queue.owner.execute(
        "UPDATE ts.erp_connection SET open_until = now() + interval '1 day' WHERE id = %s", (first[0],)
    )
    for each in others:
        queue.documents(each, WAITING // 70)


def blocked(queue: Queue) -> None:
    """The oldest half of everything waits behind an older version of its order that is looked for in an hour."""
    for each in queue.connections(2):
        queue.documents(each, WAITING // 8, state="unknown", due="1 hour")
        queue.documents(each, WAITING // 8, version=2, due="-2 hours")
    for each in queue.connections(6):
        queue.documents(each, WAITING // 12)


def many(queue: Queue) -> None:
    """A few documents on each of thousands of connections."""
    for each in queue.connections(MANY):
        queue.documents(each, WAITING // MANY)


def finished(queue: Queue) -> None:
    """Nothing waits: what a worker costs that asks three times a second."""
    for each in queue.connections(8):
        queue.documents(each, WAITING // 8, state="done")


CASES: tuple[Callable[[Queue], None], ...] = (even, dead, blocked, many, finished)


def measure(config: Config, world: World) -> dict[str, Any]:
    """Milliseconds of one claim with its commit for each case, and of the plain one of a single connection."""
    facts: dict[str, Any] = {}
    with psycopg.connect(dsn(config, "migrate"), autocommit=True) as owner:
        owner.execute("SET ROLE ts_owner")
        queue = Queue(owner, [seller.id for seller in world.sellers], BODY)
        for case in CASES:
            queue.empty()
            case(queue)
            facts[f"claim_{case.__name__}"] = _claims(config, queue)
        queue.empty()
    return facts


def _claims(config: Config, queue: Queue) -> dict[str, Any]:
    ours: list[float] = []
    plain: list[float] = []
    taken = 0
    busiest = queue.owner.execute(
        "SELECT connection_id FROM ts.sync_document GROUP BY 1 ORDER BY count(*) FILTER (WHERE state = 'new') DESC LIMIT 1"
    ).fetchone()
    assert busiest is not None
    with psycopg.connect(dsn(config, "worker"), prepare_threshold=1) as worker:
        for _ in range(CLAIMS):
            taken += _timed(queue, worker, OURS, (BATCH, AT_ONCE), ours)
            _timed(queue, queue.owner, PLAIN, (busiest[0], BATCH), plain)
    median, raw = statistics.median(ours), statistics.median(plain)
    return {
        "ms": round(median, 2),
        "p95_ms": round(p95(ours), 2),
        "most_ms": round(max(ours), 2),
        "bar_ms": BAR_MS,
        "claimed": taken,
        "raw_ms": round(raw, 2),
        "raw_p95_ms": round(p95(plain), 2),
        "times_raw": round(median / raw, 2),
    }


def _timed(
    queue: Queue, asking: psycopg.Connection[Any], claim: str, values: tuple[object, ...], times: list[float]
) -> int:
    """One claim and its commit; what it took is done afterwards."""
    began = time.perf_counter()
    rows = asking.execute(claim, values).fetchall()
    asking.commit()
    times.append((time.perf_counter() - began) * 1000)
    queue.owner.execute(DONE, ([row[0] for row in rows],))
    return len(rows)


def p95(times: list[float]) -> float:
    """Below or at which 95 of 100 lie."""
    return sorted(times)[math.ceil(len(times) * 0.95) - 1]


def dsn(config: Config, role: str) -> str:
    return config.url(role).replace("+psycopg", "", 1)
