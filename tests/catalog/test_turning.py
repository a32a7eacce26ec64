"""Price lists that begin and end by themselves, and the invariants of the catalogue."""

from datetime import timedelta
from decimal import Decimal

from sqlalchemy import text

from core import catalog, tenancy
from core.catalog.duties import turn_price_lists
from core.catalog.invariants import CHECKS
from core.db import Database, Unit

D = Decimal


def test_a_listing_follows_lists_that_begin_and_end(unit: Unit, worker_db: Database, tenant) -> None:
    with unit.system(tenant, "seed") as ctx:
        tenancy.register_enterprise(ctx, name="江南钢材", uscc="91350100M000100Y43", kind="trader")
        sku = catalog.add_product(ctx, catalog.ProductRow("A", "甲")).id
        catalog.publish_products(ctx, [sku])
        soon = ctx.now + timedelta(hours=1)
        now = catalog.open_price_list(ctx, "now", valid_to=soon)
        then = catalog.open_price_list(ctx, "then", valid_from=soon)
        catalog.set_prices(ctx, now.id, [catalog.NewPrice(sku, D(1), D(10))])
        catalog.set_prices(ctx, then.id, [catalog.NewPrice(sku, D(1), D(12))])
    with unit.system(tenant, "look") as ctx:
        assert catalog.listing_row(ctx, sku).public_price == D(10)
    with worker_db.session() as session:
        assert turn_price_lists(session) == 0
        session.execute(text("SELECT set_config('ts.clock_shift', '61 minutes', true)"))
        assert turn_price_lists(session) == 2
        session.commit()
    with unit.system(tenant, "look") as ctx:
        assert catalog.listing_row(ctx, sku).public_price == D(12)


def test_the_checks_run_and_find_what_is_broken(unit: Unit, server, tenant) -> None:
    from sqlalchemy import create_engine
    from sqlalchemy.pool import NullPool

    with unit.system(tenant, "seed") as ctx:
        tenancy.register_enterprise(ctx, name="江南钢材", uscc="91350100M000100Y43", kind="trader")
        sku = catalog.add_product(ctx, catalog.ProductRow("A", "甲")).id
        catalog.publish_products(ctx, [sku])
        catalog.set_prices(ctx, catalog.public_list(ctx).id, [catalog.NewPrice(sku, D(1), D(10))])
    engine = create_engine(server.url_for("ts_migrator", unit.database.name), poolclass=NullPool)
    with engine.connect() as connection:
        assert [connection.execute(text(sql)).all() for _id, _says, sql in CHECKS] == [[], []]
        connection.execute(text("UPDATE ts.listing SET name_zh = '乙', public_price = 1"))
        assert [len(connection.execute(text(sql)).all()) for _id, _says, sql in CHECKS] == [1, 1]
    engine.dispose()
