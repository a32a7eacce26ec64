"""The inbox: another system calls us at the connection's own address; each of its calls is kept, landed once, answered alike."""

from core.sync.inbox.model import SyncPush
from core.sync.inbox.reading import pushes
from core.sync.inbox.taking import Inbox
from core.sync.inbox.tokens import renew_token, withdraw_token
from core.sync.inbox.waiting import land_waiting, replay_push

__all__ = [
    "Inbox",
    "SyncPush",
    "land_waiting",
    "pushes",
    "renew_token",
    "replay_push",
    "withdraw_token",
]
