"""Goods on their way: shipments of the seller, receipts of the buyer, and what becomes of the rest of a line."""

from core.fulfilment.closing import open_rest, refuse_short_close, short_close, take_back
from core.fulfilment.events import (
    GoodsMoved,
    GoodsReceived,
    GoodsShipped,
    GoodsTakenBack,
    LineShortClosed,
    ReceiptReversed,
)
from core.fulfilment.finding import Counted, Loaded, ReceiptView, ShipmentView, of_order, recent
from core.fulfilment.model import Receipt, ReceiptLine, Shipment, ShipmentLine, ShipmentPick, ShortClose
from core.fulfilment.receiving import (
    Count,
    Verdict,
    accept_excess,
    accept_waiting,
    inspect,
    receipt_lines,
    receive,
    register_reversal_check,
    return_excess,
    reverse_receipt,
)
from core.fulfilment.shipping import Portion, ship, shippable

__all__ = [
    "Count",
    "Counted",
    "GoodsMoved",
    "GoodsReceived",
    "GoodsShipped",
    "GoodsTakenBack",
    "LineShortClosed",
    "Loaded",
    "Portion",
    "Receipt",
    "ReceiptLine",
    "ReceiptReversed",
    "ReceiptView",
    "Shipment",
    "ShipmentLine",
    "ShipmentPick",
    "ShipmentView",
    "ShortClose",
    "Verdict",
    "accept_excess",
    "accept_waiting",
    "inspect",
    "of_order",
    "open_rest",
    "receipt_lines",
    "receive",
    "recent",
    "refuse_short_close",
    "register_reversal_check",
    "return_excess",
    "reverse_receipt",
    "ship",
    "shippable",
    "short_close",
    "take_back",
]
