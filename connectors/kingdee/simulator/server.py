"""The socket: URLs to services, sessions as cookies, and the troubles only this system knows."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from connectors.kingdee.simulator import acts, shapes
from connectors.kingdee.simulator.forms import form_of
from connectors.kingdee.simulator.login import COOKIE, Desk
from connectors.kingdee.simulator.service import Services
from connectors.kingdee.simulator.shapes import NoService, Problem
from connectors.kingdee.simulator.store import Store
from connectors.kingdee.simulator.world import DEMO_ACCOUNT, Account, World
from connectors.kingdee.wire import ERROR_PREFIX, encode
from tongshang.simulate import Call, Fault, NoSuchAct, Practice, Reply

URL = re.compile(r"/k3cloud/(?P<service>[\w.]+)\.common\.kdsvc", re.IGNORECASE)
LOGINS = {"ValidateUser", "LoginByAppSecret", "LoginBySign"}
QUERIES = {"ExecuteBillQuery", "BillQuery"}
FORM_SERVICE = "Kingdee.BOS.WebApi.ServicesStub.DynamicFormService"
SHOWN = 30  # documents of a kind on the page


class Simulator(Practice):
    """A K/3 Cloud server with one data centre."""

    title: ClassVar[str] = "金蝶云·星空 K/3 Cloud"
    server_name: ClassVar[str] = "Microsoft-IIS/10.0"
    modes: ClassVar[dict[str, str]] = {
        "session_lost": "every session is forgotten, the call is not done",
        "lock_conflict": "another user holds the document (MsgCode 13)",
        "call_limit": "too many calls (MsgCode 14)",
        "look_up_lag": "a bill saved less than `seconds` ago is not found by queries and views",
    }
    acts: ClassVar[dict[str, tuple[str, ...]]] = acts.FIELDS

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        seed: int = 1,
        state: Path | None = None,
        account: Account = DEMO_ACCOUNT,
        session_seconds: float = 20 * 60,
        unique: bool = True,
    ) -> None:
        super().__init__(host=host, port=port, seed=seed)
        self.account = account
        self.store = Store(state, self.calls)
        self.world = World(self.store)
        self.world.standard()
        self.desk = Desk(account, session_seconds)
        self.services = Services(self.store, unique)

    @property
    def url(self) -> str:
        return f"{self.address}/k3cloud"

    def stop(self) -> None:
        super().stop()
        self.store.close()

    def logins(self) -> dict[str, object]:
        account = self.account
        application = {"app_id": account.app_id, "app_secret": account.app_secret}
        return {"acct_id": account.acct_id, **application, "users": list(account.users)}

    # -- Kingdee's side

    def name_of(self, call: Call) -> tuple[str, str, str]:
        service = _service(call)[1]
        body = call.json()
        if not isinstance(body, dict):
            return service, "", ""
        data = body["data"] if isinstance(body.get("data"), dict) else {}
        model = data["Model"] if isinstance(data.get("Model"), dict) else {}
        numbers = data["Numbers"] if isinstance(data.get("Numbers"), list) else []
        form = str(body.get("formid") or data.get("FormId") or "")
        number = model.get("FBillNo") or model.get("FNumber") or (numbers[0] if numbers else "")
        known, id = form_of(form), str(data.get("Ids") or "")
        if not number and known and id.isdigit() and (document := self.store.by_id(known.id, int(id))):
            number = document.number
        return service, form, str(number)

    def answer(self, call: Call, lag: float = 0.0) -> Reply:
        if call.method == "GET":
            return self.login_page()
        owner, service = _service(call)
        if not service:
            return Reply(shapes.NOT_FOUND.encode(), 404, content_type="text/html; charset=utf-8")
        try:
            body = call.json()
        except ValueError as error:
            return _reply(ERROR_PREFIX + encode({"Message": f"请求不是JSON：{error}"}))
        return _reply(*self._answer(call, owner, service, body if isinstance(body, dict) else {}, lag))

    def _answer(
        self, call: Call, owner: str, service: str, body: dict[str, Any], lag: float
    ) -> tuple[Any, str | None]:
        """The answer, and the session that was opened."""
        if service == "GetDataCenterList":
            return [{"Id": self.account.acct_id, "Number": "001", "Name": self.account.name}], None
        if service in LOGINS:
            return self.desk.login(service, _parameters(body))
        try:
            caller, sid = self.desk.admit(call.path, call.headers)
        except Problem as problem:
            return _refused(service, problem), None
        if service not in ("GetInventoryData",) and owner != FORM_SERVICE:
            return f"{ERROR_PREFIX}找不到服务：{owner}.{service}", sid
        try:
            return self.services.answer(caller, service, body, lag), sid
        except NoService as error:
            return ERROR_PREFIX + encode({"Message": str(error)}), sid
        except (ValueError, TypeError, AttributeError, KeyError) as error:
            return ERROR_PREFIX + encode({"Message": f"参数格式有误：{error}"}), sid

    def login_page(self) -> Reply:
        return Reply(shapes.LOGIN_PAGE.encode(), content_type="text/html; charset=utf-8")

    def misbehave(self, fault: Fault, call: Call) -> Reply | None:
        if fault.mode == "look_up_lag":
            return self.answer(call, fault.seconds)
        problems = {
            "session_lost": shapes.session_lost(),
            "lock_conflict": Problem(13, "单据正在被其他用户编辑，网络控制冲突，请稍后再试"),
            "call_limit": Problem(14, "接口调用次数超过限制，请稍后再试"),
        }
        if fault.mode == "session_lost":
            self.desk.lose()
        return _reply(_refused(_service(call)[1], problems[fault.mode]))

    # -- the drill master's side

    def state(self) -> dict[str, object]:
        with self.store.lock:
            counts = self.store.counts()
            bills = {
                form: [
                    {"number": document.number, "id": document.id, **_short(document.head)}
                    for document in self.store.all(form)[-SHOWN:]
                ]
                for form in counts
                if (known := form_of(form)) and known.is_bill
            }
            return {"documents": counts, "unique references": self.services.unique, **bills}

    def admin_look(self, what: str, query: Mapping[str, str]) -> dict[str, object]:
        if what != "state":
            raise NoSuchAct(what)
        return {"documents": self.store.snapshot(query.get("form", "")), "calls": dict(self.calls)}

    def admin_act(self, what: str, given: dict[str, Any]) -> dict[str, Any]:
        """`world` adds base data, `unique` (`{"on": false}`) is the switch for references; the others are people's acts."""
        if what in acts.FIELDS:
            return acts.act(self.store, what, given)
        if what == "world":
            self.world.merge(given)
            return {}
        if what == "unique":
            self.services.unique = str(given["on"]).lower() == "true"
            return {"unique": self.services.unique}
        raise NoSuchAct(what)


