"""A small trade for tests of plugins: a buyer and a seller of a real installation, and the acts of an order by name."""

import html
import random
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID

from flask import Flask
from flask.testing import FlaskClient

from core import billing, catalog, fulfilment, identity, orders, stock, tenancy
from core.app import Installation
from core.db import TenantSession
from core.hooks import OrderFacts
from core.identity import ROLES
from core.kernel import Actor, Context, uuid7
from core.orders.agreed import facts_of
from core.orders.model import select_plan
from core.tenancy.uscc import check_character
from core.worker import Worker

PASSWORD = "a password for tries only"
UNIT = "pcs"
Wanted = tuple[UUID, str]
"""A product and how much of it."""


@dataclass
class Side:
    """One of the two enterprises, with somebody who may do everything there."""

    id: UUID
    name: str
    house: Installation
    actor: Actor
    browser: FlaskClient
    key: str
    token: str = field(default="", repr=False)
    rehearsal: TenantSession | None = None

    @contextmanager
    def acting(self) -> Iterator[Context]:
        """One transaction in this person's name; commits at the end, except in a rehearsal."""
        if self.rehearsal is not None:
            yield self.house.unit.enter(self.rehearsal, self.id, self.actor, {}, everything=True)
            self.rehearsal.flush()
            return
        with self.house.unit.acting(self.id, self.actor, {}, everything=True) as ctx:
            yield ctx

    def get(self, path: str, language: str = "en") -> Any:
        """A page in the browser."""
        return self.browser.get(path, headers={"Accept-Language": language})

    def seen(self, path: str, language: str = "en") -> str:
        """What a page says with the panels of plugins in it, which the browser fetches after the page."""
        said: str = self.get(path, language).text
        apart = [html.unescape(url) for url in re.findall(r'class="apart" hx-get="([^"]+)"', said)]
        return "\n".join([said, *(self.get(url, language).text for url in apart)])

    def post(self, path: str, data: Mapping[str, Any] | None = None, language: str = "en") -> Any:
        """A form sent from the browser, with the token that the pages carry."""
        if not self.token:
            found = re.search(r'name="_csrf" value="([0-9a-f]+)"', self.browser.get("/account").text)
            assert found is not None, "the page of one's own account shows no form"
            self.token = found[1]
        typed = {name: str(value) for name, value in (data or {}).items()}
        return self.browser.post(
            path, data={**typed, "_csrf": self.token}, headers={"Accept-Language": language}
        )

    def api(self, method: str, path: str, **more: Any) -> Any:
        """A call with this enterprise's key of all permissions."""
        headers = {"Authorization": f"Bearer {self.key}", "Accept-Language": "en", **more.pop("headers", {})}
        if method == "POST":
            headers.setdefault("Idempotency-Key", str(uuid7()))
        return self.browser.application.test_client(use_cookies=False).open(
            path, method=method, headers=headers, **more
        )


