"""Stock and usage, for both parties of a row and for nobody else."""

from alembic import op

revision = "0001"
down_revision = None

ROLES = "ts_app, ts_worker, ts_plugin"
ME = "(SELECT ts.tenant())"
MINE = f"buyer_id = {ME} OR seller_id = {ME}"
TABLES = [
    """CREATE TABLE plugin_consignment.consignment_stock (
        buyer_id uuid NOT NULL, seller_id uuid NOT NULL, id uuid NOT NULL, sku_id uuid NOT NULL, code text NOT NULL,
        name_zh text NOT NULL, name_en text NOT NULL, unit text NOT NULL, unit_price numeric(20, 6) NOT NULL,
        vat_rate numeric(20, 6) NOT NULL, laid numeric(20, 6) NOT NULL, "left" numeric(20, 6) NOT NULL,
        laid_by text NOT NULL, laid_at timestamptz NOT NULL,
        CONSTRAINT pk_consignment_stock PRIMARY KEY (id),
        CONSTRAINT ck_consignment_stock_left CHECK ("left" >= 0 AND "left" <= laid)
    )""",
    """CREATE TABLE plugin_consignment.usage_report (
        buyer_id uuid NOT NULL, seller_id uuid NOT NULL, id uuid NOT NULL,
        stock_id uuid NOT NULL REFERENCES plugin_consignment.consignment_stock (id), quantity numeric(20, 6) NOT NULL,
        order_id uuid, order_number text NOT NULL, reported_by text NOT NULL, reported_at timestamptz NOT NULL,
        settled_at timestamptz,
        CONSTRAINT pk_usage_report PRIMARY KEY (id),
        CONSTRAINT ck_usage_report_quantity CHECK (quantity > 0)
    )""",
    "CREATE INDEX ix_usage_report_order ON plugin_consignment.usage_report (order_id)",
]


def upgrade() -> None:
    op.execute(f"GRANT USAGE ON SCHEMA plugin_consignment TO {ROLES}")
    for statement in TABLES:
        op.execute(statement)
    for name in ("consignment_stock", "usage_report"):
        table = f"plugin_consignment.{name}"
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"GRANT SELECT, INSERT, UPDATE ON {table} TO {ROLES}")
        op.execute(f"CREATE POLICY both_sides ON {table} TO {ROLES} USING ({MINE}) WITH CHECK ({MINE})")
