"""A seller with confirmed orders, wired to a warehouse that can misbehave; and pushes as they would arrive."""

import json
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

from connectors.wms.calls import Caller
from connectors.wms.pushing import Sending
from core.db import Unit
from core.kernel import uuid7
from core.orders import OrderLine, TradeOrder
from core.sync import Connector, Engine, NewConnection, OutboundRule, Registry, connect, enqueue
from core.tenancy import register_enterprise
from tests.sync.draining import drain, hurry
from tongshang.connect import Access, Heard, LineOut, Link, OrderOut, Push, PushRefused, Trace, session
from tongshang.simulate import Practice

FAST = timedelta(seconds=0.05)
UNITS = {"BRG-6204": "pcs", "RB-HRB400E-16": "t"}


def access(connector: Connector, warehouse: Practice, **changes: str) -> Access:
    """The simulator's own settings, some of them changed."""
    values = {each.key: each.default for each in connector.settings if each.default}
    values |= {**connector.demo_values(), **changes}
    kinds = {each.key: each.kind for each in connector.settings}
    secrets = {key: value for key, value in values.items() if kinds[key] == "secret"}
    settings = {key: value for key, value in values.items() if key not in secrets}
    return Access(warehouse.url, "WH01", settings, secrets)


@contextmanager
def linked(connector: Connector, warehouse: Practice, **changes: str) -> Iterator[Link]:
    http = session([OutboundRule.parse(f"127.0.0.1:{warehouse.port}")])
    link = connector.open(access(connector, warehouse, **changes), http)
    link.trace = Trace()
    link.before_write = lambda: None
    try:
        yield link
    finally:
        link.close()


def order(reference: str = "SO-1", *quantities: str, **changes: object) -> OrderOut:
    lines = tuple(
        LineOut(
            no, uuid7(), "BRG-6204", "深沟球轴承 6204", "pcs", Decimal(count), Decimal("0.13"), Decimal(100)
        )
        for no, count in enumerate(quantities or ("120", "30"), 1)
    )
    told: dict[str, object] = {
        "object_id": uuid7(),
        "reference": reference,
        "version": 3,
        "partner_id": uuid7(),
        "partner_name": "锡安达机电",
        "partner_code": "91320200MA1N2PQR3X",
        "buyer_po": "PO-77",
        "currency": "CNY",
        "total": Decimal(200),
        "ordered_on": date(2026, 11, 22),
        "delivery_on": date(2026, 12, 5),
        "ship_to": "江苏省无锡市新吴区长江路 8 号 李工 13800000000",
        "note": "请 <先> 打电话 & 预约",
        "lines": lines,
    }
    return OrderOut(**(told | changes))  # type: ignore[arg-type]


def nobody(kind: str, id: UUID) -> str | None:
    """A look-up that knows nothing."""
    return None


def pushed(sending: Sending, at: datetime | None = None, **changes: object) -> Push:
    """What goes out there, as it arrives here."""
    told: dict[str, object] = {
        "method": "POST",
        "path": "",
        "query": dict(parse_qsl(urlsplit(sending.url).query, keep_blank_values=True)),
        "headers": {"content-type": sending.content_type},
        "body": sending.body,
        "at": at or datetime.now(UTC),
    }
    return Push(**(told | changes))  # type: ignore[arg-type]


