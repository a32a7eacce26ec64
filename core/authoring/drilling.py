"""A connector tried without a database: wired to its own practice server, by hand or through the engine and the fault drill."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, ClassVar, Protocol, cast
from urllib.parse import urlsplit

import pytest
import requests

from core.db import Unit
from core.kernel import uuid7
from core.sync.contract import Access, Bill, Connector, Link, Step
from core.sync.drill.rehearsal import Rehearsal, cases_of
from core.sync.engine import Engine
from core.sync.incoming import Incoming
from core.sync.outbound import OutboundRule, session
from core.sync.outcome import Trace
from core.sync.outgoing import LineOut, OrderOut
from core.sync.registry import Registry

SHORTEST = timedelta(seconds=0.05)  # between tries; a practice server needs no longer


class Server(Protocol):
    """What a practice server (`tongshang.simulate.Practice`) is to a test."""

    @property
    def url(self) -> str: ...


def sample_order(
    reference: str = "SO-1",
    *,
    material: str = "BRG-6204",
    unit: str = "pcs",
    quantity: str = "120",
    price: str = "36.50",
    partner_code: str = "91350100M000100Y43",
    version: int = 1,
) -> OrderOut:
    """An order of one line, as connectors get it. `price` is with tax, per `unit`."""
    gross = Decimal(quantity) * Decimal(price)
    return OrderOut(
        object_id=uuid7(),
        reference=reference,
        version=version,
        partner_id=uuid7(),
        partner_name="锡安达机电",
        partner_code=partner_code,
        buyer_po="PO-77",
        currency="CNY",
        total=gross,
        ordered_on=date(2026, 11, 22),
        delivery_on=date(2026, 12, 5),
        ship_to="福州市仓山区",
        note="周三前送到",
        lines=(
            LineOut(1, uuid7(), material, "深沟球轴承 6204", unit, Decimal(quantity), Decimal("0.13"), gross),
        ),
    )


def access_to(connector: Connector, server: Server, organisation: str = "100", **values: str) -> Access:
    """What a person would have typed: the defaults, the values for the demonstration, and `values` over them."""
    told = {each.key: each.default for each in connector.settings if each.default}
    told |= {**connector.demo_values(), **values}
    secret = {each.key for each in connector.settings if each.kind == "secret"}
    plain = {key: value for key, value in told.items() if key not in secret}
    return Access(
        server.url, organisation, plain, {key: value for key, value in told.items() if key in secret}
    )


def rule_for(server: Server) -> OutboundRule:
    """What the operator would write into `outbound.conf` to let us reach it."""
    return OutboundRule.parse(urlsplit(server.url).netloc)


@dataclass
class Desk:
    """An open link to a practice server. The calls it made are at `link.trace.exchanges`."""

    connector: Connector
    access: Access
    http: requests.Session
    link: Link

    def bill(self, reference: str, **of: Any) -> Bill:
        """The bill of a sample order, nothing of which has a counterpart yet; `of` as in `sample_order`."""
        return self.link.bill(sample_order(reference, **of), lambda _kind, _id: None)

    def records(self, key: str, since: str | None = None) -> list[Incoming]:
        """All records of a stream in the platform's words. Raises SkipRecord for one that cannot be used."""
        stream = self.link.stream(key)
        return [stream.to_core(row) for page in stream.pull(since, None) for row in page.rows]

    def check(self) -> Iterator[Step]:
        """The steps of the connector's own check."""
        return self.connector.check(self.access, self.http)


@contextmanager
def practising(kind: type[Connector], server: Server, **values: str) -> Iterator[Desk]:
    """A link to a practice server that runs; `values` are settings and secrets that differ from those of the demonstration."""
    connector = kind()
    access = access_to(connector, server, **values)
    http = session([rule_for(server)])
    link = connector.open(access, http)
    link.trace, link.before_write = Trace(keep=50), lambda: None
    try:
        yield Desk(connector, access, http, link)
    finally:
        link.close()
        http.close()


class ConnectorDrill:
    """Every trouble of the fault drill at a create, a change and a cancellation: inherit, name both, run pytest.

    class TestDrill(ConnectorDrill):
        connector = Mine
        simulator = Simulator

    The real engine decides what happens after each call. A case holds when one document lies there in the end, or it was
    held with its reason. `order` may answer another sample where the practice server knows other goods and buyers.
    """

    connector: ClassVar[type[Connector]]
    simulator: ClassVar[Callable[[], AbstractContextManager[Any]]]

    def order(self) -> OrderOut:
        return sample_order()

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        if "trouble" in metafunc.fixturenames:
            metafunc.parametrize(("trouble", "intent"), cases_of(self.connector()))

    def test_whatever_breaks_one_document_lies_there_in_the_end(self, trouble: str, intent: str) -> None:
        with type(self).simulator() as server:
            connector = self.connector()
            rules = [rule_for(server)]
            # The rehearsal keeps what it knows in memory, so the engine has no database.
            engine = Engine(
                cast(Unit, None),
                Registry([connector]),
                lambda: rules,
                settle=SHORTEST,
                first_wait=SHORTEST.total_seconds(),
            )
            rehearsal = Rehearsal(
                engine,
                connector,
                access_to(connector, server),
                self.order(),
                lambda _kind, _id: None,
                "DRILL",
                seconds=SHORTEST.total_seconds(),
                wait=lambda seconds: time.sleep(min(seconds, SHORTEST.total_seconds())),
            )
            case = rehearsal.case(1, trouble, intent)
        assert case.passed, case
        assert not case.left, case
