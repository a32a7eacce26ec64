"""UUIDv7 (RFC 9562 §5.7): 48 bits of milliseconds, then random bits, so new rows land at the end of an index."""

import os
import time
from uuid import UUID


def uuid7(at: float | None = None) -> UUID:
    """A new id; `at` (seconds since 1970) backdates it, for seeded history only."""
    millis = int((time.time() if at is None else at) * 1000) & 0xFFFFFFFFFFFF
    noise = int.from_bytes(os.urandom(10), "big")
    value = millis << 80 | (noise & ((1 << 80) - 1))
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return UUID(int=value)
