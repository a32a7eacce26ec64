"""What a search finds among orders."""

from flask import url_for

from core.hooks import Hit
from core.kernel import Context
from core.orders import reading
from core.orders.views.frame import named, state_of
from core.web import gettext as _


def hits(ctx: Context, q: str, most: int) -> list[Hit]:
    """Orders by their number, the buyer's own, or the other side's name."""
    if not ctx.allows("order.view"):
        return []
    return [
        Hit(
            row.number or _("Draft"),
            " · ".join((named(row.partner_zh, row.partner_en), state_of(row.state)[0])),
            url_for("orders.detail", order_id=row.id),
            _("Orders"),
        )
        for row in reading.list_orders(ctx, q=q, limit=most).rows
    ]
