"""Many at once for too little: nothing is oversold, nothing is left while somebody still wants it."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from core import catalog, stock
from core.db import Database, Unit
from core.kernel import Conflict, uuid7
from core.stock.invariants import CHECKS

D = Decimal


def broken(server, database: Database) -> list[object]:
    engine = create_engine(server.url_for("ts_migrator", database.name), poolclass=NullPool)
    with engine.connect() as connection:
        found = [row for _id, _says, sql in CHECKS for row in connection.execute(text(sql)).all()]
    engine.dispose()
    return found


def storm(unit: Unit, tenant: UUID, wanted: list[list[tuple[UUID, Decimal]]], threads: int) -> list[bool]:
    """Every order tries once, all at the same moment; True where it was held and made firm."""
    start = threading.Barrier(threads)

    def order(lines: list[tuple[UUID, Decimal]], wait: bool) -> bool:
        if wait:
            start.wait()

        def attempt() -> bool:
            with unit.system(tenant, "race") as ctx:
                number = uuid7()
                until = ctx.now + timedelta(minutes=30)
                stock.reserve_soft(ctx, number, [(uuid7(), sku, qty) for sku, qty in lines], until)
                stock.harden(ctx, number)
            return True

        try:
            return unit.retrying(attempt)
        except Conflict:
            return False

    with ThreadPoolExecutor(threads) as pool:
        jobs = [pool.submit(order, lines, number < threads) for number, lines in enumerate(wanted)]
        return [job.result() for job in jobs]


@pytest.mark.parametrize("threads", [14, 50])
def test_v_sp1_fifty_orders_of_three_on_a_hundred(
    unit: Unit, server, tenant: UUID, scarce: UUID, threads: int
) -> None:
    results = storm(unit, tenant, [[(scarce, D(3))]] * 50, threads)
    assert (results.count(True), results.count(False)) == (33, 17)
    with unit.system(tenant, "look") as ctx:
        assert stock.available(ctx, [scarce])[scarce] == stock.Stock(scarce, D(100), D(99), D(0))
    assert broken(server, unit.database) == []


def test_sixty_four_threads_sell_the_last_piece_and_not_one_more(
    unit: Unit, server, tenant: UUID, scarce: UUID
) -> None:
    results = storm(unit, tenant, [[(scarce, D(1))]] * 128, 64)
    assert results.count(True) == 100
    assert broken(server, unit.database) == []


def test_orders_with_common_goods_in_any_order_never_deadlock(
    unit: Unit, server, tenant: UUID, scarce: UUID
) -> None:
    with unit.system(tenant, "seed") as ctx:
        other = catalog.upsert_products(ctx, [catalog.ProductRow("OTHER", "另一种")]).ids["OTHER"]
        stock.receive_stock(ctx, [stock.Incoming(other, stock.warehouses(ctx)[0].id, D(100))])
    ways = [[(scarce, D(1)), (other, D(1))], [(other, D(1)), (scarce, D(1))]] * 20
    assert storm(unit, tenant, ways, 12).count(True) == 40
    assert broken(server, unit.database) == []


def test_the_worker_gives_back_what_expired_for_every_tenant(
    unit: Unit, server, worker_db: Database, tenant: UUID, scarce: UUID
) -> None:
    with unit.system(tenant, "buy") as ctx:
        stock.reserve_soft(ctx, uuid7(), [(uuid7(), scarce, D(60))], ctx.now + timedelta(minutes=30))
        stock.reserve_soft(ctx, uuid7(), [(uuid7(), scarce, D(5))], ctx.now + timedelta(minutes=90))
    with worker_db.session() as session:
        assert stock.expire_soft(session) == 0
        session.execute(text("SELECT set_config('ts.clock_shift', '31 minutes', true)"))
        assert stock.expire_soft(session) == 1
        session.commit()
    with unit.system(tenant, "look") as ctx:
        assert stock.available(ctx, [scarce])[scarce] == stock.Stock(scarce, D(100), D(0), D(5))
    assert broken(server, unit.database) == []
