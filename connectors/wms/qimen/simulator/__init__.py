"""A stand-in for a Qimen warehouse: the real protocol on a real socket, and trouble on demand.

`python -m connectors.wms.qimen.simulator` runs one as its own process; tests run one through `Simulator`.
"""

from connectors.wms.qimen.simulator.server import Simulator
from connectors.wms.qimen.simulator.world import DEMO_ACCOUNT, Order, World

__all__ = ["DEMO_ACCOUNT", "Order", "Simulator", "World"]
