"""The calls of one connection: an operation by name, values by path, and the answer as plain Python."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

import requests

from connectors.sap.soap import values, xml
from connectors.sap.soap.signin import SignIn
from connectors.sap.soap.wsdl import Node, Operation, operations
from tongshang.connect import Exchange, FixSettings, Rejected, RetryLater, SyncError, Uncertain

BARE = "saves nothing: a BAPI does not commit, and two SOAP calls share no session; name a function that wraps it"


class Client:
    """One address with one WSDL. The WSDL is read at the first call, so that opening costs nothing."""

    def __init__(
        self,
        http: requests.Session,
        base_url: str,
        wsdl: str,
        signin: SignIn,
        *,
        port: str = "",
        sap_client: str = "",
        rolls_back: bool = True,
        timeout: tuple[float, float] | None = None,
    ) -> None:
        self.http, self.base_url, self.wsdl = http, base_url, wsdl
        self.port, self.sap_client, self.rolls_back = port, sap_client, rolls_back
        self.signin = signin
        self.timeout = timeout
        self.trace: Callable[[Exchange], None] = lambda _: None
        self.before_write: Callable[[], None] = lambda: None
        self._wire: Any = None
        self._operations: dict[str, Operation] | None = None

    @property
    def wire(self) -> Any:
        if self._wire is None:
            from connectors.sap.soap.wire import PATIENCE, Wire  # zeep is loaded when it is needed

            self._wire = Wire(self.http, self.signin, timeout=self.timeout or PATIENCE)
        return self._wire

    @property
    def operations(self) -> dict[str, Operation]:
        """Every operation the WSDL offers. Raises FixSettings naming what is wrong with it."""
        if self._operations is None:
            self._operations = operations(self.wsdl, self.port, self.wire)
        return self._operations

    def operation(self, name: str) -> Operation:
        """One operation. Raises FixSettings when there is none of the name, or when it is a bare BAPI."""
        plain = xml.key(name)
        if plain.startswith("BAPI") or "CREATEFROMDAT" in plain:
            raise FixSettings("sap.bare_bapi", f"{name} {BARE}")
        found = self.operations.get(name)
        if found is None:
            there = ", ".join(sorted(self.operations)[:20])
            raise FixSettings(
                "sap.operation_missing", f"{name or 'an operation'} is not in the WSDL: {there}"
            )
        return found

    def url(self, operation: Operation) -> str:
        """The connection's own address; the WSDL's path where it has none; never the WSDL's host."""
        parts = urlsplit(self.base_url)
        path = parts.path if parts.path.strip("/") else operation.path or "/"
        query = parts.query
        if self.sap_client and "sap-client=" not in query:
            query = "&".join(filter(None, (query, urlencode({"sap-client": self.sap_client}))))
        return urlunsplit((parts.scheme, parts.netloc, path, query, ""))

    def call(self, name: str, tree: Mapping[str, Any], *, write: bool) -> dict[str, Any] | None:
        """The answer's fields by `xml.key`; None when a one-way operation was taken. Raises SyncError."""
        operation = self.operation(name)
        missing = unfilled(operation.takes, tree)
        if missing:
            said = f"{operation.name} demands {', '.join(missing)}, which no setting fills"
            raise FixSettings("sap.parameter_unfilled", said)
        try:
            given = arguments(operation.takes, tree)
        except ValueError as error:
            raise Rejected("sap.parameter_unfit", f"{operation.name}: {error}") from error
        perhaps: type[SyncError] = Uncertain if write else RetryLater
        wire = self.wire
        wire.trace, wire.before_write = self.trace, self.before_write
        wire.write, wire.operation = write, operation.name
        response = wire.call(operation, self.url(operation), given)
        from connectors.sap.soap.wire import status_error

        refused = status_error(response, write=write)
        if refused is not None:
            raise refused
        if operation.one_way and response.status_code in (200, 202) and not response.content.strip():
            return None
        try:
            body = xml.soap_body(xml.parse(response.content))
            if body is not None and xml.local(body) == "Fault":
                raise self.fault(body, write)
            if operation.one_way and body is None and response.status_code in (200, 202):
                return None
            if response.status_code == 500:
                raise xml.Unreadable("status 500 without a fault")
            if body is None or (operation.answer and xml.local(body) != operation.answer):
                said = "nothing" if body is None else xml.local(body)
                raise xml.Unreadable(f"{said} instead of {operation.answer or 'an answer'}")
            told = xml.value(body)
            if not isinstance(told, dict):
                raise xml.Unreadable("an answer without fields")
        except xml.Unreadable as why:
            raise perhaps("sap.unreadable", f"{operation.name}: {why}") from None
        return told

    def fault(self, fault: Any, write: bool) -> SyncError:
        """A fault of the peer: its message was not understood, its function raised an exception, or it fell over."""
        code, text = fault_of(fault)
        kind, raised = code.rpartition(":")[2], exception_of(fault)
        perhaps: type[SyncError] = Uncertain if write else RetryLater
        if raised:  # whomever the fault blames: what the function had done by then does not depend on that
            refused = Rejected if self.rolls_back or not write else perhaps
            return refused("sap.function_exception", f"{raised}: {text}")
        if kind in ("Client", "Sender"):
            return Rejected("sap.fault_client", text)
        if kind in ("VersionMismatch", "MustUnderstand"):
            return FixSettings("sap.fault_version", text)
        return perhaps("sap.fault", f"{code or 'no code'}: {text}")


