"""What happens after the commit: events, their deliveries, and the stored answers of idempotent commands."""

from core.outbox.delivering import Handler, deliver
from core.outbox.idempotency import Answers, KeyReused
from core.outbox.model import Delivery, OutboxEvent, StoredAnswer
from core.outbox.service import publish, write

__all__ = ["Answers", "Delivery", "Handler", "KeyReused", "OutboxEvent", "StoredAnswer", "deliver", "publish", "write"]
