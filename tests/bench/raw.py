"""The yardstick: the same order as plain prepared SQL, one multi-row statement per table, no framework and no chain.

Runs as the owner's member with the owner's policy, on held connections, with the server's own durability.
"""

import multiprocessing
import random
import threading
import time
import uuid
from dataclasses import dataclass
from typing import Any

import psycopg

PROCESSES = 2

PRICE = """SELECT p.id, r.price FROM ts.product p JOIN ts.price_row r ON r.tenant_id = p.tenant_id AND r.product_id = p.id
WHERE p.tenant_id = %s AND p.id = ANY(%s)"""
ANSWER = """INSERT INTO ts.stored_answer (id, tenant_id, actor, route, key, fingerprint, status, body)
VALUES (%s, %s, 'raw', 'POST /orders', %s, %s, 201, %s)"""
RESERVE = """UPDATE ts.stock_level SET soft = soft + 1 WHERE tenant_id = %s AND product_id = ANY(%s)
AND on_hand - hard - soft >= 1 RETURNING product_id"""
ORDER = """INSERT INTO ts.trade_order (id, buyer_id, seller_id, number, mode, state, net, tax, total, created_at, submitted_at)
VALUES (%s, %s, %s, %s, 'spot', 'submitted', %s, 0, %s, clock_timestamp(), clock_timestamp())"""
LINES = """INSERT INTO ts.order_line (id, order_id, buyer_id, seller_id, no, sku_id, sku_code, name_zh, name_en, unit, quantity,
unit_price, tax_incl, vat_rate, net, tax, gross)
SELECT l.id, %s, %s, %s, l.no, l.sku, 'c', 'n', 'n', 'pcs', 1, l.price, true, 0, l.price, 0, l.price
FROM unnest(%s::uuid[], %s::int[], %s::uuid[], %s::numeric[]) AS l(id, no, sku, price)"""
HELD = """INSERT INTO ts.reservation (tenant_id, id, order_id, line_id, product_id, warehouse_id, qty, kind, until)
SELECT %s, l.id, %s, l.line, l.sku, %s, 1, 'soft', clock_timestamp() + interval '30 minutes'
FROM unnest(%s::uuid[], %s::uuid[], %s::uuid[]) AS l(id, line, sku)"""
EVENT = """INSERT INTO ts.order_event (id, buyer_id, seller_id, order_id, version, verb, source, target, side, actor, at)
VALUES (%s, %s, %s, %s, 2, 'submit', 'draft', 'submitted', 'buyer', 'raw', clock_timestamp())"""
AUDIT = """INSERT INTO ts.audit_entry
(tenant_id, at, actor_kind, actor_name, action, object_kind, object_id, detail, trace_id, remote)
VALUES (%s, clock_timestamp(), 'key', 'raw', 'order.submit', 'trade_order', %s, '{}', '', '')"""
OUTBOX = """INSERT INTO ts.outbox_event (tenant_id, id, name, subject, payload, at)
VALUES (%s, %s, 'RawOrder', %s, '{}', clock_timestamp())"""
LIST = """SELECT o.id, o.number, o.buyer_po, o.mode, o.state, o.version, o.buyer_id, o.seller_id, o.currency, o.total,
o.invoiced, o.prepaid, o.paid, o.delivery_date, o.offer_expires_at, o.created_at, o.submitted_at, c.name, c.name_en
FROM (SELECT * FROM ts.trade_order WHERE buyer_id = %s ORDER BY created_at DESC, id DESC LIMIT 51) o
JOIN ts.enterprise_card c ON c.tenant_id = o.seller_id ORDER BY o.created_at DESC, o.id DESC LIMIT 51"""


@dataclass(frozen=True)
class Pair:
    buyer: uuid.UUID
    seller: uuid.UUID
    warehouse: uuid.UUID
    skus: list[uuid.UUID]


def place(connection: Any, pair: Pair, pick: random.Random) -> None:
    """One order of three lines, reserved, told and answered."""
    order, skus = uuid.uuid4(), sorted(pick.sample(pair.skus, 3))
    lines, holds = [uuid.uuid4() for _ in skus], [uuid.uuid4() for _ in skus]
    with connection.transaction():
        prices = dict(connection.execute(PRICE, (pair.seller, skus)).fetchall())
        total = sum(prices[sku] for sku in skus)
        connection.execute(ANSWER, (uuid.uuid4(), pair.buyer, str(order), b"f", "{}"))
        if len(connection.execute(RESERVE, (pair.seller, skus)).fetchall()) != 3:
            raise RuntimeError("the stock ran out; give the world more")
        connection.execute(ORDER, (order, pair.buyer, pair.seller, str(order), total, total))
        connection.execute(
            LINES, (order, pair.buyer, pair.seller, lines, [10, 20, 30], skus, [prices[sku] for sku in skus])
        )
        connection.execute(HELD, (pair.seller, order, pair.warehouse, holds, lines, skus))
        connection.execute(EVENT, (uuid.uuid4(), pair.buyer, pair.seller, order))
        connection.execute(AUDIT, (pair.buyer, str(order)))
        connection.execute(OUTBOX, (pair.buyer, uuid.uuid4(), str(order)))


def list_orders(connection: Any, pair: Pair, _pick: random.Random) -> None:
    with connection.transaction():
        connection.execute(LIST, (pair.buyer,)).fetchall()


WORK = {"place": place, "list": list_orders}


def _client(dsn: str, what: str, pair: Pair, seed: int, gate: Any, seconds: float, counts: Any) -> None:
    pick = random.Random(seed)
    with psycopg.connect(dsn, autocommit=True, prepare_threshold=1) as connection:
        connection.execute("SET ROLE ts_owner")
        WORK[what](connection, pair, pick)
        gate.wait()
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            WORK[what](connection, pair, pick)
            counts[seed] += 1


def _process(
    dsn: str, what: str, jobs: list[tuple[int, Pair]], gate: Any, seconds: float, counts: Any
) -> None:
    threads = [
        threading.Thread(target=_client, args=(dsn, what, pair, index, gate, seconds, counts))
        for index, pair in jobs
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def rate(dsn: str, what: str, pairs: list[Pair], seconds: float) -> float:
    """Units a second by as many clients as there are pairs, spread over two processes, all starting together."""
    spawn = multiprocessing.get_context("spawn")
    counts = spawn.Array("q", len(pairs), lock=False)
    gate = spawn.Barrier(len(pairs))
    jobs = list(enumerate(pairs))
    processes = [
        spawn.Process(target=_process, args=(dsn, what, jobs[start::PROCESSES], gate, seconds, counts))
        for start in range(PROCESSES)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    return sum(counts) / seconds
