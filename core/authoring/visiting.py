"""A look at every page and answer of a plugin in a running application: `python -m core.authoring.visiting NAME`.

The installation is named by the environment. One line of JSON for each address: what it answered to buyer and seller.
"""

import json
import sys

from core.app import create_app
from core.authoring.trading import Trade
from core.config import Config
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
    app.extensions["ts"].unit.database.dispose()
    return 0


if __name__ == "__main__":
    sys.exit(main())
