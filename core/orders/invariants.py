"""What must hold of all orders, as queries that answer the rows that break it. `verify` asks them as the owner."""

CHECKS = [
    (
        "I4",
        "an order's version is the number of its steps plus one",
        """
        SELECT o.id, o.number, o.version, count(e.id) AS steps FROM ts.trade_order o
        LEFT JOIN ts.order_event e ON e.order_id = o.id
        GROUP BY o.id HAVING o.version <> count(e.id) + 1""",
    ),
    (
        "O1",
        "an order's total is the sum of its lines",
        """
        SELECT o.id, o.number, o.net, o.tax, sum(l.net) AS lines_net, sum(l.tax) AS lines_tax
        FROM ts.trade_order o JOIN ts.order_line l ON l.order_id = o.id
        GROUP BY o.id HAVING o.net <> sum(l.net) OR o.tax <> sum(l.tax)""",
    ),
    (
        "O2",
        "a binding order's payment plan sums to its total",
        """
        SELECT o.id, o.number, o.total, coalesce(sum(p.amount), 0) AS planned
        FROM ts.trade_order o LEFT JOIN ts.plan_item p ON p.order_id = o.id
        WHERE o.state IN ('confirmed', 'in_progress', 'delivered', 'accepted', 'completed', 'closed')
        GROUP BY o.id HAVING coalesce(sum(p.amount), 0) <> o.total""",
    ),
    (
        "O3",
        "a binding order has the terms both sides agreed on, in versions without a gap",
        """
        SELECT o.id, o.number, o.terms_version, count(v.id) AS versions
        FROM ts.trade_order o LEFT JOIN ts.order_version v ON v.order_id = o.id
        GROUP BY o.id HAVING o.terms_version <> count(v.id) OR o.terms_version <> coalesce(max(v.no), 0)""",
    ),
    (
        "O4",
        "an order that ended, or waits for nobody, has no open proposal",
        """
        SELECT p.id, p.order_id, p.kind, o.state FROM ts.proposal p JOIN ts.trade_order o ON o.id = p.order_id
        WHERE p.state = 'open' AND (o.state IN ('draft', 'closed', 'rejected', 'cancelled', 'terminated')
          OR (p.kind = 'counter') <> (o.state IN ('countered', 'expired')))""",
    ),
    (
        "O5",
        "no order started while a gate before its start was open",
        """
        SELECT g.order_id, g.key, o.state FROM ts.gate g JOIN ts.trade_order o ON o.id = g.order_id
        WHERE g.stage = 'start' AND g.state IN ('open', 'failed')
          AND o.state IN ('in_progress', 'delivered', 'accepted', 'completed', 'closed')""",
    ),
    (
        "I7",
        "what is closed short was never received",
        """
        SELECT l.id, l.order_id, l.no, l.quantity, l.received, l.short_closed FROM ts.order_line l
        WHERE l.short_closed > greatest(l.quantity - l.received, 0)""",
    ),
    (
        "I5",
        "hard reservations belong to binding orders that still want the goods",
        """
        SELECT r.id, r.order_id, r.qty, o.state FROM ts.reservation r JOIN ts.trade_order o ON o.id = r.order_id
        WHERE r.kind = 'hard' AND r.closed_at IS NULL AND r.qty > 0
          AND o.state NOT IN ('confirmed', 'in_progress', 'delivered', 'accepted')""",
    ),
    (
        "O6",
        "a message is of a party of its order, and shared with nobody but the other one",
        """
        SELECT m.id, m.order_id, m.tenant_id, m.other_id FROM ts.order_message m JOIN ts.trade_order o ON o.id = m.order_id
        WHERE m.tenant_id <> CASE m.side WHEN 'buyer' THEN o.buyer_id ELSE o.seller_id END
          OR m.other_id <> CASE m.side WHEN 'buyer' THEN o.seller_id ELSE o.buyer_id END""",
    ),
    (
        "O7",
        "the talk of an order ends with its last shared message, and no side waits for its own",
        """
        SELECT t.order_id, t.last_id, m.side, t.waits_for FROM ts.order_talk t
        LEFT JOIN ts.order_message m ON m.id = t.last_id
        WHERE m.id IS NULL OR m.other_id IS NULL OR m.order_id <> t.order_id OR m.side = t.waits_for""",
    ),
]
