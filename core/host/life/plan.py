"""The plan of a change, shown before anybody consents: what comes, from whom, what it may do, and what it touches."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from packaging.specifiers import SpecifierSet
from sqlalchemy import text

from core import __version__
from core.host import rows, standing
from core.host.life.examination import SECONDS, Findings, examine
from core.host.manifest import next_breaking
from core.host.packages import resolving
from core.host.standing import Installed, Standing
from core.host.trust.publishers import refuse_revoked
from core.kernel import Conflict, Context, Refused

PATIENT = f"SET LOCAL idle_in_transaction_session_timeout = '{2 * SECONDS + 30:.0f}s'"
"""Two examinations may pass before this transaction says its next word."""


@dataclass(frozen=True)
class Plan:
    """What a change would do. `digest` names exactly this plan: consent to one never carries out another."""

    verb: str
    plugin: str
    title: Mapping[str, str]
    from_version: str | None
    to_version: str | None
    packages: tuple[str, ...] = ()
    publisher: str = ""  # name of the trusted publisher whose signature was verified; empty: nobody vouches
    tier: str = ""
    sha256: str = ""
    licence: str = ""
    core: str = ""
    requires: tuple[str, ...] = ()
    libraries: tuple[str, ...] = ()  # "name version", packages that come along
    permissions_new: tuple[str, ...] = ()
    permissions_gone: tuple[str, ...] = ()
    tables_new: tuple[str, ...] = ()
    migrations: bool = False
    hooks: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    slots: tuple[str, ...] = ()
    modes: tuple[str, ...] = ()
    routes: tuple[str, ...] = ()
    enterprises: int = 0  # that have it on
    open_orders: int = 0
    an_order: str | None = None
    open_gates: int = 0
    needs_typed_name: bool = False
    unsigned: tuple[str, ...] = ()  # files among the packages that nobody trusted has signed
    definers: tuple[str, ...] = ()  # functions of its tables that look past the enterprise
    warnings: tuple[str, ...] = field(default=())  # codes with a sentence each

    @property
    def digest(self) -> str:
        """Over what is promised; the counts of orders may move between plan and consent."""
        promised = {
            name: value
            for name, value in asdict(self).items()
            if name not in ("enterprises", "open_orders", "an_order", "open_gates")
        }
        return hashlib.sha256(json.dumps(promised, sort_keys=True, ensure_ascii=False).encode()).hexdigest()[
            :16
        ]


def plan(
    ctx: Context, verb: str, plugin: str, data: Path, sha256: str | None = None, version: str | None = None
) -> Plan:
    """What `verb` would do to `plugin`; `sha256` chooses the package, `version` one of its versions, else the newest.

    Raises Refused with the reason where it cannot be done: a conflict of versions, an import that fails, a plugin in use.
    """
    ctx.require("plugin.install" if verb not in ("install", "upgrade") else "plugin.view")
    now = standing.read(ctx.session.connection())
    row = rows.plugin(ctx.session, plugin)
    if verb in ("install", "upgrade"):
        return _coming(ctx, verb, plugin, now, row, data, sha256, version)
    if row is None:
        raise Conflict("plugin.not_installed", plugin=plugin)
    modes = row.manifest.get("modes", []) or [
        key for key, mode in ctx.ports.dispatch.modes.items() if mode.plugin == plugin
    ]
    touched = rows.touches(ctx.session, plugin, modes)
    if verb == "rollback" and row.previous_version is None:
        raise Conflict("plugin.nothing_to_roll_back", plugin=plugin)
    if verb in ("restore", "purge") and row.state != "archived":
        raise Conflict("plugin.not_archived", plugin=plugin)
    if verb == "archive" and row.state != "installed":
        raise Conflict("plugin.archived_already", plugin=plugin)
    if verb == "purge" and not any(
        each.made_at >= row.changed_at for each in rows.exports(ctx.session, plugin)
    ):
        raise Conflict("plugin.export_first", plugin=plugin)
    return Plan(
        verb, plugin, row.manifest.get("title") or ctx.ports.dispatch.titles.get(plugin) or {}, row.version,
        row.previous_version if verb == "rollback" else row.version,
        packages=tuple(row.previous_packages or ()) if verb == "rollback" else tuple(row.packages),
        licence=row.manifest.get("licence", ""), core=row.manifest.get("core", ""), modes=tuple(modes),
        enterprises=touched.enterprises + touched.draining, open_orders=touched.open_orders, an_order=touched.an_order,
        open_gates=touched.open_gates, needs_typed_name=verb == "purge",
    )  # fmt: skip


def _coming(
    ctx: Context,
    verb: str,
    name: str,
    now: Standing,
    row: Any,
    data: Path,
    sha256: str | None,
    version: str | None,
) -> Plan:
    """An installation or upgrade: resolved, imported in a process of its own, compared with what is there."""
    if row is not None and not row.packages:
        raise Conflict("plugin.comes_with_the_platform", plugin=name)
    if row is not None and row.state == "archived":
        raise Conflict("plugin.restore_first", plugin=name)
    chosen = resolving.resolve(ctx.session, name, now, sha256=sha256, version=version)
    refuse_revoked(ctx.session, name, chosen.packages)
    coming = Installed(name, "installed", chosen.version, chosen.packages)
    if row is not None and tuple(row.packages) == chosen.packages:
        raise Conflict("plugin.installed_already", plugin=name, version=row.version)
    after = now.with_(coming)
    ctx.session.execute(text(PATIENT))
    found = examine(after, standing.placed(after, ctx.session.connection(), data))
    if name not in found.loaded:
        raise Refused("plugin.does_not_come_in", plugin=name, reason=found.broken.get(name, "?"))
    old = (
        examine(now, standing.placed(now, ctx.session.connection(), data))
        if found.broken or row is not None
        else Findings({}, {})
    )
    for other, why in sorted(found.broken.items()):
        if other in now.running and other not in old.broken:
            raise Refused("plugin.breaks_another", plugin=name, other=other, reason=why)
    new, before = found.loaded[name], old.loaded.get(name, {})
    coming_in = {each.sha256: each for each in rows.packages(ctx.session) if each.sha256 in chosen.packages}
    package = coming_in[chosen.packages[0]]
    trusted = {each.key_id: each for each in rows.publishers(ctx.session) if not each.revoked_at}
    publisher = trusted.get(package.signer)
    changed = new["revision"] is not None and new["revision"] != before.get("revision")
    touched = rows.touches(ctx.session, name, new["modes"])
    unsigned = tuple(coming_in[each].filename for each in chosen.packages if coming_in[each].signer not in trusted)
    return Plan(
        "upgrade" if row is not None else "install", name, package.manifest.get("title", {}),
        row.version if row else None, chosen.version,
        packages=chosen.packages, publisher=publisher.name if publisher else "", tier=publisher.tier if publisher else "",
        sha256=package.sha256, licence=package.manifest.get("licence", ""), core=package.manifest.get("core", ""),
        requires=tuple(package.manifest.get("requires", ())), libraries=chosen.libraries,
        permissions_new=_only(new, before, "permissions"), permissions_gone=_only(before, new, "permissions"),
        tables_new=_only(new, before, "tables"), migrations=changed,
        hooks=tuple(new["hooks"]), hosts=tuple(new["hosts"]), slots=tuple(new["slots"]), modes=tuple(new["modes"]),
        routes=tuple(new["routes"]), enterprises=touched.enterprises + touched.draining, open_orders=touched.open_orders,
        an_order=touched.an_order, open_gates=touched.open_gates,
        unsigned=unsigned, definers=tuple(new["definers"]),
        warnings=(*chosen.warnings, *_warned(bool(unsigned), new["definers"], package.manifest.get("core", ""))),
    )  # fmt: skip


def _warned(unsigned: bool, definers: Sequence[str], core: str) -> list[str]:
    """What the operator should know before saying yes, as codes."""
    found = {
        "plugin.warns_unsigned": unsigned,
        "plugin.warns_definers": bool(definers),
        "plugin.warns_range": bool(core) and next_breaking(__version__) in SpecifierSet(core, prereleases=True),
    }
    return [code for code, so in found.items() if so]


def _only(here: Mapping[str, Any], there: Mapping[str, Any], what: str) -> tuple[str, ...]:
    def names(side: Mapping[str, Any]) -> list[str]:
        return [each["code"] if isinstance(each, dict) else each for each in side.get(what, [])]

    return tuple(each for each in names(here) if each not in names(there))
