"""What the pages of this room share: their collection, names in the reader's language, figures as typed."""

from decimal import Decimal, InvalidOperation
from typing import Any

from core.kernel import Invalid
from core.web import Pages
from core.web.i18n import CHINESE, language

pages = Pages("catalog")

STATUS_WORDS = {"draft": ("Draft", ""), "active": ("Listed", "ok"), "withdrawn": ("Withdrawn", "warn")}
"""State of a product: its word (to be translated) and its tone."""
LEVEL_WORDS = {
    "contract": "Contract price",
    "tenant": "Agreed price",
    "group": "Group price",
    "public": "Public price",
    "base": "Base price",
}
TAX_WORDS = {
    "goods": "Goods",
    "reduced": "Transport, utilities, farm products",
    "services": "Services",
    "simplified": "Simplified levy",
    "export": "Exported goods",
}


def named(row: Any) -> str:
    """A name in the reader's language; the Chinese one where there is no other."""
    return str(row.name_zh if language() == CHINESE or not row.name_en else row.name_en)


def number(text: str, path: str) -> Decimal:
    """A figure somebody typed, thousands apart or not."""
    try:
        value = Decimal(text.replace(",", "").replace("，", "").strip())
    except InvalidOperation:
        raise Invalid.one(path, "decimal.not_a_number") from None
    if not value.is_finite() or abs(value) >= Decimal(10) ** 14:
        raise Invalid.one(path, "decimal.out_of_range")
    if value != round(value, 6):
        raise Invalid.one(path, "decimal.too_many_digits")
    return value
