"""`plugin dev`: a plugin served from its author's folder; what is saved there is served within two seconds.

This process holds the database and the port and looks at the files. The web process and the worker under it are replaced
when a file changes; whoever asks in between waits a moment and is not refused.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import click

import core
from core.cli.database import running_database
from core.cli.listen import listen, url_of
from core.cli.options import data_option, json_option
from core.cli.say import Teller
from core.config import Config, UserError

LOOK = 0.25  # seconds between two looks at the files
WATCHED = {".py", ".html", ".po", ".toml", ".cfg", ".css", ".js", ".svg"}
READY_WITHIN = 60.0  # seconds
Stamps = dict[Path, tuple[int, int]]


@click.command("dev")
@click.argument("path", type=click.Path(path_type=Path), metavar="FOLDER")
@click.option("--port", type=click.IntRange(1, 65535), help="Default: the first free one from 8080.")
@click.option("--fresh", is_flag=True, help="Delete the data of earlier starts first.")
@data_option
@json_option
def dev(path: Path, port: int | None, fresh: bool, data: Path | None, as_json: bool) -> None:
    """Serve a plugin from its folder, in a demo of its own, and again whenever a file is saved."""
    from core.authoring import source
    from core.cli.demo import clear

    found = source.find(path)
    folder = data or found.folder / ".tongshang"
    if fresh:
        clear(folder.expanduser().absolute())
    config = Config.load(folder)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    tell = Teller(as_json)
    socket = listen(config.host, port or config.port)
    url = url_of(socket)
    with running_database(config), socket:
        _prepare(config, tell)
        web = Processes(config, found.folder, socket.fileno(), url, tell)
        try:
            state = web.begin()
            tell(f"The plugin {found.name} is served at {url}   (Ctrl-C stops it)")
            for login in _logins():
                tell.note(f"{login['role']}: {login['login']} / {login['password']}")
            if as_json:
                tell.facts_line({"url": url, "pid": os.getpid(), "plugin": found.name, "wrong": state.get("what", "")})
            _watch(found.folder, web, stop)
        finally:
            web.stop()


class Processes:
    """The process from which web and worker are begun, each time anew."""

    def __init__(self, config: Config, folder: Path, descriptor: int, url: str, tell: Teller) -> None:
        self.folder, self.tell = folder, tell
        paths = [str(Path(core.__file__).parent.parent), *filter(None, [os.environ.get("PYTHONPATH")])]
        environ = {**os.environ, "TS_DATA": str(config.data), "TS_HOST": config.host, "TS_PORT": url.rpartition(":")[2]}
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "core.cli.dev_process", str(folder), str(descriptor)],
            env={**environ, "PYTHONUNBUFFERED": "1", "PYTHONPATH": os.pathsep.join(paths)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            pass_fds=[descriptor],
            start_new_session=True,  # Ctrl-C is for this process, which ends the other in order
        )

    def begin(self) -> dict[str, Any]:
        """Bring the plugin in and serve it; what is wrong with it is told, and served as a page. Answers its state."""
        state = self._asked()
        if state.get("what"):
            self.tell.note("The plugin is not served:")
            for line in filter(None, (state["what"], state.get("where"))):
                click.secho(f"     {line}", fg="red", err=True)
        for step in state.get("steps", ()):
            self.tell.note(step)
        for name in state.get("changed", ()):
            self.tell.note(f"{name} was changed after it had run: add a next step, or begin again with --fresh.")
        return state

    def stop(self) -> None:
        """The end of its input ends it, and with it the others."""
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.close()
        try:
            self.process.wait(8)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()

    def _asked(self) -> dict[str, Any]:
        assert self.process.stdin is not None and self.process.stdout is not None
        timer = threading.Timer(READY_WITHIN, self.process.kill)
        timer.start()
        try:
            self.process.stdin.write("again\n")
            self.process.stdin.flush()
            for line in self.process.stdout:
                if line.startswith("{"):
                    said: dict[str, Any] = json.loads(line)
                    return said
        except BrokenPipeError:
            pass
        finally:
            timer.cancel()
        raise UserError("The process that serves the plugin ended by itself.", str(self.folder), "Read what it says above.")


def _watch(folder: Path, processes: Processes, stop: threading.Event) -> None:
    """Until the end: whenever a file is another one than before, everything is begun again."""
    known = stamps(folder)
    while not stop.wait(LOOK):
        now = stamps(folder)
        if now == known:
            continue
        changed = sorted(path for path in now.keys() | known.keys() if now.get(path) != known.get(path))
        known, began = now, time.monotonic()
        state = processes.begin()
        if not state.get("what"):
            names = ", ".join(str(path.relative_to(folder)) for path in changed[:3])
            processes.tell.note(f"{names}: served again after {time.monotonic() - began:.1f} s")


def stamps(folder: Path) -> Stamps:
    """The watched files with the time and size of their content."""
    found: Stamps = {}
    for place, folders, names in os.walk(folder):
        folders[:] = [each for each in folders if not each.startswith((".", "__")) and each not in ("build", "dist")]
        for name in names:
            path = Path(place, name)
            if path.suffix in WATCHED:
                try:
                    held = path.stat()
                except FileNotFoundError:
                    continue  # an editor replaces files by others
                found[path] = (held.st_mtime_ns, held.st_size)
    return found


def _prepare(config: Config, tell: Teller) -> None:
    """Roles, tables, and a world to trade in; quick when it is there."""
    from core.authoring.world import settle
    from core.db import roles
    from core.migrate import upgrade

    if config.admin_url:
        roles.provision(config.admin_url)
    upgrade(config.url("migrate"), data=config.data)
    count = settle(config)
    if count:
        tell("Enterprises that trade, with goods and stock", goods=count)


def _logins() -> list[dict[str, str]]:
    from core.authoring.world import logins

    return logins()
