"""The whole stack under the same load: gunicorn as `serve` runs it, API keys, eight clients on kept connections."""

import json
import os
import random
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.cli.listen import free_port
from core.cli.serve import gunicorn_arguments
from core.config import Config
from tests.bench.wire import Reply, Wire
from tests.bench.world import Buyer, Seller

ROOT = Path(__file__).resolve().parent.parent.parent


@contextmanager
def served(config: Config, environ: dict[str, str]) -> Iterator[int]:
    """Two workers of eight threads, answering on the port given back."""
    port = free_port(0)
    arguments = gunicorn_arguments(0, 2, 8, config)
    arguments[arguments.index("fd://0")] = f"127.0.0.1:{port}"
    process = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", *arguments],
        cwd=ROOT,
        env={**os.environ, **environ},
        stdout=subprocess.DEVNULL,
    )
    try:
        _wait(port)
        yield port
    finally:
        process.terminate()
        process.wait(15)


def _wait(port: int) -> None:
    for _ in range(200):
        try:
            with Wire(port, timeout=5) as wire:
                ready = wire.ask("GET", "/healthz", {}).status == 200
        except OSError:
            time.sleep(0.1)
            continue
        if ready:
            return
    raise RuntimeError("the server did not come up")


def place(wire: Wire, buyer: Buyer, seller: Seller, pick: random.Random) -> Reply:
    headers = {**key(buyer), "Idempotency-Key": uuid.uuid4().hex, "Content-Type": "application/json"}
    return wire.ask("POST", "/api/v1/orders", headers, json.dumps(order_body(seller, pick)).encode())


def listed(wire: Wire, buyer: Buyer, limit: int = 50) -> Reply:
    return wire.ask("GET", f"/api/v1/orders?side=buyer&limit={limit}", key(buyer))


def key(buyer: Buyer) -> dict[str, str]:
    return {"Authorization": f"Bearer {buyer.key}"}


def order_body(seller: Seller, pick: random.Random) -> dict[str, object]:
    lines = [{"sku_id": str(sku), "quantity": "1"} for sku in pick.sample(seller.skus, 3)]
    return {"seller_id": str(seller.id), "mode": "spot", "lines": lines}


def statements(port: int, buyer: Buyer, seller: Seller) -> dict[str, int]:
    """SQL statements per request, the second time round (numbers and enablement are remembered)."""
    found = {}
    with Wire(port) as wire:
        for _ in range(4):
            placed = place(wire, buyer, seller, random.Random(1))
            if placed.status != 201:
                raise RuntimeError(f"placing an order answered {placed.status}: {placed.body[:500]!r}")
            found["place_order"] = int(placed.headers["x-statements"])
        for limit in (10, 50):
            shown = listed(wire, buyer, limit)
            if shown.status != 200:
                raise RuntimeError(f"listing orders answered {shown.status}: {shown.body[:500]!r}")
            found[f"list_{limit}_orders"] = int(shown.headers["x-statements"])
    return found


def rate(port: int, what: str, pairs: list[tuple[Buyer, Seller]], seconds: float) -> tuple[float, int]:
    """Good answers a second by as many clients as pairs, and how many answers were not good."""
    good, bad = [0] * len(pairs), [0] * len(pairs)
    gate = threading.Barrier(len(pairs))

    def client(index: int) -> None:
        buyer, seller = pairs[index]
        pick = random.Random(index)
        with Wire(port) as wire:
            gate.wait()
            until = time.monotonic() + seconds
            while time.monotonic() < until:
                reply = place(wire, buyer, seller, pick) if what == "place" else listed(wire, buyer)
                if reply.status in (200, 201):
                    good[index] += 1
                else:
                    bad[index] += 1

    threads = [threading.Thread(target=client, args=(index,)) for index in range(len(pairs))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(good) / seconds, sum(bad)
