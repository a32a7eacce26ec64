"""What must always be true of the catalogue: (id, sentence, SQL that returns the rows breaking it)."""

CHECKS: list[tuple[str, str, str]] = [
    (
        "C1",
        "Exactly the active products are listed, and a listing says what its product says",
        """SELECT p.tenant_id, p.id, p.code, p.status, l.status AS listing FROM ts.product p
           LEFT JOIN ts.listing l ON l.tenant_id = p.tenant_id AND l.id = p.id
           WHERE (p.status = 'active') <> coalesce(l.status = 'listed', false)
              OR (p.status = 'active' AND (p.code, p.name_zh, p.spec, p.base_uom, p.tax_class, p.attributes)
                  IS DISTINCT FROM (l.code, l.name_zh, l.spec, l.base_uom, l.tax_class, l.attributes))""",
    ),
    (
        "C2",
        "A listing shows the public price that is valid now, but for a minute after a list begins or ends",
        """SELECT l.tenant_id, l.id, l.code, l.public_price, now.price FROM ts.listing l
           CROSS JOIN LATERAL ts.public_price(l.tenant_id, l.id) now
           WHERE l.status = 'listed' AND now.price IS DISTINCT FROM l.public_price AND NOT EXISTS (
             SELECT 1 FROM ts.price_list p WHERE p.tenant_id = l.tenant_id AND p.audience = 'public'
               AND ((p.phase = 'coming'
                     AND p.valid_from BETWEEN ts.clock() - interval '1 minute' AND ts.clock())
                    OR (p.phase <> 'over'
                        AND p.valid_to BETWEEN ts.clock() - interval '1 minute' AND ts.clock())))""",
    ),
]
