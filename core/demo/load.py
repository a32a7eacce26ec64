"""Puts the demo's world into a database through the same verbs that people use: enterprises, people, goods, stock, terms.

The same loader fills a database for measurements: `load_goods(..., factor=10)`.
"""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from decimal import Decimal
from itertools import islice
from typing import Any
from uuid import UUID

from core import catalog, identity, stock, tenancy
from core.db import Unit
from core.demo.enterprises import Enterprise, Person, Place, enterprises, operator
from core.demo.goods import Category, Sku, catalogue, scaled
from core.kernel import Context, uuid7

PASSWORD = "tongshang-demo-2026"
SECOND_FACTOR = "TONGSHANGDEMOTONGSHANGDEMO234567"
"""The secret in the authenticators of the demo's administrators. Known to all the world: for invented people only."""
CREDIT = Decimal("5000000.00")
THRESHOLD = Decimal("200000.00")
BATCH = 500
PAST = timedelta(days=400)  # how far back past orders find prices
FURTHER = {"lianhang": ("hengke", "zhuda"), "yongtai": ("hengke", "zhuda")}


def load_enterprises(unit: Unit, *, second_factor: bool = False) -> dict[str, UUID]:
    """The operator and the four that trade, with people, addresses, invoice details; ids by key.

    With `second_factor` those who administer and nothing else sign in with codes of `SECOND_FACTOR`.
    """
    ids: dict[str, UUID] = {}
    for each in (operator(), *enterprises()):
        ids[each.key] = uuid7()
        with unit.system(ids[each.key], "seed") as ctx:
            _enter(ctx, each, second_factor)
    with unit.system(ids["operator"], "seed") as ctx:
        for key, tenant_id in ids.items():
            if key != "operator":
                tenancy.verify_enterprise(ctx, tenant_id)
    _terms(unit, ids)
    return ids


def _enter(ctx: Context, each: Enterprise, second_factor: bool) -> None:
    tenancy.register_enterprise(
        ctx, name=each.name_zh, name_en=each.name_en, short_name=each.short_zh, uscc=each.uscc, kind=each.kind
    )
    for person in each.people:
        identity.add_person(
            ctx,
            name=person.name_zh,
            email=person.email,
            password=PASSWORD,
            roles=person.roles,
            totp_secret=SECOND_FACTOR if second_factor and administers(person) else None,
        )
    tenancy.save_address(ctx, **_address(each.address, "公司地址", default=True))
    for house in each.warehouses:
        tenancy.save_address(ctx, **_address(house.place, house.name_zh))
        if each.families:
            stock.add_warehouse(ctx, house.code, house.name_zh, _one_line(house.place))
    account = each.invoice
    tenancy.set_invoice_details(
        ctx, title=account.title, registered_address=account.registered_address, phone=account.phone,
        bank=account.bank, bank_code=account.bank_code, account=account.account,
    )  # fmt: skip
    if each.kind == "manufacturer":
        tenancy.set_trade_settings(ctx, approval_threshold=THRESHOLD)


def administers(person: Person) -> bool:
    """Whether all somebody does is to look after an enterprise or the platform."""
    return set(person.roles) <= {"admin", "operator.admin", "operator.risk"}


def _address(place: Place, label: str, *, default: bool = False) -> dict[str, Any]:
    return {
        "label": label, "contact": place.contact, "phone": place.phone, "province": place.province, "city": place.city,
        "district": place.district, "street": place.street, "is_default": default,
    }  # fmt: skip


def _one_line(place: Place) -> str:
    town = "" if place.city == place.province else place.city
    return f"{place.province}{town}{place.district}{place.street}"


def _terms(unit: Unit, ids: Mapping[str, UUID]) -> None:
    """Who trusts whom with how much, and which plugins each switched on."""
    for seller, buyers in FURTHER.items():
        with unit.system(ids[seller], "seed") as ctx:
            for number, buyer in enumerate(buyers, start=1):
                tenancy.set_partner(
                    ctx,
                    ids[buyer],
                    code=f"CUST{number:04d}",
                    terms_days=30,
                    price_group="A",
                    credit_limit=CREDIT,
                )
    for key in ("lianhang", "yongtai", "hengke", "zhuda"):
        with unit.system(ids[key], "seed") as ctx:
            for plugin in ("spot", "presale", "rfq"):
                switch_on(ctx, plugin)


