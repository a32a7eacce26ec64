"""What the worker does for plugins by itself: it carries out the changes that people consented to."""

from functools import cache
from typing import Any

from core.host.life.installer import Installer


def install_changes(installation: Any) -> int:
    """One waiting change, where this process knows the migrator's address; else the terminal must (`run.py plugin apply`)."""
    if installation.config.migrate_url is None:
        return 0
    return _installer(installation).turn()


install_changes.every = 1.0  # type: ignore[attr-defined]
DUTIES = [install_changes]


@cache
def _installer(installation: Any) -> Installer:
    config = installation.config
    return Installer(config.url("migrate"), config.data, config.master_key)
