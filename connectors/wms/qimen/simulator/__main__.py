"""Run the simulator as a process of its own: `python -m connectors.wms.qimen.simulator`."""

import sys

from connectors.wms.qimen.simulator.server import Simulator
from tongshang.simulate import main

if __name__ == "__main__":
    sys.exit(main(Simulator))
