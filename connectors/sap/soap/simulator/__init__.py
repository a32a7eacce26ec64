"""A stand-in for SAP's SOAP runtime and IDoc door: the real protocols on a real socket, and trouble on demand.

`python -m connectors.sap.soap.simulator --port 8098` runs one as its own process; tests run one in their own process
through `Simulator`. It shares no code with the client; its descriptions are ours, in the shapes SAP writes.
"""

from connectors.sap.soap.simulator.server import (
    BULK,
    CLIENT,
    DEMO_BULK,
    DEMO_VALUES,
    ICF,
    IDOC_SOAP,
    IDOC_XML,
    PASSWORD,
    SOAMANAGER,
    USER,
    Simulator,
)

__all__ = [
    "BULK",
    "CLIENT",
    "DEMO_BULK",
    "DEMO_VALUES",
    "ICF",
    "IDOC_SOAP",
    "IDOC_XML",
    "PASSWORD",
    "SOAMANAGER",
    "USER",
    "Simulator",
]
