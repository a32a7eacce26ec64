"""SAP S/4HANA over its OData services: sales orders out, products, partners, stock, deliveries and invoices in.

`system.py` describes the system, `link.py` carries documents, `streams.py` reads. `session.py` signs in and sorts answers,
`client.py` speaks OData V2 and V4 over it, `wire.py` and `multipart.py` are its bytes, `mapping.py` knows SAP's names.
`simulator/` is a stand-in that speaks the same protocol on a real socket and misbehaves on demand.
"""

from typing import Any


def connector() -> Any:
    """The connector this package brings; loaded on demand, so that the simulator runs without the platform."""
    from connectors.sap.odata.system import SapOData

    return SapOData()
