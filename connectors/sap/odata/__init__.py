"""SAP S/4HANA over its OData services: orders, purchase orders and receipts out; master data, prices and documents in.

`system.py` describes the system, `link.py` carries sales orders, `filing/` what a buyer files, `streams.py` and `prices.py` read.
`session.py` signs in and sorts answers, `client.py` speaks OData V2 and V4 over it, `wire.py` and `multipart.py` are its bytes,
`mapping.py` knows SAP's names and `dialect.py` those of V4.
`simulator/` is a stand-in that speaks the same protocol on a real socket and misbehaves on demand.
"""

from typing import Any


def connector() -> Any:
    """The connector this package brings; loaded on demand, so that the simulator runs without the platform."""
    from connectors.sap.odata.system import SapOData

    return SapOData()
