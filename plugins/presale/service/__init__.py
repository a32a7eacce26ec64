"""The verbs of a presale: offer, reserve, pay, wait, cut, leave, fail, and what time does."""

from plugins.presale.service.ending import (
    answer,
    ask_cut,
    ask_release,
    claim_late,
    leave,
    seller_cut,
    seller_fails,
    take_back,
)
from plugins.presale.service.indexing import enter_value, fix_price, index_values, settle_price
from plugins.presale.service.offering import NewItem, NewOffer, publish, withdraw
from plugins.presale.service.reserving import follow, pay, reserve
from plugins.presale.service.waiting import leave_list, take_place, wait

__all__ = [
    "NewItem", "NewOffer", "answer", "ask_cut", "ask_release", "claim_late", "enter_value", "fix_price", "follow",
    "index_values", "leave", "leave_list", "pay", "publish", "reserve", "seller_cut", "seller_fails", "settle_price",
    "take_back", "take_place", "wait", "withdraw",
]  # fmt: skip
