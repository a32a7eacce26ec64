"""A simple index on a real socket, and one that misbehaves as it is told."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

JSON = "application/vnd.pypi.simple.v1+json"


class IndexServer(ThreadingHTTPServer):
    """`files` are what it keeps: name of the file -> bytes. `wrong` says how it misbehaves, `html` speaks PEP 503."""

    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answering)
        self.files: dict[str, bytes] = {}
        self.html = False
        self.wrong = ""
        self.elsewhere = "http://10.255.255.1:9/"
        self.asked: list[str] = []
        self.over = threading.Event()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/simple/"

    def page(self, project: str) -> tuple[str, str]:
        """(media type, body) of the first page, or of a project's."""
        names = sorted({name.split("-")[0].replace("_", "-").lower() for name in self.files if name.endswith(".whl")})
        if not project:
            if self.html:
                return "text/html; charset=utf-8", "".join(f'<a href="/simple/{name}/">{name}</a>' for name in names)
            return JSON, json.dumps({"meta": {"api-version": "1.1"}, "projects": [{"name": name} for name in names]})
        held = [name for name in self.files if name.endswith(".whl") and name.split("-")[0].replace("_", "-") == project]
        if self.html:
            return "text/html", "".join(f'<a href="../../files/{each}#sha256={self.hash(each)}">{each}</a>' for each in held)
        files = [self.said(name) for name in held]
        return JSON, json.dumps({"meta": {"api-version": "1.1"}, "name": project, "files": files})

    def said(self, name: str) -> dict[str, Any]:
        hashes = {} if self.wrong == "no hash" else {"sha256": self.hash(name)}
        metadata = self.files.get(f"{name}.metadata")
        told = {"core-metadata": {"sha256": sha256(metadata).hexdigest()}} if metadata else {}
        return {"filename": name, "url": f"/files/{name}", "hashes": hashes, "size": len(self.files[name]), **told}

    def hash(self, name: str) -> str:
        return "0" * 64 if self.wrong == "hash" else sha256(self.files[name]).hexdigest()


class Answering(BaseHTTPRequestHandler):
    server: IndexServer

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        wrong = self.server.wrong
        if wrong == "500":
            return self.send(500, "text/plain", b"no")
        if wrong == "hang":
            self.server.over.wait(20)
            return None
        if wrong == "elsewhere":
            return self.lead(self.server.elsewhere)
        if wrong == "circle":
            return self.lead(self.path)
        if self.path.startswith("/files/"):
            content = self.server.files.get(self.path.removeprefix("/files/"))
            if wrong == "endless":
                return self.flood()
            return self.send(404, "text/plain", b"") if content is None else self.send(200, "application/zip", content)
        if wrong == "nonsense":
            return self.send(200, "text/plain", b"hello")
        project = self.path.removeprefix("/simple/").strip("/")
        if wrong == "moved" and project and not self.path.startswith("/simple/new-"):
            return self.lead(f"/simple/new-{project}/")
        kind, body = self.server.page(project.removeprefix("new-"))
        return self.send(200, kind, body.encode())

    def send(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def lead(self, where: str) -> None:
        self.send_response(302)
        self.send_header("Location", where)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def flood(self) -> None:
        """A body without an end."""
        self.send_response(200)
        self.send_header("Content-Type", "application/zip")
        self.end_headers()
        try:
            while not self.server.over.is_set():
                self.wfile.write(b"\0" * 65536)
        except OSError:
            return  # the reader has had enough

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the name is the base class's
        """Nobody reads a log of a test."""


class Listing(SimpleHTTPRequestHandler):
    """A folder as any web server shows it."""

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the name is the base class's
        """Nobody reads a log of a test."""


@contextmanager
def running_index() -> Iterator[IndexServer]:
    server = IndexServer()
    with _serving(server):
        yield server
        server.over.set()


@contextmanager
def plain_server(folder: Path) -> Iterator[str]:
    """The address of a web server that only lists a folder."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Listing, directory=str(folder)))
    with _serving(server):
        yield f"http://127.0.0.1:{server.server_address[1]}/"


@contextmanager
def _serving(server: ThreadingHTTPServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield
    server.shutdown()
    server.server_close()
    thread.join()
