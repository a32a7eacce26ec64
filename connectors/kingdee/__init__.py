"""Kingdee K/3 Cloud (云·星空) over its WebAPI: orders, receipts and payments out, base data and what became of an order in.

`system.py` describes the system, `client.py` speaks its protocol, `mapping.py` knows the site's words, `filing/` files
our documents, `streams/` reads theirs, `simulator/` is a stand-in that speaks the same protocol on a real socket and
misbehaves on demand.
"""

from typing import Any


def connector() -> Any:
    """The connector this package brings; loaded on demand, so that the simulator runs without the platform."""
    from connectors.kingdee.system import Kingdee

    return Kingdee()
