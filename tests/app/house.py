"""A whole house: an application over a migrated database with an operator, two sellers, two buyers and their trades.

Seeded once per run through the verbs, then cloned; each clone may be spoiled at will. Hengke buys from Lianhang, Zhuda buys
from Yongtai, so each pair has everything the other pair must not see.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from core import billing, catalog, files, fulfilment, identity, orders, stock, tenancy
from core.app import Installation, create_app
from core.config import Config
from core.db import Database, Unit, roles
from core.demo.goods import catalogue
from core.demo.load import PASSWORD, load_enterprises
from core.identity import ROLES
from core.kernel import Actor, Context
from core.migrate import upgrade
from tests.app.installation import config_of, write_keys
from tests.conftest import Server

D = Decimal
PAIRS = (("hengke", "lianhang"), ("zhuda", "yongtai"))
EVERYBODY = ("operator", "lianhang", "yongtai", "hengke", "zhuda")
SHELF = 6
"""Articles of each seller."""


@dataclass(frozen=True)
class Cast:
    """Who and what was seeded: enterprises, the person of each that may do everything, keys, goods, orders by state."""

    ids: Mapping[str, UUID]
    people: Mapping[str, Actor]
    logins: Mapping[str, str]
    keys: Mapping[str, str]
    skus: Mapping[str, tuple[UUID, ...]]
    orders: Mapping[tuple[str, str], UUID]  # (buyer, what became of it)


@dataclass
class House:
    """One clone, open for business. `database` is its name on the test server."""

    server: Server
    database: str
    config: Config
    app: Flask
    cast: Cast
    owner: Any = field(repr=False, default=None)

    @property
    def unit(self) -> Unit:
        unit: Unit = self.app.extensions["ts"].unit
        return unit

    @contextmanager
    def acting(self, key: str) -> Iterator[Context]:
        """As the person of an enterprise that may do everything; commits."""
        with self.unit.acting(self.cast.ids[key], self.cast.people[key], {}, everything=True) as ctx:
            yield ctx

    def api(self, key: str) -> Callable[..., Any]:
        """`api("hengke")("GET", "/api/v1/orders", json=...)` with that enterprise's key of all permissions."""
        client = self.app.test_client(use_cookies=False)
        token = self.cast.keys[key]

        def ask(method: str, path: str, headers: Mapping[str, str] | None = None, **more: Any) -> Any:
            return client.open(path, method=method, headers={"Authorization": f"Bearer {token}", **(headers or {})}, **more)

        return ask

    def browser(self, key: str) -> FlaskClient:
        """A browser signed in as the person of that enterprise that may do everything."""
        client = self.app.test_client()
        with self.unit.database.session() as session:
            signed = identity.sign_in(session, self.cast.logins[key], PASSWORD, remote="127.0.0.1", agent="pytest")
            session.commit()
        client.set_cookie("ts_session", signed.token)
        return client

    def scalar(self, sql: str, **values: object) -> Any:
        """Look at the tables as their owner, which no part of the application can."""
        with self.owner.begin() as connection:
            return connection.execute(text(sql), values).scalar()

    def rows(self, sql: str, **values: object) -> list[Any]:
        with self.owner.begin() as connection:
            return list(connection.execute(text(sql), values))

    def environ(self) -> dict[str, str]:
        """What a process of its own needs to open this house."""
        return {
            "TS_DATA": str(self.config.data),
            "DATABASE_URL": self.config.url("app"),
            "WORKER_DATABASE_URL": self.config.url("worker"),
            "MIGRATE_DATABASE_URL": self.config.url("migrate"),
        }

    def close(self) -> None:
        self.unit.database.dispose()
        if self.owner is not None:
            self.owner.dispose()


def open_house(server: Server, data: Path) -> House:
    """A fresh clone of the seeded database with an application over it."""
    template, cast = server.once("house", partial(_seed, server))
    name = server.clone(template)
    write_keys(data)
    config = config_of(server, name, data)
    house = House(server, name, config, create_app(config), cast)
    house.owner = create_engine(config.url("migrate"), poolclass=NullPool)
    return house


def _seed(server: Server, database: str) -> Cast:
    roles.provision(server.admin.render_as_string(hide_password=False), database)
    config = config_of(server, database, Path("/nonexistent"))
    upgrade(config.url("migrate"))
    installation = Installation(config, Database(config.url("app"), pool_size=2))
    try:
        return Seeding(installation).run()
    finally:
        installation.database.dispose()


