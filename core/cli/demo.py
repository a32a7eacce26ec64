"""`demo`: one whole trade before your eyes, then the portal to look around in.

Starts everything it needs (database, Kingdee simulator, web, worker), plays the trade over the public API,
checks every invariant, and on Ctrl-C stops everything it started. A second start keeps the data and is quick.
"""

import contextlib
import json
import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from core.cli.boundary import show
from core.cli.child import Child
from core.cli.connector import find_simulator
from core.cli.database import running_database
from core.cli.listen import free_port
from core.cli.options import facts_command
from core.cli.say import Teller
from core.cli.tongue import say
from core.cli.verify import breaches_of
from core.config import Config, UserError, data_folder

SYSTEM = "kingdee"  # the ERP the demo trades with
AFTER_WRONG = "Read the logs there; `run.py demo --fresh` begins with new data."


@facts_command()
@click.option("--once", is_flag=True, help="End after the trade; exit 0 only if every check held.")
@click.option(
    "--port", type=click.IntRange(1, 65535), help="Of the portal; default: the first free one from 8080."
)
@click.option("--fresh", is_flag=True, help="Delete the demo's data first.")
@click.option("--code", is_flag=True, help="Only print what the administrators' authenticators show now.")
def demo(data: Path | None, as_json: bool, once: bool, port: int | None, fresh: bool, code: bool) -> int:
    """Play one whole trade step by step, then serve the portal until Ctrl-C."""
    if code:
        from core.demo import current_code

        click.echo(json.dumps({"code": current_code()}) if as_json else current_code())
        return 0
    once = once or not sys.stdin.isatty()
    if fresh:
        clear(data_folder(data))
    config = Config.load(data)
    tell = Teller(as_json)
    began = time.monotonic()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends it wherever it is, in order
    with running_database(config):
        tell("The database runs", server="embedded" if config.embedded else "outside")
        _prepare(config, tell)
        with _cast(config, port, tell) as cast:
            from core.demo import play
            from core.demo.desk import Wrong

            prepared = time.monotonic() - began
            try:
                facts = dict(play(config, cast.portal, cast.simulator, tell))
            except Wrong as wrong:
                show(
                    UserError(
                        f"The trade does not go as it should: {wrong}", str(config.data / "logs"), AFTER_WRONG
                    )
                )
                tell.facts(
                    {"ok": False, "wrong": str(wrong), "portal": cast.portal, "data": str(config.data)}
                )
                return 1
            breaches = breaches_of(config)
            tell("Every invariant holds" if not breaches else f"{len(breaches)} invariants are broken")
            for breach in breaches:
                tell.note(json.dumps(breach, ensure_ascii=False, default=str))
            facts |= {
                "ok": not breaches,
                "breaches": breaches,
                "portal": cast.portal,
                "data": str(config.data),
                "seconds": {"preparing": round(prepared, 1), "whole": round(time.monotonic() - began, 1)},
            }
            _show_logins(cast.portal, facts, tell)
            tell.facts(facts)
            if not once:
                tell.heading("The portal is yours until Ctrl-C.")
                _serve(cast)
                tell.note("Stopping what was started.")
    return 1 if breaches else 0


@dataclass(frozen=True)
class Cast:
    """The processes on the stage and where to reach them."""

    portal: str
    simulator: str
    children: list[Child]


def clear(folder: Path) -> None:
    """Delete the content of a data folder of ours and its database; refuse any other folder or database."""
    if os.environ.get("DATABASE_URL"):
        raise UserError(
            "--fresh deletes the embedded database only; this one is outside.",
            "DATABASE_URL",
            "Empty it yourself, or unset DATABASE_URL.",
        )
    if not folder.exists():
        return
    if not (folder / "version").is_file():
        if any(folder.iterdir()):
            raise UserError(
                "This is no data folder of Tongshang.", str(folder), "Choose another with --data."
            )
        return
    from core.db.embedded import EmbeddedPostgres

    EmbeddedPostgres(folder).destroy()
    for entry in folder.iterdir():
        shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()


def _prepare(config: Config, tell: Teller) -> None:
    from core.db import roles

    if config.admin_url:
        roles.provision(config.admin_url)
    from core.migrate import upgrade

    steps = upgrade(config.url("migrate"), tell.note)
    tell("Tables, policies and roles stand", steps_applied=len(steps))
    from core.demo import seed

    seed(config, tell)


@contextlib.contextmanager
def _cast(config: Config, port: int | None, tell: Teller) -> Iterator[Cast]:
    """Simulator, web server and worker, started side by side and stopped in the opposite order."""
    children: list[Child] = []
    logs = config.data / "logs"
    ours = ["-m", "core.cli"]
    place = ["--data", str(config.data), "--json"]
    try:
        simulator = Child("simulator", [*ours, *_simulator_arguments(config)], logs / "simulator.log")
        children.append(simulator)
        asked = ["--port", str(port)] if port else []
        web = Child("web server", [*ours, "serve", *place, *asked], logs / "serve.log")
        children.append(web)
        worker = Child("worker", [*ours, "work", *place], logs / "worker.log")
        children.append(worker)
        erp = urlsplit(simulator.greeting(30)["url"])
        cast = Cast(web.greeting(60)["url"], f"{erp.scheme}://{erp.netloc}", children)
        worker.greeting(60)
        tell("Web server, worker and Kingdee simulator run", portal=cast.portal, kingdee=cast.simulator)
        yield cast
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):  # a second Ctrl-C must not leave half of it running
            signal.signal(number, signal.SIG_IGN)
        for child in children:
            child.ask_to_end()
        for child in reversed(children):
            child.stop()


def _simulator_arguments(config: Config) -> list[str]:
    find_simulator(SYSTEM)
    folder = config.data / "demo"
    folder.mkdir(exist_ok=True)
    arguments = ["connector", "simulate", SYSTEM, "--state", str(folder / f"{SYSTEM}.db")]
    arguments += ["--port", str(_kept_port(folder / f"{SYSTEM}.port"))]
    world = folder / f"{SYSTEM}-world.json"
    return [*arguments, "--world", str(world)] if world.exists() else arguments


def _kept_port(note: Path) -> int:
    """The port of the last start when it is still free: the tenants' settings name it."""
    with contextlib.suppress(OSError, ValueError):
        return free_port(int(note.read_text("ascii")))
    port = free_port(0)
    note.write_text(str(port), "ascii")
    return port


def _show_logins(portal: str, facts: dict[str, Any], tell: Teller) -> None:
    tell.heading(f"Portal: {portal}")
    for login in facts.get("logins", ()):
        tell.note("   ".join(f"{say(name)} {say(value)}" for name, value in login.items()))
    tell.note("`run.py demo --code` prints what the authenticators show now; each code counts once.")


def _serve(cast: Cast) -> None:
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    while not stop.wait(0.5):
        for child in cast.children:
            if child.process.poll() is not None:
                raise child.failure(f"The {child.name} ended by itself.")
