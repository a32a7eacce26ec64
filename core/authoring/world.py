"""The world in which an author looks at a plugin: the demo's enterprises with a few goods, and the plugin switched on."""

import json
from uuid import UUID

from core import catalog, stock, tenancy
from core.app import Installation
from core.config import Config
from core.db import Database
from core.demo.enterprises import enterprises
from core.demo.goods import catalogue
from core.demo.load import PASSWORD, load_enterprises

BUYER, SELLER = "hengke", "lianhang"
SHELF = 12
"""Goods of the seller: the one whose login an author gets, so that every order can be answered."""
MARK = "author-world.json"


def settle(config: Config) -> int:
    """Enter the enterprises and their goods, once. Answers how many goods there are now, 0 when it was done before."""
    note = config.data / MARK
    if note.exists():
        return 0
    house = Installation(config, Database(config.url("app"), pool_size=2), safe_mode=True)
    count = 0
    try:
        ids = load_enterprises(house.unit)
        source = catalogue()
        for each in enterprises():
            if each.key != SELLER:
                continue
            shelf = list(source.family(each.families[0]))[:SHELF]
            with house.unit.system(ids[each.key], "seed") as ctx:
                place = stock.warehouses(ctx)[0].id
                rows = [
                    catalog.ProductRow(
                        code=sku.code,
                        name_zh=sku.name_zh,
                        name_en=sku.name_en,
                        base_uom=sku.base_uom,
                        spec=sku.spec,
                    )
                    for sku in shelf
                ]
                made = catalog.upsert_products(ctx, rows).ids
                prices = [catalog.NewPrice(made[sku.code], sku.tiers[0][0], sku.price) for sku in shelf]
                catalog.set_prices(ctx, catalog.public_list(ctx).id, prices)
                catalog.publish_products(ctx, list(made.values()))
                incoming = [
                    stock.Incoming(made[sku.code], place, sku.on_hand or prices[0].min_qty, "OPEN")
                    for sku in shelf
                ]
                stock.receive_stock(ctx, incoming, kind="receipt", reason="opening stock")
            count += len(shelf)
        note.write_text(json.dumps({key: str(value) for key, value in ids.items()}), "utf-8")
    finally:
        house.database.dispose()
    return count


def switch_on(house: Installation, config: Config, plugin: str) -> None:
    """Enable a plugin for every enterprise that never chose."""
    ids = json.loads((config.data / MARK).read_text("utf-8"))
    version = house.host.loaded[plugin].manifest.version
    for key, value in ids.items():
        with house.unit.system(UUID(value), key) as ctx:
            if plugin not in tenancy.plugin_states(ctx, ctx.tenant_id):
                tenancy.enable_plugin(ctx, plugin, version=version)


def logins() -> list[dict[str, str]]:
    """One who buys and one who sells."""
    people = {each.key: each for each in enterprises()}
    chosen = (
        ("buyer", people[BUYER].person("buyer.clerk")),
        ("seller", people[SELLER].person("seller.sales")),
    )
    return [{"role": role, "login": person.email, "password": PASSWORD} for role, person in chosen]
