"""What must always be true of stock: (id, sentence, SQL that returns the rows breaking it)."""

CHECKS: list[tuple[str, str, str]] = [
    (
        "I2.bounds",
        "Nothing is promised beyond what lies there",
        """SELECT tenant_id, product_id, warehouse_id, on_hand, hard, soft FROM ts.stock_level
           WHERE on_hand < 0 OR hard < 0 OR soft < 0 OR hard + soft > on_hand""",
    ),
    (
        "I2.promises",
        "A level's promises are the sum of its open reservations",
        """SELECT l.tenant_id, l.product_id, l.warehouse_id, l.hard, l.soft, r.hard AS reserved_hard, r.soft
        AS reserved_soft
           FROM ts.stock_level l CROSS JOIN LATERAL (
             SELECT coalesce(sum(qty) FILTER (WHERE kind = 'hard'), 0) AS hard,
                    coalesce(sum(qty) FILTER (WHERE kind = 'soft'), 0) AS soft
             FROM ts.reservation r WHERE r.tenant_id = l.tenant_id AND r.product_id = l.product_id
               AND r.warehouse_id = l.warehouse_id AND r.closed_at IS NULL) r
           WHERE (l.hard, l.soft) IS DISTINCT FROM (r.hard, r.soft)""",
    ),
    (
        "I2.moves",
        "What lies in a warehouse is the sum of what came and went",
        """SELECT l.tenant_id, l.product_id, l.warehouse_id, l.on_hand, m.qty AS moved, t.qty AS in_lots
           FROM ts.stock_level l
           CROSS JOIN LATERAL (
             SELECT coalesce(sum(qty), 0) AS qty FROM ts.stock_move m WHERE m.tenant_id = l.tenant_id
             AND m.product_id = l.product_id AND m.warehouse_id = l.warehouse_id) m
           CROSS JOIN LATERAL (
             SELECT coalesce(sum(on_hand), 0) AS qty FROM ts.lot t WHERE t.tenant_id = l.tenant_id
             AND t.product_id = l.product_id AND t.warehouse_id = l.warehouse_id) t
           WHERE l.on_hand <> m.qty OR l.on_hand <> t.qty""",
    ),
    (
        "I2.held",
        "What a lot holds for named heats is the sum of their open reservations",
        """SELECT t.tenant_id, t.id, t.held, r.qty FROM ts.lot t CROSS JOIN LATERAL (
             SELECT coalesce(sum(qty), 0) AS qty FROM ts.reservation r
             WHERE r.tenant_id = t.tenant_id AND r.lot_id = t.id AND r.closed_at IS NULL) r
           WHERE t.held <> r.qty""",
    ),
]
