"""Run the warehouse as a process of its own: `python -m connectors.sap.ewm.simulator`."""

import sys

from connectors.sap.ewm.simulator import Warehouse
from tongshang.simulate import main

OPTIONS = (("--page", {"type": int, "default": None, "help": "rows after which the server cuts a list"}),)

if __name__ == "__main__":
    sys.exit(main(Warehouse, options=OPTIONS))
