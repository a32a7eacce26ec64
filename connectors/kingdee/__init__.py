"""Kingdee K/3 Cloud (云·星空): sales orders out, products and stock in, over its WebAPI.

`system.py` describes the system, `client.py` speaks its protocol, `mapping.py` knows its field names,
`simulator/` is a stand-in that speaks the same protocol on a real socket and misbehaves on demand.
"""

from typing import Any


def connector() -> Any:
    """The connector this package brings; loaded on demand, so that the simulator runs without the platform."""
    from connectors.kingdee.system import Kingdee

    return Kingdee()
