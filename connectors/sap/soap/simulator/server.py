"""The practice SAP on its socket: functions over SOAP, the asynchronous service, the IDoc door, and their descriptions."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping
from typing import Any, ClassVar

from connectors.sap.soap.simulator import description, envelope, idocs
from connectors.sap.soap.simulator.functions import FUNCTIONS, WRAPPERS, refused, run
from connectors.sap.soap.simulator.world import World
from tongshang.simulate import Call, Fault, Practice, Reply

USER, PASSWORD, CLIENT = "TS_RFC", "Willkommen-1", "100"
ICF, SOAMANAGER = "/sap/bc/soap/rfc", "/sap/bc/srt/rfc/sap/zts_orders/100/zts_orders/b"
BULK, IDOC_SOAP, IDOC_XML = (
    "/sap/bc/srt/scs_ext/sap/salesorderbulkrequest_in",
    "/sap/bc/srt/idoc",
    "/sap/bc/idoc_xml",
)
TOKEN, OAUTH_CLIENT, OAUTH_SECRET = "/sap/bc/sec/oauth2/token", "TS_OAUTH", "Geheim-1"
XML, HTML = "text/xml; charset=utf-8", "text/html; charset=utf-8"
DUMP = "Web service processing error; more details in the web service error log on provider side"


class Simulator(Practice):
    """A practice SAP: BAPI wrappers over SOAP, the asynchronous order service, and IDocs over HTTP."""

    title: ClassVar[str] = "SAP SOAP"
    server_name: ClassVar[str] = "SAP NetWeaver Application Server"
    modes: ClassVar[dict[str, str]] = {
        "soap_fault_busy": "a fault of the server, nothing is done",
        "html_500": "the call is done (unless `commit` is false), the answer is an HTML page with 500",
        "extra_element": "the call is done, the answer has fields that no WSDL knows",
        "locked": "another user holds the object (MC 601), nothing is done",
        "exception": "the function raises an exception (rfc:Error), nothing is done",
        "no_commit": "the function forgets to commit: it answers success and the order never appears",
        "look_up_lag": "the order is saved, and readers see it after `seconds`",
        "empty": "the call is done, the answer is empty",
        "idoc_waits": "an IDoc is kept and not processed until the job runs",
    }
    acts: ClassVar[dict[str, tuple[str, ...]]] = {
        "lock": ("number",),
        "unlock": ("number",),
        "job": (),
        "expire": (),
    }

    def __init__(
        self, *, host: str = "127.0.0.1", port: int = 0, seed: int = 1, unique: bool = False
    ) -> None:
        self.world = World(unique=unique)
        self.tokens: set[str] = set()
        self._granted = 0
        super().__init__(host=host, port=port, seed=seed)

    # -- what Practice asks

    def name_of(self, call: Call) -> tuple[str, str, str]:
        if call.method != "POST":
            return call.method, call.path, ""
        if call.path == TOKEN:
            return "TOKEN", "", ""
        if call.path in (IDOC_SOAP, IDOC_XML):
            return "IDOC", "ORDERS05", idocs.reference_of(idocs.read(call.body)[0])
        asked = envelope.read(call.body)
        given = asked.given
        if call.path == BULK:
            given = _bulk_orders(given)[0]
        number = given.get("PURCH_NO_C") or given.get("PurchaseOrderByCustomer") or given.get("SALESDOCUMENT")
        return asked.name, "SOAP", str(number or "")

    def answer(self, call: Call) -> Reply:
        return self._answer(call)

    def misbehave(self, fault: Fault, call: Call) -> Reply | None:
        mode = fault.mode
        if call.method != "POST" or not self._welcome(call):
            return None
        if mode == "soap_fault_busy":
            return Reply(envelope.fault(DUMP), 500, content_type=XML)
        if mode == "html_500":
            if fault.commit:
                self._answer(call)
            page = "<html><body><h1>500 Internal Server Error</h1><p>ICM</p></body></html>"
            return Reply(page.encode(), 500, content_type=HTML)
        if mode == "empty":
            self._answer(call)
            return Reply(b"", 200, content_type=XML)
        if mode == "exception" and self._named(call) is not None:
            return Reply(
                envelope.fault("An exception was raised", exception="NOT_AUTHORIZED_NOW"),
                500,
                content_type=XML,
            )
        if mode == "locked" and (name := self._named(call)) is not None:
            rows = ("E", "MC", "601", "Object requested is currently locked by user MUELLER")
            told = refused(FUNCTIONS[name], rows)
            asked = envelope.read(call.body)
            return Reply(envelope.answer(asked, told, dotted=call.path == ICF), content_type=XML)
        return self._answer(
            call,
            extra=mode == "extra_element",
            forgets=mode == "no_commit",
            lag=fault.seconds if mode == "look_up_lag" else 0.0,
            hold=mode == "idoc_waits",
        )

    def state(self) -> dict[str, object]:
        return self.world.state()

    def admin_act(self, what: str, given: dict[str, Any]) -> dict[str, Any]:
        if what == "job":
            return {"processed": idocs.process_waiting(self.world)}
        if what == "expire":
            self.tokens.clear()
            return {"tokens": 0}
        number = str(given.get("number", "")).zfill(10)
        if what == "lock":
            self.world.locked.add(number)
        elif what == "unlock":
            self.world.locked.discard(number)
        else:
            return super().admin_act(what, given)
        return {"locked": sorted(self.world.locked)}

    def logins(self) -> dict[str, object]:
        oauth = {"token_url": self.address + TOKEN, "client_id": OAUTH_CLIENT, "client_secret": OAUTH_SECRET}
        return {"username": USER, "password": PASSWORD, "sap_client": CLIENT, **oauth}

    # -- the protocol

    def _welcome(self, call: Call) -> bool:
        given = call.headers.get("authorization", "")
        known = given == _basic(USER, PASSWORD) or given.removeprefix("Bearer ") in self.tokens
        return known and call.query.get("sap-client", CLIENT) == CLIENT

    def _named(self, call: Call) -> str | None:
        try:
            name = envelope.read(call.body).name
        except envelope.NotSoap:
            return None
        return name if name in FUNCTIONS else None

    def _answer(
        self, call: Call, *, extra: bool = False, forgets: bool = False, lag: float = 0.0, hold: bool = False
    ) -> Reply:
        if call.method == "GET" and call.path in ("/", ""):
            return Reply(b"<html><body>SAP</body></html>", content_type=HTML)
        if call.path == TOKEN:
            return self._grant(call)
        if not self._welcome(call):
            page = b"<html><head><title>Logon Error Message</title></head><body>Logon failed</body></html>"
            return Reply(
                page, 401, {"WWW-Authenticate": 'Basic realm="SAP NetWeaver Application Server"'}, HTML
            )
        if call.method == "GET":
            return self._describe(call)
        if call.path in (ICF, SOAMANAGER):
            return self._function(call, extra, forgets, lag)
        if call.path == BULK:
            return self._bulk(call, lag)
        if call.path in (IDOC_SOAP, IDOC_XML):
            return self._idoc(call, lag, hold)
        return Reply(b"<html><body><h1>404 Not found</h1></body></html>", 404, content_type=HTML)

    def _grant(self, call: Call) -> Reply:
        """A token for the OAuth client."""
        if call.headers.get("authorization") != _basic(OAUTH_CLIENT, OAUTH_SECRET):
            return Reply(b'{"error":"invalid_client"}', 401)
        if b"grant_type=client_credentials" not in call.body:
            return Reply(b'{"error":"unsupported_grant_type"}', 400)
        token = f"token-{len(self.tokens) + self._granted}-{id(self)}"
        self._granted += 1
        self.tokens.add(token)
        return Reply(json.dumps({"access_token": token, "token_type": "Bearer", "expires_in": 3600}).encode())

    def _describe(self, call: Call) -> Reply:
        if call.path == "/sap/bc/soap/wsdl":
            names = [name for name in call.query.get("services", "").split(",") if name in FUNCTIONS]
            return Reply("\n".join(description.icf(name) for name in names).encode(), content_type=XML)
        if call.path == SOAMANAGER:
            return Reply(description.soamanager().encode(), content_type=XML)
        if call.path == BULK:
            return Reply(description.bulk().encode(), content_type=XML)
        return Reply(b"<html><body><h1>404 Not found</h1></body></html>", 404, content_type=HTML)

    def _function(self, call: Call, extra: bool, forgets: bool, lag: float) -> Reply:
        try:
            asked = envelope.read(call.body)
        except envelope.NotSoap as why:
            return Reply(envelope.fault(f"CX_ST_MATCH_ELEMENT: {why}", client=True), 500, content_type=XML)
        kind = "application/soap+xml; charset=utf-8" if asked.newer else XML
        function = FUNCTIONS.get(asked.name)
        if function is None:
            said = f"Operation {asked.name} is not known"
            return Reply(envelope.fault(said, newer=asked.newer, client=True), 500, content_type=kind)
        told = run(self.world, function, asked.given, forgets=forgets, lag=lag)
        return Reply(envelope.answer(asked, told, dotted=call.path == ICF, extra=extra), content_type=kind)

    def _bulk(self, call: Call, lag: float) -> Reply:
        """A message is taken whatever it says; what is wrong with it is seen in the monitor there."""
        try:
            orders = _bulk_orders(envelope.read(call.body).given)
        except envelope.NotSoap as why:
            return Reply(envelope.fault(str(why), client=True), 500, content_type=XML)
        for order in orders:
            name, given = _posted(order)
            told = run(self.world, FUNCTIONS[name], given, lag=lag)
            bad = [row["MESSAGE"] for row in told["RETURN"] if row["TYPE"] in "EA"]
            if bad:
                self.world.troubles.append(f"{given['PURCH_NO_C']}: {'; '.join(bad)}")
        return Reply(b"", 202, content_type=XML)

    def _idoc(self, call: Call, lag: float, hold: bool) -> Reply:
        try:
            found = idocs.read(call.body)
        except ValueError as why:
            return Reply(f"<html><body>{why}</body></html>".encode(), 500, content_type=HTML)
        for idoc in found:
            idocs.receive(self.world, idoc, hold=hold, lag=lag)
        if call.path == IDOC_SOAP:
            return Reply(envelope.envelope(""), content_type=XML)
        return Reply(b"<html><body>IDoc-XML-inbound ok</body></html>", content_type=HTML)


def _basic(user: str, password: str) -> str:
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode()


def _bulk_orders(given: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    messages = given.get("SalesOrderBulkRequestMessage") or {}
    many = messages if isinstance(messages, list) else [messages]
    return [one.get("SalesOrder") or {} for one in many]


def _posted(order: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    raw = order.get("Item") or []
    items = raw if isinstance(raw, list) else [raw]
    given = {
        "PURCH_NO_C": order.get("PurchaseOrderByCustomer", ""),
        "SALESDOCUMENT": order.get("SalesOrder", ""),
        "SOLD_TO": order.get("SoldToParty", ""),
        "CURRENCY": order.get("TransactionCurrency", ""),
        "ITEMS": [
            {
                "ITM_NUMBER": item.get("SalesOrderItem", ""),
                "MATERIAL": item.get("Material", ""),
                "TARGET_QTY": item.get("RequestedQuantity", ""),
                "TARGET_QU": item.get("RequestedQuantityUnit", ""),
                "GROSS_AMOUNT": item.get("GrossAmount", ""),
            }
            for item in items
        ],
    }
    if order.get("ActionCode") != "02":
        return "Z_TS_SALESORDER_CREATE", given
    rejected = items and all(item.get("SalesDocumentRjcnReason") for item in items)
    return ("Z_TS_SALESORDER_CANCEL" if rejected else "Z_TS_SALESORDER_CHANGE"), given


DEMO_VALUES = {
    "username": USER,
    "password": PASSWORD,
    "sap_client": CLIENT,
    "wsdl": description.soamanager(WRAPPERS),
}
DEMO_BULK = DEMO_VALUES | {"wsdl": description.bulk() + "\n" + DEMO_VALUES["wsdl"]}
