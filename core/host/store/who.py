"""Enterprises by the names the reader knows them by."""

from collections.abc import Collection
from uuid import UUID

from core import tenancy
from core.kernel import Context
from core.web.i18n import ENGLISH, language


def company_names(ctx: Context, wanted: Collection[UUID]) -> dict[UUID, str]:
    """Their names in the reader's language, where they have one in it."""
    if not wanted:
        return {}
    english = language() == ENGLISH
    cards = tenancy.cards(ctx, list(wanted))
    return {ident: (card.name_en if english else None) or card.name for ident, card in cards.items()}
