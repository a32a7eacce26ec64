"""The service: orders, lists in four styles of paging, and webhooks on command."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import threading
import time
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar
from urllib.parse import unquote, urlencode, urlsplit

from connectors.generic.rest.simulator.account import DEMO, Account, settings_for
from connectors.generic.rest.simulator.books import LISTS, Books, Refused
from connectors.generic.rest.simulator.papers import SERIES, Papers
from tongshang.simulate import Call, Fault, NoSuchAct, Practice, Reply

BASE = "/api"
MOST = 100  # records of a page, whatever is asked for


class Simulator(Practice):
    """小厂通, a small ERP; `account.way` decides how callers sign in."""

    title: ClassVar[str] = "小厂通 REST"
    modes: ClassVar[dict[str, str]] = {
        "locked": "another user has the order open (423)",
        "too_many": "too many calls (429)",
        "busy": "code 1001 with HTTP 200: try again",
        "refused_200": "code 3999 with HTTP 200: refused",
        "done_twice": "the call is done, and done again as if it had come twice",
    }
    acts: ClassVar[dict[str, tuple[str, ...]]] = {"lag": ("seconds",), "hook": ("url", "event")}

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        seed: int = 1,
        account: Account = DEMO,
        unique: bool = False,
    ) -> None:
        self.account = account
        self.books = Books(unique)
        self.books.seed()
        self.papers = Papers(self.books)
        self._known: dict[str, Reply] = {}
        self._knowing = threading.Lock()
        super().__init__(host=host, port=port, seed=seed)

    @property
    def url(self) -> str:
        return self.address + BASE

    def name_of(self, call: Call) -> tuple[str, str, str]:
        parts = call.path.removeprefix(BASE).strip("/").split("/")
        kind, id, act = [*parts, "", "", ""][:3]
        if kind == "orders" or (kind in SERIES and (call.method != "GET" or "ref" in call.query)):
            write = {"POST": act or "create", "PUT": "change"}
            number = call.query.get("ref", "")
            if call.body and not number:
                number = str(call.json().get("reference", ""))
            return write.get(call.method, "find"), kind, number or unquote(id)
        return "list", kind, ""

    def answer(self, call: Call) -> Reply:
        asked = call.path + (f"?{urlencode(call.query)}" if call.query else "")
        signed = Call(
            call.method, call.path, call.query, {**call.headers, "x-asked": asked}, call.body, call.at
        )
        if not call.path.startswith(BASE):
            return _json({"message": "not found"}, 404)
        if call.path.rstrip("/") == BASE:
            return _json({"code": 0, "message": "小厂通"})
        if not self.account.admits(signed):
            return _json({"code": 401, "message": "认证失败"}, 401)
        try:
            return self._work(call)
        except Refused as refused:
            return _json({"code": refused.code, "message": refused.said}, 200)
        except (KeyError, TypeError, ValueError, ArithmeticError) as error:
            return _json({"code": 400, "message": f"{type(error).__name__}: {error}"}, 400)

    def misbehave(self, fault: Fault, call: Call) -> Reply | None:
        if fault.mode == "locked":
            return _json({"code": 423, "message": "订单正被他人编辑"}, 423)
        if fault.mode == "too_many":
            return Reply(b'{"message":"slow down"}', 429, {"Retry-After": "1"})
        if fault.mode == "busy":
            return _json({"code": 1001, "message": "系统忙，请稍后再试"})
        if fault.mode == "refused_200":
            return _json({"code": 3999, "message": "信用额度不足"})
        if fault.mode == "done_twice":
            self.answer(call)
        return None

    # -- the work

    def _work(self, call: Call) -> Reply:
        parts = call.path.removeprefix(BASE).strip("/").split("/")
        if parts[0] == "orders":
            if call.method == "GET" and len(parts) == 1 and "date" in call.query:
                return _json({"code": 0, "data": {"orders": self.books.of_day(call.query["date"])}})
            if call.method == "GET" and len(parts) == 1:
                return _json({"code": 0, "data": {"orders": self.books.find(call.query["ref"])}})
            if call.method == "GET":
                found = self.books.find(unquote(parts[1]))
                return _json(
                    {"code": 0, "data": found[-1]} if found else {"message": "没有这张订单"},
                    200 if found else 404,
                )
            return self._once(call, parts)
        if parts[0] in SERIES and call.method == "GET" and "ref" in call.query:
            return _json({"code": 0, "data": {"found": self.papers.find(parts[0], call.query["ref"])}})
        if parts[0] in SERIES and call.method == "GET" and "date" in call.query:
            return _json({"code": 0, "data": {"found": self.papers.of_day(parts[0], call.query["date"])}})
        if parts[0] in SERIES and call.method != "GET":
            return self._once(call, parts)
        if parts[0] in LISTS and call.method == "GET" and len(parts) == 1:
            return self._list(parts[0], call)
        return _json({"code": 404, "message": "没有这个接口"}, 404)

    def _once(self, call: Call, parts: list[str]) -> Reply:
        """A write; one with a name that was done before is answered again and not done again."""
        key = call.headers.get("idempotency-key", "")
        with self._knowing:
            if key and key in self._known:
                return self._known[key]
            match (call.method, parts):
                case ("POST", ["orders"]):
                    done = self.books.create(call.json())
                case ("PUT", ["orders", id]):
                    done = self.books.change(id, call.json())
                case ("POST", ["orders", id, "void"]):
                    done = self.books.void(id)
                case ("POST", ["orders", id, "release"]):
                    done = self.books.release(id)
                case ("POST", [path]):
                    done = self.papers.create(path, call.json())
                case ("PUT", [path, id]):
                    done = self.papers.change(path, unquote(id), call.json())
                case ("POST", [path, id, "void"]):
                    done = self.papers.void(path, unquote(id))
                case _:
                    return _json({"code": 404, "message": "没有这个接口"}, 404)
            reply = _json({"code": 0, "data": done})
            if key:
                self._known[key] = reply
            return reply

    def _list(self, name: str, call: Call) -> Reply:
        rows = [*self.books.rows(name, call.query.get("since", "")), *self.papers.listed(name)]
        size = min(int(call.query.get("size", MOST)), MOST)
        if "page" in call.query:
            start = (int(call.query["page"]) - 1) * size
        else:
            start = int(call.query.get("offset") or call.query.get("mark") or 0)
        page, after = rows[start : start + size], start + size
        more = after < len(rows)
        keep = {name: value for name, value in call.query.items() if name not in ("offset", "mark", "page")}
        link = f"{BASE}/{name}?{urlencode({**keep, 'offset': after})}" if more else None
        data = {"list": page, "total": len(rows), "next": link, "mark": str(after) if more else ""}
        return _json({"code": 0, "data": data})

    # -- the drill master

    def admin_act(self, what: str, given: dict[str, Any]) -> dict[str, Any]:
        if what == "lag":
            self.books.lag = float(given["seconds"])
            return {"lag": str(self.books.lag)}
        if what == "world":
            self.books.merge(given)
            return {}
        if what == "hook":
            return self._call_back(given)
        raise NoSuchAct(what)

    def _call_back(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Send a webhook to `url`: `event` with `items`, or with everything of the list behind that event."""
        event = str(given["event"])
        lists = {"item.changed": "items", "stock.changed": "stock", "shipment.sent": "shipments"}
        items = given.get("items") or self.books.rows(lists[event], "")
        body = _text({"event": event, "items": items}).encode()
        target = urlsplit(str(given["url"]))
        caller = http.client.HTTPConnection(target.hostname or "", target.port or 80, timeout=10)
        try:
            caller.request(
                "POST", target.path or "/", body, self.hook_headers(body, **given.get("wrong", {}))
            )
            answer = caller.getresponse()
            return {"status": answer.status, "answer": answer.read().decode("utf-8", "replace")}
        finally:
            caller.close()

    def hook_headers(self, body: bytes, *, age: int = 0, secret: str = "") -> dict[str, str]:
        """The headers of a webhook sent `age` seconds ago."""
        stamp = str(int(time.time()) - int(age))
        key = (secret or self.account.hook_secret).encode()
        signature = hmac.new(key, stamp.encode() + b"\n" + body, hashlib.sha256).hexdigest()
        name = hashlib.sha256(body).hexdigest()[:16]
        return {
            "Content-Type": "application/json; charset=utf-8",
            "X-Timestamp": stamp,
            "X-Signature": f"sha256={signature}",
            "Idempotency-Key": f"evt-{name}",
        }

    def state(self) -> dict[str, object]:
        orders = [
            {"docNo": o["docNo"], "ref": o["ref"], "state": o["state"], "total": o["money"]["total"]}
            for o in self.books.orders
        ]
        papers = {path: [each["docNo"] for each in kept] for path, kept in self.papers.kept.items()}
        return {
            "orders": orders,
            "papers": papers,
            **{name: len(rows) for name, rows in self.books.lists.items()},
        }

    def logins(self) -> dict[str, object]:
        wanted = ("way", "username", "password", "token", "sign_secret", "hook_secret")
        settings = settings_for(self.account)
        return {name: settings[name] for name in wanted if name in settings}


def _text(value: Any) -> str:
    """JSON as a young ERP writes it: numbers as numbers, exact ones as text."""
    return json.dumps(value, ensure_ascii=False, default=_exact)


def _exact(value: Any) -> str:
    if isinstance(value, Decimal):
        return format(value, "f")
    raise TypeError(f"{type(value).__name__} has no place in JSON")


def _json(value: Mapping[str, Any], status: int = 200) -> Reply:
    return Reply(_text(value).encode(), status, content_type="application/json; charset=utf-8")
