"""One change being carried out: its row, the connection of the migrator, and the steps it tells of."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import text

from core.db import TenantSession, Unit
from core.hooks import Dispatch
from core.host import shipping, standing
from core.host.loading import Host, Loaded, load
from core.host.standing import Installed, Standing
from core.kernel import Actor, Context, Refused

Tell = Callable[..., None]


@dataclass
class Work:
    """What an act needs. Everything it does lies in the one transaction of `ctx`; nothing here commits."""

    ctx: Context
    data: Path
    change: UUID
    verb: str
    plugin: str
    version: str | None
    packages: tuple[str, ...]
    before: Standing
    tell: Tell
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def session(self) -> TenantSession:
        session: TenantSession = self.ctx.session
        return session

    def run(self, statement: str, **values: Any) -> Any:
        return self.session.execute(text(statement), values)

    @contextmanager
    def step(self, key: str, **note: Any) -> Iterator[None]:
        """One step the page and the terminal show: begun, then done, or failed with the reason."""
        self.tell(key, "running", **note)
        yield
        self.tell(key, "done", **note)

    def bring_in(self, after: Standing, fresh: str | None = None) -> Host:
        """Load the set as it would be. Refused where `fresh` does not come in, or keeps out others that run now."""
        folders = standing.placed(after, self.session.connection(), self.data)
        host = load(Dispatch(), standing=after, folders=folders)
        if fresh is not None and fresh not in host.loaded:
            raise Refused("plugin.does_not_come_in", plugin=fresh, reason=host.broken.get(fresh, "?"))
        broken_already = set(self.run("SELECT jsonb_object_keys(broken) FROM ts.plugin_process").scalars())
        for name, why in sorted(host.broken.items()):
            if name in self.before.running and name not in broken_already:
                raise Refused("plugin.breaks_another", plugin=self.plugin, other=name, reason=why)
        return host

    def write_down(self, plugin: Installed, loaded: Loaded, revision: str | None) -> None:
        """The plugin's row after the change; what it was before is kept for a roll-back."""
        self.run(
            "INSERT INTO ts.plugin (name, version, packages, revision, manifest, installed_by)"
            " VALUES (:name, :version, :packages, :revision, CAST(:manifest AS jsonb), :by)"
            " ON CONFLICT (name) DO UPDATE SET previous_version = CASE WHEN ts.plugin.packages = EXCLUDED.packages"
            " THEN ts.plugin.previous_version ELSE ts.plugin.version END,"
            " previous_packages = CASE WHEN ts.plugin.packages = EXCLUDED.packages"
            " THEN ts.plugin.previous_packages ELSE ts.plugin.packages END,"
            " version = EXCLUDED.version, packages = EXCLUDED.packages, revision = EXCLUDED.revision,"
            " manifest = EXCLUDED.manifest, state = 'installed', changed_at = ts.clock(),"
            " stopped_by = NULL, stopped_reason = NULL, stopped_at = NULL, stopped_until = NULL",
            name=plugin.name, version=plugin.version, packages=list(plugin.packages), revision=revision,
            manifest=json.dumps(told(loaded), ensure_ascii=False), by=self.ctx.actor.name,
        )  # fmt: skip

    def next_epoch(self) -> int:
        self.facts["epoch"] = shipping.next_epoch(self.session.connection())
        return int(self.facts["epoch"])


def told(loaded: Loaded) -> dict[str, Any]:
    """A plugin as the store shows it, also when its code is no longer loaded."""
    manifest = loaded.manifest
    return {
        "title": manifest.title,
        "summary": manifest.summary,
        "category": manifest.category,
        "core": manifest.core,
        "requires": list(manifest.requires),
        "conflicts": list(manifest.conflicts),
        "scope": manifest.scope,
        "permissions": list(manifest.permissions),
        "hosts": list(manifest.hosts),
        "definers": list(manifest.definers),
        "slots": list(manifest.slots),
        "licence": manifest.licence,
        "modes": [mode.key for mode in loaded.modes],
    }


@contextmanager
def opened(unit: Unit, data: Path, change: UUID, tell: Tell) -> Iterator[Work]:
    """The work of one change in one transaction, audited for the enterprise that asked, or the operator's."""
    with unit.database.session() as session:
        session.execute(text("SET LOCAL idle_in_transaction_session_timeout = '700s'"))  # while strangers' code is imported
        row = session.execute(text("SELECT * FROM ts.plugin_change WHERE id = :id"), {"id": change}).one()
        tenant = row.tenant_id or session.execute(text("SELECT tenant_id FROM auth.operator")).scalar()
        before = standing.read(session.connection())
        if tenant is None:
            raise Refused("plugin.no_operator")
        ctx = unit.enter(session, tenant, Actor("system", None, row.asked_by), everything=True)
        work = Work(ctx, data, change, row.verb, row.plugin, row.version, tuple(row.packages), before, tell)
        yield work
        ctx.record(
            f"plugin.{row.verb}",
            f"plugin:{row.plugin}",
            version=row.version,
            packages=list(row.packages),
            **work.facts,
        )
        unit.finish(ctx)


def say(step: str, state: str, **note: Any) -> None:
    """One line for the parent process."""
    out = sys.__stdout__
    assert out is not None
    print(json.dumps({"step": step, "state": state, **note}, ensure_ascii=False, default=str), file=out, flush=True)
