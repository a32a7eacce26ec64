"""Qimen 奇门, the common language of Chinese warehouses: outbound orders out, confirmations and stock in.

`client.py` speaks the protocol, `mapping.py` knows its words, `push.py` hears what the warehouse sends by itself,
`simulator/` is a warehouse to practise with.
"""

from typing import Any


def connector() -> Any:
    """The connector this package brings; loaded on demand, so that the simulator runs without the platform."""
    from connectors.wms.qimen.system import Qimen

    return Qimen()
