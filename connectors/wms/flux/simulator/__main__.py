"""Run the simulator as a process of its own: `python -m connectors.wms.flux.simulator`."""

import sys

from connectors.wms.flux.simulator.server import Simulator
from tongshang.simulate import main

if __name__ == "__main__":
    sys.exit(main(Simulator))
