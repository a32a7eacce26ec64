"""Changing the plugin set: handing packages in, consenting to a plan, answering an enterprise's wish, stopping at once."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import text

from core.host import rows
from core.host.life.plan import Plan, plan
from core.host.packages import Wheel
from core.kernel import Conflict, Context, Invalid, uuid7


def keep(ctx: Context, wheel: Wheel, *, source: str, signer: str | None) -> str:
    """Put a checked wheel into the installation's store of packages. Answers its hash; the same wheel twice is one."""
    ctx.require("plugin.install")
    manifest = wheel.manifest
    shown = {} if manifest is None else {
        "name": manifest.name, "title": manifest.title, "summary": manifest.summary, "category": manifest.category,
        "core": manifest.core, "requires": list(manifest.requires), "after": list(manifest.after),
        "conflicts": list(manifest.conflicts), "scope": manifest.scope, "permissions": list(manifest.permissions),
        "hosts": list(manifest.hosts), "slots": list(manifest.slots), "licence": manifest.licence,
    }  # fmt: skip
    package = {
        "kind": "library" if manifest is None else "plugin", "plugin": wheel.plugin, "distribution": str(wheel.distribution),
        "version": str(wheel.version), "filename": wheel.filename, "manifest": shown, "requires": list(wheel.requires),
        "signer": signer, "source": source, "added_by": ctx.actor.name,
    }  # fmt: skip
    ctx.session.execute(
        text("SELECT ts.plugin_keep(CAST(:package AS jsonb), :content)"),
        {"package": json.dumps(package, ensure_ascii=False), "content": wheel.content},
    )
    ctx.record(
        "plugin.package",
        f"package:{wheel.sha256}",
        file=wheel.filename,
        plugin=wheel.plugin,
        signer=signer,
        source=source,
    )
    return wheel.sha256


def consent(
    ctx: Context, verb: str, name: str, data: Path, *, digest: str, sha256: str | None = None, version: str | None = None,
    typed_name: str | None = None,
) -> tuple[UUID, str]:  # fmt: skip
    """Have a plan carried out that was shown before. Answers the change's id and state: queued, or asked of the operator.

    Raises Conflict when the plan is another one by now, and Invalid where the plugin's name must be typed and was not.
    """
    ctx.require("plugin.install" if verb not in ("install", "upgrade") else "plugin.manage")
    found = plan(ctx, verb, name, data, sha256, version)
    if found.digest != digest:
        raise Conflict("plugin.plan_changed", plugin=name)
    if found.needs_typed_name and (typed_name or "").strip() != name:
        raise Invalid.one("typed_name", "plugin.type_its_name", plugin=name)
    return ask(ctx, found)


def ask(ctx: Context, found: Plan) -> tuple[UUID, str]:
    """Write a consented plan down; the installer takes it from there."""
    if any(each.state in ("queued", "running") for each in rows.changes(ctx.session, found.plugin, 5)):
        raise Conflict("plugin.change_under_way", plugin=found.plugin)
    ident = uuid7()
    state: str = ctx.session.execute(
        text("SELECT ts.plugin_ask(:id, :plugin, :verb, :version, :packages, CAST(:plan AS jsonb), :by)"),
        {
            "id": ident, "plugin": found.plugin, "verb": found.verb, "version": found.to_version,
            "packages": list(found.packages), "plan": json.dumps({**asdict(found), "digest": found.digest}, ensure_ascii=False),
            "by": ctx.actor.name,
        },
    ).scalar_one()  # fmt: skip
    ctx.record(
        "plugin.ask",
        f"plugin:{found.plugin}",
        verb=found.verb,
        version=found.to_version,
        change=str(ident),
        digest=found.digest,
    )
    return ident, state


def answer(ctx: Context, ident: UUID, yes: bool, reason: str = "") -> Any:
    """The operator's word on what an enterprise asked for."""
    ctx.require("plugin.install")
    if not yes and not reason.strip():
        raise Invalid.one("reason", "field.required")
    done = ctx.session.execute(
        text("SELECT ts.plugin_answer(:id, :yes, :reason)"),
        {"id": ident, "yes": yes, "reason": None if yes else reason.strip()},
    ).scalar()
    if not done:
        raise Conflict("plugin.answered_already")
    row = rows.change(ctx.session, ident)
    ctx.record("plugin.answer", f"plugin:{row.plugin}", change=str(ident), yes=yes, reason=reason.strip())
    return row


def stop(ctx: Context, name: str, reason: str) -> None:
    """The kill switch: within two seconds no process calls the plugin any more, for any enterprise."""
    ctx.require("plugin.install")
    if not reason.strip():
        raise Invalid.one("reason", "field.required")
    if not ctx.session.execute(
        text("SELECT ts.plugin_stop(:name, :reason)"), {"name": name, "reason": reason.strip()}
    ).scalar():
        raise Conflict("plugin.not_installed", plugin=name)
    ctx.record("plugin.stop", f"plugin:{name}", reason=reason.strip())


def lift(ctx: Context, name: str) -> None:
    """Let a stopped or quarantined plugin act again."""
    ctx.require("plugin.install")
    if not ctx.session.execute(text("SELECT ts.plugin_lift(:name)"), {"name": name}).scalar():
        raise Conflict("plugin.not_stopped", plugin=name)
    ctx.record("plugin.lift", f"plugin:{name}")
