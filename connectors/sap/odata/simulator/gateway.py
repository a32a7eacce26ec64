"""The gateway: addresses to services, sign-in and CSRF, reads and writes, batches, and trouble of SAP's own kind."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar
from urllib.parse import parse_qsl, unquote

from connectors.sap.odata.simulator import batches, doing, edmx, names, shapes, world
from connectors.sap.odata.simulator.books import ITEM, ORDER, Books
from connectors.sap.odata.simulator.model import (
    MOVEMENT,
    READ_ONLY,
    SERVICES,
    SETS,
    Service,
    Set,
)
from connectors.sap.odata.simulator.model import (
    ORDER as SELLING,
)
from connectors.sap.odata.simulator.reading import Reader
from connectors.sap.odata.simulator.sessions import TOKEN_PATH, Desk, csrf_required, logon_failed
from connectors.sap.odata.simulator.shapes import Refused
from connectors.sap.odata.simulator.world import DEMO, STANDARD, deliver, invoice
from tongshang.simulate import Call, Fault, NoSuchAct, Practice, Reply

V2 = re.compile(r"/sap/opu/odata/sap/(?P<service>\w+)(?:;v=\d+)?(?P<rest>/.*)?")
V4 = re.compile(r"/sap/opu/odata4/sap/api_salesorder/srvd_a2x/sap/(?P<service>salesorder)/0001(?P<rest>/.*)?")
SEGMENT = re.compile(r"(?P<set>\w+)(?P<key>\(.*\))?")
FOREIGN = "http://s4hana.internal:8000"  # what the server thinks its own address is
WRITES = frozenset({"POST", "PUT", "PATCH", "MERGE", "DELETE"})
MAINTENANCE = "<html><head><meta charset='utf-8'><title>系统维护</title></head><body>系统维护中</body></html>"


class Gateway(Practice):
    """A practice S/4HANA with client 100: sales orders, products, partners, stock, deliveries and invoices over OData."""

    title: ClassVar[str] = "SAP S/4HANA OData"
    server_name: ClassVar[str] = "SAP NetWeaver Application Server / ABAP 757"
    modes: ClassVar[dict[str, str]] = {
        "csrf_expired": "the CSRF tokens handed out are worthless, the call is not done (403 Required)",
        "session_lost": "every session is forgotten, the call is not done when it needed one",
        "locked": "another user holds the document, a write is not done",
        "partial_batch": "of a batch only the first change is done; of single changes every other one is locked out",
        "extra_field": "answers carry fields the customer added",
        "look_up_lag": "an order created by this call is not found by searches for `seconds`",
        "too_many_requests": "429 with Retry-After, nothing was done",
        "maintenance_html": "503 with a page instead of an answer, nothing was done",
    }
    acts: ClassVar[dict[str, tuple[str, ...]]] = {
        "lock": ("order", "user"),
        "unlock": ("order",),
        "deliver": ("order", "quantity"),
        "invoice": ("order",),
    }

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        seed: int = 1,
        page: int | None = None,
        csrf_by: str = "any",
        unique: bool = False,
        token_seconds: float = 3600,
    ) -> None:
        super().__init__(host=host, port=port, seed=seed)
        self.books = Books(unique=unique)
        self.desk = Desk(DEMO, token_seconds=token_seconds)
        self.page = page  # rows after which the server cuts a list; None: never
        self.csrf_by = csrf_by  # how the token can be fetched: any, slash, bare, get
        self._partial: dict[str, int] = {}
        self._counting = threading.Lock()
        world.load(self.books, STANDARD)

    def load(self, data: Mapping[str, Any]) -> None:
        world.load(self.books, data)

    def logins(self) -> dict[str, object]:
        return {
            "sap_client": DEMO.client,
            "user": DEMO.user,
            "password": DEMO.password,
            "token_url": self.address + TOKEN_PATH,
            "client_id": DEMO.client_id,
            "client_secret": DEMO.client_secret,
        }

    # -- names

    def name_of(self, call: Call) -> tuple[str, str, str]:
        """token, csrf, read, create, change, batch; the entity set; our reference or the order's number."""
        if call.path == TOKEN_PATH:
            return "token", "", ""
        _, _, rest = _route(call.path)
        match = SEGMENT.match(rest.strip("/"))
        kind = match["set"] if match else ""
        if rest.strip("/") == "$batch":
            return "batch", "", _number(call.body.decode("utf-8", "replace"))
        if call.method in ("GET", "HEAD"):
            fetch = call.headers.get("x-csrf-token", "").lower() == "fetch"
            return ("csrf" if fetch else "read"), kind, ""
        if call.method == "POST" and call.headers.get("x-http-method", "").upper() not in ("MERGE", "PATCH"):
            body = call.json()
            if kind == doing.CANCEL:
                return "cancel", kind, call.query.get("MaterialDocument", "").strip("'")
            fields = ("PurchaseOrderByCustomer", "CorrespncInternalReference", "ReferenceDocument")
            told = next((str(body[one]) for one in fields if isinstance(body, dict) and body.get(one)), "")
            return "create", kind, told or _number(rest)
        return "change", kind, _number(rest)

    # -- trouble of its own

    def misbehave(self, fault: Fault, call: Call) -> Reply | None:
        writes = call.method in WRITES and call.path != TOKEN_PATH
        if fault.mode == "too_many_requests":
            wait = {"Retry-After": str(max(1, int(fault.seconds)))}
            return self._refusal(Refused(429, "/IWFND/THROTTLE", "Too many requests"), call, wait)
        if fault.mode == "maintenance_html":
            return Reply(MAINTENANCE.encode(), 503, content_type="text/html; charset=utf-8")
        if fault.mode == "session_lost":
            self.desk.lose()
        if fault.mode == "csrf_expired":
            self.desk.expire_csrf()
        if fault.mode == "extra_field":
            return self._answered(call, extra=True)
        if fault.mode == "look_up_lag" and writes:
            return self._answered(call, lag=fault.seconds)
        number = self.name_of(call)[2]
        if fault.mode == "locked" and writes:
            said = f"Sales document {number} is currently being processed (by user MUELLER)"
            return self._refusal(Refused(400, "V1/042", said), call)
        if fault.mode == "partial_batch" and writes:
            if call.path.endswith("/$batch"):
                return self._answered(call, most=1)
            with self._counting:
                self._partial[number] = self._partial.get(number, 0) + 1
                second = self._partial[number] % 2 == 0
            if second and self.name_of(call)[0] == "change":
                said = f"Sales document {number} is currently being processed (by user MUELLER)"
                return self._refusal(Refused(400, "V1/042", said), call)
        return None

    # -- the true protocol

    def answer(self, call: Call) -> Reply:
        return self._answered(call)

    def _answered(
        self, call: Call, *, extra: bool = False, lag: float = 0.0, most: int | None = None
    ) -> Reply:
        if call.path == TOKEN_PATH:
            return self.desk.token(call)
        if not self.desk.who(call):
            return logon_failed()
        headers: dict[str, str | tuple[str, ...]] = {}
        if call.method in ("GET", "HEAD") and call.headers.get("x-csrf-token", "").lower() == "fetch":
            bare = not call.path.endswith("/")
            if (
                self.csrf_by not in ("any", "get")
                and call.method == "HEAD"
                and bare != (self.csrf_by == "bare")
            ):
                return self._refusal(Refused(404, "/IWFND/MED/170", "No service found"), call)
            if self.csrf_by != "get" or call.method == "GET":
                headers = self.desk.handed_out(call)
        elif call.method in WRITES and not self.desk.protected(call):
            return csrf_required()
        try:
            with self.books.lock:
                reply = self._served(call, extra=extra, lag=lag, most=most)
        except Refused as refused:
            return self._refusal(refused, call)
        return replace(reply, headers={**reply.headers, **headers})

    def _served(self, call: Call, *, extra: bool, lag: float, most: int | None) -> Reply:
        client = call.query.get("sap-client") or call.headers.get("sap-client") or DEMO.client
        if client != DEMO.client:
            raise Refused(403, "/IWFND/CM_CONSUMER/101", f"Client {client} is not available")
        service, version, rest = _route(call.path)
        path = unquote(rest.strip("/"))
        if path == "":
            return self._sets(service, version)
        if path == "$metadata" and version == 4:
            raise Refused(501, "/IWBEP/CM_V4/001", "This practice server describes its V2 services only")
        if path == "$metadata":
            return Reply(edmx.metadata(service).encode(), content_type="application/xml;charset=utf-8")
        if path == "$batch":
            return batches.answer(self, call, most)
        return self.request(call, extra=extra, lag=lag)

    def request(self, call: Call, *, extra: bool = False, lag: float = 0.0) -> Reply:
        """One read or write inside a service, also as a part of a batch. Raises Refused."""
        service, version, rest = _route(call.path)
        segments = unquote(rest.strip("/")).split("/")
        match = SEGMENT.fullmatch(segments[0])
        name = match["set"] if match else segments[0]
        of = service.sets.get(name if version == 2 else names.set_of(name))
        cancel = service is MOVEMENT and name == doing.CANCEL and call.method == "POST"
        if (of is None and not cancel) or match is None:
            raise Refused(404, "/IWBEP/CM_MGW_RT/020", f"Resource not found for segment '{segments[0]}'")
        accept = call.headers.get("accept", "")
        exact = version == 2 or "ieee754compatible=true" in accept.lower()
        base = FOREIGN + call.path[: len(call.path) - len(rest)]
        reader = Reader(self.books, base, version, call.query, exact=exact, extra=extra)
        if cancel:
            return doing.cancelled(self, call, reader)
        assert of is not None
        if call.method in WRITES:
            return self._written(call, reader, of, match["key"], segments[1:], version, lag)
        return self._read(reader, of, match["key"], segments, version)

    def _read(self, reader: Reader, of: Set, key: str | None, segments: list[str], version: int) -> Reply:
        if key is None:
            rows = self.books.visible(of.name)
            if segments[1:] == ["$count"]:
                inner = reader.list(of, rows, segments[0], None)
                found = inner["d"]["results"] if version == 2 else inner["value"]
                return Reply(str(len(found)).encode(), content_type="text/plain;charset=utf-8")
            return _json(shapes.dumps(reader.list(of, rows, segments[0], self.page)), version)
        row = self.books.get(of, key)
        if len(segments) > 1:
            way = self._way(of, segments[1], version)
            to = SETS[of.ways[way].to]
            below = self.books.below(of.name, row, way)
            return _json(shapes.dumps(reader.list(to, below, "/".join(segments), self.page)), version)
        etag = reader.etag(of, row)
        return _json(reader.single(of, row), version, {"ETag": etag} if etag else {})

    def _written(
        self, call: Call, reader: Reader, of: Set, key: str | None, below: list[str], version: int, lag: float
    ) -> Reply:
        if of.name in READ_ONLY:
            raise Refused(405, "/IWBEP/CM_MGW_RT/029", f"Method {call.method} is not allowed on {of.name}")
        try:
            body = {} if call.method == "DELETE" else call.json()
        except ValueError as error:
            raise Refused(400, "/IWBEP/CM_MGW_RT/057", f"The request body is no JSON: {error}") from None
        if not isinstance(body, dict):
            raise Refused(400, "/IWBEP/CM_MGW_RT/057", "The request body is no object")
        if of.name not in SELLING.sets:
            return doing.written(self, call, reader, of, key, below, body, lag)
        if version == 4:
            body = names.kept(of.ways[self._way(of, below[0], 4)].to if below else of.name, body)
        merge = call.headers.get("x-http-method", "").upper() in ("MERGE", "PATCH")
        if call.method == "POST" and not merge:
            return self._created(reader, of, key, below, body, version, self.desk.who(call), lag)
        if key is None or call.method == "DELETE":
            raise Refused(405, "/IWBEP/CM_MGW_RT/029", f"Method {call.method} is not allowed on {of.name}")
        row = self.books.get(of, key)
        order = self.books.tables[ORDER][(row["SalesOrder"],)]
        doing.guard(call, shapes.etag_of(order, SETS[ORDER]))
        self.books.change(of, row, body)
        return Reply(b"", 204, {"ETag": shapes.etag_of(order, SETS[ORDER])})

    def _created(
        self,
        reader: Reader,
        of: Set,
        key: str | None,
        below: list[str],
        body: dict[str, Any],
        version: int,
        user: str,
        lag: float,
    ) -> Reply:
        if of.name == ORDER and key is None:
            row, warnings = self.books.create_order(body, user)
            if lag:
                self.books.hidden[row["SalesOrder"]] = time.monotonic() + lag
            told: dict[str, str] = {}
            if warnings:
                details = [
                    {"code": "V4/115", "message": said, "severity": "warning", "target": ""}
                    for said in warnings
                ]
                value = {"code": "V1/311", "message": "Standard Order has been saved", "severity": "info"}
                name = "sap-message" if version == 2 else "sap-messages"
                both = value | {"details": details} if version == 2 else [value, *details]
                told[name] = shapes.ascii_dumps(both)
            made = Reader(
                self.books, reader.base, version, {"$expand": "to_Item"}, exact=True, extra=reader.extra
            )
            etag = shapes.etag_of(row, of)
            where = shapes.uri(reader.base, of, [row["SalesOrder"]])
            return _json(made.single(of, row), version, {**told, "Location": where, "ETag": etag}, 201)
        if of.name == ORDER and key is not None and below and self._way(of, below[0], version) == "to_Item":
            row = self.books.add_item(self.books.get(of, key), body)
            where = shapes.uri(reader.base, SETS[ITEM], [row["SalesOrder"], row["SalesOrderItem"]])
            return _json(reader.single(SETS[ITEM], row), version, {"Location": where}, 201)
        raise Refused(405, "/IWBEP/CM_MGW_RT/029", f"{of.name} is not creatable by itself")

    @staticmethod
    def _way(of: Set, told: str, version: int) -> str:
        name = names.way_of(told) if version == 4 else told
        if name not in of.ways:
            raise Refused(404, "/IWBEP/CM_MGW_RT/020", f"Resource not found for segment '{told}'")
        return name

    @staticmethod
    def _sets(service: Service, version: int) -> Reply:
        if version == 4:
            value = [{"name": names.shown_set(name), "url": names.shown_set(name)} for name in service.sets]
            return _json(shapes.dumps({"@odata.context": "$metadata", "value": value}), 4)
        return _json(shapes.dumps({"d": {"EntitySets": list(service.sets)}}), 2)

    def _refusal(self, refused: Refused, call: Call, headers: Mapping[str, str] | None = None) -> Reply:
        language = call.headers.get("sap-language") or call.query.get("sap-language") or "EN"
        version = 4 if "/odata4/" in call.path else 2
        told = dict(headers or {})
        if version == 2 and "json" not in call.headers.get("accept", ""):
            body = shapes.error_xml(refused, language)
            return Reply(body, refused.status, told, "application/xml;charset=utf-8")
        body = shapes.error_json(refused, version, language)
        return Reply(body, refused.status, told, "application/json;charset=utf-8")

    # -- the drill master's side

    def state(self) -> dict[str, object]:
        with self.books.lock:
            return {
                "orders": [
                    {
                        "order": row["SalesOrder"],
                        "reference": row["PurchaseOrderByCustomer"],
                        "sold_to": row["SoldToParty"],
                        "net": row["TotalNetAmount"],
                        "rejected": row["OverallSDDocumentRejectionSts"],
                        "locked_by": self.books.locked.get(row["SalesOrder"], ""),
                    }
                    for row in self.books.rows(ORDER)
                ],
                "rows": {name: len(rows) for name, rows in self.books.tables.items()},
                "sessions": self.desk.count,
            }

    def admin_act(self, what: str, given: dict[str, Any]) -> dict[str, Any]:
        with self.books.lock:
            if what == "lock":
                self.books.locked[str(given["order"])] = str(given.get("user") or "MUELLER")
                return {}
            if what == "unlock":
                return {"was": self.books.locked.pop(str(given["order"]), "")}
            if what == "deliver":
                return {"delivery": deliver(self.books, str(given["order"]), given)}
            if what == "invoice":
                return {"invoice": invoice(self.books, str(given["order"]), given)}
            if what == "world":
                self.load(given)
                return {}
        raise NoSuchAct(what)


