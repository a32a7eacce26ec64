"""FLUX 富勒 warehouses: sales orders out, confirmations and stock in, over the form or the JSON gateway.

`client.py` speaks both gateways, `wire.py` reads what travels, `mapping.py` knows the field names, `push.py` hears
what the warehouse sends by itself, `simulator/` is a warehouse to practise with.
"""

from typing import Any


def connector() -> Any:
    """The connector this package brings; loaded on demand, so that the simulator runs without the platform."""
    from connectors.wms.flux.system import Flux

    return Flux()
