"""What must hold about people at any moment; each check answers the rows that break it."""

CHECKS: list[tuple[str, str, str]] = [
    (
        "ID.admin",
        "An enterprise with members has an administrator.",
        """
        SELECT m.tenant_id, count(*) AS members FROM auth.membership m WHERE m.status = 'active'
        GROUP BY m.tenant_id HAVING NOT bool_or(m.roles && ARRAY['admin', 'operator.admin'])
        """,
    ),
    (
        "ID.operator",
        "Operator roles are held on the operator's enterprise only.",
        """
        SELECT m.tenant_id, m.id AS membership, m.roles FROM auth.membership m
        WHERE m.status = 'active' AND EXISTS (SELECT 1 FROM unnest(m.roles) AS r WHERE r LIKE 'operator.%')
          AND NOT EXISTS (SELECT 1 FROM auth.operator o WHERE o.tenant_id = m.tenant_id)
        """,
    ),
    (
        "ID.removed",
        "A removed member has no open session and no living key.",
        """
        SELECT m.tenant_id, m.id AS membership FROM auth.membership m WHERE m.status = 'removed' AND (
          EXISTS (SELECT 1 FROM auth.session s
                  WHERE s.person_id = m.person_id AND s.tenant_id = m.tenant_id AND s.revoked_at IS NULL)
          OR EXISTS (SELECT 1 FROM auth.api_key k
                     WHERE k.created_by = m.person_id AND k.tenant_id = m.tenant_id AND k.revoked_at IS NULL))
        """,
    ),
]
