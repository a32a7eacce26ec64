"""The cart: its table, who may reach it, and the policies that keep it to its enterprise."""

from alembic import op

revision = "20261123_0001"
down_revision = None

MINE = "tenant_id = (SELECT ts.tenant())"
STATEMENTS = [
    "GRANT USAGE ON SCHEMA plugin_spot TO ts_app, ts_worker, ts_plugin",
    """CREATE TABLE plugin_spot.cart_item (
        tenant_id uuid NOT NULL,
        id uuid NOT NULL,
        owner_id uuid NOT NULL,
        sku_id uuid NOT NULL,
        seller_id uuid NOT NULL,
        code text NOT NULL,
        name_zh text NOT NULL,
        name_en text NOT NULL,
        spec text NOT NULL,
        quantity numeric(20, 6) NOT NULL,
        unit text NOT NULL,
        added_at timestamptz NOT NULL,
        order_id uuid,
        CONSTRAINT pk_cart_item PRIMARY KEY (id),
        CONSTRAINT ck_cart_item_quantity CHECK (quantity > 0)
    )""",
    """CREATE UNIQUE INDEX uq_cart_item_product ON plugin_spot.cart_item (tenant_id, owner_id, sku_id)
        WHERE order_id IS NULL""",
    "CREATE INDEX ix_cart_item_order ON plugin_spot.cart_item (tenant_id, order_id) WHERE order_id IS NOT NULL",
    "ALTER TABLE plugin_spot.cart_item ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE plugin_spot.cart_item FORCE ROW LEVEL SECURITY",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON plugin_spot.cart_item TO ts_app, ts_worker, ts_plugin",
    "CREATE POLICY owner_all ON plugin_spot.cart_item TO ts_owner USING (true) WITH CHECK (true)",
    f"""CREATE POLICY tenant_all ON plugin_spot.cart_item TO ts_app, ts_worker, ts_plugin
        USING ({MINE}) WITH CHECK ({MINE})""",
]


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