def switch_on(ctx: Context, plugin: str) -> None:
    """Enable an installed plugin for ctx's enterprise with its default settings."""
    from core.host import discover

    found = dict(discover())[plugin]
    tenancy.enable_plugin(ctx, plugin, version=getattr(found, "version", "") or "0.1.0")


def load_goods(unit: Unit, ids: Mapping[str, UUID], *, seed: int = 7, factor: int = 1) -> int:
    """Categories, products with prices, listings and opening stock of every seller. Answers the number of products."""
    source = catalogue(seed)
    family_of = {sku.code: name for name in source.families for sku in source.family(name)}
    loaded = 0
    for seller in enterprises():
        if not seller.families:
            continue
        with unit.system(ids[seller.key], "seed") as ctx:
            _categories(ctx, source.categories)
            house = {warehouse.code: warehouse.id for warehouse in stock.warehouses(ctx)}
            since = ctx.now - PAST
            public = catalog.open_price_list(ctx, "公开价目", "public", valid_from=since)
            own = catalog.open_price_list(ctx, "协议客户 A", "group", group="A", valid_from=since)
        mine = (
            sku for sku in scaled(source, factor) if family_of[sku.code.partition(".M")[0]] in seller.families
        )
        for batch in batches(mine):
            with unit.system(ids[seller.key], "seed") as ctx:
                _products(ctx, batch, source, public.id, own.id, list(house.values()))
            loaded += len(batch)
    return loaded


def batches(skus: Iterable[Sku]) -> Iterable[tuple[Sku, ...]]:
    source = iter(skus)
    while batch := tuple(islice(source, BATCH)):
        yield batch


def _categories(ctx: Context, categories: Iterable[Category]) -> None:
    paths: dict[str, str] = {"": ""}
    for each in categories:
        rules = [
            catalog.AttributeRule(
                a.key, a.name_zh, a.name_en, a.type, a.unit or None, a.choices, required=False
            )
            for a in each.attributes
        ]
        catalog.add_category(ctx, each.key, each.name_zh, each.name_en, paths[each.parent], rules)
        paths[each.key] = f"{paths[each.parent]}/{each.key}" if paths[each.parent] else each.key


def _products(
    ctx: Context, skus: tuple[Sku, ...], source: Any, public: UUID, own: UUID, houses: list[UUID]
) -> None:
    rows = [
        catalog.ProductRow(
            code=sku.code, name_zh=sku.name_zh, name_en=sku.name_en, category=source.path(sku.category), spec=sku.spec,
            base_uom=sku.base_uom, tax_class=sku.tax_class, weight_kg=sku.weight_kg, attributes=sku.attributes,
            part_no=sku.part_no, words=tuple(sku.search_words),
            conversions=tuple(catalog.Conversion(c.uom, c.factor, c.kind) for c in sku.conversions),
        )
        for sku in skus
    ]  # fmt: skip
    landed = catalog.upsert_products(ctx, rows)
    if landed.issues:
        raise ValueError(f"the demo's own goods were refused: {landed.issues[:3]}")
    ids = landed.ids
    catalog.set_prices(
        ctx,
        public,
        [catalog.NewPrice(ids[sku.code], quantity, price) for sku in skus for quantity, price in sku.tiers],
    )
    cheaper = [sku for index, sku in enumerate(skus) if index % 4 == 0]
    catalog.set_prices(
        ctx,
        own,
        [
            catalog.NewPrice(ids[s.code], Decimal(1), (s.price * Decimal("0.97")).quantize(Decimal("0.01")))
            for s in cheaper
        ],
    )
    catalog.publish_products(ctx, list(ids.values()))
    stock.receive_stock(
        ctx,
        [
            stock.Incoming(ids[sku.code], houses[index % len(houses)], sku.on_hand, lot_no="OPEN")
            for index, sku in enumerate(skus)
            if sku.on_hand > 0
        ],
        kind="receipt",
        reason="opening stock",
    )
