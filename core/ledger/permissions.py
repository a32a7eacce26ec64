"""Who may read the books. Nobody may write them: postings come from the acts that cause them."""

from core.kernel import Permission

PERMISSIONS = [
    Permission(
        "ledger.view",
        "See the accounts and their statements",
        ("admin", "buyer.finance", "seller.finance", "auditor"),
    ),
]
