"""What flows in: a page at a time, behind the last internal id, so that a stopped run goes on where it was."""

from connectors.kingdee.streams.base_data import Materials, Partners, Units
from connectors.kingdee.streams.keyed import Keyed
from connectors.kingdee.streams.prices import Prices
from connectors.kingdee.streams.stock import Stocks
from connectors.kingdee.streams.trade import Bills, Deliveries, Invoices, Payments, Receipts

__all__ = [
    "Bills",
    "Deliveries",
    "Invoices",
    "Keyed",
    "Materials",
    "Partners",
    "Payments",
    "Prices",
    "Receipts",
]
__all__ += ["Stocks", "Units"]
