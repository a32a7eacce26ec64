"""SAP EWM behind S/4HANA: outbound deliveries out, which S/4 hands to the warehouse; physical stock and goods issues in.

Nothing public makes an outbound order in EWM itself: S/4 does, from a delivery with reference to its sales order. So this
writes into S/4 (`API_OUTBOUND_DELIVERY_SRV;v=0002`, and `API_INBOUND_DELIVERY_SRV;v=0002` for goods that are announced) and reads
in EWM. `system.py` describes it, `link.py` carries deliveries, `streams.py` reads, `mapping.py` knows SAP's names; the client,
its session and its bytes are those of `connectors.sap.odata`. `simulator/` is a stand-in on a real socket.
"""

from typing import Any


def connector() -> Any:
    """The connector this package brings; loaded on demand, so that the simulator runs without the platform."""
    from connectors.sap.ewm.system import SapEwm

    return SapEwm()
