"""`serve`: portal and API by gunicorn, with the embedded database held by this process above it.

The parent stays small: it opens the port, keeps the database alive and passes signals on. HUP reloads the web
processes one by one (after a plugin was switched on, for example); TERM and Ctrl-C end everything in order.
"""

import os
import signal
import sys
import threading
import time
from pathlib import Path

import click

import core
from core.cli.child import Child
from core.cli.database import require_tables, running_database
from core.cli.listen import answers, listen, url_of
from core.cli.options import facts_command
from core.cli.say import Teller
from core.cli.tongue import say
from core.config import Config, UserError

READY_WITHIN = 60.0  # seconds; usual is under four


@facts_command()
@click.option("--host", help="Address to listen on; default 127.0.0.1.")
@click.option("--port", type=click.IntRange(1, 65535), help="Default: the first free one from 8080.")
@click.option("--workers", type=click.IntRange(1, 64), default=2, show_default=True, help="Processes.")
@click.option("--threads", type=click.IntRange(1, 64), default=8, show_default=True, help="Threads in each.")
@click.option("--only", metavar="PLUGIN", help="Serve this plugin's pages only.")
@click.option("--safe-mode", is_flag=True, help="Start without any plugin.")
@click.option("--insecure-http", is_flag=True, help="Allow signing in over plain http from other machines.")
def serve(
    data: Path | None,
    as_json: bool,
    host: str | None,
    port: int | None,
    workers: int,
    threads: int,
    only: str | None,
    safe_mode: bool,
    insecure_http: bool,
) -> None:
    """Serve portal and API until Ctrl-C."""
    config = Config.load(data)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    socket = listen(host or config.host, port or config.port)
    url = url_of(socket)
    environ = {
        **os.environ,
        "TS_DATA": str(config.data),
        "TS_HOST": host or config.host,
        "TS_PORT": str(socket.getsockname()[1]),
    }
    if "TS_KEYS" in environ:
        environ["TS_KEYS"] = str(Path(environ["TS_KEYS"]).expanduser().absolute())
    for variable, value in (
        ("TS_ONLY", only),
        ("TS_SAFE_MODE", "1" if safe_mode or config.safe_mode else ""),
        ("TS_INSECURE_HTTP", "1" if insecure_http or config.insecure_http else ""),
    ):
        if value:
            environ[variable] = value
    with running_database(config), socket:
        require_tables(config)
        web = Child(
            "web server",
            ["-m", "gunicorn", *gunicorn_arguments(socket.fileno(), workers, threads, config)],
            config.data / "logs" / "web.log",
            environ,
            pass_fds=[socket.fileno()],
            # gunicorn looks for modules in its folder first: in the caller's it could find a stranger's `core`
            cwd=Path(core.__file__).parent.parent,
        )
        signal.signal(signal.SIGHUP, lambda *_: web.process.send_signal(signal.SIGHUP))
        try:
            _until_ready(web, url, stop)
            if not stop.is_set():
                if as_json:
                    Teller(True).facts_line({"url": url, "pid": os.getpid()})
                else:
                    click.echo(say(f"Tongshang serves at {url}   (Ctrl-C stops it)"))
            while not stop.wait(0.5):
                if web.process.poll() is not None:
                    raise web.failure("The web server ended by itself.")
        finally:
            web.stop()


def gunicorn_arguments(descriptor: int, workers: int, threads: int, config: Config) -> list[str]:
    """How gunicorn serves us: threads in few processes, replaced now and then so that nothing grows."""
    arguments = ["core.app:create_app()", "--config", "python:core.cli.gunicorn_settings"]
    arguments += ["--bind", f"fd://{descriptor}", "--worker-class", "core.cli.staying.StayingWorker"]
    arguments += ["--workers", str(workers), "--threads", str(threads), "--timeout", "30"]
    arguments += ["--graceful-timeout", "5", "--keep-alive", "5", "--no-control-socket"]
    arguments += ["--max-requests", "50000", "--max-requests-jitter", "5000", "--log-level", "warning"]
    if Path("/dev/shm").is_dir() and os.access("/dev/shm", os.W_OK):
        arguments += ["--worker-tmp-dir", "/dev/shm"]  # heartbeats must not wait for a disk
    if config.proxy_hops == 0:
        arguments += ["--forwarded-allow-ips", ""]  # nobody in front of us may speak for another
    return arguments


def _until_ready(web: Child, url: str, stop: threading.Event) -> None:
    deadline = time.monotonic() + READY_WITHIN
    while not answers(url):
        if web.process.poll() is not None:
            raise _plainer(web.failure("The web server did not start."))
        if time.monotonic() > deadline:
            raise web.failure(f"The web server is not ready after {READY_WITHIN:.0f} seconds.")
        if stop.wait(0.05):
            return


def _plainer(error: UserError) -> UserError:
    """Keep the sentence of a readable refusal, drop the traceback gunicorn prints around it."""
    marker = "core.config.UserError: "
    for line in error.what.splitlines():
        if line.startswith(marker):
            return UserError(line.removeprefix(marker), error.where, error.do)
    return error


if sys.platform == "darwin":
    os.environ.setdefault("no_proxy", "*")  # looking up the system's proxies is not safe after a fork there
