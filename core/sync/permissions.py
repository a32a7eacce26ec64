"""Who may see and mend connections."""

from core.kernel import Permission

PERMISSIONS = [
    Permission(
        "connection.view",
        "See connections and what failed",
        ("admin", "it", "auditor", "seller.sales", "seller.finance"),
    ),
    Permission("connection.edit", "Set up, pause and resume connections", ("admin", "it")),
    Permission(
        "connection.replay", "Replay failed documents and start a sync", ("admin", "it", "seller.sales")
    ),
]
