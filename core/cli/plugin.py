"""`plugin`: the plugins of this installation from its terminal: planned, consented to, carried out before one's eyes.

Whoever may run this command owns the machine, so it acts as the operator's enterprise. A WHEEL is handed in first.
"""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from core.cli.desk import Desk, desk
from core.cli.options import data_option, json_option
from core.cli.plugin_check import check
from core.cli.plugin_choice import COMMANDS as CHOICE
from core.cli.plugin_dev import dev
from core.cli.plugin_new import new
from core.cli.plugin_trust import COMMANDS as TRUST
from core.cli.say import Teller, print_json
from core.cli.tongue import say, sentence_of
from core.config import UserError

SHOWN = (
    "publisher", "sha256", "core", "requires", "libraries", "permissions_new", "permissions_gone", "tables_new", "hooks",
    "hosts", "slots", "modes", "enterprises", "open_orders", "open_gates", "unsigned", "definers",
)  # fmt: skip


@click.group()
def plugin() -> None:
    """Install, upgrade, archive and remove the plugins of this installation."""


def change(verb: str) -> click.Command:
    """The command that plans one change, asks, and carries it out."""

    @click.command(verb)
    @click.argument("what", metavar="WHEEL|NAME" if verb in ("install", "upgrade") else "NAME")
    @click.option("--yes", is_flag=True, help="Consent to the plan without being asked.")
    @data_option
    @json_option
    def run(what: str, yes: bool, data: Path | None, as_json: bool) -> int:
        tell = Teller(as_json)
        with desk(data) as at:
            installer = at.installer(tell)
            name, sha256 = _handed_in(at, what)
            found = _plan(at, verb, name, sha256)
            _show(tell, found)
            if not yes and not click.confirm(say("Carry this out?"), err=as_json):
                raise click.Abort
            typed = None
            if found.needs_typed_name:
                typed = name if yes else click.prompt(say("Type the name of the plugin"), err=as_json)
            return _carry_out(at, installer, tell, found, sha256, typed)

    run.help = f"{verb.capitalize()} a plugin."
    return run


for _verb in ("install", "upgrade", "rollback", "archive", "restore", "export", "purge"):
    plugin.add_command(change(_verb))


@plugin.command("plan")
@click.argument("what", metavar="WHEEL|NAME")
@click.option("--verb", default="install", show_default=True, help="What would be done.")
@data_option
@json_option
def plan_command(what: str, verb: str, data: Path | None, as_json: bool) -> None:
    """Show what a change would do. A WHEEL is handed in by it; nothing else changes."""
    from core.host.model import VERBS

    if verb not in VERBS:
        raise UserError(f"There is no act “{verb}”.", ", ".join(VERBS), "Choose one of these.")
    tell = Teller(as_json)
    with desk(data) as at:
        name, sha256 = _handed_in(at, what)
        found = _plan(at, verb, name, sha256)
        _show(tell, found)
        tell.facts({**asdict(found), "digest": found.digest})


@plugin.command("list")
@data_option
@json_option
def list_command(data: Path | None, as_json: bool) -> None:
    """The plugins of this installation."""
    from core.host import rows

    with desk(data) as at, at.acting() as ctx:
        found = [
            {"name": row.name, "version": row.version, "state": row.state, "stopped": row.stopped_reason}
            for row in rows.plugins(ctx.session)
        ]
    if as_json:
        print_json({"plugins": found})
        return
    for row in found:
        state = say("stopped") if row["stopped"] else say(row["state"])
        click.echo(f"{row['name']:<20} {row['version']:<12} {state}  {row['stopped'] or ''}".rstrip())


@plugin.command("stop")
@click.argument("name")
@click.option("--reason", required=True, help="Why; enterprises read it.")
@data_option
@json_option
def stop_command(name: str, reason: str, data: Path | None, as_json: bool) -> None:
    """Stop a plugin at once, for every enterprise."""
    from core.host.life import changes

    with desk(data) as at, at.acting() as ctx:
        changes.stop(ctx, name, reason)
    tell = Teller(as_json)
    tell("The plugin is stopped", plugin=name)
    tell.facts({"plugin": name, "stopped": True})


@plugin.command("lift")
@click.argument("name")
@data_option
@json_option
def lift_command(name: str, data: Path | None, as_json: bool) -> None:
    """Let a stopped plugin act again."""
    from core.host.life import changes

    with desk(data) as at, at.acting() as ctx:
        changes.lift(ctx, name)
    tell = Teller(as_json)
    tell("The plugin acts again", plugin=name)
    tell.facts({"plugin": name, "stopped": False})


@plugin.command("apply")
@data_option
@json_option
def apply_command(data: Path | None, as_json: bool) -> None:
    """Carry out the changes that wait, where the worker does not know the address for migrations."""
    tell = Teller(as_json)
    with desk(data) as at:
        installer, done = at.installer(tell), 0
        while installer.turn():
            done += 1
    tell("Changes carried out", count=done)
    tell.facts({"count": done})


