"""Run the gateway as a process of its own: `python -m connectors.sap.odata.simulator`."""

import sys

from connectors.sap.odata.simulator import Gateway
from tongshang.simulate import main

OPTIONS = (
    ("--page", {"type": int, "default": None, "help": "rows after which the server cuts a list"}),
    ("--unique", {"action": "store_true", "help": "refuse a second order with the same customer reference"}),
)

if __name__ == "__main__":
    sys.exit(main(Gateway, options=OPTIONS))
