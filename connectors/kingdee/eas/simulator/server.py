"""The socket: services by path, WSDLs, the login, the session of every call, and trouble of EAS's own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

from connectors.kingdee.eas.envelope import Unreadable
from connectors.kingdee.eas.simulator import axis
from connectors.kingdee.eas.simulator.books import Books
from connectors.kingdee.eas.simulator.desk import DEMO, Account, Desk
from connectors.kingdee.eas.simulator.service import Facade, number_in
from connectors.kingdee.eas.text import encode
from connectors.kingdee.eas.wsdls import FACADE, FOREIGN, LOGINS, facade_wsdl, login_wsdl
from tongshang.simulate import Call, Fault, NoSuchAct, Practice, Reply

SERVICES = "/ormrpc/services/"
HELLO = "<html><body><h1>EASLogin</h1><p>Hi there, this is an AXIS service!</p></body></html>"
TOMCAT = "<html><head><title>Apache Tomcat - Error report</title></head><body><h1>HTTP Status 500</h1></body></html>"
INVOKE = "com.kingdee.bos.webservice.WSInvokeException"


class Simulator(Practice):
    """An EAS server with one data centre. `overload` says which login stands last in its WSDL, as each start differs."""

    title: ClassVar[str] = "Kingdee EAS"
    server_name: ClassVar[str] = "Apache-Coyote/1.1"
    modes: ClassVar[dict[str, str]] = {
        "session_lost": "every session is forgotten, the call is not done",
        "soap_fault": "the call is done (unless `commit` is false), the answer is a fault of the server",
        "html_500": "the call is done (unless `commit` is false), the answer is Tomcat's page with status 500",
        "locked": "another user holds the bill, the call is not done",
        "busy": "the server takes no more calls for now, the call is not done",
        "look_up_lag": "a look-up does not see what came to be in the last `seconds`",
        "gbk_answer": "the call is done, the answer is GBK and says so",
        "duplicate": "something in between sends the call twice; the second answer comes back",
    }
    acts: ClassVar[dict[str, tuple[str, ...]]] = {
        "lock": ("number",),
        "unlock": ("number",),
        "lose": (),
        "overload": ("index",),
        "unique": ("yes",),
    }

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        seed: int = 1,
        account: Account = DEMO,
        session_seconds: float = 20 * 60,
        overload: int | None = None,
        unique: bool = True,
        world: Path | None = None,
    ) -> None:
        self.account = account
        self.books = Books(seed, unique=unique)
        self.desk = Desk(account, session_seconds)
        self.facade = Facade(self.books)
        self.overload = seed % len(LOGINS) if overload is None else overload
        if world is not None:
            self.books.merge(_load(world))
        super().__init__(host=host, port=port, seed=seed)

    def logins(self) -> dict[str, object]:
        told = self.account
        return {
            "user": told.user,
            "password": told.password,
            "dcName": told.data_centre,
            "slnName": told.solution,
        }

    def name_of(self, call: Call) -> tuple[str, str, str]:
        service = call.path.removeprefix(SERVICES)
        if call.method != "POST":
            return "wsdl" if "wsdl" in call.query else "page", service, ""
        try:
            asked = axis.request(call.body, call.headers.get("content-type", ""))
        except Unreadable:
            return "unreadable", service, ""
        return asked.operation, service, number_in(asked.arguments)

    def answer(self, call: Call) -> Reply:
        return self._answered(call)

    def misbehave(self, fault: Fault, call: Call) -> Reply | None:
        if fault.mode == "session_lost":
            self.desk.lose()
            return None
        if fault.mode in ("locked", "busy") and call.method == "POST":
            return self._refused_in_text(call, fault.mode.upper())
        if fault.mode == "look_up_lag":
            return self._answered(call, lag=fault.seconds)
        if fault.mode == "gbk_answer":
            return _in_gbk(self._answered(call))
        if fault.mode == "duplicate":
            self._answered(call)
            return None
        if fault.mode in ("soap_fault", "html_500"):
            if fault.commit:
                self._answered(call)
            return _page(TOMCAT, 500) if fault.mode == "html_500" else _fault("Server.userException", INVOKE)
        return None

    def state(self) -> dict[str, object]:
        with self.books.lock:
            orders = [one.row() for one in self.books.orders.values()]
        return {
            "orders": [{key: _shown(value) for key, value in row.items()} for row in orders],
            "sessions": len(self.desk.ids),
            "locked": sorted(self.books.locked),
            "overload": self.overload,
            "unique": self.books.unique,
        }

    def admin_act(self, what: str, given: dict[str, Any]) -> dict[str, Any]:
        if what == "world":
            self.books.merge(given)
        elif what == "lock":
            self.books.locked.add(str(given["number"]))
        elif what == "unlock":
            self.books.locked.discard(str(given["number"]))
        elif what == "lose":
            return {"lost": self.desk.lose()}
        elif what == "overload":
            self.overload = int(given["index"]) % len(LOGINS)
        elif what == "unique":
            self.books.unique = str(given["yes"]).lower() in ("1", "true", "yes")
        else:
            raise NoSuchAct(what)
        return {}

    # -- EAS's side

    def _answered(self, call: Call, lag: float = 0.0) -> Reply:
        service = call.path.removeprefix(SERVICES)
        if service not in ("EASLogin", FACADE):
            return _page("<html><body><h1>404</h1></body></html>", 404)
        if call.method != "POST":
            return self._told(service, call.query)
        try:
            asked = axis.request(call.body, call.headers.get("content-type", ""))
        except Unreadable as error:
            return _fault("Client", f"bad envelope: {error}")
        if "soapaction" not in call.headers:
            return _fault("Client.NoSOAPAction", "no SOAPAction header!")
        if service == "EASLogin":
            return self._login(asked)
        if not self.facade.knows(asked.operation):
            return _fault("Client", f"No such operation '{asked.operation}'")
        if not self.desk.admits(asked.session, call.headers.get("cookie", "")):
            return _fault("Server.userException", f"{INVOKE}: 会话已失效，请重新登录 (session invalid)")
        return _xml(axis.text(asked, self.facade.answer(asked.operation, asked.arguments, lag)))

    def _told(self, service: str, query: Mapping[str, str]) -> Reply:
        if "wsdl" not in query:
            return _page(HELLO.replace("EASLogin", service))
        text = login_wsdl(self.overload, FOREIGN) if service == "EASLogin" else facade_wsdl(FOREIGN)
        return Reply(text.encode(), content_type=axis.XML)

    def _login(self, asked: axis.Request) -> Reply:
        given = asked.arguments
        if asked.operation == "logout" and len(given) == 4:
            return _xml(axis.truth(asked, self.desk.logout(given[0])))
        if asked.operation != "login" or not 6 <= len(given) <= 8:
            return _fault("Client", f"No such operation '{asked.operation}' with {len(given)} arguments")
        user, password, solution, data_centre = given[:4]
        opened = self.desk.login(user, password, solution, data_centre)
        bean = {"userName": user, "slnName": solution, "dcName": data_centre}
        context = axis.context(asked, bean | {"sessionId": opened[0] if opened else None}, int(given[5]))
        cookie = {"Set-Cookie": f"JSESSIONID={opened[1]}; Path=/ormrpc; HttpOnly"} if opened else {}
        return Reply(context.encode(), 200, cookie, axis.XML)

    def _refused_in_text(self, call: Call, code: str) -> Reply | None:
        if not call.path.endswith(FACADE):
            return None
        try:
            asked = axis.request(call.body, call.headers.get("content-type", ""))
        except Unreadable:
            return None
        said = {"LOCKED": "单据正在被其他用户编辑", "BUSY": "系统繁忙，请稍后再试"}[code]
        return _xml(axis.text(asked, encode({"success": False, "errorCode": code, "message": said})))


def _xml(text: str) -> Reply:
    return Reply(text.encode(), content_type=axis.XML)


def _fault(code: str, message: str) -> Reply:
    return Reply(axis.fault(code, message).encode(), 500, content_type=axis.XML)


def _page(text: str, status: int = 200) -> Reply:
    return Reply(text.encode(), status, content_type="text/html; charset=utf-8")


def _in_gbk(reply: Reply) -> Reply:
    text = (
        reply.body.decode()
        .replace('encoding="utf-8"', 'encoding="GBK"')
        .replace("charset=utf-8", "charset=GBK")
    )
    return Reply(text.encode("gb18030"), reply.status, reply.headers, "text/xml; charset=GBK")


def _shown(value: Any) -> Any:
    return value.get("number") if isinstance(value, dict) and set(value) == {"number"} else value


def _load(file: Path) -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads(file.read_text(encoding="utf-8"), parse_float=Decimal)
    return found
