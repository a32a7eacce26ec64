"""What the pages of this room share: their collection, names in the reader's language, figures as typed."""

from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from core.catalog.pricing import BUSINESS_ZONE
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


def day_begins(text: str, path: str) -> datetime | None:
    """The first moment of a day of the Chinese calendar as a form gives it; None when it is left empty."""
    if not text.strip():
        return None
    try:
        day = date.fromisoformat(text.strip())
        return datetime.combine(day, time(), BUSINESS_ZONE)
    except ValueError:
        raise Invalid.one(path, "date.not_a_date") from None


def day_after(text: str, path: str) -> datetime | None:
    """The moment a day is over: what holds until the end of that day ends there."""
    begins = day_begins(text, path)
    if begins is not None and begins.year >= 9999:
        raise Invalid.one(path, "date.not_a_date")
    return begins + timedelta(days=1) if begins else None


def first_day(moment: datetime) -> str:
    """The day something begins, as a form wants it."""
    return moment.astimezone(BUSINESS_ZONE).date().isoformat()


def last_day(moment: datetime | None) -> str:
    """The last day before something ends, as a form wants it; empty for what has no end."""
    if moment is None:
        return ""
    return (moment - timedelta(microseconds=1)).astimezone(BUSINESS_ZONE).date().isoformat()
