"""A stand-in for the gateway of an S/4HANA system: the real protocol on a real socket, and trouble on demand.

`python -m connectors.sap.odata.simulator --port 8100` runs one as its own process; tests run one in their own process
through `Gateway`. It shares no code with the client.
"""

from connectors.sap.odata.simulator.gateway import Gateway
from connectors.sap.odata.simulator.world import DEMO, Demo

__all__ = ["DEMO", "Demo", "Gateway"]
