"""The tabs over the lists of the store, the same on each of them."""

from collections.abc import Sequence

from flask import url_for

from core.host.store.heading import waiting
from core.host.store.offers import Offer
from core.kernel import Context
from core.web.i18n import gettext as _


def tabs(ctx: Context, found: Sequence[Offer], current: str) -> tuple[tuple[str, str, bool, int | None], ...]:
    """All, in use, with a newer version; the installation for its operator; changes for who may ask for them."""
    made: list[tuple[str, str, bool, int | None]] = [
        (_("All"), url_for("plugins.index"), current == "", sum(in_tab(each, "") for each in found)),
        (_("In use"), url_for("plugins.index", tab="used"), current == "used", sum(each.used for each in found)),
    ]
    if ctx.allows("plugin.manage"):
        newer = sum(each.newer is not None for each in found)
        made.append((_("Newer versions"), url_for("plugins.index", tab="newer"), current == "newer", newer))
    if ctx.allows("plugin.install"):
        count = sum(each.row is not None for each in found)
        made.append((_("Whole installation"), url_for("plugins.installation"), current == "installation", count))
        made.append((_("Publishers and sources"), url_for("plugins.trust"), False, None))
    if ctx.allows("plugin.manage"):
        made.append((_("Changes"), url_for("plugins.changes"), current == "changes", len(waiting(ctx, None)) or None))
    return tuple(made)


def in_tab(found: Offer, tab: str) -> bool:
    """Whether a plugin stands under a tab: used, newer, or the one with all of them."""
    if tab == "used":
        return found.used
    return found.newer is not None if tab == "newer" else True
