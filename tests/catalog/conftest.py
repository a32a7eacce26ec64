"""A seller with goods and a buyer who knows them: rolled back for verbs, committed for pages and keys."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from core import catalog, identity, stock, tenancy
from core.catalog.wiring import wire
from core.db import Database, Unit
from core.kernel import Context
from tests.app.installation import app_over
from tests.catalog.portal import PASSWORD
from tests.conftest import OTHER, TENANT, Server, make_unit

D = Decimal

SELLER_CODE, BUYER_CODE = "91350100M000100Y43", "91310000MA1FL4XY7W"


@pytest.fixture
def selling(make_ctx: Callable[..., Context], tenant: UUID) -> Context:
    """The seller's side of one transaction; `as_tenant` crosses to the buyer in it."""
    ctx = make_ctx(tenant)
    tenancy.register_enterprise(ctx, name="江南钢材有限公司", uscc=SELLER_CODE, kind="trader")
    return ctx


@pytest.fixture
def buyer(selling: Context, other_tenant: UUID) -> UUID:
    with selling.as_tenant(other_tenant, "buyer") as ctx:
        tenancy.register_enterprise(ctx, name="北方机械有限公司", uscc=BUYER_CODE, kind="manufacturer")
    return other_tenant


@pytest.fixture
def shelves(selling: Context) -> None:
    catalog.add_category(selling, "bearing", "轴承", "Bearings")
    rules = (
        catalog.AttributeRule("bore", "内径", "Bore", "number", "mm", (), True),
        catalog.AttributeRule("seal", "密封", "Seal", "enum", None, ("open", "2RS", "ZZ"), False),
        catalog.AttributeRule("cage", "保持架", "Cage", "text", None, (), False),
    )
    catalog.add_category(selling, "ball", "深沟球轴承", "Deep groove ball bearings", "bearing", rules)


def _bearing(code: str = "6205-2RS1", **changes: object) -> catalog.ProductRow:
    row: dict[str, object] = {
        "code": code,
        "name_zh": "深沟球轴承",
        "name_en": "Deep groove ball bearing",
        "category": "bearing/ball",
        "spec": "25×52×15",
        "base_uom": "pcs",
        "weight_kg": Decimal("0.128"),
        "attributes": {"bore": Decimal("25"), "seal": "2RS"},
    }
    return catalog.ProductRow(**(row | changes))  # type: ignore[arg-type]


def _steel(code: str = "HRB400E-12", **changes: object) -> catalog.ProductRow:
    row: dict[str, object] = {
        "code": code,
        "name_zh": "热轧带肋钢筋",
        "name_en": "Ribbed bar",
        "spec": "Φ12×12m",
        "base_uom": "t",
        "weight_kg": Decimal(1000),
    }
    return catalog.ProductRow(**(row | changes))  # type: ignore[arg-type]


@pytest.fixture
def sku(selling: Context, shelves: None) -> UUID:
    """A listed bearing without a price."""
    product = catalog.add_product(selling, _bearing())
    catalog.publish_products(selling, [product.id])
    return product.id


Row = Callable[..., catalog.ProductRow]


@pytest.fixture
def later(selling: Context) -> Callable[[str], None]:
    """Let the database's clock run ahead inside the transaction: later("10 minutes")."""

    def shift(by: str) -> None:
        selling.session.execute(text("SELECT set_config('ts.clock_shift', :by, true)"), {"by": by})

    return shift


@pytest.fixture
def bearing() -> Row:
    return _bearing


@pytest.fixture
def steel() -> Row:
    return _steel


@pytest.fixture
def price(selling: Context) -> Callable[..., catalog.PriceList]:
    """Open a list and give one product its tiers: price(sku, {1: "100", 10: "95"}, audience="group",
    group="A").
    """

    def set_tiers(
        sku_id: UUID, tiers: dict[str | int, str], name: str = "", **terms: object
    ) -> catalog.PriceList:
        label = name or f"{terms.get('audience', 'public')} {len(catalog.price_lists(selling))}"
        opened = catalog.open_price_list(selling, label, **terms)  # type: ignore[arg-type]
        rows = [catalog.NewPrice(sku_id, Decimal(least), Decimal(value)) for least, value in tiers.items()]
        catalog.set_prices(selling, opened.id, rows)
        return opened

    return set_tiers


