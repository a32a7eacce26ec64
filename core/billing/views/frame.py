"""What the pages of this room share: their collection, names in the reader's language, amounts read from forms."""

from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from uuid import UUID

from core.kernel import FieldError, Invalid
from core.web import Pages
from core.web.i18n import CHINESE, language

pages = Pages("billing", prefix="/billing")
Given = dict[str, str]
SHARE = "share-"
"""Fields that say how much goes on which invoice are called `share-<invoice>`."""
MOST = Decimal(10) ** 12


def named(zh: str, en: str | None) -> str:
    return zh if language() == CHINESE or not en else en


def amount_in(typed: Mapping[str, str], name: str) -> Decimal | None:
    """An amount as people type it (`1,234.50`); None when left empty, Invalid when it is none."""
    plain = typed.get(name, "").strip().replace(",", "").replace("，", "").replace(" ", "")
    if not plain:
        return None
    try:
        amount = Decimal(plain)
    except InvalidOperation:
        raise Invalid.one(name, "decimal.not_a_number") from None
    if not amount.is_finite() or abs(amount) > MOST:
        raise Invalid.one(name, "decimal.out_of_range")
    if amount != round(amount, 2):
        raise Invalid.one(name, "decimal.too_many_digits")
    return amount


def amount_of(typed: Mapping[str, str], name: str) -> Decimal:
    """The same where one is needed."""
    amount = amount_in(typed, name)
    if amount is None:
        raise Invalid.one(name, "field.required")
    return amount


def shares_in(typed: Mapping[str, str]) -> dict[UUID, Decimal]:
    """What is to go on each invoice; empty and zero shares are left out. Invalid names every wrong one."""
    found: dict[UUID, Decimal] = {}
    errors: list[FieldError] = []
    for name in typed:
        if name.startswith(SHARE):
            try:
                if share := amount_in(typed, name):
                    found[id_in({name: name.removeprefix(SHARE)}, name)] = share
            except Invalid as wrong:
                errors += wrong.errors
    if errors:
        raise Invalid(errors)
    return found


def share_names(invoices: Iterable[UUID]) -> dict[str, str]:
    """The verbs' names of shares, as `asking.fields_named` takes them."""
    return {f"split.{invoice_id}": f"{SHARE}{invoice_id}" for invoice_id in invoices} | {"split": "amount"}


def id_in(typed: Mapping[str, str], name: str) -> UUID:
    try:
        return UUID(typed.get(name, ""))
    except ValueError:
        raise Invalid.one(name, "id.not_an_id") from None