def _service(call: Call) -> tuple[str, str]:
    """Owner and name of the service a URL names."""
    match = URL.fullmatch(call.path)
    owner, _, service = match["service"].rpartition(".") if match else ("", "", "")
    return owner, service


def _refused(service: str, problem: Problem) -> Any:
    return shapes.query_refused(problem) if service in QUERIES else shapes.refused(problem)


def _reply(answer: Any, sid: str | None = None) -> Reply:
    text = answer if isinstance(answer, str) and answer.startswith(ERROR_PREFIX) else encode(answer)
    cookies: dict[str, str | tuple[str, ...]] = {}
    if sid:
        iis = f"ASP.NET_SessionId={sid[:24]}; path=/; HttpOnly"
        cookies["Set-Cookie"] = (f"{COOKIE}={sid}; path=/; HttpOnly", iis)
    return Reply(text.encode(), 200, cookies, "application/json; charset=utf-8")


def _short(head: Mapping[str, Any]) -> dict[str, Any]:
    """What the page shows of a bill."""
    wanted = [
        "FDocumentStatus",
        "FCancelStatus",
        "FDate",
        "FDATE",
        "FCustId",
        "FCustomerID",
        "FSupplierId",
        "FCONTACTUNIT",
        "FBillAllAmount",
    ]
    wanted += ["FALLAMOUNTFOR", "FRECEIVEAMOUNTFOR", "FCarriageNO", "FModifyDate", "FApproveDate"]
    return {key: head[key] for key in wanted if key in head}


def _parameters(body: dict[str, Any]) -> list[Any]:
    """The values of a login call in the three forms seen in the wild."""
    given = body.get("parameters")
    if isinstance(given, str):
        given = json.loads(given)
    if isinstance(given, list):
        return given
    named = ("acctID", "username", "password", "lcid")
    return [body.get(name) for name in named] if body.get("acctID") else []
