"""What people may do with orders. Amount limits are in the enterprise's currency, VAT included."""

from core.kernel import Permission

PERMISSIONS = [
    Permission(
        "order.view",
        "See orders",
        (
            "admin",
            "it",
            "auditor",
            "buyer.clerk",
            "buyer.approver",
            "buyer.finance",
            "buyer.warehouse",
            "seller.sales",
            "seller.planner",
            "seller.warehouse",
            "seller.finance",
        ),
    ),  # fmt: skip
    Permission("order.draft", "Draft orders", ("admin", "buyer.clerk", "buyer.approver", "seller.sales")),
    Permission(
        "order.submit",
        "Place orders and answer counter-offers",
        ("admin", "buyer.clerk", "buyer.approver"),
        limited=True,
    ),
    Permission("order.approve", "Approve colleagues' orders", ("admin", "buyer.approver"), limited=True),
    Permission("order.confirm", "Confirm, counter or reject orders", ("admin", "seller.sales"), limited=True),
    Permission(
        "order.change",
        "Propose and sign amendments and cancellations",
        ("admin", "buyer.clerk", "buyer.approver", "seller.sales"),
    ),
    Permission(
        "order.terminate",
        "Sign a termination with its money moves",
        ("admin", "buyer.approver", "seller.sales"),
        limited=True,
    ),
    Permission(
        "order.hold",
        "Place and lift holds",
        ("admin", "buyer.approver", "buyer.finance", "seller.sales", "seller.finance"),
    ),
    Permission(
        "order.message",
        "Write notes and messages on orders",
        (
            "admin",
            "it",
            "buyer.clerk",
            "buyer.approver",
            "buyer.finance",
            "buyer.warehouse",
            "seller.sales",
            "seller.planner",
            "seller.warehouse",
            "seller.finance",
        ),
    ),
    Permission(
        "order.gate",
        "Satisfy gates with evidence, or waive them",
        ("admin", "buyer.approver", "seller.sales", "seller.finance", "operator.risk"),
    ),
]
