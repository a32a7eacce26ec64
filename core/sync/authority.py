"""Who owns which field of what flows in. docs/guides/sync.md shows the same table to people.

`theirs`: what the other system tells is written. `ours`: what it tells is not looked at. `listed`: both sides say it, and
where they differ the record is left out and listed with both figures; nothing is overwritten.
"""

from collections.abc import Mapping

THEIRS, OURS, LISTED = "theirs", "ours", "listed"

AUTHORITY: Mapping[str, Mapping[str, str]] = {
    "products": {
        "name": THEIRS,
        "specification": THEIRS,
        "base unit": LISTED,
        "category, attributes, English name, search words, tax class, weight": OURS,
    },
    "partners": {"number": THEIRS, "binding made by hand": LISTED, "terms, credit, price group": OURS},
    "units": {"number and name": THEIRS, "which of ours it is": OURS},
    "prices": {"tiers it names": THEIRS, "tiers it does not name": OURS, "currency, unit, period": LISTED},
    "stock": {"counted quantity": THEIRS, "quantity below what is promised": LISTED},
    "stock compared": {"quantity": LISTED},
    "moves": {"quantity": LISTED, "reason, document": THEIRS},
    "deliveries": {"quantities, carrier, waybill": THEIRS, "a delivery told again": LISTED, "lots": OURS},
    "receipts": {
        "quantities": THEIRS,
        "more than is under way, a receipt told again": LISTED,
        "accepted or rejected later": OURS,
    },
    "invoices": {"that it was issued": THEIRS, "amount and currency": LISTED, "number": OURS},
    "payments": {
        "that it came in": THEIRS,
        "amount and currency": LISTED,
        "announcement, what it pays": OURS,
    },
}
