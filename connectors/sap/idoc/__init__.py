"""SAP by IDoc: orders out as ORDERS05, deliveries and invoices in, as XML over HTTP.

`segments.py` reads and writes IDocs, `orders.py` builds ours, `inbound.py` understands theirs, `link.py` and
`system.py` are what the platform sees. Orders are found again through the functions of `connectors.sap.soap`,
whose simulator also has the IDoc door.
"""

from typing import Any


def connector() -> Any:
    """The connector this package brings; loaded on demand."""
    from connectors.sap.idoc.system import SapIdoc

    return SapIdoc()
