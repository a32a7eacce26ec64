"""`verify`: every invariant of every room, asked of the rows themselves, plus the chain of the audit trail.

A guarantee without a command that checks it is not a guarantee.
"""

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from core import rooms
from core.config import Config
from core.orders.replay import unlike_their_events

SHOWN = 20

OWN = [
    ("I12", "every table has forced row-level security and a policy", """
        SELECT c.oid::regclass::text AS "table" FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE (n.nspname IN ('ts', 'auth', 'jobs') OR starts_with(n.nspname, 'plugin_')) AND c.relname <> 'version' AND (
          (c.relkind IN ('r', 'p') AND (NOT relrowsecurity OR NOT relforcerowsecurity
             OR NOT EXISTS (SELECT 1 FROM pg_policy p WHERE p.polrelid = c.oid)))
          OR (c.relkind = 'v' AND NOT coalesce('security_invoker=true' = ANY (c.reloptions), false))
          OR c.relkind = 'm')"""),
    ("I11", "the audit chain is whole", "SELECT tenant_id, seq FROM ts.audit_breaks()"),
    ("I10", "every idempotency key has its answer", "SELECT id, tenant_id, route FROM ts.stored_answer WHERE status IS NULL"),
    ("I11", "every order's version has its audit entry", """
        SELECT e.order_id, e.version FROM ts.order_event e
        WHERE NOT EXISTS (SELECT 1 FROM ts.audit_entry a WHERE a.object_kind = 'trade_order'
          AND a.object_id = e.order_id::text AND a.object_version = e.version)"""),
]  # fmt: skip


@dataclass(frozen=True)
class Breach:
    """One invariant that does not hold, and the rows that break it (at most twenty)."""

    id: str
    sentence: str
    rows: list[dict[str, Any]]


def run(config: Config) -> list[Breach]:
    """Ask every check; an empty answer means that all of them hold."""
    engine = create_engine(config.url("migrate"), poolclass=NullPool)
    breaches = []
    try:
        with engine.connect() as connection:
            connection.execute(text("SET ROLE ts_owner"))
            connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
            for ident, sentence, query in [*OWN, *rooms.collected("invariants", "CHECKS")]:
                rows = connection.exec_driver_sql(query.replace("%", "%%")).mappings().fetchmany(SHOWN)
                if rows:
                    breaches.append(Breach(ident, sentence, [_plain(row) for row in rows]))
            if unlike := unlike_their_events(connection):
                breaches.append(Breach("I4", "replaying an order's events gives its state", unlike[:SHOWN]))
            connection.rollback()
    finally:
        engine.dispose()
    return breaches


def _plain(row: Any) -> dict[str, Any]:
    return json.loads(json.dumps(dict(row), default=str))
