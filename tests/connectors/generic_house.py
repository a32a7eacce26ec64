"""A seller with confirmed orders in a database of its own, wired to whatever generic system a test brings."""

import io
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

from sqlalchemy import select

from connectors.generic.files.simulator import Simulator as FilesErp
from connectors.generic.files.simulator import settings_for as files_settings
from connectors.generic.files.system import Files
from connectors.generic.rest.simulator import Simulator as RestErp
from connectors.generic.rest.simulator import settings_for as rest_settings
from connectors.generic.rest.simulator.books import item
from connectors.generic.rest.system import Rest
from core.db import Unit
from core.kernel import uuid7
from core.orders import OrderLine, TradeOrder
from core.sync import (
    Connector,
    Engine,
    NewConnection,
    OutboundRule,
    Puller,
    Registry,
    connect,
    enqueue,
    sync_now,
)
from core.tenancy import register_enterprise
from tests.sync.draining import hurry
from tongshang.connect import Access, FolderRule, Found, Link, OrderOut, Trace, session

SELLER_CODE, BUYER_CODE = "91310000MA1FL4XY7W", "91350100M000100Y43"
FAST = timedelta(seconds=0.05)


def access_of(connector: Connector, url: str, values: Mapping[str, str], organisation: str = "100") -> Access:
    """Settings and secrets as the platform would part them, with the defaults of the connector."""
    told = {each.key: each.default for each in connector.settings if each.default} | dict(values)
    secret = {each.key for each in connector.settings if each.kind == "secret"}
    settings = {key: value for key, value in told.items() if key not in secret}
    return Access(url, organisation, settings, {key: value for key, value in told.items() if key in secret})


def order_out(reference: str = "SO-1", version: int = 3, bearings: str = "120") -> OrderOut:
    """An order of bearings and rebar as connectors get it."""
    from core.sync import LineOut

    gross, rebar = Decimal(bearings) * Decimal("36.50"), Decimal("7936.00")
    vat = Decimal("0.13")
    return OrderOut(
        object_id=uuid7(),
        reference=reference,
        version=version,
        partner_id=uuid7(),
        partner_name="锡安达机电",
        partner_code=BUYER_CODE,
        buyer_po="PO-77",
        currency="CNY",
        total=gross + rebar,
        ordered_on=date(2026, 11, 22),
        delivery_on=date(2026, 12, 5),
        ship_to="福州市仓山区",
        note="周三前送到",
        lines=(
            LineOut(1, uuid7(), "BRG-6204", "深沟球轴承 6204", "pcs", Decimal(bearings), vat, gross),
            LineOut(2, uuid7(), "RB-HRB400E-16", "螺纹钢 HRB400E Φ16", "t", Decimal(2), vat, rebar),
        ),
    )


def nobody_known(_kind: str, _id: UUID) -> None:
    """A look-up that has no number for anything of ours."""


def filed(link: Link, order: OrderOut | None = None) -> Found:
    """Send an order for the first time."""
    return link.send(link.bill(order or order_out(), nobody_known), None)


@contextmanager
def rest_links(erp: RestErp) -> Iterator[Callable[..., Link]]:
    """Links to a REST service that give up soon; their last calls are at `link.trace`."""
    opened = []

    def make(values: Mapping[str, str] | None = None, **more: str) -> Link:
        http = session([OutboundRule.parse(f"127.0.0.1:{erp.port}")])
        opened.append(http)
        told = {**(values or rest_settings(erp.account)), **more}
        link = Rest().open(access_of(Rest(), erp.url, told), http)
        link.client.trace, link.client.timeout = Trace(), (0.5, 0.5)
        return link

    yield make
    for http in opened:
        http.close()


def more_items(erp: RestErp, count: int) -> None:
    """Further products, changed minute by minute."""
    rows = [
        item(n, f"M{n:04}", f"螺栓 {n}", "PCE", f"2026-11-21T08:{n % 60:02}:00") for n in range(3, count + 1)
    ]
    erp.books.merge({"items": rows})


def by_folder(erp: FilesErp, **more: str) -> dict[str, str]:
    """Settings that reach the files without SFTP."""
    return files_settings() | {"place": "folder", "root": str(erp.root)} | more


@contextmanager
def folder_links(erp: FilesErp) -> Iterator[Callable[..., Link]]:
    """Links to the folders of an ERP that works only while somebody waits for it."""
    opened = []

    def make(**more: str) -> Link:
        http = session([FolderRule.parse(str(erp.root))])
        link = Files().open(access_of(Files(), "https://files.example.com", by_folder(erp, **more)), http)
        link.trace, link.sleep = Trace(), lambda _: erp.erp.turn()
        opened.append(link)
        return link

    erp.watching = False
    yield make
    for link in opened:
        link.close()


def inside(erp: FilesErp, folder: str = "out") -> list[str]:
    """Names of the files in one of its folders."""
    return sorted(path.name for path in (erp.root / folder).iterdir() if path.is_file())


