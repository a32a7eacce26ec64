"""What became of documents in other systems."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from core.kernel import Event


@dataclass(frozen=True)
class DocumentSynced(Event):
    """The other system holds the document; `remote_number` is its number there."""

    subject_id: UUID  # the object, such as the order
    connection_id: UUID
    kind: str
    intent: str
    reference: str
    remote_number: str
    at: datetime


@dataclass(frozen=True)
class DocumentStuck(Event):
    """A document needs a person: refused (failed) or not as it was sent (held)."""

    subject_id: UUID
    connection_id: UUID
    kind: str
    intent: str
    reference: str
    state: str
    cause: str
    at: datetime
