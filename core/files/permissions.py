"""Who may hand in and read files. What a file is about decides who sees it at all."""

from core.kernel import Permission

PEOPLE = (
    "admin", "it", "auditor", "buyer.clerk", "buyer.approver", "buyer.finance", "buyer.warehouse",
    "seller.sales", "seller.planner", "seller.warehouse", "seller.finance",
)  # fmt: skip
PERMISSIONS = [
    Permission("file.view", "Read files", PEOPLE),
    Permission("file.add", "Hand in files", tuple(role for role in PEOPLE if role != "auditor")),
]