def _route(path: str) -> tuple[Service, int, str]:
    """The service, the version of the protocol, and the path inside. Raises Refused."""
    if match := V2.fullmatch(path):
        if match["service"] in SERVICES:
            return SERVICES[match["service"]], 2, match["rest"] or ""
    elif match := V4.fullmatch(path):
        return SERVICES["API_SALES_ORDER_SRV"], 4, match["rest"] or ""
    raise Refused(404, "/IWFND/MED/170", "No service found for this address")


def _number(text: str) -> str:
    match = re.search(r"(?:Sales|Purchase)Order\w*\((?:\w+=)?'(\w+)'", unquote(text))
    return match[1] if match else ""


def _json(body: bytes, version: int, headers: Mapping[str, str] | None = None, status: int = 200) -> Reply:
    told = {"DataServiceVersion" if version == 2 else "OData-Version": "2.0" if version == 2 else "4.0"}
    return Reply(body, status, {**told, **(headers or {})}, "application/json;charset=utf-8")


def call_of(outer: Call, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Call:
    """A request inside a batch as a call of its own; relative paths start at the service."""
    base = outer.path[: -len("/$batch")]
    at, _, asked = path.partition("?")
    whole = at if at.startswith("/") else f"{base}/{at}"
    query = dict(parse_qsl(asked, keep_blank_values=True))
    shared = {name: value for name, value in outer.headers.items() if name in ("authorization", "cookie")}
    return Call(method, whole, query, shared | dict(headers), body, outer.at)
