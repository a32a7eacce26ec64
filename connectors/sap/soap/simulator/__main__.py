"""`python -m connectors.sap.soap.simulator`: a practice SAP as a process of its own."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from connectors.sap.soap.simulator.server import Simulator
from tongshang.simulate import main

WORLD: Mapping[str, Any] = {
    "customers": [{"number": "217", "tax_code": "91350100M000100Y43"}],
    "materials": [{"number": "BRG-6204", "unit": "ST"}, {"number": "RB-HRB400E-16", "unit": "TO"}],
}

OPTIONS = (
    (
        "--unique",
        {"action": "store_true", "help": "refuse a second order with the same purchase order number"},
    ),
)


def make(**given: Any) -> Simulator:
    """A practice SAP with a customer and two materials."""
    simulator = Simulator(**given)
    simulator.world.merge(WORLD)
    return simulator


if __name__ == "__main__":
    sys.exit(main(make, options=OPTIONS))
