"""Orders: one lifecycle for every mode of trade, one verb for each act, no second way to write them."""

from core.orders.changing import (
    agree,
    cancel_confirmed,
    propose_amendment,
    propose_cancel,
    propose_termination,
    refuse,
    register_settlement_poster,
    withdraw,
)
from core.orders.deciding import accept, confirm, counter, counter_offer, expire, reject
from core.orders.drafting import NewOrder, WantedLine
from core.orders.gates import lift_hold, place_hold, waive_gate
from core.orders.locking import lines, lock, note
from core.orders.model import Gate, Hold, OrderEvent, OrderLine, OrderVersion, PlanItem, Proposal, TradeOrder
from core.orders.numbers import number
from core.orders.placing import approve, cancel, draft, edit, place, send_back, submit
from core.orders.progress import accept_silently, advance, book, close, register_accepter, satisfy_gate, tally
from core.orders.saved import SavedView
from core.orders.sides import need_side, side_of
from core.orders.standing import allow
from core.orders.states import ORDER
from core.orders.talk import Attachment, OrderMessage, OrderTalk, mark_read, write_message

__all__ = [
    "ORDER",
    "Attachment",
    "Gate",
    "Hold",
    "NewOrder",
    "OrderEvent",
    "OrderLine",
    "OrderMessage",
    "OrderTalk",
    "OrderVersion",
    "PlanItem",
    "Proposal",
    "SavedView",
    "TradeOrder",
    "WantedLine",
    "accept",
    "accept_silently",
    "advance",
    "agree",
    "allow",
    "approve",
    "book",
    "cancel",
    "cancel_confirmed",
    "close",
    "confirm",
    "counter",
    "counter_offer",
    "draft",
    "edit",
    "expire",
    "lift_hold",
    "lines",
    "lock",
    "mark_read",
    "need_side",
    "note",
    "number",
    "place",
    "place_hold",
    "propose_amendment",
    "propose_cancel",
    "propose_termination",
    "refuse",
    "register_accepter",
    "register_settlement_poster",
    "reject",
    "satisfy_gate",
    "send_back",
    "side_of",
    "submit",
    "tally",
    "waive_gate",
    "withdraw",
    "write_message",
]