class WarehouseHouse:
    """The seller's side of the platform in a database of its own."""

    def __init__(
        self, app: Unit, worker: Unit, connector: Connector, warehouse: Practice, **settings: str
    ) -> None:
        self.app, self.worker, self.warehouse = app, worker, warehouse
        self.seller, self.buyer = uuid7(), uuid7()
        self.registry = Registry([connector])
        for tenant, name, code in (
            (self.seller, "华东联钢", "91310000MA1FL4XY7W"),
            (self.buyer, "锡安达机电", "91350100M000100Y43"),
        ):
            with app.system(tenant, "test") as ctx:
                register_enterprise(ctx, name=name, uscc=code, kind="trader")
        values = {each.key: each.default for each in connector.settings if each.default}
        values |= {**connector.demo_values(), "item_units": "RB-HRB400E-16=kg", **settings}
        with app.system(self.seller, "test") as ctx:
            given = NewConnection("仓库", warehouse.url, "WH01", values)
            self.connection_id = connect(ctx, connector, given).id

    def engine(self, **options: object) -> Engine:
        told = {"settle": FAST, "first_wait": 0.01, "at_once": 8} | options
        return Engine(self.worker, self.registry, self._rules, **told)  # type: ignore[arg-type]

    def _rules(self) -> list[OutboundRule]:
        return [OutboundRule.parse(f"127.0.0.1:{self.warehouse.port}")]

    def order(self, number: str, quantity: str = "120") -> UUID:
        """A confirmed order of bearings and two tons of rebar, on its way to the warehouse."""
        id = uuid7()
        with self.app.system(self.seller, "test") as ctx:
            made = TradeOrder(
                id=id,
                buyer_id=self.buyer,
                seller_id=self.seller,
                number=number,
                buyer_po="PO-77",
                mode="spot",
                state="confirmed",
                version=3,
                net=Decimal(200),
                tax=Decimal(26),
                total=Decimal(226),
                delivery_date=date(2026, 12, 5),
                ship_to="江苏省无锡市新吴区长江路 8 号",
                created_at=ctx.now,
                confirmed_at=ctx.now,
            )
            ctx.session.add(made)
            ctx.session.flush()
            for no, (code, count) in enumerate((("BRG-6204", quantity), ("RB-HRB400E-16", "2")), 1):
                ctx.session.add(
                    OrderLine(
                        order_id=id,
                        buyer_id=self.buyer,
                        seller_id=self.seller,
                        no=no,
                        sku_id=uuid7(),
                        sku_code=code,
                        name_zh=code,
                        name_en="",
                        unit=UNITS[code],
                        quantity=Decimal(count),
                        unit_price=(Decimal(100) / Decimal(count)).quantize(Decimal("0.000001")),
                        tax_incl=True,
                        vat_rate=Decimal("0.13"),
                        net=Decimal(100),
                        tax=Decimal(13),
                        gross=Decimal(113),
                    )
                )
            ctx.session.flush()
            enqueue(ctx, made, "create", 3)
        return id

    def wish(self, order_id: UUID, intent: str, version: int, quantity: str = "") -> None:
        """A later wish for an order; `quantity` is the new one of its first line."""
        with self.app.system(self.seller, "test") as ctx:
            if quantity:
                ctx.session.connection().exec_driver_sql(
                    f"UPDATE ts.order_line SET quantity = {Decimal(quantity)} WHERE order_id = '{order_id}' AND no = 1"
                )
            made = ctx.session.get(TradeOrder, order_id)
            assert made is not None
            enqueue(ctx, made, intent, version)

    def push(self, engine: Engine, rounds: int = 60) -> list[str]:
        """Let one worker do what is due, again and again; the states tasks ended in."""
        ended = []
        for _ in range(rounds):
            tasks = engine.claim()
            ended += [engine.run(task) for task in tasks]
            if not self.waiting():
                break
            if not tasks:
                hurry(self)
        engine.close()
        return ended

    def later(self, seconds: float) -> None:
        """Let what waits for its time be due."""
        self.sql(f"UPDATE ts.sync_document SET not_before = not_before - interval '{seconds} s'")
        self.sql("UPDATE ts.erp_connection SET open_until = NULL")

    def sql(self, statement: str) -> list[tuple]:
        with self.app.system(self.seller, "test") as ctx:
            found = ctx.session.connection().exec_driver_sql(statement)
            return [tuple(row) for row in found] if found.returns_rows else []

    def waiting(self) -> int:
        asked = "SELECT count(*) FROM ts.sync_document WHERE state IN ('new', 'sending', 'unknown')"
        return int(self.sql(asked)[0][0])

    def documents(self) -> list[tuple]:
        """(reference, intent, state, cause, said, remote id) of every wish."""
        return self.sql(
            "SELECT reference, intent, state, cause, cause_text, remote_id FROM ts.sync_document"
            " ORDER BY reference, version"
        )


def hasty(monkeypatch: object, seconds: float = 0.3) -> None:
    """Clients that give up before the server's delays end."""
    monkeypatch.setattr(Caller, "patience", (seconds, seconds))  # type: ignore[attr-defined]


MODES = (
    "drop_before",
    "drop_after",
    "timeout_before",
    "timeout_after",
    "status_500_after",
    "html_200",
    "cut_body",
)


def drill(house: WarehouseHouse, count: int, probability: float, more: tuple[str, ...]) -> None:
    """Two workers push `count` orders at once while every kind of trouble falls on the calls."""
    modes = (*MODES, *more)
    share = probability / len(modes)
    house.warehouse.faults.set(
        [
            {"mode": mode, "probability": share, "seconds": 0.6 if mode.startswith("timeout") else 0.05}
            for mode in modes
        ]
    )
    for number in range(count):
        house.order(f"SO-{number:04}", quantity=str(number + 1))
    drain(house)


@contextmanager
def portal(hear: Callable[[Push], Heard]) -> Iterator[tuple[str, list[str]]]:
    """A portal that hears on a real socket and is busy at the first good call; its address, and the keys it took."""
    keys: list[str] = []
    lock = threading.Lock()
    good = 0

    class Door(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            nonlocal good
            body = self.rfile.read(int(self.headers["Content-Length"]))
            try:
                told = hear(pushed(Sending(self.path, body, self.headers["Content-Type"])))
                with lock:
                    keys.append(told.key)
                    good += 1
                    status = 503 if good == 1 else 200
                answer = told.answer
            except PushRefused as refused:
                keys.append("refused")
                answer, status = refused.answer, refused.answer.status
            self.send_response(status)
            self.send_header("Content-Type", answer.content_type)
            self.end_headers()
            self.wfile.write(b"" if status == 503 else answer.body)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/hear", keys
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def act(warehouse: Practice, what: str, **given: object) -> dict:
    """What the drill master asks of the simulator, over its socket."""
    request = urllib.request.Request(
        f"{warehouse.admin}/{what}",
        data=json.dumps(given).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.loads(answer.read())
