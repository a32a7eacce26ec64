"""What a search finds among enterprises."""

from flask import url_for

from core.hooks import Hit
from core.kernel import Context
from core.tenancy import service
from core.tenancy.views.partners import name_of
from core.web import gettext as _


def hits(ctx: Context, q: str, most: int) -> list[Hit]:
    """Enterprises by name or credit code."""
    if not ctx.allows("partner.view"):
        return []
    return [
        Hit(name_of(card), card.uscc, url_for("tenancy.partner", partner_id=card.tenant_id), _("Partners"))
        for card in service.find_enterprises(ctx, q, most)
    ]
