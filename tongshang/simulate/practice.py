"""One practice server: a real socket, calls to a subclass, faults as broken answers, and a page to steer it by."""

from __future__ import annotations

import json
import sys
import threading
import time
import traceback
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar, TypeVar
from urllib.parse import parse_qsl

from tongshang.simulate.faults import COMMON, Fault, Faults

LONGEST_BODY = 10 * 1024 * 1024
REMEMBERED = 50  # calls shown on the page
NO_BODY = (204, 304)
LOGIN_PAGE = (
    "<!DOCTYPE html><html><head><meta charset='utf-8'><title>登录</title></head>"
    "<body><form action='/login'><h1>用户登录 Sign in</h1></form></body></html>"
)
ERROR_PAGE = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"

Self = TypeVar("Self", bound="Practice")


class Broken(Exception):
    """The connection ends here without an answer."""


class NoSuchAct(LookupError):
    """The drill master asked for something this server does not do."""


@dataclass(frozen=True)
class Call:
    """A call as it came. `path` is as it was sent (still percent-encoded); of a repeated query name the last value counts."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]  # lower-case names
    body: bytes
    at: float  # seconds since the epoch

    def json(self) -> Any:
        """The body as JSON, numbers with a point as `Decimal`; an empty body is {}. Raises ValueError."""
        return json.loads(self.body.decode("utf-8"), parse_float=Decimal) if self.body.strip() else {}


@dataclass(frozen=True)
class Reply:
    """An answer. A header whose value is a tuple is sent once for each of them."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)
    content_type: str = "application/json"


@dataclass(frozen=True)
class Done:
    """One call as the page shows it; status 0 is a connection that ended without an answer."""

    operation: str
    kind: str
    number: str
    status: int
    milliseconds: int
    fault: str


class Calls(Counter[str]):
    """How often each `operation` or `operation kind` was asked and got through, and the last calls, newest last."""

    def __init__(self) -> None:
        super().__init__()
        self.last: deque[Done] = deque(maxlen=REMEMBERED)


