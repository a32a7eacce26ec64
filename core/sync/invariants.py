"""What must always be true of documents in other systems: (id, sentence, SQL that returns the rows breaking it)."""

CHECKS: list[tuple[str, str, str]] = [
    (
        "ERP.number",
        "A document that is done carries its id in the other system",
        """SELECT tenant_id, id, reference FROM ts.sync_document
           WHERE state = 'done' AND intent <> 'cancel' AND remote_id IS NULL""",
    ),
    (
        "ERP.once",
        "No two objects share one document in the other system",
        """SELECT tenant_id, connection_id, remote_id, count(DISTINCT object_id) AS objects FROM ts.sync_document
           WHERE remote_id IS NOT NULL AND state = 'done' GROUP BY tenant_id, connection_id, kind, remote_id
           HAVING count(DISTINCT object_id) > 1""",
    ),
    (
        "ERP.reason",
        "A document that needs a person says why",
        """SELECT tenant_id, id, reference, state FROM ts.sync_document
           WHERE state IN ('failed', 'held') AND coalesce(cause, '') = ''""",
    ),
    (
        "ERP.newest",
        "No document waits or needs a person once a newer version of it is done",
        """SELECT d.tenant_id, d.id, d.reference FROM ts.sync_document d
           WHERE d.state IN ('new', 'failed', 'held') AND EXISTS (SELECT 1 FROM ts.sync_document n
             WHERE n.object_id = d.object_id AND n.version > d.version AND n.tenant_id = d.tenant_id
               AND n.connection_id = d.connection_id AND n.kind = d.kind AND n.state = 'done')""",
    ),
    (
        "ERP.complete",
        "Every order confirmed since a system is wired for sales orders has its document, unless it came from there",
        """SELECT o.seller_id, o.id, o.number FROM ts.trade_order o
           JOIN ts.erp_connection c ON c.tenant_id = o.seller_id AND o.confirmed_at > c.created_at
           JOIN ts.outbox_event e ON e.subject = o.id::text AND e.name = 'OrderConfirmed' AND e.state = 'done'
           WHERE 'sales_order' = ANY (c.documents)
             AND NOT EXISTS (SELECT 1 FROM ts.sync_document d WHERE d.tenant_id = o.seller_id
               AND d.connection_id = c.id AND d.object_id = o.id)
             AND NOT EXISTS (SELECT 1 FROM ts.external_ref r WHERE r.tenant_id = o.seller_id
               AND r.connection_id = c.id AND r.kind = 'sales_order' AND r.local_id = o.id)""",
    ),
]
