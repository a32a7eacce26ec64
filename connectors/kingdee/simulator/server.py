"""The socket: URLs to services, sessions as cookies, faults as broken answers."""

from __future__ import annotations

import json
import re
import threading
import time
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from connectors.kingdee.simulator import shapes
from connectors.kingdee.simulator.faults import MODES, Fault, Faults
from connectors.kingdee.simulator.login import COOKIE, Desk
from connectors.kingdee.simulator.service import Services
from connectors.kingdee.simulator.shapes import NoService, Problem
from connectors.kingdee.simulator.store import Store
from connectors.kingdee.simulator.world import DEMO_ACCOUNT, Account, World
from connectors.kingdee.wire import ERROR_PREFIX, encode

URL = re.compile(r"/k3cloud/(?P<service>[\w.]+)\.common\.kdsvc", re.IGNORECASE)
LOGINS = {"ValidateUser", "LoginByAppSecret", "LoginBySign"}
FORM_SERVICE = "Kingdee.BOS.WebApi.ServicesStub.DynamicFormService"
LONGEST_BODY = 10 * 1024 * 1024


class Broken(Exception):
    """The connection ends here without an answer."""


class Simulator:
    """One server with one data centre. Use as a context manager, or `start` and `stop`."""

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        state: Path | None = None,
        account: Account = DEMO_ACCOUNT,
        session_seconds: float = 20 * 60,
        seed: int = 1,
    ) -> None:
        self.account = account
        self.store = Store(state)
        self.world = World(self.store)
        self.world.standard()
        self.desk = Desk(account, session_seconds)
        self.services = Services(self.store)
        self.faults = Faults(seed)
        self._host = host
        self._door = threading.Lock()
        self._server = self._listen(port)
        self.port = int(self._server.server_address[1])
        self._stopped = threading.Event()

    @property
    def url(self) -> str:
        return f"http://{self._host}:{self.port}/k3cloud"

    @property
    def admin(self) -> str:
        return f"http://{self._host}:{self.port}/_sim"

    def start(self) -> Simulator:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), name="kingdee", daemon=True).start()
        return self

    def stop(self) -> None:
        self._stopped.set()
        with self._door:
            self._server.shutdown()
            self._server.server_close()
        self.store.close()

    def wait(self) -> None:
        """Block until `stop`."""
        self._stopped.wait()

    def refuse(self, seconds: float) -> None:
        """Accept no connection for a while: callers see a refused connection."""
        with self._door:
            self._server.shutdown()
            self._server.server_close()
            if not self._stopped.wait(seconds):
                self._server = self._listen(self.port)
                self.start()

    def __enter__(self) -> Simulator:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _listen(self, port: int) -> ThreadingHTTPServer:
        server = _Server((self._host, port), type("Handler", (_Handler,), {"simulator": self}))
        return server


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that hangs up is no news for the log."""


class _Handler(BaseHTTPRequestHandler):
    simulator: Simulator
    protocol_version = "HTTP/1.1"
    server_version = "Microsoft-IIS/10.0"
    sys_version = ""
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        body = self._body()
        if body is None:
            return
        if self.path.startswith("/_sim"):
            return self._admin(body)
        match = URL.fullmatch(self.path)
        if not match:
            return self._send(404, shapes.ERROR_PAGE.replace("502 Bad Gateway", "404 Not Found"), "text/html")
        try:
            self._service(match["service"], body)
        except Broken:
            self._hang_up()

    def do_GET(self) -> None:
        if self.path.startswith("/_sim"):
            return self._admin({})
        self._send(200, shapes.LOGIN_PAGE, "text/html")

    def do_DELETE(self) -> None:
        self._admin({})

    # -- Kingdee's side

    def _service(self, full: str, body: Any) -> None:
        simulator = self.simulator
        owner, _, service = full.rpartition(".")
        data: dict[str, Any] = body["data"] if isinstance(body.get("data"), dict) else {}
        model: dict[str, Any] = data["Model"] if isinstance(data.get("Model"), dict) else {}
        numbers = data.get("Numbers") if isinstance(data.get("Numbers"), list) else []
        form = str(body.get("formid") or data.get("FormId") or "")
        number = str(model.get("FBillNo") or model.get("FNumber") or (numbers[0] if numbers else ""))
        fault = simulator.faults.pick(service, form, number)
        early = self._before(fault)
        with simulator.store.lock:
            simulator.store.count(service if not form else f"{service} {form}")
        if early is not None:
            wrapped = service in ("ExecuteBillQuery", "BillQuery")
            return self._json(shapes.query_refused(early) if wrapped else shapes.refused(early))
        answer, sid = self._answer(owner, service, body)
        self._after(fault, answer, sid)

    def _answer(self, owner: str, service: str, body: Any) -> tuple[Any, str | None]:
        simulator = self.simulator
        if service == "GetDataCenterList":
            account = simulator.account
            return [{"Id": account.acct_id, "Number": "001", "Name": account.name}], None
        if service in LOGINS:
            return simulator.desk.login(service, _parameters(body))
        try:
            caller, sid = simulator.desk.admit(self.path, dict(_titled(self.headers.items())))
        except Problem as problem:
            wrapped = service in ("ExecuteBillQuery", "BillQuery")
            return (shapes.query_refused(problem) if wrapped else shapes.refused(problem)), None
        if service not in ("GetInventoryData",) and owner != FORM_SERVICE:
            return f"{ERROR_PREFIX}找不到服务：{owner}.{service}", sid
        try:
            return simulator.services.answer(caller, service, body), sid
        except NoService as error:
            return ERROR_PREFIX + encode({"Message": str(error)}), sid
        except (ValueError, TypeError, AttributeError, KeyError) as error:
            return ERROR_PREFIX + encode({"Message": f"参数格式有误：{error}"}), sid

    def _before(self, fault: Fault | None) -> Problem | None:
        """Trouble that comes before the work: an error to answer, or a connection that ends."""
        if fault is None:
            return None
        if fault.mode == "refuse":
            threading.Thread(target=self.simulator.refuse, args=(fault.seconds,), daemon=True).start()
            raise Broken
        if fault.mode == "drop_before":
            raise Broken
        if fault.mode == "timeout_before":
            time.sleep(fault.seconds)
            raise Broken
        if fault.mode == "session_lost":
            self.simulator.desk.lose()
            return shapes.session_lost()
        if fault.mode == "lock_conflict":
            return Problem(13, "单据正在被其他用户编辑，网络控制冲突，请稍后再试")
        if fault.mode == "call_limit":
            return Problem(14, "接口调用次数超过限制，请稍后再试")
        if fault.mode == "html_200" and not fault.commit:
            self._send(200, shapes.LOGIN_PAGE, "text/html")
            raise Broken
        return None

    def _after(self, fault: Fault | None, answer: Any, sid: str | None) -> None:
        """Trouble that comes after the work was done."""
        mode = fault.mode if fault else ""
        if fault and mode in ("slow", "timeout_after"):
            time.sleep(fault.seconds)
        if mode in ("drop_after", "timeout_after"):
            raise Broken
        if mode == "status_500_after":
            return self._send(502, shapes.ERROR_PAGE, "text/html")
        if mode == "html_200":
            return self._send(200, shapes.LOGIN_PAGE, "text/html")
        if mode == "bad_charset":
            return self._send(200, "返回：" + encode(answer), "application/json", charset="gb18030")
        if mode == "cut_body":
            whole = encode(answer).encode()
            self._send(200, whole[: len(whole) // 2].decode("ascii"), "application/json")
            return
        self._json(answer, sid)

    # -- the drill master's side

    def _admin(self, body: Any) -> None:
        simulator, (path, _, ask) = self.simulator, self.path.partition("?")
        try:
            if path == "/_sim/state" and self.command == "GET":
                form = dict(pair.partition("=")[::2] for pair in ask.split("&")).get("form", "")
                documents = simulator.store.snapshot(form)
                return self._json({"documents": documents, "calls": simulator.store.calls})
            if path == "/_sim/faults" and self.command == "GET":
                return self._json({"faults": simulator.faults.as_json(), "modes": MODES})
            if path == "/_sim/faults":
                simulator.faults.set(body if isinstance(body, list) else body.get("faults", []))
                return self._json({"faults": simulator.faults.as_json()})
            if path == "/_sim/seed" and self.command == "POST":
                simulator.faults.seed(int(body["seed"]))
                return self._json({})
            if path == "/_sim/world" and self.command == "POST":
                simulator.world.merge(body)
                return self._json({})
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            return self._send(400, encode({"error": f"{type(error).__name__}: {error}"}), "application/json")
        self._send(404, encode({"error": f"no {self.command} {path}"}), "application/json")

    # -- bytes

    def _body(self) -> Any:
        length = int(self.headers.get("Content-Length") or 0)
        if length > LONGEST_BODY:
            self._send(413, shapes.ERROR_PAGE, "text/html")
            return None
        raw = self.rfile.read(length)
        try:
            value = json.loads(raw.decode("utf-8"), parse_float=Decimal) if raw.strip() else {}
        except ValueError as error:
            self._send(200, ERROR_PREFIX + encode({"Message": f"请求不是JSON：{error}"}), "application/json")
            return None
        return value if isinstance(value, dict) or self.path.startswith("/_sim") else {}

    def _json(self, answer: Any, sid: str | None = None) -> None:
        text = answer if isinstance(answer, str) and answer.startswith(ERROR_PREFIX) else encode(answer)
        self._send(200, text, "application/json", sid)

    def _send(
        self, status: int, text: str, kind: str, sid: str | None = None, charset: str = "utf-8"
    ) -> None:
        content = text.encode(charset)
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        if sid:
            self.send_header("Set-Cookie", f"{COOKIE}={sid}; path=/; HttpOnly")
            self.send_header("Set-Cookie", f"ASP.NET_SessionId={sid[:24]}; path=/; HttpOnly")
        self.end_headers()
        self.wfile.write(content)

    def _hang_up(self) -> None:
        """Close the connection without a word."""
        self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        """Calls are counted in the state, not written to the terminal."""


def _titled(items: Any) -> list[tuple[str, str]]:
    """Headers under the names the desk reads, whatever case they came in."""
    kept = ["X-Kd-Appkey", "X-Kd-Appdata", "X-Kd-Signature", "X-Api-ClientID", "X-Api-Signature"]
    kept += ["x-api-timestamp", "x-api-nonce", COOKIE, "Cookie"]
    known = {name.lower(): name for name in kept}
    return [(known.get(name.lower(), name), value) for name, value in items]


def _parameters(body: Any) -> list[Any]:
    """The values of a login call in the three forms seen in the wild."""
    given = body.get("parameters")
    if isinstance(given, str):
        given = json.loads(given)
    if isinstance(given, list):
        return given
    named = ("acctID", "username", "password", "lcid")
    return [body.get(name) for name in named] if body.get("acctID") else []
