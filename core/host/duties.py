"""What the worker does for plugins by itself: the changes that people consented to, and clearing away what was measured."""

from functools import cache
from typing import Any

from sqlalchemy import text

from core.host.life.installer import Installer


def install_changes(installation: Any) -> int:
    """One waiting change, where this process knows the migrator's address; else the terminal must (`run.py plugin apply`)."""
    if installation.config.migrate_url is None:
        return 0
    return _installer(installation).turn()


def sweep_measures(installation: Any) -> int:
    """Counts and faults are kept for a fortnight, processes for as long as they report."""
    with installation.unit.database.session() as session:
        session.execute(text("SELECT ts.plugin_sweep()"))
        session.commit()
    return 0


install_changes.every = 1.0  # type: ignore[attr-defined]
sweep_measures.every = 60.0  # type: ignore[attr-defined]
DUTIES = [install_changes, sweep_measures]


@cache
def _installer(installation: Any) -> Installer:
    config = installation.config
    return Installer(config.url("migrate"), config.data, config.master_key)
