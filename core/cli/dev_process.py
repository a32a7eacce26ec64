"""The processes of a plugin in the making: `python -m core.cli.dev_process FOLDER DESCRIPTOR`, begun anew by each line of input.

This one has imported the platform and never the plugin; web and worker are forked from it, so that a change is served in
a moment. A plugin that does not come in ends nothing: every page says what is wrong, in which file and line.
"""

import importlib
import json
import logging
import os
import signal
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import jinja2

from core.authoring import entering, source
from core.authoring.conforming import place_of
from core.cli.tongue import say
from core.config import Config, UserError

PAGE = """<!doctype html><html><head><meta charset="utf-8"><meta http-equiv="refresh" content="2"><title>{{ title }}</title>
<style>body{font:15px/1.5 system-ui;margin:3rem auto;max-width:60rem;padding:0 1rem}pre{overflow:auto;padding:1rem;
background:#f4f4f4}code{color:#a00}</style></head><body><h1>{{ title }}</h1><p>{{ problem.what }}</p>
{% if problem.where %}<p><code>{{ problem.where }}</code></p>{% endif %}
{% if problem.trace %}<pre>{{ problem.trace }}</pre>{% endif %}<p>{{ after }}</p></body></html>"""
Start = Callable[..., Any]


@dataclass(frozen=True)
class Problem:
    """Why the plugin is not served: a sentence, file and line, and the way there."""

    what: str
    where: str = ""
    trace: str = ""


@dataclass
class Kept:
    """A forked process and the pipe that ends with us: when this process is gone, so is that one."""

    pid: int
    leash: int

    def end(self, within: float) -> None:
        """Ask it to end, then make it."""
        os.kill(self.pid, signal.SIGTERM)
        deadline = time.monotonic() + within
        while os.waitpid(self.pid, os.WNOHANG) == (0, 0):
            if time.monotonic() > deadline:
                os.kill(self.pid, signal.SIGKILL)
                os.waitpid(self.pid, 0)
                break
            time.sleep(0.01)
        os.close(self.leash)


def main() -> int:
    """Wait, with everything imported but the plugin, for a line on standard input; each begins both processes anew."""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    config, folder, descriptor = Config.load(), Path(sys.argv[1]), int(sys.argv[2])
    _warm()
    web = worker = None
    with tempfile.TemporaryDirectory(prefix="ts-dev-") as place:
        for _ in sys.stdin:
            if web is not None:
                web.end(1.0)
            told, heard = os.pipe()
            web = fork(partial(_serve, config, folder, Path(place), descriptor, heard), close=told)
            os.close(heard)
            with open(told, encoding="utf-8") as greeting:
                said = greeting.read() or json.dumps({"what": say("It ended by itself; read what it says above.")})
            if worker is not None:
                worker.end(3.0)
            worker = None if "what" in json.loads(said) else fork(partial(_work, config, folder, Path(place)))
            print(said, flush=True)
        for process in (web, worker):
            if process is not None:
                process.end(2.0)
    return 0


def _warm() -> None:
    """Everything that takes time and is not the plugin."""
    import alembic.command  # noqa: F401
    import werkzeug.serving  # noqa: F401

    import core.app  # noqa: F401
    import core.authoring.world  # noqa: F401
    import core.worker  # noqa: F401
    from core import rooms
    from core.host import shipping

    rooms.load_models()
    for manifest in shipping.shipped().values():
        importlib.import_module(manifest.module)
    for concern in ("views", "api", "duties", "handlers", "wiring"):
        rooms.parts(concern)


def fork(act: Callable[[], Any], close: int | None = None) -> Kept:
    """Do something in a process of its own, which ends with this one."""
    mine, ours = os.pipe()
    pid = os.fork()
    if pid:
        os.close(mine)
        return Kept(pid, ours)
    os.close(ours)
    if close is not None:
        os.close(close)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    threading.Thread(target=lambda: (os.read(mine, 1), os._exit(0)), daemon=True).start()
    try:
        act()
    except BaseException:  # whatever it is, this process is not the one that waits
        traceback.print_exc()
    finally:
        os._exit(0)


def _serve(config: Config, folder: Path, place: Path, descriptor: int, out: int) -> None:
    from werkzeug.serving import WSGIRequestHandler, make_server

    from core.app import create_app
    from core.authoring.world import switch_on

    steps, problem = bring_in(config, folder, place)
    application: Any = None
    if problem is None:
        name = source.find(folder).name
        application = create_app(config)
        house = application.extensions["ts.house"]
        if name in house.host.loaded:
            switch_on(house, config, name)
        else:
            problem = Problem(house.host.broken.get(name, "?"))

    class Quiet(WSGIRequestHandler):
        def log_request(self, *_: Any) -> None:
            """One line for each request is too much; faults are logged where they happen."""

    served = application if problem is None else refusing(problem)
    server = make_server("127.0.0.1", 0, served, threaded=True, request_handler=Quiet, fd=descriptor)
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    changed = entering.changed_after_running(config.data, folder) if problem is None else []
    told = {"what": problem.what, "where": problem.where} if problem else {"steps": steps, "changed": changed}
    with open(out, "w", encoding="utf-8") as greeting:
        greeting.write(json.dumps(told, ensure_ascii=False))
    server.serve_forever()


def bring_in(config: Config, folder: Path, place: Path) -> tuple[list[str], Problem | None]:
    """The plugin with its tables; or what is wrong with it. Answers the migrations that were run."""
    module = ""
    try:
        found = source.find(folder)
        module = found.manifest.module
        entering.put_on_path(found.stand_beside(place))
        return entering.enter(config.url("migrate"), config.data, found), None
    except UserError as wrong:
        return [], located(module) or Problem(wrong.what, wrong.where)
    except Exception as fault:  # an author's migration or module may raise anything
        return [], told_by(fault)


def located(module: str) -> Problem | None:
    """The import once more, for file and line; None when that is not what is wrong."""
    try:
        importlib.import_module(module) if module else None
    except BaseException as fault:  # SystemExit of a module too
        return told_by(fault)
    return None


def told_by(fault: BaseException) -> Problem:
    lines = traceback.format_exception(fault)
    return Problem(f"{type(fault).__name__}: {fault}".splitlines()[0], place_of(fault), "".join(lines[-12:]))


def refusing(problem: Problem) -> Callable[[dict[str, Any], Start], Iterable[bytes]]:
    """An application that says on every page what is wrong, and looks again by itself."""
    page = jinja2.Environment(autoescape=True).from_string(PAGE)
    words = {"title": say("The plugin does not come in"), "after": say("Mend it and save; this page comes back by itself.")}
    body = page.render(problem=problem, **words).encode()

    def application(environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        kind = "text/html; charset=utf-8"
        start("503 Service Unavailable", [("Content-Type", kind), ("Retry-After", "2"), ("Cache-Control", "no-store")])
        return [body]

    return application


def _work(config: Config, folder: Path, place: Path) -> None:
    entering.put_on_path(source.find(folder).stand_beside(place))
    from core.worker import Worker

    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    Worker(config).run(stop)


if __name__ == "__main__":
    sys.exit(main())
