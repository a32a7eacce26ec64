"""The counted quantities of an order line are the sums of its shipment and receipt rows."""

CHECKS: list[tuple[str, str, str]] = [
    (
        "I2.shipped",
        "A line's shipped quantity is the sum of its shipment lines, less what came back to be delivered again.",
        """
        SELECT l.seller_id, l.id AS order_line, l.shipped, coalesce(s.sent, 0) - coalesce(r.reopened, 0) AS rows
        FROM ts.order_line l
        LEFT JOIN (SELECT order_line_id, sum(quantity) AS sent FROM ts.shipment_line GROUP BY 1) s
          ON s.order_line_id = l.id
        LEFT JOIN (SELECT order_line_id, sum(reopened) AS reopened FROM ts.receipt_line GROUP BY 1) r
          ON r.order_line_id = l.id
        WHERE l.shipped <> coalesce(s.sent, 0) - coalesce(r.reopened, 0)
        """,
    ),
    (
        "I1.received",
        "A line's received, accepted and rejected quantities are the sums of its receipt lines.",
        """
        SELECT l.buyer_id, l.id AS order_line, l.received, l.accepted, l.rejected, r.received AS rows_received,
               r.accepted AS rows_accepted, r.rejected AS rows_rejected
        FROM ts.order_line l
        LEFT JOIN (
          SELECT x.order_line_id, sum(x.received - x.reopened) AS received, sum(x.accepted) AS accepted,
                 sum(x.rejected - x.reopened) AS rejected
          FROM ts.receipt_line x JOIN ts.receipt g ON g.id = x.receipt_id AND g.reversed_at IS NULL
          GROUP BY 1) r ON r.order_line_id = l.id
        WHERE (l.received, l.accepted, l.rejected)
           IS DISTINCT FROM (coalesce(r.received, 0), coalesce(r.accepted, 0), coalesce(r.rejected, 0))
        """,
    ),
    (
        "I1.shipment_received",
        "A shipment line's received quantity is the sum of its receipt lines and, without excess, not above it.",
        """
        SELECT s.buyer_id, s.id AS shipment_line, s.quantity, s.received, r.received AS rows
        FROM ts.shipment_line s
        LEFT JOIN (
          SELECT x.shipment_line_id, sum(x.received) AS received, sum(x.excess_accepted) AS excess
          FROM ts.receipt_line x JOIN ts.receipt g ON g.id = x.receipt_id AND g.reversed_at IS NULL
          GROUP BY 1) r ON r.shipment_line_id = s.id
        WHERE s.received <> coalesce(r.received, 0) OR s.received - coalesce(r.excess, 0) > s.quantity
        """,
    ),
    (
        "I2.picks",
        "What left a lot is what the shipment line says, in base units.",
        """
        SELECT s.seller_id, s.id AS shipment_line, s.base_quantity, coalesce(sum(p.base_quantity), 0) AS picks
        FROM ts.shipment_line s LEFT JOIN ts.shipment_pick p ON p.shipment_line_id = s.id
        GROUP BY s.id HAVING s.base_quantity <> coalesce(sum(p.base_quantity), 0)
        """,
    ),
    (
        "I7.short_closed",
        "A line's short-closed quantity is the sum of its agreed closings and leaves nothing below zero.",
        """
        SELECT l.seller_id, l.id AS order_line, l.short_closed, coalesce(c.closed, 0) AS rows
        FROM ts.order_line l
        LEFT JOIN (SELECT order_line_id, sum(quantity) AS closed FROM ts.short_close WHERE state = 'done' GROUP BY 1) c
          ON c.order_line_id = l.id
        LEFT JOIN (
          SELECT x.order_line_id, sum(x.excess_accepted) AS excess
          FROM ts.receipt_line x JOIN ts.receipt g ON g.id = x.receipt_id AND g.reversed_at IS NULL
          GROUP BY 1) e ON e.order_line_id = l.id
        WHERE l.short_closed <> coalesce(c.closed, 0)
           OR (l.short_closed > 0 AND l.short_closed > l.quantity - (l.received - coalesce(e.excess, 0)))
        """,
    ),
]
