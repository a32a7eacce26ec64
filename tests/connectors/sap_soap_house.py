"""A practice SAP with a customer and materials, links that talk to it, and a seller whose orders go there."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from connectors.sap.idoc.system import SapIdoc
from connectors.sap.soap.simulator import DEMO_BULK, DEMO_VALUES, Simulator
from connectors.sap.soap.simulator import description as wsdl
from connectors.sap.soap.simulator.functions import FUNCTIONS
from connectors.sap.soap.system import SapBulk, SapSoap
from core.kernel import uuid7
from core.sync import NewConnection, Registry, connect
from core.tenancy import register_enterprise
from tests.sync.conftest import BUYER_CODE, SELLER_CODE, House
from tongshang.connect import Access, Connector, LineOut, OrderOut, OutboundRule, Trace, session

BASE = {
    "customers": [{"number": "217", "tax_code": BUYER_CODE}, {"number": "300", "tax_code": "TWICE"}]
    + [{"number": "301", "tax_code": "TWICE"}],
    "materials": [
        {"number": "BRG-6204", "unit": "ST"},
        {"number": "RB-HRB400E-16", "unit": "TO"},
        {"number": "4711", "unit": "ST"},
    ],
}
ICF_WSDL = "\n".join(wsdl.icf(name) for name in FUNCTIONS)
KINDS: Mapping[str, tuple[type[Connector], Mapping[str, str]]] = {
    "soamanager": (SapSoap, DEMO_VALUES),
    "icf": (SapSoap, {**DEMO_VALUES, "wsdl": ICF_WSDL}),
    "bulk": (SapBulk, DEMO_BULK),
    "idoc": (SapIdoc, SapIdoc().demo_values()),
}


def access(sap: Simulator, kind: str = "soamanager", **more: str) -> Access:
    """The settings of a connection to this simulator; `more` replaces some of them."""
    connector, demo = KINDS[kind]
    values = {each.key: each.default for each in connector.settings if each.default} | dict(demo) | more
    secret = {each.key for each in connector.settings if each.kind == "secret"}
    return Access(
        more.pop("base_url", sap.url),
        "1010",
        {key: value for key, value in values.items() if key not in secret},
        {key: value for key, value in values.items() if key in secret},
    )


class Desk:
    """Links to one simulator, closed together; what they sent is in `trace`."""

    def __init__(self, sap: Simulator) -> None:
        self.sap, self.opened = sap, []
        self.trace = Trace(keep=50)

    def link(self, kind: str = "soamanager", *, patience: float = 5.0, **more: str) -> Any:
        made = KINDS[kind][0]().open(access(self.sap, kind, **more), self.http())
        made.client.timeout = (patience, patience)
        made.trace, made.before_write = self.trace, lambda: None
        return made

    def check(self, kind: str = "soamanager", **more: str) -> list[Any]:
        return list(KINDS[kind][0]().check(access(self.sap, kind, **more), self.http()))

    def http(self) -> Any:
        http = session([OutboundRule.parse(f"127.0.0.1:{self.sap.port}")])
        self.opened.append(http)
        return http

    def close(self) -> None:
        for http in self.opened:
            http.close()


def order(reference: str = "SO-1", *lines: tuple[str, str, str, str], **changes: Any) -> OrderOut:
    """An order; lines are material, unit, quantity and amount with tax."""
    told = lines or (("BRG-6204", "pcs", "120", "4380.00"), ("RB-HRB400E-16", "t", "2", "7936.00"))
    rows = tuple(
        LineOut(no, uuid4(), code, f"品名 {code}", unit, Decimal(q), Decimal("0.13"), Decimal(gross))
        for no, (code, unit, q, gross) in enumerate(told, 1)
    )
    values: dict[str, Any] = {
        "object_id": uuid4(),
        "reference": reference,
        "version": 1,
        "partner_id": uuid4(),
        "partner_name": "锡安达机电",
        "partner_code": BUYER_CODE,
        "buyer_po": "PO-77",
        "currency": "CNY",
        "total": sum((line.gross for line in rows), Decimal(0)),
        "ordered_on": date(2026, 11, 22),
        "delivery_on": date(2026, 12, 5),
        "ship_to": "无锡市新吴区",
        "note": "",
        "lines": rows,
    }
    return OrderOut(**{**values, **changes})


def nobody(_: str, __: UUID) -> None:
    """No number is known yet."""


class SapHouse(House):
    """The seller of the sync tests, wired to a practice SAP instead."""

    def __init__(self, app: Any, worker: Any, sap: Simulator, kind: str = "soamanager") -> None:
        self.app, self.worker, self.sap, self.kind = app, worker, sap, kind
        self.seller, self.buyer = uuid7(), uuid7()
        self.connector = KINDS[kind][0]()
        self.registry = Registry([self.connector])
        for tenant, name, code in (
            (self.seller, "华东联钢", SELLER_CODE),
            (self.buyer, "锡安达机电", BUYER_CODE),
        ):
            with app.system(tenant, "test") as ctx:
                register_enterprise(ctx, name=name, uscc=code, kind="trader")
        sap.world.merge(BASE)
        told = access(sap, kind)
        with app.system(self.seller, "test") as ctx:
            given = NewConnection("SAP", sap.url, "1010", {**told.settings, **told.secrets})
            self.connection_id = connect(ctx, self.connector, given).id

    def rules(self) -> list[OutboundRule]:
        return [OutboundRule.parse(f"127.0.0.1:{self.sap.port}")]

    def orders(self) -> dict[str, list[dict[str, Any]]]:
        """What SAP holds, by our reference."""
        found: dict[str, list[dict[str, Any]]] = {}
        for one in self.sap.state()["orders"]:  # type: ignore[union-attr]
            found.setdefault(one["reference"], []).append(one)
        return found


def mutated(body: bytes, dice: random.Random) -> bytes:
    """The bytes with one to four wounds: cut, doubled, swapped, turned, and tags or texts exchanged."""
    told = bytearray(body)
    for _ in range(dice.randint(1, 4)):
        at, to = sorted((dice.randrange(len(told) + 1), dice.randrange(len(told) + 1)))
        to = min(to, at + 200)
        kind = dice.randrange(8)
        if kind == 0:
            del told[at:to]
        elif kind == 1:
            told[at:at] = told[at:to]
        elif kind == 2:
            told[at : at + 1] = bytes([dice.randrange(256)])
        elif kind == 3:
            told = told[:at]
        elif kind == 4:
            told[at:at] = dice.choice(
                [b"<", b">", b"&", b"&x;", b"\x00", b"<!--", b"<item>", b"</item>", b"<RETURN/>"]
            )
        elif kind == 5:
            told = told.replace(
                dice.choice([b"311", b">S<", b"0000000001"]), dice.choice([b"", b">E<", b"x", b"-1"]), 1
            )
        elif kind == 6:
            told = told.replace(b"SALESDOCUMENT", dice.choice([b"OTHER", b"RETURN", b"item"]))
        else:
            told[0:0] = dice.choice([b"<!DOCTYPE x>", b"\xef\xbb\xbf", b"<html/>", b"\n"])
        if not told:
            return b""
    return bytes(told)
