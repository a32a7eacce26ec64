"""A stand-in for a FLUX warehouse: both gateways on a real socket, and trouble on demand.

`python -m connectors.wms.flux.simulator` runs one as its own process; tests run one through `Simulator`.
"""

from connectors.wms.flux.simulator.server import Simulator
from connectors.wms.flux.simulator.world import DEMO_ACCOUNT, Order, World

__all__ = ["DEMO_ACCOUNT", "Order", "Simulator", "World"]
