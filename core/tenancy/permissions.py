"""What tenancy asks permission for."""

from core.identity import ROLES
from core.kernel import Permission

SELLERS = ("seller.sales", "seller.planner", "seller.warehouse", "seller.finance")
BUYERS = ("buyer.clerk", "buyer.approver", "buyer.finance", "buyer.warehouse")

PERMISSIONS = [
    Permission("enterprise.view", "See the enterprise's own details", tuple(ROLES)),
    Permission(
        "enterprise.edit", "Change the enterprise's details and addresses", ("admin", "operator.admin")
    ),
    Permission(
        "enterprise.bank",
        "Change invoice details and the bank account",
        ("admin", "seller.finance", "buyer.finance", "operator.admin"),
    ),
    Permission("enterprise.verify", "Verify or suspend enterprises", ("operator.admin", "operator.risk")),
    Permission(
        "enterprise.enter", "Enter enterprises, invite their first administrator", ("operator.admin",)
    ),
    Permission("partner.view", "See partners and their terms", ("admin", "it", "auditor", *SELLERS, *BUYERS)),
    Permission(
        "partner.edit",
        "Change a partner's code, price group, terms and block",
        ("admin", "seller.sales", "seller.finance"),
    ),
    Permission("partner.credit", "Set a partner's credit limit", ("admin", "seller.finance"), limited=True),
    Permission(
        "settings.view",
        "See how the enterprise trades",
        ("admin", "it", "auditor", *SELLERS, *BUYERS, "operator.admin"),
    ),
    Permission("settings.edit", "Change how the enterprise trades", ("admin", "operator.admin")),
    Permission("plugin.view", "See plugins and their settings", ("admin", "it", "auditor", "operator.admin")),
    Permission(
        "plugin.manage", "Switch plugins on and off, change their settings", ("admin", "it", "operator.admin")
    ),
]
