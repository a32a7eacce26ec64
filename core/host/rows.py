"""The installation's rows on plugins as the application reads them, through the functions of `ddl.sql`."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text

from core.db import TenantSession
from core.kernel import NotFound


def _all(session: TenantSession, statement: str, **values: Any) -> Sequence[Any]:
    return session.execute(text(statement), values).all()


def plugins(session: TenantSession) -> Sequence[Any]:
    """Rows of `Plugin`, by name."""
    return _all(session, "SELECT * FROM ts.plugins()")


def plugin(session: TenantSession, name: str) -> Any:
    """One row of `Plugin`; None when it is not installed."""
    return next((row for row in plugins(session) if row.name == name), None)


def packages(session: TenantSession) -> Sequence[Any]:
    """Rows of `PluginPackage` without their bytes, newest first within each plugin."""
    return _all(session, "SELECT * FROM ts.plugin_packages()")


def package(session: TenantSession, sha256: str) -> Any:
    """One package; NotFound when there is none with this hash."""
    found = next((row for row in packages(session) if row.sha256 == sha256), None)
    if found is None:
        raise NotFound("plugin.no_such_package", sha256=sha256[:12])
    return found


def changes(session: TenantSession, plugin: str | None = None, limit: int = 50) -> Sequence[Any]:
    """Rows of `PluginChange`, newest first."""
    return _all(session, "SELECT * FROM ts.plugin_changes(:plugin, :limit)", plugin=plugin, limit=limit)


def change(session: TenantSession, ident: UUID) -> Any:
    """One row of `PluginChange`; NotFound when there is none."""
    found = _all(session, "SELECT * FROM ts.plugin_change_of(:id)", id=ident)
    if not found:
        raise NotFound("plugin.no_such_change")
    return found[0]


def publishers(session: TenantSession) -> Sequence[Any]:
    return _all(session, "SELECT * FROM ts.plugin_publishers()")


def sources(session: TenantSession) -> Sequence[Any]:
    return _all(session, "SELECT * FROM ts.plugin_sources()")


def processes(session: TenantSession) -> Sequence[Any]:
    """Web and worker processes that reported in the last ten seconds."""
    return _all(session, "SELECT * FROM ts.plugin_processes()")


def faults(session: TenantSession, plugin: str, limit: int = 50) -> Sequence[Any]:
    return _all(session, "SELECT * FROM ts.plugin_faults(:plugin, :limit)", plugin=plugin, limit=limit)


def minutes(session: TenantSession, plugin: str | None, since: datetime) -> Sequence[Any]:
    return _all(session, "SELECT * FROM ts.plugin_minutes(:plugin, :since)", plugin=plugin, since=since)


def touches(session: TenantSession, plugin: str, modes: Sequence[str]) -> Any:
    """Numbers of enterprises, open orders and open gates a change would touch."""
    return _all(
        session, "SELECT * FROM ts.plugin_touches(:plugin, :modes)", plugin=plugin, modes=list(modes)
    )[0]


def exports(session: TenantSession, plugin: str | None = None) -> Sequence[Any]:
    return _all(session, "SELECT * FROM ts.plugin_exports(:plugin)", plugin=plugin)
