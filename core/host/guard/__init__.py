"""What the platform does when a plugin harms the process it runs in."""

from core.host.guard.memory import Growth, resident

__all__ = ["Growth", "resident"]
