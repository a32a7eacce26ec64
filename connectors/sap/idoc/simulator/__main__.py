"""`python -m connectors.sap.idoc.simulator`: a practice SAP as a process of its own."""

import sys

from connectors.sap.soap.simulator.__main__ import make
from tongshang.simulate import main

if __name__ == "__main__":
    sys.exit(main(make))