class Seeding:
    """Fills an empty database: enterprises, people who may do everything, goods, and orders in many states."""

    def __init__(self, house: Installation) -> None:
        self.house, self.unit = house, house.unit
        self.ids: dict[str, UUID] = {}
        self.people: dict[str, Actor] = {}
        self.logins: dict[str, str] = {}
        self.keys: dict[str, str] = {}
        self.skus: dict[str, tuple[UUID, ...]] = {}
        self.orders: dict[tuple[str, str], UUID] = {}

    def run(self) -> Cast:
        self.ids.update(load_enterprises(self.unit))
        for key in EVERYBODY:
            self.person(key)
        for buyer, seller in PAIRS:
            self.goods(seller)
            self.papers(buyer)
            self.papers(seller)
            self.trade(buyer, seller)
        return Cast(self.ids, self.people, self.logins, self.keys, self.skus, self.orders)

    @contextmanager
    def as_(self, key: str) -> Iterator[Context]:
        actor = self.people.get(key, Actor.system("seed"))
        with self.unit.acting(self.ids[key], actor, {}, everything=True) as ctx:
            yield ctx

    def person(self, key: str) -> None:
        operator = key == "operator"
        held = [role for role in ROLES if operator or not role.startswith("operator")]
        login = f"everything@{key}.example.com"
        with self.as_(key) as ctx:
            person = identity.add_person(ctx, name=f"Everything {key}", email=login, password=PASSWORD, roles=held)
            scopes = [
                permission.code
                for permission in self.house.permissions
                if permission.code != "account.own" and set(permission.roles) & set(held)
            ]
            self.keys[key] = identity.create_api_key(ctx, f"all of {key}", scopes, created_by=person).token
        self.people[key], self.logins[key] = Actor("person", person, f"Everything {key}", person), login

    def goods(self, seller: str) -> None:
        shelf = list(catalogue().family("bearings" if seller == "lianhang" else "valves"))[:SHELF]
        with self.as_(seller) as ctx:
            place = stock.warehouses(ctx)[0]
            rows = [
                catalog.ProductRow(code=each.code, name_zh=each.name_zh, name_en=each.name_en, base_uom=each.base_uom)
                for each in shelf
            ]
            ids = catalog.upsert_products(ctx, rows).ids
            public = catalog.public_list(ctx)
            catalog.set_prices(ctx, public.id, [catalog.NewPrice(ids[each.code], D(1), each.price) for each in shelf])
            catalog.publish_products(ctx, list(ids.values())[:-1])  # the last one is for nobody's eyes
            stock.receive_stock(
                ctx, [stock.Incoming(sku, place.id, D(10_000), f"LOT-{seller}") for sku in ids.values()], reason="opening"
            )
            catalog.open_price_list(ctx, f"Secret terms of {seller}", "group", group="A")
            self.skus[seller] = tuple(ids.values())

    def papers(self, key: str) -> None:
        """What an enterprise keeps for itself."""
        with self.as_(key) as ctx:
            identity.invite_member(ctx, f"invited@{key}.example.com", f"Invited {key}", ["auditor"])
            files.keep(ctx, f"secret-of-{key}.pdf", b"%PDF-1.7 secret of " + key.encode(), "enterprise", ctx.tenant_id)
            tenancy.set_trade_settings(ctx, approval_threshold=None)

    def trade(self, buyer: str, seller: str) -> None:
        for what in (
            "draft", "submitted", "countered", "rejected", "confirmed", "held", "amending", "shipped", "received",
            "invoiced", "paying", "paid",
        ):  # fmt: skip
            self.orders[buyer, what] = self.order(buyer, seller, what)

    def order(self, buyer: str, seller: str, what: str) -> UUID:
        first, second = self.skus[seller][:2]
        wish = orders.NewOrder(
            self.ids[seller], [orders.WantedLine(first, D(10)), orders.WantedLine(second, D(4))],
            buyer_po=f"PO-{buyer}-{what}", note=f"Note of {buyer}: {what}",
        )  # fmt: skip
        with self.as_(buyer) as ctx:
            order_id = (orders.draft if what == "draft" else orders.place)(ctx, wish).id
        if what in ("draft", "submitted"):
            return order_id
        with self.as_(seller) as ctx:
            if what == "countered":
                orders.counter(ctx, order_id, {"lines": [], "delivery_date": ctx.now.date()}, f"Counter of {seller}")
            elif what == "rejected":
                orders.reject(ctx, order_id, f"Refusal of {seller}")
            else:
                orders.confirm(ctx, order_id)
        if what == "held":
            with self.as_(seller) as ctx:
                orders.place_hold(ctx, order_id, "credit", f"Hold of {seller}", ["ship"])
        elif what == "amending":
            with self.as_(buyer) as ctx:
                orders.propose_amendment(ctx, order_id, {"lines": [], "delivery_date": ctx.now.date()}, f"Wish of {buyer}")
        elif what not in ("countered", "rejected", "confirmed"):
            self.deliver(buyer, seller, order_id, what)
        return order_id

    def deliver(self, buyer: str, seller: str, order_id: UUID, what: str) -> None:
        """Ship; and, as far as `what` says, receive, bill, announce and settle."""
        with self.as_(seller) as ctx:
            found = orders.lines(ctx, order_id)
            portions = [fulfilment.Portion(line.id, line.quantity) for line in found]
            shipment = fulfilment.ship(ctx, order_id, portions, f"Carrier of {seller}", f"WB-{seller}-{what}")
        if what == "shipped":
            return
        with self.as_(buyer) as ctx:
            counts = [fulfilment.Count(line.id, line.quantity) for line in found]
            fulfilment.receive(ctx, shipment.id, counts, f"Receipt of {buyer}")
        if what == "received":
            return
        with self.as_(seller) as ctx:
            invoice = billing.issue_invoice(ctx, order_id)
        if what == "invoiced":
            return
        with self.as_(buyer) as ctx:
            payment = billing.announce_payment(ctx, invoice.total, f"BANK-{buyer}-{what}", invoice_ids=[invoice.id])
        if what == "paid":
            with self.as_(seller) as ctx:
                billing.confirm_payment(ctx, payment.id)