class Practice:
    """One practice server. Use as a context manager, or `start` and `stop`; listens from the moment it is made."""

    title: ClassVar[str] = "Practice server"
    modes: ClassVar[dict[str, str]] = {}  # faults of its own beside the common ones
    acts: ClassVar[
        dict[str, tuple[str, ...]]
    ] = {}  # acts of `admin_act` with their fields, as forms on the page
    server_name: ClassVar[str] = "practice"

    def __init__(self, *, host: str = "127.0.0.1", port: int = 0, seed: int = 1) -> None:
        self.host = host
        self.faults = Faults(seed, {**COMMON, **self.modes})
        self.calls = Calls()
        self.__noting = threading.Lock()
        self.__door = threading.Lock()
        self.__stopped = threading.Event()
        self.__serving = False
        self.__server: _Server | None = self.__listen(port)
        self.port = int(self.__server.server_address[1])

    # -- what a subclass says

    def name_of(self, call: Call) -> tuple[str, str, str]:
        """(operation, kind, number) of a call: what faults match on and the page shows."""
        return call.method, call.path, ""

    def answer(self, call: Call) -> Reply:
        """The true protocol. May raise Broken to cut the connection."""
        raise NotImplementedError

    def login_page(self) -> Reply:
        """What stands where an answer should be when something in between wants a login."""
        return Reply(LOGIN_PAGE.encode(), content_type="text/html; charset=utf-8")

    def misbehave(self, fault: Fault, call: Call) -> Reply | None:
        """An answer under one of its own `modes`; None goes on to `answer`."""
        return None

    def state(self) -> dict[str, object]:
        """What the server holds, for the page and for tests."""
        return {}

    def admin_look(self, what: str, query: Mapping[str, str]) -> dict[str, object]:
        """`GET /_sim/<what>`. Raises NoSuchAct."""
        if what == "state":
            return self.state()
        raise NoSuchAct(what)

    def admin_act(self, what: str, given: dict[str, Any]) -> dict[str, Any]:
        """`POST /_sim/<what>` with JSON or a form. Raises NoSuchAct, and ValueError or KeyError for what cannot be done."""
        raise NoSuchAct(what)

    def logins(self) -> dict[str, object]:
        """What a person needs to sign in; printed at the start."""
        return {}

    # -- its life

    @property
    def address(self) -> str:
        return f"http://{self.host}:{self.port}"

    @property
    def url(self) -> str:
        """What goes into the connection's settings."""
        return self.address

    @property
    def admin(self) -> str:
        return f"{self.address}/_sim"

    def start(self: Self) -> Self:
        with self.__door:
            self.__serve()
        return self

    def stop(self) -> None:
        self.__stopped.set()
        self.__shut()

    def wait(self) -> None:
        """Block until `stop`."""
        self.__stopped.wait()

    def refuse(self, seconds: float) -> None:
        """Cut every connection and accept none for a while; returns when the door is open again."""
        self.__shut()
        self.__reopen(seconds)

    def __enter__(self: Self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def __listen(self, port: int) -> _Server:
        return _Server((self.host, port), type("Handler", (_Handler,), {"practice": self}))

    def __serve(self) -> None:
        server = self.__server
        if server is not None and not self.__serving:
            self.__serving = True
            threading.Thread(target=server.serve_forever, args=(0.05,), name=self.title, daemon=True).start()

    def __shut(self) -> None:
        with self.__door:
            server, self.__server = self.__server, None
            if server is None:
                return
            if self.__serving:
                server.shutdown()
            self.__serving = False
            server.server_close()
            server.cut()

    def __reopen(self, seconds: float) -> None:
        if self.__stopped.wait(seconds):
            return
        with self.__door:
            if self.__server is None and not self.__stopped.is_set():
                self.__server = self.__listen(self.port)
                self.__serve()

    # -- one call

    def reply(self, call: Call) -> Reply:
        """The answer of one call with the trouble in force. Raises Broken."""
        began = time.monotonic()
        name = self.__name(call)
        fault = self.faults.pick(*name)
        status = 0
        try:
            found = self.__troubled(fault, call, name)
            status = found.status
            return found
        finally:
            took = int((time.monotonic() - began) * 1000)
            with self.__noting:
                self.calls.last.append(Done(*name, status, took, fault.mode if fault else ""))

    def __name(self, call: Call) -> tuple[str, str, str]:
        try:
            return self.name_of(call)
        except (ValueError, LookupError, TypeError, AttributeError):
            return call.method, call.path, ""  # what it is called cannot be read; `answer` says what is wrong

    def __troubled(self, fault: Fault | None, call: Call, name: tuple[str, str, str]) -> Reply:
        mode = fault.mode if fault else ""
        seconds = fault.seconds if fault else 0.0
        if mode == "refuse":
            self.__shut()
            threading.Thread(target=self.__reopen, args=(seconds,), daemon=True).start()
            raise Broken
        if mode == "timeout_before":
            self.__stopped.wait(seconds)
        if mode in ("drop_before", "timeout_before"):
            raise Broken
        if mode == "html_200" and fault and not fault.commit:
            return self.login_page()
        with self.__noting:
            self.calls[" ".join(filter(None, name[:2]))] += 1
        own = self.misbehave(fault, call) if fault and mode in self.modes else None
        return self.__after(mode, seconds, own or self.__answer(call))

    def __answer(self, call: Call) -> Reply:
        try:
            return self.answer(call)
        except Broken:
            raise
        except Exception:  # a mistake in a simulator has to be seen, not to look like a fault on demand
            traceback.print_exc(file=sys.stderr)
            return Reply(traceback.format_exc().encode(), 500, content_type="text/plain; charset=utf-8")

    def __after(self, mode: str, seconds: float, reply: Reply) -> Reply:
        """Trouble that comes after the work was done."""
        if mode in ("slow", "timeout_after"):
            self.__stopped.wait(seconds)
        if mode in ("drop_after", "timeout_after"):
            raise Broken
        if mode == "status_500_after":
            return Reply(ERROR_PAGE.encode(), 502, content_type="text/html; charset=utf-8")
        if mode == "html_200":
            return self.login_page()
        if mode == "bad_charset":
            text = "返回：" + reply.body.decode("utf-8", "replace")
            kind = reply.content_type.partition(";")[0] + "; charset=utf-8"
            return Reply(text.encode("gb18030"), reply.status, reply.headers, kind)
        if mode == "cut_body":
            half = reply.body[: len(reply.body) // 2]
            return Reply(half, reply.status, reply.headers, reply.content_type)
        return reply


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, *given: Any) -> None:
        self._open: set[Any] = set()
        super().__init__(*given)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def cut(self) -> None:
        """End the connections that are kept open: to their callers the server is gone."""
        for request in list(self._open):
            self.shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that hangs up is no news for the log."""


class _Handler(BaseHTTPRequestHandler):
    practice: Practice
    protocol_version = "HTTP/1.1"
    sys_version = ""
    disable_nagle_algorithm = True

    def version_string(self) -> str:
        return self.practice.server_name

    def _any(self) -> None:
        from tongshang.simulate.admin import administer

        body = self._body()
        if body is None:
            return self._send(Reply(b"", 413))
        path, _, asked = self.path.partition("?")
        query = dict(parse_qsl(asked, keep_blank_values=True))
        headers = {name.lower(): value for name, value in self.headers.items()}
        call = Call(self.command, path, query, headers, body, time.time())
        if path == "/_sim" or path.startswith("/_sim/"):
            return self._send(administer(self.practice, call))
        try:
            self._send(self.practice.reply(call))
        except Broken:
            self.close_connection = True

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = do_MERGE = _any

    def _body(self) -> bytes | None:
        """The body, None when it is too long."""
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            parts: list[bytes] = []
            while size := int(self.rfile.readline().partition(b";")[0].strip() or b"0", 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
                if sum(map(len, parts)) > LONGEST_BODY:
                    self.close_connection = True
                    return None
            self.rfile.readline()
            return b"".join(parts)
        length = int(self.headers.get("Content-Length") or 0)
        if length > LONGEST_BODY:
            self.close_connection = True
            return None
        return self.rfile.read(length)

    def _send(self, reply: Reply) -> None:
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            for each in (value,) if isinstance(value, str) else value:
                self.send_header(name, each)
        if reply.status not in NO_BODY:
            self.send_header("Content-Type", reply.content_type)
            self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        if reply.status not in NO_BODY and self.command != "HEAD":
            self.wfile.write(reply.body)

    def log_message(self, format: str, *args: Any) -> None:
        """Calls are shown on the page, not written to the terminal."""
