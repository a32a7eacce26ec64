"""The posting table of a spot trade, in both books. `docs/reference/postings.md` shows it; a test holds them together.

Each function answers one event's entries for the seller and for the buyer: (heading, amount), debit positive. Money
is posted through `post` here and nowhere else.
"""

from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from core import ledger
from core.kernel import Context
from core.orders.sides import Parties, side

Entry = tuple[str, Decimal]


class Books(NamedTuple):
    """One event as each side writes it."""

    seller: tuple[Entry, ...]
    buyer: tuple[Entry, ...]


def invoiced(net: Decimal, tax: Decimal) -> Books:
    """A blue invoice; a red one is the same with negative amounts."""
    gross = net + tax
    return Books(
        (("receivable", gross), ("revenue", -net), ("output_vat", -tax)),
        (("purchases", net), ("input_vat", tax), ("payable", -gross)),
    )


def paid(amount: Decimal, to_invoices: Decimal) -> Books:
    """Money arrived: what settles invoices, and the rest as an advance."""
    rest = amount - to_invoices
    return Books(
        (("bank", amount), ("receivable", -to_invoices), ("advances_received", -rest)),
        (("payable", to_invoices), ("advances_paid", rest), ("bank", -amount)),
    )


def advance_applied(amount: Decimal) -> Books:
    """An advance settles an invoice; negative where a red invoice turns a settlement into an advance again."""
    return Books(
        (("advances_received", amount), ("receivable", -amount)),
        (("payable", amount), ("advances_paid", -amount)),
    )


def refunded(amount: Decimal) -> Books:
    """The seller sends an advance back."""
    return Books(
        (("advances_received", amount), ("bank", -amount)),
        (("bank", amount), ("advances_paid", -amount)),
    )


def written_off(amount: Decimal) -> Books:
    """A small remainder is given up: a cost of the seller, a gain of the buyer."""
    return Books(
        (("rounding", amount), ("receivable", -amount)),
        (("payable", amount), ("rounding", -amount)),
    )


def forfeited(amount: Decimal) -> Books:
    """The seller keeps a part of an advance: the buyer has lost it."""
    return Books(
        (("advances_received", amount), ("settlement_income", -amount)),
        (("settlement_cost", amount), ("advances_paid", -amount)),
    )


def penalty(payer: str, amount: Decimal) -> Books:
    """A settlement's compensation, paid by one side to the other."""
    pays = (("settlement_cost", amount), ("bank", -amount))
    gets = (("bank", amount), ("settlement_income", -amount))
    return Books(pays, gets) if payer == "seller" else Books(gets, pays)


def post(
    ctx: Context, parties: Parties, kind: str, ref: UUID, label: str, currency: str, books: Books
) -> None:
    """Write one event into both books, always in the same order of enterprises, so two trades never wait in a ring."""
    if not any(amount for _, amount in books.seller):
        return
    for tenant in sorted((parties.seller_id, parties.buyer_id)):
        whose = "seller" if tenant == parties.seller_id else "buyer"
        partner = parties.buyer_id if whose == "seller" else parties.seller_id
        entries = [
            (ledger.code_of(heading, partner if ledger.CHART[heading].partnered else None), amount)
            for heading, amount in getattr(books, whose)
        ]
        with side(ctx, parties, whose):
            ledger.post(ctx, kind, str(ref), currency, entries, label)
