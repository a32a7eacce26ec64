"""The verbs of requests and quotes: the buyer asks, sellers quote, both talk, the buyer awards, time runs."""

from plugins.rfq.service.asking import (
    NewRequest,
    WantedItem,
    amend,
    attach,
    draft,
    edit,
    extend,
    invite,
    publish,
    withdraw,
)
from plugins.rfq.service.awarding import Choice, Reckoned, award, finish, reckon, void
from plugins.rfq.service.quoting import NewQuote, Offered, decline, quote, retract, seen
from plugins.rfq.service.talking import answer, ask, ask_better
from plugins.rfq.service.timing import close, expire

__all__ = [
    "Choice",
    "NewQuote",
    "NewRequest",
    "Offered",
    "Reckoned",
    "WantedItem",
    "amend",
    "answer",
    "ask",
    "ask_better",
    "attach",
    "award",
    "close",
    "decline",
    "draft",
    "edit",
    "expire",
    "extend",
    "finish",
    "invite",
    "publish",
    "quote",
    "reckon",
    "retract",
    "seen",
    "void",
    "withdraw",
]
