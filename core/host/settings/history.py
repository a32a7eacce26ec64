"""What was chosen for a plugin, by whom and when: every version of it, an enterprise's or the platform's own.

A version holds choices only: a field that it does not name follows the layer below. Secrets in it are sealed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, select, text
from sqlalchemy.dialects.postgresql import JSONB

from core import tenancy
from core.host.model import PluginSettings
from core.kernel import Context, NotFound
from core.tenancy import sealing

MOST = 200
"""So many versions are listed; older ones stay in the database."""

_LAST = 2**31 - 1
_SET_DEFAULT = text("SELECT ts.plugin_default_set(:plugin, :values, :version, :note, :by)").bindparams(
    bindparam("values", type_=JSONB)
)


@dataclass(frozen=True)
class Holder:
    """Whose settings of which plugin: an enterprise's, or the platform's (tenant None)."""

    plugin: str
    tenant: UUID | None

    @property
    def place(self) -> str:
        return sealing.place_of(self.plugin, self.tenant)

    @property
    def layer(self) -> str:
        return "own" if self.tenant else "platform"


@dataclass(frozen=True)
class Version:
    """Number 0 is what stood before the first version, mostly nothing."""

    no: int
    values: Mapping[str, Any]
    plugin_version: str
    note: str
    set_by: str
    set_at: datetime | None


def lock(ctx: Context, holder: Holder) -> None:
    """One writer at a time, until the transaction ends; others wait and then see what was written."""
    ctx.session.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(:place, 0))"), {"place": holder.place}
    )


def versions(ctx: Context, holder: Holder, limit: int | None = MOST) -> list[Version]:
    """The newest first. Needs no permission of its own: the verbs ask."""
    if holder.tenant is None:
        found = ctx.session.execute(
            text("SELECT * FROM ts.plugin_defaults(:plugin, :limit)"),
            {"plugin": holder.plugin, "limit": limit},
        ).all()
    else:
        found = ctx.session.scalars(_of(holder).order_by(PluginSettings.no.desc()).limit(limit)).all()
    return [_version(row) for row in found]


def latest(ctx: Context, holder: Holder) -> Version:
    """What is in force; number 0 where nothing was ever saved."""
    if found := versions(ctx, holder, 1):
        return found[0]
    return before_the_first(ctx, holder)


def before_the_first(ctx: Context, holder: Holder) -> Version:
    """What an enterprise was set up with, outside of any version; nothing for the platform."""
    row = ctx.session.get(tenancy.PluginEnablement, (holder.tenant, holder.plugin)) if holder.tenant else None
    if row is None:
        return Version(0, {}, "", "", "", None)
    return Version(0, row.settings, row.plugin_version, "", "", None)


def version(ctx: Context, holder: Holder, no: int) -> Version:
    """One of them, 0 being no choice at all; NotFound when there is none with this number."""
    if no == 0:
        return Version(0, {}, "", "", "", None)
    if not 0 < no <= _LAST:
        found = None
    elif holder.tenant is None:
        found = next((each for each in versions(ctx, holder, None) if each.no == no), None)
    else:
        row = ctx.session.scalar(_of(holder).where(PluginSettings.no == no))
        found = _version(row) if row is not None else None
    if found is None:
        raise NotFound("plugin.no_such_settings", plugin=holder.plugin, no=no)
    return found


def choices(ctx: Context, plugin: str) -> list[tuple[UUID, str, Mapping[str, Any]]]:
    """(tenant, its name, what it chose) of every enterprise that uses the plugin; the operator alone may ask."""
    rows = ctx.session.execute(text("SELECT * FROM ts.plugin_choices(:plugin)"), {"plugin": plugin}).all()
    return [(row.tenant_id, row.enterprise, row.settings) for row in rows]


def append(
    ctx: Context,
    holder: Holder,
    no: int,
    values: Mapping[str, Any],
    *,
    plugin_version: str,
    note: str,
    by: str,
) -> Version:
    """Write the next version down. Whoever calls this holds the lock, has checked, and puts it in force."""
    if holder.tenant is None:
        tenancy.plugins_changed(ctx)
        given = {
            "plugin": holder.plugin,
            "values": dict(values),
            "version": plugin_version,
            "note": note,
            "by": by,
        }
        ctx.session.execute(_SET_DEFAULT, given)
    else:
        ctx.session.add(
            PluginSettings(
                tenant_id=holder.tenant,
                plugin=holder.plugin,
                no=no,
                settings=dict(values),
                plugin_version=plugin_version,
                note=note,
                set_by=by,
                set_at=ctx.now,
            )
        )
        ctx.session.flush()
    return Version(no, values, plugin_version, note, by, ctx.now)


def _of(holder: Holder) -> Any:
    return select(PluginSettings).where(
        PluginSettings.tenant_id == holder.tenant, PluginSettings.plugin == holder.plugin
    )


def _version(row: Any) -> Version:
    return Version(row.no, row.settings, row.plugin_version, row.note, row.set_by, row.set_at)
