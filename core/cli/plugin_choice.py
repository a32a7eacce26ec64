"""`plugin`, as far as one enterprise chooses: switch a plugin on, let it finish, switch it off; and a plugin's own words."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import click

from core.cli.options import data_option, json_option
from core.cli.say import Teller
from core.config import UserError

enterprise_option = click.option(
    "--enterprise", required=True, help="Whose choice it is: a name, a unified social credit code or an id."
)


@click.command("enable")
@click.argument("name")
@enterprise_option
@click.option("--set", "chosen", multiple=True, metavar="SETTING=VALUE", help="A setting; may be given several times.")
@data_option
@json_option
def enable(name: str, enterprise: str, chosen: Sequence[str], data: Path | None, as_json: bool) -> None:
    """Switch a plugin on for one enterprise."""
    from core.host import service

    with _at(data, enterprise) as (ctx, who):
        view = service.switch_on(ctx, name, _settings(chosen))
    _told(Teller(as_json), "The plugin is on", view, who)


@click.command("drain")
@click.argument("name")
@enterprise_option
@data_option
@json_option
def drain(name: str, enterprise: str, data: Path | None, as_json: bool) -> None:
    """Let a plugin finish what is open for one enterprise; it takes no new work."""
    from core.host import service

    with _at(data, enterprise) as (ctx, who):
        view = service.switch_off(ctx, name, drain=True)
    _told(Teller(as_json), "The plugin finishes what is open", view, who)


@click.command("disable")
@click.argument("name")
@enterprise_option
@data_option
@json_option
def disable(name: str, enterprise: str, data: Path | None, as_json: bool) -> None:
    """Switch a plugin off for one enterprise; refused while orders of its modes are open."""
    from core.host import service

    with _at(data, enterprise) as (ctx, who):
        view = service.switch_off(ctx, name)
    _told(Teller(as_json), "The plugin is off", view, who)


@click.command("run", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@data_option
@click.argument("name")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="COMMAND [ARGUMENTS]...")
def run(name: str, arguments: Sequence[str], data: Path | None) -> Any:
    """Run a command that a plugin brings; without one, list what it brings."""
    from core.cli.desk import desk

    with desk(data) as at:
        loaded = at.house.host.loaded.get(name)
        if loaded is None:
            raise UserError("No such plugin runs here.", name, "`run.py plugin list` shows those that do.")
        brought = click.Group(name, commands={each.name: each for each in loaded.commands})
        return brought.main(list(arguments) or ["--help"], prog_name=name, standalone_mode=False, obj=at.house)


COMMANDS = (enable, drain, disable, run)


@contextmanager
def _at(data: Path | None, enterprise: str) -> Iterator[tuple[Any, str]]:
    """One transaction in an enterprise's name, and how it is called; the plugins are those of this process."""
    from flask import Flask

    from core.cli.desk import desk

    with desk(data) as at:
        with at.acting() as ctx:
            tenant, who = _enterprise(ctx, enterprise)
        app = Flask(__name__)
        app.extensions["ts.host"] = at.house.host
        with app.app_context(), at.house.unit.system(tenant, "operator") as ctx:
            yield ctx, who


def _enterprise(ctx: Any, said: str) -> tuple[UUID, str]:
    from core import tenancy

    try:
        ids = [UUID(said)]
    except ValueError:
        found = tenancy.find_enterprises(ctx, said, 5)
        exact = [card for card in found if said in (card.name, card.name_en, card.short_name, card.uscc)]
        ids = [card.tenant_id for card in exact or found] or [ctx.tenant_id]
    cards = [card for card in tenancy.cards(ctx, ids).values() if ids != [ctx.tenant_id] or _is(card, said)]
    if not cards:
        raise UserError("There is no such enterprise.", said, "Give its name, its credit code or its id.")
    if len(cards) > 1:
        names = ", ".join(sorted(card.name for card in cards))
        raise UserError("More than one enterprise is meant.", names, "Give its credit code or its id.")
    return cards[0].tenant_id, cards[0].name


def _is(card: Any, said: str) -> bool:
    return said in (str(card.tenant_id), card.name, card.name_en, card.short_name, card.uscc)


def _settings(chosen: Sequence[str]) -> dict[str, str] | None:
    pairs = [each.partition("=") for each in chosen]
    if wrong := [name for name, sign, _ in pairs if not sign or not name.strip()]:
        raise UserError("A setting is written as name=value.", ", ".join(wrong), "For example --set hours=48.")
    return {name.strip(): value for name, _, value in pairs} if pairs else None


def _told(tell: Teller, step: str, view: Any, who: str) -> None:
    tell(step, plugin=view.name, enterprise=who)
    tell.facts({"plugin": view.name, "enterprise": who, "state": view.state, "settings": dict(view.settings)})
