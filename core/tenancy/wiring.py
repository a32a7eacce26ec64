"""What tenancy lends to the rooms below: names for the company switcher."""

from core import identity
from core.kernel import Context
from core.tenancy.service import my_enterprises
from core.web.i18n import ENGLISH, language
from core.web.page import Company


def wire() -> None:
    identity.web.list_companies(_companies)


def _companies(ctx: Context) -> tuple[Company, ...]:
    english = language() == ENGLISH
    return tuple(
        Company(str(one.tenant_id), (one.name_en if english else None) or one.short_name or one.name)
        for one in my_enterprises(ctx)
    )
