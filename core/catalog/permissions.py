"""Who may do what with goods and prices."""

from core.kernel import Permission

_SELLERS = ("seller.sales", "seller.planner", "seller.warehouse", "seller.finance")
_BUYERS = ("buyer.clerk", "buyer.approver", "buyer.finance", "buyer.warehouse")

PERMISSIONS = [
    Permission(
        "catalogue.view",
        "Search the catalogue",
        ("admin", "it", *_BUYERS, *_SELLERS, "auditor", "operator.admin"),
    ),
    Permission("product.view", "See own products and their prices", ("admin", "it", *_SELLERS, "auditor")),
    Permission("product.edit", "Add, change, list and withdraw products", ("admin", "seller.planner")),
    Permission("product.import", "Import and export products", ("admin", "it", "seller.planner")),
    Permission("price.edit", "Set prices", ("admin", "seller.sales")),
    Permission(
        "category.edit",
        "Arrange categories and their attributes",
        ("admin", "seller.planner", "operator.admin"),
    ),
]
