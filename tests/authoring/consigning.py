"""The trade of the consignment example, acted out in a process of its own: code of another version needs a fresh one.

`python -m tests.authoring.consigning ACT`, the installation by the environment, what was done before as JSON on standard
input; what is true afterwards as JSON on standard output.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from uuid import UUID

from core.app import Installation, create_app
from core.authoring.trading import Side, Trade
from core.config import Config
from core.kernel import Refused
from core.stock import add_warehouse

ROOT = Path(__file__).parents[2]


def act(config: Config, verb: str, known: dict[str, Any] | None = None) -> dict[str, Any]:
    """Run one act in a process of its own. A failure there fails here, with what it said."""
    environ = {
        **{name: value for name, value in os.environ.items() if not name.startswith("TS_")},
        "TS_DATA": str(config.data),
        "DATABASE_URL": config.url("app"),
        "WORKER_DATABASE_URL": config.url("worker"),
        "MIGRATE_DATABASE_URL": config.url("migrate"),
        "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")])),
    }
    done = subprocess.run(
        [sys.executable, "-P", "-m", "tests.authoring.consigning", verb], env=environ, input=json.dumps(known or {}),
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4000:]
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def trade(app: Any, known: dict[str, Any]) -> dict[str, Any]:
    """A hundred bars laid in; forty used, delivered, billed and paid; ten used and still open."""
    both = Trade(app, "consignment")
    both.goods("BAR")
    body = {"buyer_id": str(both.buyer.id), "code": "BAR", "quantity": "100", "unit_price": "90"}
    stock = both.seller.api("POST", "/api/v1/consignment/stock", json=body).json["id"]
    done, still = (
        both.buyer.api("POST", f"/api/v1/consignment/stock/{stock}/usage", json={"quantity": quantity}).json["order_id"]
        for quantity in ("40", "10")
    )
    finish(both, UUID(done))
    both.work()
    return {
        "buyer": str(both.buyer.id), "seller": str(both.seller.id), "stock": stock, "done": done, "open": still,
        "state": both.order(UUID(done)).state, "page": both.buyer.get(f"/orders/{done}").status_code,
    }  # fmt: skip


def finish(both: Trade, order_id: UUID) -> None:
    both.ship(order_id)
    both.receive(order_id)
    both.invoice(order_id)
    both.pay(order_id)


def look(app: Any, known: dict[str, Any]) -> dict[str, Any]:
    """What the enterprises see of their goods now."""
    both = again(app, known)
    with both.buyer.acting() as ctx:
        from tongshang_consignment import service

        found = [{"left": str(each.left), "place": getattr(each, "place", None)} for each in service.stock(ctx)]
    schema = both.house.host.loaded["consignment"].settings_schema
    return {"stock": found, "settings": sorted(schema().fields), "broken": both.house.host.broken}


def drain(app: Any, known: dict[str, Any]) -> dict[str, Any]:
    """Both switch it off for new work: nothing more is ordered in it, and what is open goes to its end."""
    from core.tenancy import disable_plugin

    both = again(app, known)
    for side in (both.buyer, both.seller):
        with side.acting() as ctx:
            disable_plugin(ctx, "consignment", drain=True)
    try:
        with both.buyer.acting() as ctx:
            from tongshang_consignment import service

            service.report_usage(ctx, UUID(known["stock"]), service.Decimal(1))
        refused = ""
    except Refused as no:
        refused = no.code
    finish(both, UUID(known["open"]))
    both.work()
    for side in (both.buyer, both.seller):
        with side.acting() as ctx:
            disable_plugin(ctx, "consignment")
    return {"refused": refused, "state": both.order(UUID(known["open"])).state}


def lay(app: Any, known: dict[str, Any]) -> dict[str, Any]:
    """The seller keeps a hundred bars and lays them in at the buyer's."""
    both = again(app, known)
    with both.seller.acting() as ctx:
        both.warehouse = add_warehouse(ctx, "W9", "九号库").id
    sku = both.goods("BAR")
    with both.seller.acting() as ctx:
        from tongshang_consignment import service

        laid = service.lay_in(ctx, both.buyer.id, "BAR", *map(service.Decimal, ("100", "90", "0.13")))
    return {**known, "sku": str(sku), "stock": str(laid.id)}


def close(app: Any, known: dict[str, Any]) -> dict[str, Any]:
    """The open order goes to its end."""
    both = again(app, known)
    finish(both, UUID(known["open"]))
    both.work()
    return {"state": both.order(UUID(known["open"])).state}


def again(app: Any, known: dict[str, Any]) -> Trade:
    """The two enterprises of before."""
    both = Trade.__new__(Trade)
    both.app, both.plugin, both.house = app, "consignment", app.extensions["ts.house"]
    both.buyer, both.seller = (side(both.house, app, known[key]) for key in ("buyer", "seller"))
    return both


def side(house: Installation, app: Any, ident: str) -> Side:
    from core.kernel import Actor

    return Side(UUID(ident), ident, house, Actor.system("test"), app.test_client(), "")


ACTS = {"trade": trade, "look": look, "drain": drain, "lay": lay, "close": close}

if __name__ == "__main__":
    config = Config.load()
    print(json.dumps(ACTS[sys.argv[1]](create_app(config), json.load(sys.stdin))))
