"""Invoices, payments and the books as pages, and the forms about money that an order's page offers."""

from core.billing.views import acting, crediting, papers, splitting
from core.billing.views.frame import pages
from core.web import NavEntry
from core.web.i18n import lazy

SUBJECTS = {"invoice": papers.subject}
NAV = [
    NavEntry(
        key="invoices", endpoint="billing.invoices", icon="receipt", title=lazy("Invoices"), group="finance",
        permission="invoice.view", order=10,
    ),
    NavEntry(
        key="payments", endpoint="billing.payments", icon="bank", title=lazy("Payments"), group="finance",
        permission="invoice.view", order=20,
    ),
    NavEntry(
        key="ledger", endpoint="billing.books", icon="chart", title=lazy("Ledger"), group="finance",
        permission="ledger.view", order=30,
    ),
]  # fmt: skip

__all__ = ["NAV", "SUBJECTS", "acting", "crediting", "pages", "papers", "splitting"]
