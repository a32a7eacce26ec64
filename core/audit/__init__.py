"""The sealed trail: who did what, to what, when, from where."""

from core.audit.model import AuditEntry
from core.audit.service import record, trail, write

__all__ = ["AuditEntry", "record", "trail", "write"]
