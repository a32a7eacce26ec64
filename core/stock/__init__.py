"""Goods on hand and what is promised of them: warehouses, lots, moves, reservations.

Under the seller's tenant. `reserve_soft`, `harden`, `release` and `ship_lines` are one statement each,
whatever the number of lines, and can neither oversell nor lock each other out.
"""

from core.stock.events import StockAdjusted, StockReceived
from core.stock.finding import LevelRow, find_levels
from core.stock.model import Lot, Reservation, StockLevel, StockMove, Warehouse
from core.stock.service import (
    Incoming,
    Need,
    Pick,
    Stock,
    Unmoved,
    add_warehouse,
    adjust,
    available,
    expire_soft,
    harden,
    lots,
    moves,
    on_offer,
    receive_stock,
    release,
    reserve_hard,
    reserve_soft,
    set_counted,
    ship,
    ship_lines,
    warehouses,
)

__all__ = [
    "Incoming",
    "LevelRow",
    "Lot",
    "Need",
    "Pick",
    "Reservation",
    "Stock",
    "StockAdjusted",
    "StockLevel",
    "StockMove",
    "StockReceived",
    "Unmoved",
    "Warehouse",
    "add_warehouse",
    "adjust",
    "available",
    "expire_soft",
    "find_levels",
    "harden",
    "lots",
    "moves",
    "on_offer",
    "receive_stock",
    "release",
    "reserve_hard",
    "reserve_soft",
    "set_counted",
    "ship",
    "ship_lines",
    "warehouses",
]
