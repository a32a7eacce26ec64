"""A look at a plugin in a running application: `python -m core.authoring.visiting NAME`, the installation by the environment.

One line of JSON for each address: what it answered to buyer and seller; and one for each trade mode: how far an order came.
"""

import json
import sys
from typing import Any

from core.app import create_app
from core.authoring.trading import Trade
from core.config import Config
from core.hooks import TradeMode
from core.kernel import Refused
from core.web import PREFIX


def main() -> int:
    name = sys.argv[1]
    app = create_app(Config.load())
    loaded = app.extensions["ts.host"].loaded[name]
    trade = Trade(app, name)
    for routes in (*loaded.pages, *loaded.apis):
        for endpoint in routes.endpoints:
            if endpoint.method != "GET" or "<" in endpoint.path:
                continue
            for side in (trade.buyer, trade.seller):
                page = not endpoint.path.startswith(PREFIX)
                answer = side.get(endpoint.path, "zh-CN") if page else side.api("GET", endpoint.path)
                told = {"address": endpoint.path, "status": answer.status_code}
                print(json.dumps(told), flush=True)
    for mode in loaded.modes:
        print(json.dumps({"mode": mode.key, **rehearsed(trade, mode)}, ensure_ascii=False), flush=True)
    app.extensions["ts"].unit.database.dispose()
    return 0


def rehearsed(trade: Trade, mode: TradeMode) -> dict[str, Any]:
    """An order of a mode from beginning to end, all of it undone: how far it came, and what stopped it."""
    if mode.agreed is not None:
        return {"state": "", "code": "", "why": "its prices are agreed by the plugin's own verbs"}
    state = "draft"
    with trade.rehearsing():
        try:
            order_id = trade.place(mode.key, (trade.goods(f"T-{mode.key}".upper()[:20]), "10"))
            state = trade.order(order_id).state
            trade.complete(order_id)
            return {"state": trade.order(order_id).state, "code": "", "why": ""}
        except Refused as refused:
            return {"state": state, "code": refused.code, "why": f"{refused} {dict(refused.values)}"[:300]}


if __name__ == "__main__":
    sys.exit(main())
