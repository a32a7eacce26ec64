"""The unit of work: one actor, one tenant, one transaction, and the only place that retries a lost race."""

import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from typing import TypeVar
from uuid import UUID

from sqlalchemy.exc import DBAPIError

from core.db.session import Database, TenantSession, set_tenant
from core.kernel import Actor, Context, Ports, Unavailable

T = TypeVar("T")
RETRYABLE = {"40001", "40P01"}


class Unit:
    """Opens contexts. `before_commit` hooks (audit, outbox) write what the context buffered, inside the transaction."""

    def __init__(self, database: Database, ports: Ports, before_commit: tuple[Callable[[Context], None], ...] = ()) -> None:
        self.database = database
        self.ports = ports
        self.before_commit = before_commit

    def enter(
        self,
        session: TenantSession,
        tenant_id: UUID,
        actor: Actor,
        grants: Mapping[str, Decimal | None] | None = None,
        *,
        now: datetime | None = None,
        everything: bool = False,
        locale: str = "zh_CN",
        trace_id: str = "",
        remote: str = "",
    ) -> Context:
        """A context on a session whose transaction may already be open (login does that); sets the tenant."""
        moment = now or set_tenant(session, tenant_id)
        session.info["tenant_id"] = tenant_id
        return Context(
            session=session,
            tenant_id=tenant_id,
            actor=actor,
            grants=grants or {},
            ports=self.ports,
            now=moment,
            everything=everything,
            locale=locale,
            trace_id=trace_id,
            remote=remote,
        )

    def finish(self, ctx: Context) -> None:
        """Write the buffered audit rows and events, then commit. Read requests commit too (prepared statements stay)."""
        ctx.session.flush()
        for hook in self.before_commit:
            hook(ctx)
        ctx.session.commit()

    @contextmanager
    def system(self, tenant_id: UUID, name: str) -> Iterator[Context]:
        """A context of the platform itself for one tenant: timers, imports, seeding. Commits at the end."""
        with self.database.session() as session:
            ctx = self.enter(session, tenant_id, Actor.system(name), everything=True)
            yield ctx
            self.finish(ctx)

    @contextmanager
    def acting(
        self, tenant_id: UUID, actor: Actor, grants: Mapping[str, Decimal | None], *, everything: bool = False
    ) -> Iterator[Context]:
        """A context of a given actor: event handlers, connectors, tests. Commits at the end."""
        with self.database.session() as session:
            ctx = self.enter(session, tenant_id, actor, grants, everything=everything)
            yield ctx
            self.finish(ctx)

    @staticmethod
    def retrying(attempt: Callable[[], T], tries: int = 5) -> T:
        """Run a whole unit of work again when PostgreSQL says a race was lost (40001, 40P01); never after a commit."""
        for count in range(tries):
            try:
                return attempt()
            except DBAPIError as lost:
                state = getattr(lost.orig, "sqlstate", None)
                if state not in RETRYABLE:
                    raise
                if count == tries - 1:
                    raise Unavailable("platform.busy") from lost
                time.sleep(random.uniform(0.005, 0.03) * (count + 1))
        raise AssertionError("unreachable")
