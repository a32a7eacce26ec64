"""Invoices, payments and the sums on orders say the same thing, row by row."""

CHECKS: list[tuple[str, str, str]] = [
    (
        "I3.invoice_lines",
        "An invoice's net, tax and total are the sums of its lines.",
        """
        SELECT i.seller_id, i.id AS invoice, i.number, i.net, i.tax, sum(l.net) AS lines_net, sum(l.tax) AS lines_tax
        FROM ts.invoice i LEFT JOIN ts.invoice_line l ON l.invoice_id = i.id
        GROUP BY i.id HAVING (i.net, i.tax) IS DISTINCT FROM (sum(l.net), sum(l.tax))
        """,
    ),
    (
        "I3.line_invoiced",
        "A line's invoiced quantity is the sum of its invoice lines, blue less red.",
        """
        SELECT l.seller_id, l.id AS order_line, l.invoiced, coalesce(sum(i.quantity), 0) AS rows
        FROM ts.order_line l LEFT JOIN ts.invoice_line i ON i.order_line_id = l.id
        GROUP BY l.id HAVING l.invoiced <> coalesce(sum(i.quantity), 0)
        """,
    ),
    (
        "I3.matched",
        "Every billed quantity is matched to receipts, and no receipt line is billed beyond what was accepted.",
        """
        SELECT seller_id, row_id, kind, wanted, matched FROM (
          SELECT l.seller_id, l.id AS row_id, 'invoice_line' AS kind, l.quantity AS wanted,
                 coalesce(sum(m.quantity), 0) AS matched
          FROM ts.invoice_line l LEFT JOIN ts.invoice_match m ON m.invoice_line_id = l.id GROUP BY l.id
          HAVING l.quantity <> coalesce(sum(m.quantity), 0)
          UNION ALL
          SELECT r.seller_id, r.id, 'receipt_line', r.accepted, sum(m.quantity)
          FROM ts.receipt_line r JOIN ts.receipt g ON g.id = r.receipt_id
          JOIN ts.invoice_match m ON m.receipt_line_id = r.id GROUP BY r.id, g.reversed_at
          HAVING sum(m.quantity) < 0 OR sum(m.quantity) > CASE WHEN g.reversed_at IS NULL THEN r.accepted ELSE 0 END
        ) found
        """,
    ),
    (
        "I3.order_sums",
        "An order's invoiced, paid and prepaid sums are those of its invoices and allocations.",
        """
        SELECT o.seller_id, o.id AS order_id, o.number, o.invoiced, i.total, o.paid, i.settled, o.prepaid, a.prepaid AS kept
        FROM ts.trade_order o
        LEFT JOIN (SELECT order_id, sum(total) AS total, sum(settled) AS settled FROM ts.invoice GROUP BY 1) i
          ON i.order_id = o.id
        LEFT JOIN (SELECT order_id, sum(amount) AS prepaid FROM ts.allocation WHERE invoice_id IS NULL GROUP BY 1) a
          ON a.order_id = o.id
        WHERE (o.invoiced, o.paid, o.prepaid)
           IS DISTINCT FROM (coalesce(i.total, 0), coalesce(i.settled, 0), coalesce(a.prepaid, 0))
        """,
    ),
    (
        "I3.invoice_settled",
        "An invoice's settled amount is its allocations and write-offs, its credited amount its red invoices.",
        """
        SELECT i.seller_id, i.id AS invoice, i.number, i.settled, coalesce(a.amount, 0) + coalesce(w.amount, 0) AS rows,
               i.credited, coalesce(-r.total, 0) AS red
        FROM ts.invoice i
        LEFT JOIN (SELECT invoice_id, sum(amount) AS amount FROM ts.allocation GROUP BY 1) a ON a.invoice_id = i.id
        LEFT JOIN (SELECT invoice_id, sum(amount) AS amount FROM ts.write_off GROUP BY 1) w ON w.invoice_id = i.id
        LEFT JOIN (SELECT original_id, sum(total) AS total FROM ts.invoice WHERE kind = 'red' GROUP BY 1) r
          ON r.original_id = i.id
        WHERE i.kind = 'blue' AND (i.settled, i.credited)
              IS DISTINCT FROM (coalesce(a.amount, 0) + coalesce(w.amount, 0), coalesce(-r.total, 0))
        """,
    ),
    (
        "I3.invoice_state",
        "An invoice's state follows from its figures.",
        """
        SELECT seller_id, id AS invoice, number, state, total, settled, credited FROM ts.invoice
        WHERE kind = 'blue' AND state <> CASE
          WHEN credited > 0 AND credited = total THEN 'credited' WHEN settled + credited = total THEN 'paid'
          WHEN settled > 0 OR credited > 0 THEN 'part_paid' ELSE 'issued' END
        """,
    ),
    (
        "I4.allocations",
        "A payment's allocations and refunds are what it counts, and never more than the payment.",
        """
        SELECT p.seller_id, p.id AS payment, p.number, p.amount, p.allocated, a.amount AS rows, p.refunded,
               r.amount AS refunds
        FROM ts.payment p
        LEFT JOIN (SELECT payment_id, sum(amount) AS amount FROM ts.allocation GROUP BY 1) a ON a.payment_id = p.id
        LEFT JOIN (SELECT payment_id, sum(amount) AS amount FROM ts.refund GROUP BY 1) r ON r.payment_id = p.id
        WHERE (p.allocated, p.refunded) IS DISTINCT FROM (coalesce(a.amount, 0), coalesce(r.amount, 0))
           OR p.allocated + p.refunded > p.amount
        """,
    ),
    (
        "I1.receivable",
        "What a seller's books say a buyer owes is what its invoices say is open, and the buyer's books agree.",
        """
        WITH owed AS (
          SELECT seller_id, buyer_id, currency, sum(total - settled) AS open
          FROM ts.invoice GROUP BY 1, 2, 3)
        SELECT o.seller_id, o.buyer_id, o.currency, o.open, s.balance AS receivable, -b.balance AS payable
        FROM owed o
        LEFT JOIN ts.account s ON s.tenant_id = o.seller_id AND s.code = 'receivable:' || o.buyer_id
          AND s.currency = o.currency
        LEFT JOIN ts.account b ON b.tenant_id = o.buyer_id AND b.code = 'payable:' || o.seller_id
          AND b.currency = o.currency
        WHERE coalesce(s.balance, 0) <> o.open OR coalesce(-b.balance, 0) <> o.open
        """,
    ),
    (
        "I1.advances",
        "A buyer's money with a seller that settles no invoice is the advance in both books.",
        """
        WITH held AS (
          SELECT p.seller_id, p.buyer_id, p.currency, sum(p.amount - p.refunded - coalesce(a.amount, 0)) AS open
          FROM ts.payment p
          LEFT JOIN (SELECT payment_id, sum(amount) AS amount FROM ts.allocation WHERE invoice_id IS NOT NULL GROUP BY 1) a
            ON a.payment_id = p.id
          WHERE p.state = 'confirmed' GROUP BY 1, 2, 3)
        SELECT h.seller_id, h.buyer_id, h.currency, h.open, -s.balance AS received, b.balance AS paid
        FROM held h
        LEFT JOIN ts.account s ON s.tenant_id = h.seller_id AND s.code = 'advances_received:' || h.buyer_id
          AND s.currency = h.currency
        LEFT JOIN ts.account b ON b.tenant_id = h.buyer_id AND b.code = 'advances_paid:' || h.seller_id
          AND b.currency = h.currency
        WHERE coalesce(-s.balance, 0) <> h.open OR coalesce(b.balance, 0) <> h.open
        """,
    ),
    (
        "I1.escrow",
        "What is held for an order is its movements, its advance, and what the trust book says.",
        """
        SELECT e.seller_id, e.order_id, e.funded, e.released, e.refunded, o.prepaid, -a.balance AS trust
        FROM ts.escrow e
        JOIN ts.trade_order o ON o.id = e.order_id
        LEFT JOIN (SELECT order_id, coalesce(sum(amount) FILTER (WHERE kind = 'fund'), 0) AS funded,
                          coalesce(sum(amount) FILTER (WHERE kind = 'release'), 0) AS released,
                          coalesce(sum(amount) FILTER (WHERE kind = 'refund'), 0) AS refunded
                   FROM ts.escrow_move GROUP BY 1) m ON m.order_id = e.order_id
        LEFT JOIN ts.account a ON a.code = 'escrow:' || e.order_id AND a.currency = e.currency
        WHERE (e.funded, e.released, e.refunded) IS DISTINCT FROM (m.funded, m.released, m.refunded)
           OR e.funded - e.released - e.refunded <> o.prepaid
           OR coalesce(-a.balance, 0) <> e.funded - e.released - e.refunded
        """,
    ),
    (
        "I1.in_trust",
        "What a seller's books say lies in escrow is what its escrows hold.",
        """
        WITH held AS (SELECT seller_id, currency, sum(funded - released - refunded) AS held FROM ts.escrow GROUP BY 1, 2)
        SELECT h.seller_id, h.currency, h.held, a.balance
        FROM held h
        LEFT JOIN ts.account a ON a.tenant_id = h.seller_id AND a.code = 'in_trust' AND a.currency = h.currency
        WHERE coalesce(a.balance, 0) <> h.held
        """,
    ),
    (
        "I1.claims",
        "What one side owes in damages is what its open claims say, in both books.",
        """
        WITH owed AS (
          SELECT CASE debtor WHEN 'seller' THEN seller_id ELSE buyer_id END AS debtor,
                 CASE debtor WHEN 'seller' THEN buyer_id ELSE seller_id END AS creditor, currency,
                 coalesce(sum(amount) FILTER (WHERE state = 'open'), 0) AS open
          FROM ts.claim GROUP BY 1, 2, 3)
        SELECT o.debtor, o.creditor, o.currency, o.open, -d.balance AS payable, c.balance AS receivable
        FROM owed o
        LEFT JOIN ts.account d ON d.tenant_id = o.debtor AND d.code = 'claims_payable:' || o.creditor
          AND d.currency = o.currency
        LEFT JOIN ts.account c ON c.tenant_id = o.creditor AND c.code = 'claims_receivable:' || o.debtor
          AND c.currency = o.currency
        WHERE coalesce(-d.balance, 0) <> o.open OR coalesce(c.balance, 0) <> o.open
        """,
    ),
]
