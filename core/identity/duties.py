"""What the worker does for identity: forget what nobody needs to keep any longer."""

from typing import Any

from sqlalchemy import text


def forget(installation: Any) -> int:
    """Delete attempts older than half a year and sessions older than a month; asked every hour, so it reports no work."""
    with installation.database.session() as session:
        session.execute(text("SELECT auth.sweep()"))
        session.commit()
    return 0


forget.every = 3600.0  # type: ignore[attr-defined]

DUTIES = [forget]
