"""The pages of tenancy: the company and its partners."""

from core.tenancy.views import company, enterprises, partners
from core.tenancy.views.frame import pages
from core.tenancy.views.hits import hits
from core.web import NavEntry
from core.web.i18n import lazy

SEARCHES = [hits]
NAV = [
    NavEntry(
        key="partners", endpoint="tenancy.partners", icon="users", title=lazy("Partners"), group="trade",
        permission="partner.view", order=50,
    ),
    NavEntry(
        key="company", endpoint="tenancy.company", icon="bank", title=lazy("Company profile"), group="system",
        permission="enterprise.view", order=70,
    ),
    NavEntry(
        key="enterprises", endpoint="tenancy.enterprises", icon="bank", title=lazy("Enterprises"), group="system",
        permission="enterprise.verify", order=60,
    ),
]  # fmt: skip

__all__ = ["NAV", "SEARCHES", "company", "enterprises", "pages", "partners"]
