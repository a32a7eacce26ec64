"""What the worker does for the catalogue by itself."""

from sqlalchemy import text

from core.db import TenantSession


def turn_price_lists(session: TenantSession) -> int:
    """Show the prices of public lists that have begun, stop showing those that have ended; for every tenant.

    As the worker, about every minute. Answers how many lists turned; the caller commits.
    """
    return int(session.scalar(text("SELECT ts.turn_price_lists()")) or 0)
