"""The whole stack under the same load: gunicorn as `serve` runs it, API keys, eight clients on kept connections."""

import http.client
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
from tests.bench.world import Buyer, Seller

ROOT = Path(__file__).resolve().parent.parent.parent


@contextmanager
def served(config: Config, environ: dict[str, str]) -> Iterator[int]:
    """Two workers of eight threads, answering on the port given back."""
    port = free_port(0)
    arguments = gunicorn_arguments(0, 2, 8, config)
    arguments[arguments.index("fd://0")] = f"127.0.0.1:{port}"
    arguments = [each for each in arguments if not each.startswith("python:")]
    arguments.remove("--config")
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
            answer = _ask(http.client.HTTPConnection("127.0.0.1", port, timeout=5), "GET", "/healthz", "")
        except OSError:
            time.sleep(0.1)
            continue
        if answer[0] == 200:
            return
    raise RuntimeError("the server did not come up")


def _ask(
    connection: http.client.HTTPConnection,
    method: str,
    path: str,
    key: str,
    body: dict[str, object] | None = None,
) -> tuple[int, bytes, str]:
    headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": uuid.uuid4().hex}
    content = None
    if body is not None:
        content = json.dumps(body)
        headers["Content-Type"] = "application/json"
    connection.request(method, path, content, headers)
    answer = connection.getresponse()
    return answer.status, answer.read(), answer.headers.get("X-Statements", "")


def order_body(seller: Seller, pick: random.Random) -> dict[str, object]:
    lines = [{"sku_id": str(sku), "quantity": "1"} for sku in pick.sample(seller.skus, 3)]
    return {"seller_id": str(seller.id), "mode": "spot", "lines": lines}


def statements(port: int, buyer: Buyer, seller: Seller) -> dict[str, int]:
    """SQL statements per request, the second time round (numbers and enablement are remembered)."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    found = {}
    for _ in range(4):
        placed = _ask(connection, "POST", "/api/v1/orders", buyer.key, order_body(seller, random.Random(1)))
        if placed[0] != 201:
            raise RuntimeError(f"placing an order answered {placed[0]}: {placed[1][:500]!r}")
        found["place_order"] = int(placed[2])
    for limit in (10, 50):
        listed = _ask(connection, "GET", f"/api/v1/orders?side=buyer&limit={limit}", buyer.key)
        if listed[0] != 200:
            raise RuntimeError(f"listing orders answered {listed[0]}: {listed[1][:500]!r}")
        found[f"list_{limit}_orders"] = int(listed[2])
    return found


def rate(port: int, what: str, pairs: list[tuple[Buyer, Seller]], seconds: float) -> tuple[float, int]:
    """Good answers a second by as many clients as pairs, and how many answers were not good."""
    good, bad = [0] * len(pairs), [0] * len(pairs)
    gate = threading.Barrier(len(pairs))

    def client(index: int) -> None:
        buyer, seller = pairs[index]
        pick = random.Random(index)
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        gate.wait()
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if what == "place":
                status, _, _ = _ask(connection, "POST", "/api/v1/orders", buyer.key, order_body(seller, pick))
            else:
                status, _, _ = _ask(connection, "GET", "/api/v1/orders?side=buyer&limit=50", buyer.key)
            if status in (200, 201):
                good[index] += 1
            else:
                bad[index] += 1

    threads = [threading.Thread(target=client, args=(index,)) for index in range(len(pairs))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(good) / seconds, sum(bad)
