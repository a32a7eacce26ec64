"""What a search finds among the goods on offer."""

from flask import url_for

from core.catalog import finding
from core.catalog.views.frame import named
from core.hooks import Hit
from core.kernel import Context
from core.web import gettext as _


def hits(ctx: Context, q: str, most: int) -> list[Hit]:
    """Goods by code or name, of all sellers."""
    if not ctx.allows("catalogue.view"):
        return []
    found = finding.find_listings(ctx, finding.Search(q=q, limit=most))
    return [
        Hit(
            named(row),
            f"{row.code} · {row.seller_name}",
            url_for("catalog.listing", sku_id=row.sku_id),
            _("Catalogue"),
        )
        for row in found.rows
    ]
