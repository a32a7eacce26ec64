"""Run the simulator as a process of its own: `python -m connectors.kingdee.eas.simulator`."""

import sys
from pathlib import Path

from connectors.kingdee.eas.simulator.server import Simulator
from tongshang.simulate import main

if __name__ == "__main__":
    options = [("--world", {"type": Path, "help": "JSON file with base data to load"})]
    sys.exit(main(Simulator, options=options))
