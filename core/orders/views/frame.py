"""What the pages of this room share: their collection, names in the reader's language, numbers read from forms."""

from decimal import Decimal, InvalidOperation

from core.kernel import Invalid, Refused
from core.orders.reading import Partner
from core.orders.states import TITLES
from core.web import Pages, gettext
from core.web.i18n import CHINESE, language
from core.web.problem import sentence

pages = Pages("orders", prefix="/orders")
Errors = dict[str, list[str]]
State = tuple[str, str]
"""A state's title in the reader's language, and its tone."""


def named(zh: str, en: str | None) -> str:
    return zh if language() == CHINESE or not en else en


def partner_name(partner: Partner) -> str:
    return named(partner.zh, partner.en)


def state_of(state: str) -> State:
    title, tone = TITLES[state]
    return gettext(title), tone


def figure(name: str, text: str) -> Decimal | None:
    """A number as people type it (`1,234.50`); None when left empty, Invalid when it is none."""
    plain = text.strip().replace(",", "").replace("，", "").replace(" ", "")
    if not plain:
        return None
    try:
        found = Decimal(plain)
    except InvalidOperation:
        raise Invalid.one(name, "decimal.not_a_number") from None
    if not found.is_finite() or abs(found) >= 10**9 or found != round(found, 6):
        raise Invalid.one(name, "decimal.out_of_range")
    return found


def errors_of(refused: Refused) -> Errors:
    """Field to sentences; what concerns no field stands under `_form`."""
    found: Errors = {}
    for error in getattr(refused, "errors", ()):
        found.setdefault(error.path or "_form", []).append(sentence(error.code, error.values))
    return found or {refused.field or "_form": [sentence(refused.code, refused.values)]}
