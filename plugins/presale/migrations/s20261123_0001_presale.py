"""The presale's tables, who may reach them, and the functions that count places and find what is due.

The functions are definers: a buyer takes a place in a seller's offer without being able to write it, and the worker
finds what is due for every enterprise.
"""

from alembic import op

revision = "20261123_0001"
down_revision = None

ME = "(SELECT ts.tenant())"
ROLES = "ts_app, ts_worker, ts_plugin"
TABLES = [
    """CREATE TABLE plugin_presale.offer (
        tenant_id uuid NOT NULL, id uuid NOT NULL, number text NOT NULL, title text NOT NULL, state text NOT NULL,
        currency text NOT NULL, unit text NOT NULL, opens_at timestamptz NOT NULL, closes_at timestamptz NOT NULL,
        balance_opens timestamptz NOT NULL, balance_closes timestamptz NOT NULL, ship_by date NOT NULL,
        min_total numeric(20, 6), max_total numeric(20, 6), taken numeric(20, 6) NOT NULL DEFAULT 0,
        earnest_percent numeric(20, 6) NOT NULL, earnest_kind text NOT NULL, pay_hours integer NOT NULL,
        price_kind text NOT NULL, index_code text, index_from date, index_to date,
        factor numeric(20, 6) NOT NULL DEFAULT 1, premium numeric(20, 6) NOT NULL DEFAULT 0, price_fixed_at timestamptz,
        buyer_may_cut boolean NOT NULL DEFAULT false, cost_cap numeric(20, 6) NOT NULL DEFAULT 0,
        late_rate numeric(20, 6) NOT NULL, late_cap numeric(20, 6) NOT NULL, wait_hours integer NOT NULL,
        note text NOT NULL DEFAULT '', created_by text NOT NULL, created_at timestamptz NOT NULL, ended_at timestamptz,
        retry_at timestamptz,
        CONSTRAINT pk_offer PRIMARY KEY (id),
        CONSTRAINT ck_offer_state CHECK (state IN ('open', 'reached', 'failed', 'withdrawn')),
        CONSTRAINT ck_offer_taken CHECK (taken >= 0)
    )""",
    "CREATE INDEX ix_offer_state ON plugin_presale.offer (state, closes_at)",
    """CREATE TABLE plugin_presale.offer_item (
        tenant_id uuid NOT NULL, id uuid NOT NULL, offer_id uuid NOT NULL REFERENCES plugin_presale.offer (id),
        sku_id uuid NOT NULL, code text NOT NULL, name_zh text NOT NULL, name_en text NOT NULL, spec text NOT NULL,
        unit_price numeric(20, 6) NOT NULL, final_price numeric(20, 6), tax_included boolean NOT NULL,
        vat_rate numeric(20, 6) NOT NULL,
        CONSTRAINT pk_offer_item PRIMARY KEY (id),
        CONSTRAINT uq_offer_item_offer_id_sku_id UNIQUE (offer_id, sku_id),
        CONSTRAINT ck_offer_item_unit_price CHECK (unit_price > 0)
    )""",
    "CREATE INDEX ix_offer_item_sku ON plugin_presale.offer_item (sku_id)",
    """CREATE TABLE plugin_presale.index_value (
        tenant_id uuid NOT NULL, id uuid NOT NULL, code text NOT NULL, day date NOT NULL, value numeric(20, 6) NOT NULL,
        status text NOT NULL, source text NOT NULL, entered_by text NOT NULL, entered_at timestamptz NOT NULL,
        CONSTRAINT pk_index_value PRIMARY KEY (id),
        CONSTRAINT ck_index_value_status CHECK (status IN ('prelim', 'final'))
    )""",
    "CREATE INDEX ix_index_value_day ON plugin_presale.index_value (tenant_id, code, day, id)",
    """CREATE TABLE plugin_presale.reservation (
        buyer_id uuid NOT NULL, seller_id uuid NOT NULL, id uuid NOT NULL,
        offer_id uuid NOT NULL REFERENCES plugin_presale.offer (id),
        item_id uuid NOT NULL REFERENCES plugin_presale.offer_item (id), order_id uuid,
        order_number text NOT NULL DEFAULT '', quantity numeric(20, 6) NOT NULL, unit text NOT NULL,
        currency text NOT NULL, total numeric(20, 4) NOT NULL DEFAULT 0, earnest numeric(20, 4) NOT NULL DEFAULT 0,
        prepay numeric(20, 4) NOT NULL DEFAULT 0, state text NOT NULL, ending text,
        cost numeric(20, 4) NOT NULL DEFAULT 0, pay_by timestamptz NOT NULL, balance_opens timestamptz NOT NULL,
        balance_closes timestamptz NOT NULL, reserved_by text NOT NULL, reserved_at timestamptz NOT NULL,
        ended_at timestamptz, reason text NOT NULL DEFAULT '', to_buyer numeric(20, 4), to_seller numeric(20, 4),
        goods_held boolean NOT NULL DEFAULT false, retry_at timestamptz, late_on date,
        late_first numeric(20, 4) NOT NULL DEFAULT 0, late_days_amount numeric(20, 4) NOT NULL DEFAULT 0,
        late_claimed numeric(20, 4) NOT NULL DEFAULT 0,
        CONSTRAINT pk_reservation PRIMARY KEY (id),
        CONSTRAINT ck_reservation_quantity CHECK (quantity > 0)
    )""",
    "CREATE INDEX ix_reservation_offer ON plugin_presale.reservation (offer_id)",
    "CREATE INDEX ix_reservation_order ON plugin_presale.reservation (order_id)",
    "CREATE INDEX ix_reservation_buyer ON plugin_presale.reservation (buyer_id, id DESC)",
    "CREATE INDEX ix_reservation_seller ON plugin_presale.reservation (seller_id, id DESC)",
    "CREATE INDEX ix_reservation_due ON plugin_presale.reservation (state, pay_by)",
    """CREATE TABLE plugin_presale.waiting (
        buyer_id uuid NOT NULL, seller_id uuid NOT NULL, id uuid NOT NULL,
        offer_id uuid NOT NULL REFERENCES plugin_presale.offer (id),
        item_id uuid NOT NULL REFERENCES plugin_presale.offer_item (id), quantity numeric(20, 6) NOT NULL,
        state text NOT NULL, until timestamptz, asked_at timestamptz NOT NULL,
        CONSTRAINT pk_waiting PRIMARY KEY (id),
        CONSTRAINT ck_waiting_state CHECK (state IN ('waiting', 'offered', 'taken', 'lapsed', 'withdrawn')),
        CONSTRAINT ck_waiting_quantity CHECK (quantity > 0)
    )""",
    "CREATE INDEX ix_waiting_offer ON plugin_presale.waiting (offer_id, state)",
    """CREATE TABLE plugin_presale.plea (
        buyer_id uuid NOT NULL, seller_id uuid NOT NULL, id uuid NOT NULL,
        reservation_id uuid NOT NULL REFERENCES plugin_presale.reservation (id), kind text NOT NULL, side text NOT NULL,
        quantity numeric(20, 6), force_majeure boolean NOT NULL DEFAULT false, file_id uuid, reason text NOT NULL,
        state text NOT NULL, asked_by text NOT NULL, asked_at timestamptz NOT NULL, answered_by text,
        answered_at timestamptz,
        CONSTRAINT pk_plea PRIMARY KEY (id),
        CONSTRAINT ck_plea_kind CHECK (kind IN ('cut', 'release', 'leave')),
        CONSTRAINT ck_plea_state CHECK (state IN ('open', 'agreed', 'refused', 'withdrawn'))
    )""",
    "CREATE INDEX ix_plea_reservation ON plugin_presale.plea (reservation_id)",
    "CREATE UNIQUE INDEX uq_plea_open ON plugin_presale.plea (reservation_id) WHERE state = 'open'",
]
PUBLISHED = {"offer": "SELECT, INSERT, UPDATE", "offer_item": "SELECT, INSERT, UPDATE", "index_value": "SELECT, INSERT"}
SHARED = {name: "SELECT, INSERT, UPDATE" for name in ("reservation", "waiting", "plea")}
FUNCTIONS = [
    """CREATE FUNCTION plugin_presale.take(p_offer uuid, p_quantity numeric) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    DECLARE
      o record;
      moment timestamptz;
    BEGIN
      SELECT * INTO o FROM plugin_presale.offer WHERE id = p_offer FOR UPDATE;
      moment := ts.clock();
      IF o.id IS NULL OR ts.tenant() IS NULL OR p_quantity <= 0 THEN RETURN 'missing'; END IF;
      IF o.state <> 'open' OR moment >= o.closes_at THEN RETURN 'over'; END IF;
      IF moment < o.opens_at THEN RETURN 'early'; END IF;
      IF o.max_total IS NOT NULL AND o.taken + p_quantity > o.max_total THEN RETURN 'full'; END IF;
      UPDATE plugin_presale.offer SET taken = taken + p_quantity WHERE id = p_offer;
      RETURN 'ok';
    END $$""",
    """CREATE FUNCTION plugin_presale.recount(p_offer uuid) RETURNS numeric
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    DECLARE
      held numeric;
    BEGIN
      PERFORM 1 FROM plugin_presale.offer WHERE id = p_offer FOR UPDATE;
      SELECT coalesce((SELECT sum(quantity) FROM plugin_presale.reservation
                       WHERE offer_id = p_offer AND state IN ('reserved', 'earnest_paid', 'balance_due', 'paid')), 0)
           + coalesce((SELECT sum(quantity) FROM plugin_presale.waiting
                       WHERE offer_id = p_offer AND state = 'offered'), 0) INTO held;
      UPDATE plugin_presale.offer SET taken = held WHERE id = p_offer AND taken <> held;
      RETURN held;
    END $$""",
    """CREATE FUNCTION plugin_presale.due(p_batch integer)
    RETURNS TABLE (kind text, id uuid, tenant_id uuid)
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
      WITH clock AS MATERIALIZED (SELECT ts.clock() AS now)
      SELECT d.kind, d.id, d.tenant_id FROM clock c CROSS JOIN LATERAL (
        SELECT 'unpaid' AS kind, r.id, r.seller_id AS tenant_id, r.pay_by AS at FROM plugin_presale.reservation r
          WHERE r.state = 'reserved' AND greatest(r.pay_by, r.retry_at) <= c.now
        UNION ALL
        SELECT 'window', o.id, o.tenant_id, o.closes_at FROM plugin_presale.offer o
          WHERE o.state = 'open' AND greatest(o.closes_at, o.retry_at) <= c.now
        UNION ALL
        SELECT 'open', r.id, r.seller_id, r.balance_opens FROM plugin_presale.reservation r
          JOIN plugin_presale.offer o ON o.id = r.offer_id AND o.state = 'reached'
          WHERE r.state = 'earnest_paid' AND r.balance_closes > c.now AND greatest(r.balance_opens, r.retry_at) <= c.now
        UNION ALL
        SELECT 'close', r.id, r.seller_id, r.balance_closes FROM plugin_presale.reservation r
          WHERE r.state IN ('earnest_paid', 'balance_due') AND greatest(r.balance_closes, r.retry_at) <= c.now
        UNION ALL
        SELECT 'goods', r.id, r.seller_id, r.reserved_at FROM plugin_presale.reservation r
          WHERE r.state = 'paid' AND NOT r.goods_held AND coalesce(r.retry_at, '-infinity') <= c.now
        UNION ALL
        SELECT 'late', r.id, r.seller_id, o.ship_by::timestamptz FROM plugin_presale.reservation r
          JOIN plugin_presale.offer o ON o.id = r.offer_id
          WHERE r.state = 'paid' AND coalesce(r.late_on, o.ship_by) < (c.now - interval '2 days')::date
        UNION ALL
        SELECT 'lapse', w.id, w.seller_id, w.until FROM plugin_presale.waiting w
          WHERE w.state = 'offered' AND w.until <= c.now
        UNION ALL
        SELECT 'places', o.id, o.tenant_id, min(w.asked_at) FROM plugin_presale.waiting w
          JOIN plugin_presale.offer o ON o.id = w.offer_id AND o.state IN ('open', 'reached')
          WHERE w.state = 'waiting' AND o.balance_closes > c.now AND coalesce(o.retry_at, '-infinity') <= c.now
            AND NOT EXISTS (SELECT 1 FROM plugin_presale.waiting e
                            WHERE e.offer_id = w.offer_id AND e.state = 'waiting' AND e.id < w.id)
            AND (o.max_total IS NULL OR o.taken + w.quantity <= o.max_total)
          GROUP BY o.id, o.tenant_id
      ) d ORDER BY d.at, d.id LIMIT p_batch
    $$""",
    """REVOKE ALL ON FUNCTION plugin_presale.take(uuid, numeric), plugin_presale.recount(uuid),
        plugin_presale.due(integer) FROM PUBLIC""",
    f"GRANT EXECUTE ON FUNCTION plugin_presale.take(uuid, numeric), plugin_presale.recount(uuid) TO {ROLES}",
    "GRANT EXECUTE ON FUNCTION plugin_presale.due(integer) TO ts_app, ts_worker",
]


