"""Settings gunicorn reads from Python: its master ends with `serve`, also when that one is killed."""

from typing import Any

from core.cli.leash import hold


def when_ready(server: Any) -> None:
    """Called by gunicorn once, in its master."""
    hold()
