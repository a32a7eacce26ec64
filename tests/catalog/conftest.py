"""A seller with goods and a buyer who knows them, all rolled back after each test."""

from collections.abc import Callable
from decimal import Decimal
from uuid import UUID

import pytest
from sqlalchemy import text

from core import catalog, tenancy
from core.kernel import Context

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
