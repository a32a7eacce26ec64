"""Documents of ours on their way into Kingdee: one file for each kind, and in `bills` what all bills there have in common."""

from collections.abc import Iterator

from connectors.kingdee.client import Client
from connectors.kingdee.filing.bills import BillFiling
from connectors.kingdee.filing.orders import PurchaseOrders, SalesOrders
from connectors.kingdee.filing.payments import Payments
from connectors.kingdee.filing.receipts import Receipts
from connectors.kingdee.mapping import SiteMapping
from tongshang.connect import Filing

KINDS: dict[str, type[SalesOrders] | type[PurchaseOrders] | type[Receipts] | type[Payments]] = {
    "sales_order": SalesOrders,
    "purchase_order": PurchaseOrders,
    "receipt": Receipts,
    "payment": Payments,
}


def filing(kind: str, client: Client, site: SiteMapping) -> Filing:
    """The filing of one kind; raises KeyError for a kind Kingdee does not take."""
    return KINDS[kind](client, site)


def forms(client: Client, site: SiteMapping) -> Iterator[tuple[str, BillFiling]]:
    """Every form that is filed, with the kind of document it is for: for a look whether the site has it."""
    for kind, made in KINDS.items():
        one = made(client, site)
        for each in (one.received, one.paid) if isinstance(one, Payments) else (one,):
            yield kind, each


__all__ = ["KINDS", "filing", "forms"]