@pytest.fixture
def app(fresh_db: Database, server: Server, tmp_path: Path) -> Iterator[Flask]:
    with app_over(server, fresh_db.name, tmp_path) as made:  # type: ignore[attr-defined]
        yield made


@pytest.fixture
def goods(unit: Unit) -> dict[str, UUID]:
    """A seller with 60 listed bearings in stock, and a buyer with a price of its own for one."""
    for tenant_id, name, uscc in (
        (TENANT, "江南轴承有限公司", "91350100M000100Y43"),
        (OTHER, "北方机械有限公司", "91310000MA1FL4XY7W"),
    ):
        with unit.system(tenant_id, "seed") as ctx:
            tenancy.register_enterprise(ctx, name=name, uscc=uscc, kind="trader")
    with unit.system(TENANT, "seed") as ctx:
        rule = catalog.AttributeRule("bore", "内径", "Bore", "number", "mm", (), False)
        catalog.add_category(ctx, "bearing", "轴承", "Bearings", "", [rule])
        rows = [
            catalog.ProductRow(
                f"62{n:02}", "深沟球轴承", "Ball bearing", "bearing", f"{n}", attributes={"bore": str(n + 1)}
            )
            for n in range(60)
        ]
        ids = catalog.upsert_products(ctx, rows).ids
        catalog.publish_products(ctx, ids.values())
        prices = [catalog.NewPrice(sku, D(1), D(100)) for sku in ids.values()]
        prices += [catalog.NewPrice(sku, D(10), D(95)) for sku in ids.values()]
        catalog.set_prices(ctx, catalog.public_list(ctx).id, prices)
        own = catalog.open_price_list(ctx, "北方", "tenant", customer_id=OTHER)
        catalog.set_prices(ctx, own.id, [catalog.NewPrice(ids["6200"], D(1), D(88))])
        store = stock.add_warehouse(ctx, "A", "宝山一库").id
        stock.receive_stock(ctx, [stock.Incoming(sku, store, D(40)) for sku in ids.values()])
    return ids


@pytest.fixture
def signed_in(app: Flask, unit: Unit, fresh_db: Database, goods: dict[str, UUID]) -> Any:
    """signed_in(tenant, role) -> a browser of a person who holds the role."""
    serial = iter(range(100))

    def enter(tenant_id: UUID, *roles: str, language: str = "en") -> FlaskClient:
        email = f"p{next(serial)}@acme.example"
        with unit.system(tenant_id, "test") as ctx:
            identity.add_person(ctx, name="Li", email=email, password=PASSWORD, roles=roles, locale="en")
        with fresh_db.session() as session:
            token = identity.sign_in(session, email, PASSWORD, remote="127.0.0.1", agent="test").token
            session.commit()
        client = app.test_client()
        client.set_cookie("ts_session", token)
        client.set_cookie("ts_lang", language)
        return client

    return enter


@pytest.fixture
def call(app: Flask, unit: Unit, goods: dict[str, UUID]) -> Any:
    """call(method, path, body) -> the answer of the API to the seller's administrator."""
    with unit.system(TENANT, "test") as ctx:
        identity.add_person(
            ctx, name="Bot", email="bot@acme.example", password=PASSWORD, roles=("admin",), locale="en"
        )
    client = app.test_client()
    signing = {"login": "bot@acme.example", "password": PASSWORD}
    token = client.post("/api/v1/session", json=signing).get_json()["token"]
    serial = iter(range(100))

    def ask(method: str, path: str, body: Any = None, **headers: str) -> Any:
        sent = {"Authorization": f"Bearer {token}", "Idempotency-Key": f"k{next(serial)}"} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        return client.open(f"/api/v1{path}", method=method, json=body, headers=sent)

    return ask


@pytest.fixture
def worker(worker_db: Database) -> Unit:
    """The worker's way into the same database."""
    wire()
    return make_unit(worker_db)
