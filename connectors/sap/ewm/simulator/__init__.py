"""A stand-in for S/4HANA with EWM: deliveries, delivery orders and physical stock over OData V2 and V4 on a real socket.

`python -m connectors.sap.ewm.simulator` runs one as its own process; tests run one through `Warehouse`.
"""

from connectors.sap.ewm.simulator.server import Warehouse
from connectors.sap.ewm.simulator.world import DEMO, World

__all__ = ["DEMO", "Warehouse", "World"]
