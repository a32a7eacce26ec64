"""A stand-in for a K/3 Cloud server: the real protocol on a real socket, and trouble on demand.

`python -m connectors.kingdee.simulator --port 8099 --state k3.db` runs one as its own process; tests run one
in their own process through `Simulator`. It shares no code with the client except the reading and writing
of JSON and the signature, which are checked against recordings of Kingdee's own client.
"""

from connectors.kingdee.simulator.server import Simulator
from connectors.kingdee.simulator.world import DEMO_ACCOUNT, Account, World

__all__ = ["DEMO_ACCOUNT", "Account", "Simulator", "World"]
