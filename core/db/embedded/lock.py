"""Locks between processes: files that the operating system lets go of when their holder dies."""

import fcntl
import os
from pathlib import Path

SHARED = fcntl.LOCK_SH
ALONE = fcntl.LOCK_EX
IF_FREE = fcntl.LOCK_EX | fcntl.LOCK_NB  # alone, and without waiting


def take(path: Path, how: int, missing_ok: bool = False) -> int | None:
    """Take a lock on a file; None when somebody else has it, or when there is no folder and that is fine."""
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except FileNotFoundError:
        if missing_ok:
            return None
        raise
    try:
        fcntl.flock(handle, how)
    except BlockingIOError:
        os.close(handle)
        return None
    return handle


def drop(handle: int | None) -> None:
    """Let a lock go, also when a forked child holds a copy of the handle."""
    if handle is not None:
        fcntl.flock(handle, fcntl.LOCK_UN)
        os.close(handle)
