"""What filings have in common: whose number stands on a document, short codes for long references, looks behind a write."""

from __future__ import annotations

import hashlib
from base64 import b32encode
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from urllib.parse import quote

from connectors.sap.odata import wire
from connectors.sap.odata.client import Client
from connectors.sap.odata.mapping import CENT, PARTNERS, PLACES, PRICE
from tongshang.connect import (
    Access,
    Ambiguous,
    Found,
    GoodsOut,
    LineOut,
    Lookup,
    OrderOut,
    Rejected,
    RetryLater,
    SyncError,
    Uncertain,
)

USER = 12  # characters of a user's name
# What SAP calls a partner: the field of a business partner that holds its number, and the codes when there is none or several.
CUSTOMER = ("Customer", "SoldToParty", "sap.customer_missing", "sap.customer_ambiguous")
SUPPLIER = ("Supplier", "Supplier", "sap.supplier_missing", "sap.supplier_ambiguous")


def partner_number(client: Client, document: OrderOut | GoodsOut, kind: tuple[str, str, str, str]) -> str:
    """The one customer or supplier whose business partner has the partner's tax number. Raises Rejected."""
    name, field, missing, ambiguous = kind
    named = f"{document.partner_name} ({document.partner_code})"
    if not document.partner_code:
        raise Rejected(missing, named, field=field)
    code = wire.literal(document.partner_code)
    # The short field holds 20 characters, systems with long numbers fill the other one.
    where = f"BPTaxNumber eq {code} or BPTaxLongNumber eq {code}"
    query = {"$filter": where, "$orderby": "BusinessPartner,BPTaxType"}
    partners = {
        wire.text(row, "BusinessPartner")
        for page in client.pages(PARTNERS, "A_BusinessPartnerTaxNumber", query)
        for row in page.entities
    }
    numbers = sorted(filter(None, (_number_of(client, id, name) for id in sorted(partners))))
    if not numbers:
        raise Rejected(missing, named, field=field)
    if len(numbers) > 1:
        said = f"{document.partner_code}: {', '.join(numbers[:5])}"
        raise Rejected(ambiguous, said, field=field)
    return numbers[0]


def _number_of(client: Client, partner: str, name: str) -> str:
    """The number of a business partner in that role, empty when it is blocked or has not got the role."""
    path = quoted(f"A_BusinessPartner({wire.literal(partner)})")
    row = client.one(PARTNERS, path, {"$select": f"BusinessPartner,{name},BusinessPartnerIsBlocked"})
    return "" if wire.flag(row, "BusinessPartnerIsBlocked") else wire.text(row, name)


def own_user(access: Access) -> str:
    """The name SAP writes on what we create; empty where that is another one than we sign in with.

    An OAuth client or a certificate acts as a user nobody told us, and the field holds twelve characters. S/4HANA Cloud shows
    a communication user by its number: there nothing is listed, and what we miss in a list is looked for by itself.
    """
    user = access["user"].strip().upper() if (access["way"] or "basic") == "basic" else ""
    return user if len(user) <= USER else ""


def short(reference: str, length: int) -> str:
    """What stands for a reference in a field of that length: itself where it fits, else letters and digits made from it.

    The same reference always gives the same code. Twelve characters are 60 bits: among a million documents two of them meet
    once in two million cases, and whoever looks also compares the whole reference where SAP keeps it.
    """
    if len(reference) <= length and reference == reference.upper().strip():
        return reference
    return b32encode(hashlib.sha256(reference.encode()).digest()).decode()[:length]


def material_of(line: LineOut, materials: dict[str, str], lookup: Lookup) -> str:
    """SAP's number of the goods on a line: mapped by hand, else learned, else ours."""
    return materials.get(line.material) or lookup("product", line.sku_id) or line.material


def unit_of(line: LineOut, units: dict[str, str]) -> str:
    """SAP's unit of a line, whose quantity SAP must be able to keep. Raises Rejected."""
    unit = units.get(line.unit)
    if unit is None:
        raise Rejected("sap.unit_missing", f"no unit for {line.unit}", field="unit")
    if line.quantity != round(line.quantity, PLACES) or line.quantity <= 0:
        said = f"{line.material}: {line.quantity} {line.unit}, SAP keeps {PLACES} decimals"
        raise Rejected("sap.quantity_digits", said, field="quantity")
    return unit


def with_tax(net: Decimal, rate: Decimal) -> Decimal:
    """The amount with tax: SAP rounds the net amount first and the tax on it after."""
    return net + (net * rate).quantize(CENT, ROUND_HALF_UP)


def price_of(amount: Decimal, quantity: Decimal) -> Decimal:
    return (amount / quantity).quantize(PRICE, ROUND_HALF_UP) if quantity else Decimal(0)


def guarded(taken: Callable[[], Any]) -> Any:
    """What is taken from an answer; a field of the wrong kind says nothing about the document."""
    try:
        return taken()
    except wire.Unreadable as error:
        raise RetryLater("sap.unreadable", str(error)) from None


def after_writing(look: Callable[[], Any]) -> Any:
    """A look behind a write that was answered yes: when it fails, the write is still done."""
    try:
        return look()
    except Ambiguous:
        raise
    except SyncError as error:
        raise Uncertain(error.code, error.message) from error


def one_of(reference: str, found: list[Found]) -> Found | None:
    """The living one of what carries a reference, else the last that was taken back. Raises Ambiguous."""
    live = [one for one in found if not one.cancelled]
    if len(live) > 1:
        numbers = ", ".join(one.number for one in live)
        raise Ambiguous("sap.reference_twice", f"{reference} stands on more than one document: {numbers}")
    return live[0] if live else (found[-1] if found else None)


def there(reference: str, number: str, find: Callable[[str], Found | None]) -> Found:
    """The document as a later look-up will find it; Uncertain until that works, Ambiguous while it finds another one."""
    found: Found | None = after_writing(lambda: find(reference))
    if found is None:
        raise Uncertain("sap.not_visible", f"{number} was written and is not found by {reference} yet")
    if number and found.number != number:
        raise Ambiguous("sap.reference_twice", f"{reference} stands on {found.number} and {number}")
    return found


def quoted(path: str) -> str:
    """A path with keys in it, as it stands in a request line."""
    return quote(path, safe="/()',=$")
