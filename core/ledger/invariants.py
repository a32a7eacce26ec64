"""What must hold in the books at any moment; each check answers the rows that break it."""

CHECKS: list[tuple[str, str, str]] = [
    (
        "I1.balanced",
        "Every posting has two entries or more and sums to zero.",
        """
        SELECT t.tenant_id, t.id AS txn, t.kind, t.ref, count(e.id) AS entries, sum(e.amount) AS total
        FROM ts.ledger_txn t LEFT JOIN ts.ledger_entry e ON e.txn_id = t.id
        GROUP BY t.id HAVING count(e.id) < 2 OR sum(e.amount) <> 0
        """,
    ),
    (
        "I1.balance",
        "An account's balance is the sum of its entries.",
        """
        SELECT a.tenant_id, a.id AS account, a.code, a.balance, coalesce(sum(e.amount), 0) AS entries
        FROM ts.account a LEFT JOIN ts.ledger_entry e ON e.account_id = a.id
        GROUP BY a.id HAVING a.balance <> coalesce(sum(e.amount), 0)
        """,
    ),
    (
        "I1.zero_sum",
        "All balances of an enterprise in one currency sum to zero.",
        """
        SELECT tenant_id, currency, sum(balance) AS total FROM ts.account
        GROUP BY tenant_id, currency HAVING sum(balance) <> 0
        """,
    ),
]
