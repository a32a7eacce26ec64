"""What thirty plugins cost an order, what six panels cost a page, and how soon a switch is heard everywhere.

Each is measured against the same without plugins, in turns in the same run, because a machine is never the same twice.
"""

import json
import random
import statistics
import time
from pathlib import Path
from typing import Any

from core.app import Installation
from core.config import Config
from core.db import Database
from core.identity.service.signin import open_session
from tests.bench import crowd, ours
from tests.bench.wire import Wire
from tests.bench.world import Buyer, Seller, World

TURNS = 9
LOOKS = 60
SWITCHES = 3
Pair = tuple[Buyer, Seller]
QUIET = 1.5  # seconds without another answer, after which all processes have followed


def measure(
    config: Config, environ: dict[str, str], world: World, folder: Path, seconds: float
) -> dict[str, Any]:
    """Half of the pairs of a world get the plugins, the other half stays as it is."""
    environ = {**environ, **crowd.written(folder)}
    crowd.installed(config, folder)
    pairs = list(zip(world.buyers, world.sellers, strict=True))
    plain, full = pairs[::2], pairs[1::2]
    house = Installation(config, Database(config.url("app"), pool_size=2))
    try:
        crowd.switch_on(house, [each.id for pair in full for each in pair], crowd.NAMES)
        with ours.served(config, {**environ, "TS_COUNT_SQL": "1"}) as port:
            counted = {
                "without": ours.statements(port, *plain[0])["place_order"],
                "with": ours.statements(port, *full[0])["place_order"],
            }
        with ours.served(config, environ) as port:
            return {
                "order_with_30_plugins": _placing(port, plain, full, seconds),
                "order_statements": counted,
                "order_page_with_6_panels": _pages(house, port, plain[0], full[0]),
                "switch_heard_after_s": _switching(house, port, full[0][0]),
            }
    finally:
        house.database.dispose()


def _placing(port: int, plain: list[Pair], full: list[Pair], seconds: float) -> dict[str, Any]:
    rates: dict[str, list[float]] = {"without": [], "with": []}
    for turn in range(TURNS + 1):
        for name, pairs in (("without", plain), ("with", full)):
            rate, bad = ours.rate(port, "place", pairs, seconds / 5)
            if bad:
                raise RuntimeError(f"{bad} orders {name} plugins were refused")
            if turn:  # the first round warms up
                rates[name].append(rate)
    without, with_ = (statistics.median(rates[name]) for name in ("without", "with"))
    turns = sorted(round(one / other - 1, 3) for one, other in zip(*rates.values(), strict=True))
    return {
        "without": round(without, 1),
        "with": round(with_, 1),
        "longer": round(without / with_ - 1, 3),
        "turns": [turns[0], turns[-1]],
    }


def _pages(house: Installation, port: int, plain: Pair, full: Pair) -> dict[str, Any]:
    """The page of an order for a person, without panels and with six of which one is dead and one slow."""
    cookies = {"without": _signed_in(house, plain[0]), "with": _signed_in(house, full[0])}
    orders = {"without": _order(port, *plain), "with": _order(port, *full)}
    times: dict[str, list[float]] = {"without": [], "with": []}
    with Wire(port) as wire:
        for look in range(LOOKS + 5):
            for name in times:
                began = time.perf_counter()
                reply = wire.ask("GET", f"/orders/{orders[name]}", {"Cookie": f"ts_session={cookies[name]}"})
                spent = time.perf_counter() - began
                if reply.status != 200:
                    raise RuntimeError(f"the page answered {reply.status}")
                if look >= 5:
                    times[name].append(spent)
        if b"crowd11" not in reply.body or b"crowd12" not in reply.body:
            raise RuntimeError("the page announces no panels")
        panels = _panels(wire, orders["with"], cookies["with"])
    without, with_ = (statistics.median(times[name]) * 1000 for name in ("without", "with"))
    return {
        "without_ms": round(without, 2),
        "with_ms": round(with_, 2),
        "ratio": round(with_ / without, 3),
        "panels_ms": panels,
    }


def _panels(wire: Wire, order: str, cookie: str) -> dict[str, float]:
    """What the browser fetches after the page, each by itself: the first time, so the slow one takes its two seconds."""
    found = {}
    for name, kind in crowd.PANELS.items():
        began = time.perf_counter()
        reply = wire.ask(
            "GET",
            f"/-/slot/order:panel/{name}?of={order}",
            {"Cookie": f"ts_session={cookie}", "HX-Request": "true"},
        )
        found[f"{name} {kind}"] = round((time.perf_counter() - began) * 1000, 1)
        if reply.status != 200:
            raise RuntimeError(f"the panel of {name} answered {reply.status}")
    return found


def _signed_in(house: Installation, buyer: Buyer) -> str:
    """A session of the buyer's one person, as signing in makes it."""
    with house.database.session() as session:
        token = open_session(session, buyer.person, False, "127.0.0.1", "bench").token
        session.commit()
    return str(token)


def _order(port: int, buyer: Buyer, seller: Seller) -> str:
    with Wire(port) as wire:
        return str(json.loads(ours.place(wire, buyer, seller, random.Random(3)).body)["id"])


def _switching(house: Installation, port: int, buyer: Buyer) -> dict[str, float]:
    """Seconds from the commit of a switch until every web process follows it, the slowest of several switches."""
    name = crowd.NAMES[-1]
    slowest = {"on": 0.0, "off": 0.0}
    for _ in range(SWITCHES):
        crowd.switch_off(house, buyer.id, name)
        slowest["off"] = max(slowest["off"], _followed(port, buyer, name, 404))
        crowd.switch_on(house, [buyer.id], [name])
        slowest["on"] = max(slowest["on"], _followed(port, buyer, name, 200))
    return {key: round(value, 2) for key, value in slowest.items()}


def _followed(port: int, buyer: Buyer, name: str, status: int) -> float:
    """Ask over fresh connections, so that both processes are met, until nobody has answered otherwise for a while."""
    began = last = time.perf_counter()
    while (now := time.perf_counter()) - last < QUIET:
        with Wire(port) as wire:
            if wire.ask("GET", f"/api/v1/{name}/here", ours.key(buyer)).status != status:
                last = now
    return last - began