@plugin.command("doctor")
@data_option
@json_option
def doctor_command(data: Path | None, as_json: bool) -> int:
    """Plugins that do not start or are stopped, and what removed ones left behind. Exit 1 when there is any."""
    from sqlalchemy import create_engine
    from sqlalchemy.pool import NullPool

    from core.host import rows
    from core.host.life.purging import leftovers
    from core.host.trust.publishers import of_revoked

    with desk(data) as at:
        broken = dict(at.house.host.broken)
        with at.acting() as ctx:
            known = rows.plugins(ctx.session)
            revoked = dict(of_revoked(ctx.session))
            purged = {row.plugin for row in rows.changes(ctx.session, None, 1000) if row.verb == "purge" and row.state == "done"}
        stopped = {row.name: row.stopped_reason or "" for row in known if row.stopped_at}
        left = {}
        if at.config.migrate_url is not None:
            engine = create_engine(at.config.url("migrate"), poolclass=NullPool)
            with engine.connect() as connection:
                for name in sorted(purged - {row.name for row in known}):
                    left[name] = leftovers(connection, name)
    left = {name: what for name, what in left.items() if what}
    wrong = bool(broken or stopped or left or revoked)
    if as_json:
        print_json({"ok": not wrong, "broken": broken, "stopped": stopped, "leftovers": left, "revoked": revoked})
        return int(wrong)
    told = {"does not start": broken, "is stopped": stopped, "left behind": left}
    told["comes from a publisher trusted no longer"] = revoked
    for title, found in told.items():
        for name, why in found.items():
            click.echo(f"✗ {name} {say(title)}: {', '.join(why) if isinstance(why, list) else why}")
    if not wrong:
        click.echo(say("Nothing is wrong."))
    return int(wrong)


def _handed_in(at: Desk, what: str) -> tuple[str, str | None]:
    """The plugin's name; of a wheel also the hash, after it was handed in."""
    if not what.endswith(".whl"):
        return what, None
    from core.host import packages
    from core.host.trust.intake import hand_in

    path = Path(what)
    if not path.is_file():
        raise UserError("There is no such file.", what, "Give the path of a wheel, or the name of a plugin.")
    content, beside = path.read_bytes(), path.with_name(f"{path.name}.minisig")
    wheel = packages.read(content, path.name)
    with at.acting() as ctx:
        signature = beside.read_text(encoding="utf-8", errors="replace") if beside.is_file() else None
        sha256 = hand_in(ctx, content, path.name, signature)
    if wheel.plugin is None:
        raise UserError(
            "This wheel is a library; it is kept for plugins that need it.", what, "Install a plugin that needs it."
        )
    return wheel.plugin, sha256


def _plan(at: Desk, verb: str, name: str, sha256: str | None) -> Any:
    from core.host.life.plan import plan

    with at.acting() as ctx:
        return plan(ctx, verb, name, at.config.data, sha256)


def _show(tell: Teller, found: Any) -> None:
    from core.kernel import Refused

    tell("The plan", plugin=found.plugin, act=found.verb, version=f"{found.from_version or '—'} → {found.to_version or '—'}")
    for name in SHOWN:
        if value := getattr(found, name):
            tell.note(f"{say(name.replace('_', ' '))}{say(': ')}{', '.join(value) if isinstance(value, tuple) else value}")
    for code in found.warnings:
        tell.note(sentence_of(Refused(code)))


def _carry_out(at: Desk, installer: Any, tell: Teller, found: Any, sha256: str | None, typed: str | None) -> int:
    from core.host import rows
    from core.host.life import changes
    from core.kernel import Refused

    with at.acting() as ctx:
        ident, _ = changes.consent(
            ctx, found.verb, found.plugin, at.config.data, digest=found.digest, sha256=sha256, typed_name=typed
        )
    if installer.claim(ident):
        outcome = installer.carry_out(ident)
        state, code, values = outcome.state, outcome.code, outcome.values or {}
    else:  # a worker was quicker
        with at.acting() as ctx:
            state, code, values = rows.change(ctx.session, ident).state, "", {}
    if state in ("failed", "rolled_back"):
        raise UserError(sentence_of(Refused(code, **values)), found.plugin, "Nothing was changed.")
    tell("Done" if state == "done" else "A worker carries it out", plugin=found.plugin, version=found.to_version or "")
    if code:
        tell.note(sentence_of(Refused(code, **values)))
    tell.facts({"change": str(ident), "plugin": found.plugin, "version": found.to_version, "state": state})
    return 0





for _command in (check, dev, new, *TRUST, *CHOICE):
    plugin.add_command(_command)
