"""The socket: two steps to a token, the sales order's APIs by path, and trouble of Cosmic's own."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from connectors.kingdee.cosmic.wire import encode, number
from tongshang.simulate import Call, Fault, NoSuchAct, Practice, Reply

ORDERS = "/kapi/v2/kdscm/sm/sm_salorder"
DEMO: Mapping[str, str] = {
    "app_id": "tongshang",
    "app_secret": "Cosmic-Simulator-1",
    "tenant": "demo",
    "account": "2061840000000000001",
    "user": "tongshang",
    "user_type": "UserName",
    **{f"{act}_api": f"{ORDERS}/{act}" for act in ("save", "query", "submit", "audit", "unaudit")},
    "cancel_api": f"{ORDERS}/invalid",
    "customer_api": "/kapi/v2/basedata/bd_customer/query",
    "error_codes": "locked=sim.locked\nbusy=sim.busy\nduplicate=sim.duplicate\nexception=sim.exception",
}
SAVED, SUBMITTED, AUDITED = "A", "B", "C"
TOKEN_GONE = {"state": "error", "errorCode": "401", "errorMsg": "access_token 已失效"}


class Simulator(Practice):
    """A Cosmic server with one data centre and one application."""

    title: ClassVar[str] = "Kingdee Cosmic"
    modes: ClassVar[dict[str, str]] = {
        "token_lost": "every token is forgotten, the call is not done",
        "locked": "another user holds the document, the call is not done",
        "busy": "the server takes no more calls for now, the call is not done",
        "exception": "the call is done (unless `commit` is false), the answer is an error in the middle",
        "too_many": "HTTP 429, the call is not done",
    }
    acts: ClassVar[dict[str, tuple[str, ...]]] = {"lose": (), "world": ()}

    def __init__(
        self, *, host: str = "127.0.0.1", port: int = 0, seed: int = 1, token_seconds: float = 7200.0
    ) -> None:
        self.lock = threading.RLock()
        self.token_seconds = token_seconds
        self.orders: dict[str, dict[str, Any]] = {}
        self.customers: dict[str, str] = {}  # number -> credit code
        self.materials: set[str] = set()
        self.unique = True
        self._app_tokens: set[str] = set()
        self._tokens: dict[str, float] = {}
        self._calls: dict[str, Callable[[Any], Mapping[str, Any]]] = {
            DEMO["save_api"]: self._save,
            DEMO["query_api"]: self._query,
            DEMO["submit_api"]: self._mover((SAVED,), SUBMITTED),
            DEMO["audit_api"]: self._mover((SUBMITTED,), AUDITED),
            DEMO["unaudit_api"]: self._mover((SUBMITTED, AUDITED), SAVED),
            DEMO["cancel_api"]: self._void,
            DEMO["customer_api"]: self._customers,
        }
        super().__init__(host=host, port=port, seed=seed)

    @property
    def url(self) -> str:
        return f"{self.address}/ierp"

    def logins(self) -> dict[str, object]:
        return dict(DEMO)

    def merge(self, data: Mapping[str, Any]) -> None:
        """{"customers": [{"number", "tax_code"}], "materials": [{"number"}]}"""
        with self.lock:
            for row in data.get("customers", ()):
                self.customers[str(row["number"])] = str(row.get("tax_code", ""))
            self.materials |= {str(row["number"]) for row in data.get("materials", ())}

    def lose(self) -> None:
        with self.lock:
            self._tokens.clear()

    def name_of(self, call: Call) -> tuple[str, str, str]:
        path = call.path.removeprefix("/ierp")
        data = call.json().get("data") if call.body else None
        first = data[0] if isinstance(data, list) and data else data
        its = str(first.get("billno") or "") if isinstance(first, dict) else ""
        return path.rpartition("/")[2], path.split("/")[-2] if path.count("/") > 1 else "", its

    def answer(self, call: Call) -> Reply:
        path = call.path.removeprefix("/ierp")
        if call.method != "POST" or not call.path.startswith("/ierp"):
            return self.login_page()
        asked = call.json()
        if path == "/api/getAppToken.do":
            return _json(self._app_token(asked))
        if path == "/api/login.do":
            return _json(self._login(asked))
        if path not in self._calls:
            return Reply(b"<html>404</html>", 404, content_type="text/html")
        if self._tokens.get(call.headers.get("access_token", ""), 0.0) < time.monotonic():
            return _json(TOKEN_GONE)
        try:
            with self.lock:
                return _json(self._calls[path](asked.get("data")))
        except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
            return _json(_no("param.error", f"参数有误：{error}"))

    def misbehave(self, fault: Fault, call: Call) -> Reply | None:
        if fault.mode == "token_lost":
            self.lose()
            return None
        if fault.mode == "too_many":
            return Reply(b"", 429, {"Retry-After": "1"})
        if "/kapi/" not in call.path:
            return None
        if fault.mode == "exception" and fault.commit:
            self.answer(call)
        return _json(_no(f"sim.{fault.mode}", "演练故障"))

    def state(self) -> dict[str, object]:
        with self.lock:
            orders = [{k: v for k, v in one.items() if k != "billentry"} for one in self.orders.values()]
        return {"orders": orders, "tokens": len(self._tokens), "customers": dict(self.customers)}

    def admin_act(self, what: str, given: dict[str, Any]) -> dict[str, Any]:
        if what == "lose":
            self.lose()
        elif what == "world":
            self.merge(given)
        else:
            raise NoSuchAct(what)
        return {}

    # -- Cosmic's side

    def _app_token(self, asked: Mapping[str, Any]) -> Mapping[str, Any]:
        secret = asked.get("appSecret") or asked.get("appSecuret")
        told = (asked.get("appId"), secret, asked.get("tenantid"), asked.get("accountId"))
        if told != (DEMO["app_id"], DEMO["app_secret"], DEMO["tenant"], DEMO["account"]):
            data = {"success": False, "error_code": "-1", "error_desc": "应用或密钥不正确"}
            return {"data": data, "state": "error", "status": False, "errorCode": "-1"}
        token = secrets.token_hex(16)
        self._app_tokens.add(token)
        data = {"app_token": token, "success": True, "error_code": "0", "error_desc": ""}
        return {"data": data, "state": "success", "status": True}

    def _login(self, asked: Mapping[str, Any]) -> Mapping[str, Any]:
        if asked.get("apptoken") not in self._app_tokens or asked.get("user") != DEMO["user"]:
            return {"state": "error", "errorCode": "login.loginBizException", "errorMsg": "用户不存在"}
        token = secrets.token_hex(20)
        with self.lock:
            self._tokens[token] = time.monotonic() + self.token_seconds
        return {"data": {"access_token": token, "success": True}, "state": "success", "status": True}

    def _save(self, data: Any) -> Mapping[str, Any]:
        (document,) = data
        its, id = str(document["billno"]), str(document.get("id") or "")
        wrong = self._wrong(document)
        same = [key for key, one in self.orders.items() if one["billno"] == its]
        if not id and self.unique and same:
            wrong = f"单据编号 {its} 已存在"
        if id and (id not in self.orders or self.orders[id]["billstatus"] != SAVED):
            wrong = "单据不是暂存状态"
        if wrong:
            return _result({"billStatus": False, "errors": [{"rowMsg": [wrong]}], "number": its})
        id = id or str(2_000_000_000_000_000_000 + len(self.orders))
        self.orders[id] = {**document, "id": id, "billstatus": SAVED, "cancelstatus": "A"}
        return _result({"billStatus": True, "errors": [], "id": id, "number": its})

    def _wrong(self, document: Mapping[str, Any]) -> str:
        if document["customer"]["number"] not in self.customers:
            return f"客户 {document['customer']['number']} 不存在"
        for entry in document["billentry"]:
            if entry["material"]["number"] not in self.materials:
                return f"物料 {entry['material']['number']} 不存在"
        total = sum(number(entry["amountandtax"]) for entry in document["billentry"])
        return "" if total == number(document["totalallamount"]) else f"价税合计应为 {total}"

    def _query(self, data: Any) -> Mapping[str, Any]:
        rows = [_flat(one) for one in self.orders.values() if one["billno"] == data["billno"]]
        return {
            "data": {"rows": rows, "totalCount": len(rows)},
            "errorCode": "0",
            "message": None,
            "status": True,
        }

    def _customers(self, data: Any) -> Mapping[str, Any]:
        code = data["societycreditcode"]
        rows = [
            {"number": key, "societycreditcode": its} for key, its in self.customers.items() if its == code
        ]
        return {"data": {"rows": rows}, "errorCode": "0", "message": None, "status": True}

    def _mover(self, come_from: tuple[str, ...], to: str) -> Callable[[Any], Mapping[str, Any]]:
        def move(data: Any) -> Mapping[str, Any]:
            (id,) = data["id"]
            one = self.orders[id]
            if one["billstatus"] not in come_from or one["cancelstatus"] == "B":
                return _result(
                    {"billStatus": False, "errors": [{"rowMsg": ["单据状态不允许此操作"]}], "id": id}
                )
            one["billstatus"] = to
            return _result({"billStatus": True, "errors": [], "id": id})

        return move

    def _void(self, data: Any) -> Mapping[str, Any]:
        answer = self._mover((SAVED,), SAVED)(data)
        if answer["data"]["result"][0]["billStatus"]:
            self.orders[data["id"][0]]["cancelstatus"] = "B"
        return answer


def _flat(document: Mapping[str, Any]) -> dict[str, Any]:
    """As queries answer: references flat beside their field."""
    flat: dict[str, Any] = {}
    for key, value in document.items():
        if isinstance(value, dict):
            flat[f"{key}_number"] = value["number"]
        elif isinstance(value, list):
            flat[key] = [_flat(entry) for entry in value]
        else:
            flat[key] = value
    return flat


def _result(one: Mapping[str, Any]) -> Mapping[str, Any]:
    taken = 1 if one["billStatus"] else 0
    data = {"result": [one], "successCount": str(taken), "failCount": str(1 - taken)}
    return {"data": data, "errorCode": "0", "message": None, "status": True}


def _no(code: str, message: str) -> Mapping[str, Any]:
    return {"data": None, "errorCode": code, "message": message, "status": False}


def _json(value: Mapping[str, Any]) -> Reply:
    return Reply(encode(value).encode(), content_type="application/json;charset=UTF-8")
