"""What is measured on: eight sellers with the same two hundred articles each, eight buyers, keys, and plenty of stock."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from core import catalog, identity, stock, tenancy
from core.app import Installation
from core.config import Config
from core.db import Database
from core.demo.enterprises import credit_code
from core.demo.goods import catalogue
from core.demo.load import switch_on
from core.kernel import uuid7

PAIRS = 8
ARTICLES = 200


@dataclass(frozen=True)
class Seller:
    id: UUID
    skus: list[UUID]
    warehouse: UUID


@dataclass(frozen=True)
class Buyer:
    id: UUID
    person: UUID
    key: str
    key_id: UUID


@dataclass(frozen=True)
class World:
    sellers: list[Seller]
    buyers: list[Buyer]


@contextmanager
def built(config: Config) -> Iterator[World]:
    """Fill the database through the verbs, and let go of it again."""
    house = Installation(config, Database(config.url("app"), pool_size=2))
    try:
        yield World(
            [_seller(house, number) for number in range(PAIRS)],
            [_buyer(house, number) for number in range(PAIRS)],
        )
    finally:
        house.database.dispose()


def _enterprise(house: Installation, number: int, kind: str) -> UUID:
    tenant = uuid7()
    letter = "T" if kind == "trader" else "B"
    with house.unit.system(tenant, "bench") as ctx:
        tenancy.register_enterprise(
            ctx,
            name=f"{letter}{number} 测试企业",
            name_en=f"{letter}{number} Ltd.",
            uscc=credit_code("310113", f"MABENC{letter}{number}"),
            kind=kind,
        )
        switch_on(ctx, "spot")
    return tenant


def _seller(house: Installation, number: int) -> Seller:
    tenant = _enterprise(house, number, "trader")
    goods = list(catalogue().family("bearings"))[:ARTICLES]
    with house.unit.system(tenant, "bench") as ctx:
        place = stock.add_warehouse(ctx, "W1", "一号库")
        rows = [
            catalog.ProductRow(code=sku.code, name_zh=sku.name_zh, name_en=sku.name_en, base_uom=sku.base_uom)
            for sku in goods
        ]
        ids = catalog.upsert_products(ctx, rows).ids
        public = catalog.public_list(ctx)
        catalog.set_prices(
            ctx, public.id, [catalog.NewPrice(ids[sku.code], Decimal(1), sku.price) for sku in goods]
        )
        catalog.publish_products(ctx, list(ids.values()))
        plenty = [stock.Incoming(sku, place.id, Decimal(10_000_000)) for sku in ids.values()]
        stock.receive_stock(ctx, plenty, reason="bench")
        return Seller(tenant, list(ids.values()), place.id)


def _buyer(house: Installation, number: int) -> Buyer:
    tenant = _enterprise(house, number, "manufacturer")
    with house.unit.system(tenant, "bench") as ctx:
        person = identity.add_person(
            ctx,
            name=f"B{number}",
            email=f"b{number}@bench.example.com",
            password="bench-password-2026",
            roles=("admin",),
        )
        scopes = ["order.view", "order.submit", "order.draft"]
        made = identity.create_api_key(ctx, "bench", scopes, created_by=person)
        return Buyer(tenant, person, made.token, made.id)