def secure(name: str, grants: str, reads: str, writes: str) -> list[str]:
    table = f"plugin_presale.{name}"
    lines = [
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
        f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
        f"GRANT {grants} ON {table} TO {ROLES}",
        f"CREATE POLICY owner_all ON {table} TO CURRENT_ROLE USING (true) WITH CHECK (true)",
        f"CREATE POLICY own_read ON {table} FOR SELECT TO {ROLES} USING ({reads})",
        f"CREATE POLICY own_insert ON {table} FOR INSERT TO {ROLES} WITH CHECK ({writes})",
    ]
    if "UPDATE" in grants:
        lines.append(f"CREATE POLICY own_update ON {table} FOR UPDATE TO {ROLES} USING ({writes}) WITH CHECK ({writes})")
    return lines


def upgrade() -> None:
    op.execute("GRANT USAGE ON SCHEMA plugin_presale TO ts_app, ts_worker, ts_plugin")
    for statement in TABLES:
        op.execute(statement)
    for name, grants in PUBLISHED.items():
        for statement in secure(name, grants, f"{ME} IS NOT NULL", f"tenant_id = {ME}"):
            op.execute(statement)
    for name, grants in SHARED.items():
        mine = f"buyer_id = {ME} OR seller_id = {ME}"
        for statement in secure(name, grants, mine, mine):
            op.execute(statement)
    for statement in FUNCTIONS:
        op.execute(statement)
