"""What must hold about enterprises at any moment; each check answers the rows that break it."""

CHECKS: list[tuple[str, str, str]] = [
    (
        "TE.card",
        "What is published about an enterprise is what it says about itself.",
        """
        SELECT e.id AS enterprise FROM ts.enterprise e LEFT JOIN ts.enterprise_card c ON c.tenant_id = e.id
        WHERE (c.name, c.name_en, c.short_name, c.uscc, c.kind, c.status)
          IS DISTINCT FROM (e.name, e.name_en, e.short_name, e.uscc, e.kind, e.status)
        """,
    ),
    (
        "TE.invoice",
        "Invoices bear the registered name and code.",
        """
        SELECT i.tenant_id FROM ts.invoice_details i JOIN ts.enterprise e ON e.id = i.tenant_id
        WHERE i.title <> e.name OR i.tax_no <> e.uscc
        """,
    ),
    (
        "TE.address",
        "An enterprise with addresses has exactly one default.",
        """
        SELECT tenant_id, count(*) FILTER (WHERE is_default) AS defaults FROM ts.address
        GROUP BY tenant_id HAVING count(*) FILTER (WHERE is_default) <> 1
        """,
    ),
]