class Trade:
    """Two new enterprises that have the plugin on, and what they do. Every act commits, like in life."""

    def __init__(self, app: Flask, plugin: str) -> None:
        self.app, self.plugin = app, plugin
        self.house: Installation = app.extensions["ts.house"]
        self.seller = self._enterprise("trader")
        self.buyer = self._enterprise("manufacturer")
        with self.seller.acting() as ctx:
            self.warehouse = stock.add_warehouse(ctx, "W1", "一号库").id

    def settings(self, side: str, **values: Any) -> None:
        """Set the plugin's settings for the `buyer` or the `seller`, as its form would."""
        loaded = self.house.host.loaded[self.plugin]
        schema = loaded.settings_schema() if loaded.settings_schema else None
        with self._side(side).acting() as ctx:
            tenancy.enable_plugin(
                ctx, self.plugin, version=loaded.manifest.version, settings=values, schema=schema
            )

    def goods(self, code: str = "BAR", price: str = "100", quantity: str = "1000", unit: str = UNIT) -> UUID:
        """A product of the seller, listed at a public price, with stock. Answers its id."""
        with self.seller.acting() as ctx:
            row = catalog.ProductRow(
                code=code, name_zh=f"商品 {code}", name_en=f"Goods {code}", base_uom=unit
            )
            sku: UUID = catalog.add_product(ctx, row).id
            catalog.set_prices(
                ctx, catalog.public_list(ctx).id, [catalog.NewPrice(sku, Decimal(1), Decimal(price))]
            )
            catalog.publish_products(ctx, [sku])
            stock.receive_stock(ctx, [stock.Incoming(sku, self.warehouse, Decimal(quantity), "LOT-1")])
        return sku

    def place(self, mode: str, *wanted: Wanted, **more: Any) -> UUID:
        """The buyer orders `(sku, quantity)` pairs in a mode. Answers the order's id."""
        lines = [orders.WantedLine(sku, Decimal(quantity)) for sku, quantity in wanted]
        with self.buyer.acting() as ctx:
            placed: UUID = orders.place(ctx, orders.NewOrder(self.seller.id, lines, mode=mode, **more)).id
        return placed

    def confirm(self, order_id: UUID) -> None:
        with self.seller.acting() as ctx:
            orders.confirm(ctx, order_id)

    def ship(self, order_id: UUID, quantities: Sequence[str] = ()) -> UUID:
        """Ship everything that is left, or so much of each line. Answers the shipment's id."""
        with self.seller.acting() as ctx:
            lines = orders.lines(ctx, order_id)
            left = [line.quantity - line.shipped for line in lines]
            amounts = [Decimal(each) for each in quantities] or left
            parts = [
                fulfilment.Portion(line.id, amount)
                for line, amount in zip(lines, amounts, strict=False)
                if amount
            ]
            shipped: UUID = fulfilment.ship(ctx, order_id, parts, "Road", "WB-1").id
        return shipped

    def receive(self, order_id: UUID) -> None:
        """Receive and accept all that is on its way."""
        with self.buyer.acting() as ctx:
            for shipment in fulfilment.of_order(ctx, order_id):
                counts = [
                    fulfilment.Count(line.line_id, line.quantity - line.received)
                    for line in shipment.lines
                    if line.quantity > line.received
                ]
                if counts:
                    fulfilment.receive(ctx, shipment.id, counts)

    def invoice(self, order_id: UUID) -> UUID:
        """Bill what may be billed. Answers the invoice's id."""
        with self.seller.acting() as ctx:
            issued: UUID = billing.issue_invoice(ctx, order_id).id
        return issued

    def pay(self, order_id: UUID, amount: Decimal | None = None) -> None:
        """The buyer pays what is still open, or this much; the seller finds the money."""
        with self.buyer.acting() as ctx:
            order = facts_of(ctx, order_id)
            due = order.total - order.paid - order.prepaid if amount is None else amount
            payment = billing.announce_payment(ctx, due, f"BANK-{uuid7()}", order_id=order_id).id
        with self.seller.acting() as ctx:
            billing.confirm_payment(ctx, payment)

    def order(self, order_id: UUID) -> OrderFacts:
        """The order as plugins see it."""
        with self.buyer.acting() as ctx:
            return facts_of(ctx, order_id)

    def plan(self, order_id: UUID) -> list[Any]:
        """The payments the order asks for, each with kind, amount and gate."""
        with self.buyer.acting() as ctx:
            found = list(ctx.session.scalars(select_plan(order_id)))
            ctx.session.expunge_all()
        return found

    def complete(self, order_id: UUID) -> None:
        """From confirmation to the last payment; what must be paid first is paid first."""
        self.confirm(order_id)
        for item in self.plan(order_id):
            if item.gate:
                self.pay(order_id, item.amount)
        self.ship(order_id)
        self.receive(order_id)
        self.invoice(order_id)
        if self.order(order_id).paid < self.order(order_id).total:
            self.pay(order_id)

    @contextmanager
    def rehearsing(self) -> Iterator[None]:
        """Everything done inside is undone at the end."""
        with self.house.database.session() as session:
            self.buyer.rehearsal = self.seller.rehearsal = session
            try:
                yield
            finally:
                self.buyer.rehearsal = self.seller.rehearsal = None
                session.rollback()

    def work(self) -> None:
        """What the worker does, until nothing is due: event handlers run, timers too."""
        worker = Worker(self.house.config)
        try:
            worker.drain()
        finally:
            worker.installation.database.dispose()

    def _side(self, side: str) -> Side:
        return {"buyer": self.buyer, "seller": self.seller}[side]

    def _enterprise(self, kind: str) -> Side:
        ident, body = uuid7(), "91310000" + "".join(random.choices("0123456789", k=9))
        name = f"{'卖家' if kind == 'trader' else '买家'}{ident.hex[-6:]}"
        login = f"{ident.hex}@example.com"
        house = self.house
        version = house.host.loaded[self.plugin].manifest.version
        held = [role for role in ROLES if not role.startswith("operator")]
        with house.unit.system(ident, "test") as ctx:
            tenancy.register_enterprise(
                ctx,
                name=name,
                name_en=f"{kind.capitalize()} {ident.hex[-6:]}",
                uscc=body + check_character(body),
                kind=kind,
            )
            person = identity.add_person(ctx, name=name, email=login, password=PASSWORD, roles=held)
            scopes = [
                each.code
                for each in house.permissions
                if each.code != "account.own" and set(each.roles) & set(held)
            ]
            key = identity.create_api_key(ctx, "all", scopes, created_by=person).token
            for plugin in {"spot", self.plugin} & set(house.host.loaded):
                tenancy.enable_plugin(ctx, plugin, version=version)
        client = self.app.test_client()
        with house.database.session() as session:
            signed = identity.sign_in(session, login, PASSWORD, remote="127.0.0.1", agent="pytest")
            session.commit()
        client.set_cookie("ts_session", signed.token)
        return Side(ident, name, house, Actor("person", person, name, person), client, key)
