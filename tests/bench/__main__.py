"""`run.py bench`: orders over HTTP against raw SQL, with plugins and beside a dead ERP, claims out of a long
backlog, and 100,000 materials coming in.

In a database of its own on a server of its own.
"""

import argparse
import dataclasses
import json
import os
import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from core.config import Config
from core.db import roles
from core.migrate import upgrade
from tests.bench import backlog, deaf, inflow, ours, plugged, raw
from tests.bench.world import Buyer, Seller, World, built

TURNS = 5


@contextmanager
def installation() -> Iterator[tuple[Config, dict[str, str]]]:
    """A fresh server with its own data folder; `TS_TEST_ADMIN_URL` names another server to measure on."""
    with tempfile.TemporaryDirectory(prefix="ts-bench-") as folder:
        data = Path(folder)
        given = os.environ.get("TS_TEST_ADMIN_URL")
        if given:
            yield from _outside(data, given)
            return
        from core.db.embedded import EmbeddedPostgres

        server = EmbeddedPostgres(data)
        server.start()
        try:
            config = Config.load(data)
            roles.provision(config.url("admin"))
            yield config, {"TS_DATA": str(data)}
        finally:
            server.destroy()


def _outside(data: Path, admin: str) -> Iterator[tuple[Config, dict[str, str]]]:
    from sqlalchemy import create_engine, make_url, text

    url, name = make_url(admin), f"ts_bench_{os.getpid()}"
    roles.provision(admin, name)

    def of(role: str) -> str:
        return url.set(username=role, database=name).render_as_string(hide_password=False)

    environ = {
        "TS_DATA": str(data),
        "DATABASE_URL": of("ts_app"),
        "WORKER_DATABASE_URL": of("ts_worker"),
        "MIGRATE_DATABASE_URL": of("ts_migrator"),
    }
    try:
        yield Config.load(data, environ), environ
    finally:
        engine = create_engine(admin, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
        engine.dispose()


def measure(config: Config, environ: dict[str, str], world: World, seconds: float) -> dict[str, Any]:
    """Everything, each of ours beside its raw twin."""
    dsn = config.url("migrate").replace("+psycopg", "", 1)
    one = [(buyer, world.sellers[0]) for buyer in world.buyers]
    pairs = list(zip(world.buyers, world.sellers, strict=True))
    facts: dict[str, Any] = {}
    with ours.served(config, {**environ, "TS_COUNT_SQL": "1"}) as port:
        facts["statements"] = ours.statements(port, world.buyers[0], world.sellers[0])
    with ours.served(config, environ) as port:
        for name, what, chosen in (
            ("place_order_eight_pairs", "place", pairs),
            ("place_order_one_seller", "place", one),
            ("list_orders", "list", pairs),
        ):
            ours.rate(port, what, chosen, 1.0)  # warm up
            _analyze(dsn)
            facts[name] = _in_turns(port, dsn, what, chosen, seconds / TURNS)
    placing = ("place_order_one_seller", "place_order_eight_pairs")
    facts["place_order_ratio"] = min(facts[name]["ratio"] for name in placing)
    facts["list_orders_ratio"] = facts["list_orders"]["ratio"]
    return facts


def _in_turns(
    port: int, dsn: str, what: str, chosen: list[tuple[Buyer, Seller]], seconds: float
) -> dict[str, Any]:
    """Ours and raw by turns, and the medians of both: a machine is never the same twice, not even within a minute."""
    plain = [raw.Pair(buyer.id, seller.id, seller.warehouse, seller.skus) for buyer, seller in chosen]
    turns, refused = [], 0
    for _ in range(TURNS):
        mine, bad = ours.rate(port, what, chosen, seconds)
        turns.append((mine, raw.rate(dsn, what, plain, seconds)))
        refused += bad
    mine, yard = (statistics.median(rates) for rates in zip(*turns, strict=True))
    ratios = sorted(round(one / other, 3) for one, other in turns)
    return {
        "ours": round(mine, 1),
        "raw": round(yard, 1),
        "ratio": round(mine / yard, 3),
        "turns": [ratios[0], ratios[-1]],
        "refused": refused,
    }


def _analyze(dsn: str) -> None:
    """Statistics as a server in use has them: tables that were empty a second ago would be planned as empty, for both."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("SET ROLE ts_owner")
        connection.execute("ANALYZE")


def main() -> int:
    parser = argparse.ArgumentParser(prog="run.py bench", description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--seconds", type=float, default=8.0, help="per measurement and side, in five turns")
    parser.add_argument(
        "--data", type=Path, help="taken for the sake of one command line; the bench has its own data"
    )
    asked = parser.parse_args()
    with installation() as (config, environ):
        upgrade(config.url("migrate"))
        with built(config) as world:
            world = dataclasses.replace(world)
        facts = measure(config, environ, world, asked.seconds)
        facts |= deaf.measure(config, environ, world, asked.seconds)
        facts |= backlog.measure(config, world)
        facts |= inflow.measure(config, world)
        with tempfile.TemporaryDirectory(prefix="ts-bench-plugins-") as folder:
            facts |= plugged.measure(config, environ, world, Path(folder), asked.seconds)
    if asked.json:
        json.dump(facts, sys.stdout, indent=2)
        print()
    else:
        for name, value in facts.items():
            print(f"{name:28} {value}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
