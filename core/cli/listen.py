"""The address a server listens on: the one asked for, or the first free one."""

import errno
import socket
import urllib.error
import urllib.request

from core.config import UserError

FIRST_PORT = 8080
PORTS_TRIED = 100


def listen(host: str, port: int | None) -> socket.socket:
    """An open, listening socket. `UserError` when the port asked for cannot be had."""
    if port is not None:
        return _open(host, port)
    for candidate in range(FIRST_PORT, FIRST_PORT + PORTS_TRIED):
        try:
            return _open(host, candidate)
        except UserError as error:
            if not isinstance(error.__cause__, OSError) or error.__cause__.errno != errno.EADDRINUSE:
                raise
    raise UserError(
        f"No port from {FIRST_PORT} to {FIRST_PORT + PORTS_TRIED - 1} is free.", host, "Name one with --port."
    )


def free_port(wanted: int) -> int:
    """A free port on the loopback address: the one wanted, or any for 0. `OSError` when it is taken."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as opened:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind(("127.0.0.1", wanted))
        return int(opened.getsockname()[1])


def url_of(opened: socket.socket) -> str:
    """Where a browser on this machine finds it."""
    host, port = opened.getsockname()[:2]
    if host in ("0.0.0.0", "::"):
        host = "127.0.0.1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def answers(url: str) -> bool:
    """Whether the server behind this address is well."""
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({})
    )  # never through a proxy to ourselves
    try:
        with opener.open(url + "/healthz", timeout=5) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _open(host: str, port: int) -> socket.socket:
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        opened = socket.socket(family, socket.SOCK_STREAM)
        try:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            opened.bind((host, port))
            opened.listen(1024)
        except BaseException:
            opened.close()
            raise
        return opened
    except OSError as error:
        what, do = f"Port {port} cannot be used: {error.strerror}.", "Choose another with --port."
        if error.errno == errno.EADDRINUSE:
            what = f"Port {port} is taken by another program."
            do = "Choose another with --port, or leave --port out: a free one is found."
        elif error.errno == errno.EACCES:
            do = "Ports below 1024 are root's. Choose another with --port and put a proxy in front."
        elif isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
            what, do = (
                f"This machine has no address {host}.",
                "Name one of its own with --host, or leave it out.",
            )
        raise UserError(what, f"{host}:{port}", do) from error