class House:
    """The seller's side of the platform and one connection."""

    def __init__(
        self,
        app: Unit,
        worker: Unit,
        connector: Connector,
        url: str,
        values: Mapping[str, str],
        rules: Callable[[], Sequence[OutboundRule]],
    ) -> None:
        self.app, self.worker, self.rules = app, worker, rules
        self.connector, self.registry = connector, Registry([connector])
        self.seller, self.buyer = uuid7(), uuid7()
        for tenant, name, code in (
            (self.seller, "华东联钢", SELLER_CODE),
            (self.buyer, "锡安达机电", BUYER_CODE),
        ):
            with app.system(tenant, "test") as ctx:
                register_enterprise(ctx, name=name, uscc=code, kind="trader")
        with app.system(self.seller, "test") as ctx:
            self.connection_id = connect(ctx, connector, NewConnection("小厂通", url, "100", values)).id

    def engine(self, **options: object) -> Engine:
        told = {"settle": FAST, "first_wait": 0.01, "at_once": 8} | options
        return Engine(self.worker, self.registry, self.rules, **told)  # type: ignore[arg-type]

    def pull(self, key: str) -> str:
        """Run one stream to its end; answers the state of the run."""
        with self.app.system(self.seller, "test") as ctx:
            sync_now(ctx, self.connection_id, key)
        puller = Puller(self.worker, self.registry, self.rules)
        ended = {}
        while claimed := puller.claim():
            ended[claimed.key] = puller.run(claimed)
        return ended[key]

    def order(self, number: str, bearings: str = "120", price: str = "36.50") -> UUID:
        """A confirmed order of bearings and rebar, on its way out."""
        id, gross, rebar = uuid7(), Decimal(bearings) * Decimal(price), Decimal("7936.00")
        total = gross + rebar
        net = (total / Decimal("1.13")).quantize(Decimal("0.01"))
        with self.app.system(self.seller, "test") as ctx:
            order = TradeOrder(
                id=id,
                buyer_id=self.buyer,
                seller_id=self.seller,
                number=number,
                buyer_po="PO-77",
                mode="spot",
                state="confirmed",
                version=3,
                net=net,
                tax=total - net,
                total=total,
                delivery_date=date(2026, 12, 5),
                created_at=ctx.now,
                confirmed_at=ctx.now,
            )
            ctx.session.add(order)
            ctx.session.flush()
            rows = [
                ("BRG-6204", "深沟球轴承 6204", "pcs", Decimal(bearings), gross),
                ("RB-HRB400E-16", "螺纹钢 HRB400E Φ16", "t", Decimal(2), rebar),
            ]
            for no, (code, name, unit, quantity, amount) in enumerate(rows, 1):
                without = (amount / Decimal("1.13")).quantize(Decimal("0.01"))
                line = OrderLine(
                    order_id=id,
                    buyer_id=self.buyer,
                    seller_id=self.seller,
                    no=no,
                    sku_id=uuid7(),
                    sku_code=code,
                    name_zh=name,
                    name_en="",
                    unit=unit,
                    quantity=quantity,
                    unit_price=amount / quantity,
                    tax_incl=True,
                    vat_rate=Decimal("0.13"),
                    net=without,
                    tax=amount - without,
                    gross=amount,
                )
                ctx.session.add(line)
            ctx.session.flush()
            enqueue(ctx, order, "create", 3)
        return id

    def change(self, order_id: UUID, version: int = 4) -> None:
        """A hundred bearings instead of what was ordered."""
        with self.app.system(self.seller, "test") as ctx:
            run = ctx.session.connection().exec_driver_sql
            new = "quantity = 100, gross = 3650, net = 3230.09, tax = 419.91"
            run(f"UPDATE ts.order_line SET {new} WHERE no = 1 AND order_id = '{order_id}'")
            run(
                f"UPDATE ts.trade_order SET total = 11586, net = 10253.10, tax = 1332.90 WHERE id = '{order_id}'"
            )
        self.wish(order_id, "change", version)

    def wish(self, order_id: UUID, intent: str, version: int) -> None:
        with self.app.system(self.seller, "test") as ctx:
            order = ctx.session.scalar(select(TradeOrder).where(TradeOrder.id == order_id))
            assert order is not None
            enqueue(ctx, order, intent, version)

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

    def sql(self, statement: str) -> list[tuple]:
        with self.app.system(self.seller, "test") as ctx:
            found = ctx.session.connection().exec_driver_sql(statement)
            return [tuple(row) for row in found] if found.returns_rows else []

    def waiting(self) -> int:
        asked = "SELECT count(*) FROM ts.sync_document WHERE state IN ('new', 'sending', 'unknown')"
        return int(self.sql(asked)[0][0])

    def states(self) -> list[tuple]:
        return self.sql("SELECT reference, intent, state FROM ts.sync_document ORDER BY reference, version")


def workbook(rows: Sequence[Sequence[object]], sheet: str = "Sheet1", far: str = "") -> bytes:
    """A small XLSX: text inline, numbers as numbers. `far` is one more cell somewhere else, such as XFD1048576."""

    def cell(value: object, at: str) -> str:
        if isinstance(value, str):
            return f'<c r="{at}" t="inlineStr"><is><t>{value}</t></is></c>'
        return f'<c r="{at}"><v>{value}</v></c>'

    lines = "".join(
        f'<row r="{no}">' + "".join(cell(v, f"{chr(65 + c)}{no}") for c, v in enumerate(row)) + "</row>"
        for no, row in enumerate(rows, 1)
    )
    if far:
        lines += f'<row r="{far.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")}">{cell(1, far)}</row>'
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    rel = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" '
        f'Type="{rel}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{rel}"><sheets>'
        f'<sheet name="{sheet}" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" '
        f'Type="{rel}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}"><sheetData>{lines}</sheetData></worksheet>',
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name, f'<?xml version="1.0" encoding="UTF-8"?>{text}')
    return out.getvalue()
