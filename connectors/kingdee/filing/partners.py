"""Under which number a partner is kept there: as one of the customers or as one of the suppliers, by its tax code."""

from __future__ import annotations

from dataclasses import dataclass

from connectors.kingdee.client import Client, literal
from connectors.kingdee.mapping import CUSTOMER, SUPPLIER, SiteMapping
from tongshang.connect import Lookup, Outgoing, Rejected


@dataclass(frozen=True)
class Register:
    """One register of partners. `role` is what the platform calls its members, `code` our name of the field of the tax code."""

    role: str
    form: str
    pk: str
    code: str
    missing: str
    ambiguous: str


CUSTOMERS = Register(
    "partner", CUSTOMER, "FCUSTID", "partner.code", "kingdee.customer_missing", "kingdee.customer_ambiguous"
)
SUPPLIERS = Register(
    "supplier",
    SUPPLIER,
    "FSupplierId",
    "supplier.code",
    "kingdee.supplier_missing",
    "kingdee.supplier_ambiguous",
)


def number_of_partner(
    client: Client, site: SiteMapping, register: Register, document: Outgoing, lookup: Lookup, field: str
) -> tuple[str, dict[tuple[str, str], str]]:
    """The partner's number, and what was learned by asking for it. Raises Rejected at `field` when there is not exactly one."""
    known = lookup(register.role, document.partner_id)
    if known is not None:
        return known, {}
    code = document.partner_code
    where = f"{site.fields[register.code]} = {literal(code)} and FDocumentStatus = 'C' and FForbidStatus = 'A'"
    if site.organisation:
        where += f" and FUseOrgId.FNumber = {literal(site.organisation)}"
    rows = client.query(register.form, ["FNumber"], where, f"{register.pk} ASC", limit=2) if code else []
    if not rows:
        raise Rejected(register.missing, f"{document.partner_name} ({code})", field=field)
    if len(rows) > 1:
        raise Rejected(register.ambiguous, f"{code}: {rows[0][0]}, {rows[1][0]}", field=field)
    number = str(rows[0][0])
    return number, {(register.role, str(document.partner_id)): number}