def fault_of(fault: Any) -> tuple[str, str]:
    """Code and text of a SOAP 1.1 or 1.2 fault."""
    told = xml.value(fault)
    told = told if isinstance(told, dict) else {}
    code, text = told.get("FAULTCODE"), told.get("FAULTSTRING")
    if code is None and isinstance(told.get("CODE"), dict):
        code = told["CODE"].get("VALUE")
    if text is None and isinstance(told.get("REASON"), dict):
        text = told["REASON"].get("TEXT")
    return str(code or ""), str(text or "no reason given")[:1000]


def exception_of(fault: Any) -> str:
    """The name of an exception that the function itself raised (`rfc:Error/Name`), empty for every other fault."""
    for element in fault.iter():
        if xml.local(element) in ("Error", "Exception") and "rfc" in str(element.tag):
            for child in element.iter():
                if xml.local(child) in ("Name", "name") and (child.text or "").strip():
                    return str(child.text).strip()
    return ""


# -- values to parameters


def put(tree: dict[str, Any], path: str, told: Any) -> None:
    """Set `ORDER_HEADER_IN.PURCH_NO_C` in a tree whose names are compared by `xml.key`."""
    *outer, last = [xml.key(part) for part in path.split(".")]
    for part in outer:
        inner = tree.setdefault(part, {})
        if not isinstance(inner, dict):
            raise FixSettings("sap.names", f"{path}: {part} is a value and cannot carry fields")
        tree = inner
    tree[last] = told


def node_at(takes: Mapping[str, Node], path: str) -> Node | None:
    """The parameter at a path, None when the operation has none."""
    node: Node | None = None
    inside: Mapping[str, Node] = takes
    for part in path.split("."):
        node = inside.get(xml.key(part))
        if node is None:
            return None
        inside = node.inner or {}
    return node


def unfilled(takes: Mapping[str, Node], tree: Mapping[str, Any], where: str = "") -> list[str]:
    """Paths of leaves that the operation demands and the tree does not have."""
    missing = []
    for name, node in takes.items():
        given = tree.get(name)
        path = f"{where}{node.name}"
        if node.inner is None and not node.many:
            if node.required and given is None:
                missing.append(path)
        elif node.many:
            for row in _many(given):
                missing += unfilled(node.inner or {}, row, f"{path}.")
        elif node.required or given:
            missing += unfilled(node.inner or {}, given or {}, f"{path}.")
    return missing


def arguments(takes: Mapping[str, Node], tree: Mapping[str, Any]) -> dict[str, Any]:
    """What zeep is given: the parameters' own names, decimals where they are decimals, empty tables where demanded."""
    told: dict[str, Any] = {}
    for name, node in takes.items():
        given = tree.get(name)
        if given is None and not node.required:
            continue
        if node.many:
            many = [_one(node, row) for row in _many(given)]
            told[node.name] = {node.rows: many} if node.rows else many
        elif node.inner is not None:
            told[node.name] = arguments(node.inner, given or {})
        else:
            told[node.name] = _leaf(node, given)
    return told


def _many(given: Any) -> Sequence[Any]:
    """The rows for a table; a structure given for one is its only row."""
    if given is None or given == "":
        return ()
    return given if isinstance(given, list) else [given]


def _one(node: Node, row: Any) -> Any:
    return arguments(node.inner, row) if node.inner else _leaf(node, row)


def _leaf(node: Node, given: Any) -> Any:
    if given is None:
        return ""
    if node.decimal:
        return given if isinstance(given, Decimal) else values.number(given)
    return values.plain(given) if isinstance(given, Decimal) else str(given)
