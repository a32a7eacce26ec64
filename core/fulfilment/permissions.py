"""Who may send goods and who may count them."""

from core.kernel import Permission

_SELLERS = ("seller.sales", "seller.planner", "seller.warehouse", "seller.finance")
_BUYERS = ("buyer.clerk", "buyer.approver", "buyer.finance", "buyer.warehouse")

PERMISSIONS = [
    Permission(
        "shipment.view", "See shipments and receipts", ("admin", "it", "auditor", *_BUYERS, *_SELLERS)
    ),
    Permission(
        "shipment.create",
        "Ship goods and take rejected goods back",
        ("admin", "seller.warehouse", "seller.planner"),
    ),
    Permission("receipt.create", "Receive and inspect goods", ("admin", "buyer.warehouse")),
    Permission("receipt.reverse", "Reverse receipts", ("admin", "buyer.warehouse", "buyer.approver")),
    Permission(
        "line.short_close",
        "Close lines short",
        ("admin", "buyer.clerk", "buyer.approver", "seller.sales", "seller.planner"),
    ),
]
