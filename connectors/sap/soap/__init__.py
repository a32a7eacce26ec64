"""SAP over SOAP: sales orders through the customer's own functions, or through the asynchronous bulk service.

`wsdl.py` reads the customer's WSDL, `wire.py` and `client.py` speak SOAP, `returns.py` knows BAPIRET2, `names.py` and
`mapping.py` know field names, `link.py` and `system.py` are what the platform sees; `bulk/` is the door of the second
connector. `simulator/` is a stand-in that speaks the same protocol on a real socket and misbehaves on demand.
"""

from typing import Any


def connector() -> Any:
    """The connector for functions; loaded on demand, so that the simulator runs without the platform."""
    from connectors.sap.soap.system import SapSoap

    return SapSoap()
