"""Who may see and correct stock. Reserving and shipping ask the permission of the order's act, not one of
their own.
"""

from core.kernel import Permission

_SELLERS = ("seller.sales", "seller.planner", "seller.warehouse", "seller.finance")

PERMISSIONS = [
    Permission("stock.view", "See stock and its moves", ("admin", "it", *_SELLERS, "auditor")),
    Permission(
        "stock.adjust", "Receive goods and correct stock", ("admin", "seller.warehouse", "seller.planner")
    ),
    Permission("warehouse.edit", "Set up warehouses", ("admin", "seller.warehouse")),
]
