"""The Context: who acts, for which enterprise, in which transaction. Services take it first and read nothing global.

It is made once per request or job. What it needs from rooms above (audit, outbox, settings) is handed in as `Ports`,
so this file knows no SQL and no Flask.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from core.kernel.event import Event
from core.kernel.refused import Forbidden, Refused


@dataclass(frozen=True)
class Actor:
    """Who acts: `kind` is person, key (an API key), system (timers), plugin or connector."""

    kind: str
    id: UUID | None
    name: str
    person_id: UUID | None = None
    session_id: UUID | None = None
    second_factor_at: datetime | None = None

    @classmethod
    def system(cls, name: str) -> "Actor":
        return cls("system", None, name)


@dataclass(frozen=True)
class Ports:
    """What the rooms above lend to every Context. `core.app` fills it once."""

    record: Callable[..., None]
    publish: Callable[["Context", Event], None]
    enabled: Callable[["Context", UUID], frozenset[str]]
    settings: Callable[["Context", UUID], Callable[[str], Mapping[str, Any]]]  # by plugin, as they stand now
    dispatch: Any
    set_tenant: Callable[..., datetime]  # session, tenant, and where a crossing came from


BUFFERS = ("audit", "events")
"""What `record` and `publish` keep in the session until the commit."""


@dataclass
class Context:
    """One actor of one tenant in one transaction.

    `grants` maps a permission to its amount limit (None = no limit); `everything` is for timers and seeding only.
    `now` is the database's clock, refreshed by every lock, so tests never patch time.
    """

    session: Any
    tenant_id: UUID
    actor: Actor
    grants: Mapping[str, Decimal | None]
    ports: Ports
    now: datetime
    everything: bool = False
    locale: str = "zh_CN"
    trace_id: str = ""
    remote: str = ""
    plugin: str | None = None
    acting_side: str | None = None
    crossed_from: UUID | None = None  # inside a crossing, the tenant it began with
    settings: Mapping[str, Any] = field(default_factory=dict)

    def allows(self, permission: str, amount: Decimal | None = None) -> bool:
        if self.everything:
            return True
        if permission not in self.grants:
            return False
        limit = self.grants[permission]
        return amount is None or limit is None or amount <= limit

    def require(self, permission: str, *, amount: Decimal | None = None) -> None:
        """Raise Forbidden unless the actor holds the permission, up to the amount (in the enterprise's currency)."""
        if self.allows(permission):
            if self.allows(permission, amount):
                return
            raise Forbidden("permission.over_limit", permission=permission, amount=amount, limit=self.grants[permission])
        raise Forbidden("permission.missing", permission=permission)

    def record(self, action: str, obj: Any, **detail: Any) -> None:
        """Write to the audit trail with this transaction: `action` as `order.confirm`, `obj` a row or `kind:id`."""
        self.ports.record(self, action, obj, detail)

    def publish(self, event: Event) -> None:
        """Put a fact in the outbox; its handlers run after the commit, never when it rolls back."""
        self.ports.publish(self, event)

    @contextmanager
    def whole(self) -> Iterator[None]:
        """All of it or nothing: what raises inside is undone, and with it what was meant for the trail and the outbox.

        Nobody hears of what did not happen. The exception passes.
        """
        told = self.session.info
        before = {name: len(told.get(name, ())) for name in BUFFERS}
        try:
            with self.session.begin_nested():
                yield
        except BaseException:
            for name, length in before.items():
                if name in told:
                    del told[name][length:]
            raise

    @contextmanager
    def as_tenant(self, tenant_id: UUID, side: str) -> Iterator["Context"]:
        """Cross to the counterparty for a few statements. Only `core.orders.sides` calls this; a test walks the source."""
        home, home_side, before = self.tenant_id, self.acting_side, self.crossed_from
        self.session.flush()
        self.crossed_from = home
        self.ports.set_tenant(self.session, tenant_id, home)
        self.tenant_id, self.acting_side = tenant_id, side
        try:
            yield self
            self.session.flush()
        except BaseException as fault:
            self.tenant_id, self.acting_side, self.crossed_from = home, home_side, before
            if isinstance(fault, Refused):
                self.ports.set_tenant(self.session, home, before)
            else:  # the transaction may be lost: touching it would hide the fault, and whatever begins next begins at home
                self.session.info["tenant_id"] = home
            raise
        self.tenant_id, self.acting_side, self.crossed_from = home, home_side, before
        self.ports.set_tenant(self.session, home, before)
