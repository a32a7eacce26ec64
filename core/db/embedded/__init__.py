"""PostgreSQL that nobody has to install: started, watched and stopped by the process that needs it.

For trial, small sites and tests. It listens on a socket only its own user can reach, knows no password, and
is found again by every process of the same data folder. Larger sites set `DATABASE_URL`.
"""

from core.db.embedded.leftovers import Leftover, leftovers
from core.db.embedded.server import EmbeddedPostgres, Status

__all__ = ["EmbeddedPostgres", "Leftover", "Status", "leftovers"]
