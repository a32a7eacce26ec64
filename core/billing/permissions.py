"""Who may bill, pay, and give money up."""

from core.kernel import Permission

_SELLERS = ("seller.sales", "seller.planner", "seller.finance")
_BUYERS = ("buyer.clerk", "buyer.approver", "buyer.finance")

PERMISSIONS = [
    Permission("invoice.view", "See invoices and payments", ("admin", "it", "auditor", *_BUYERS, *_SELLERS)),
    Permission("invoice.issue", "Issue invoices", ("admin", "seller.finance")),
    Permission("invoice.credit", "Issue red invoices", ("admin", "seller.finance"), limited=True),
    Permission("invoice.write_off", "Write small remainders off", ("admin", "seller.finance")),
    Permission("invoice.write_off_large", "Write off beyond the small limits", ("admin",), limited=True),
    Permission("payment.announce", "Announce payments", ("admin", "buyer.finance"), limited=True),
    Permission("payment.confirm", "Confirm, allocate and refund payments", ("admin", "seller.finance")),
]
