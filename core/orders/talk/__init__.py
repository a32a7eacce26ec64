"""What people say about an order: notes for the own side, messages for both, never changed and never removed."""

from core.orders.talk.model import OrderMessage, OrderTalk
from core.orders.talk.service import Attachment, mark_read, write_message

__all__ = ["Attachment", "OrderMessage", "OrderTalk", "mark_read", "write_message"]
