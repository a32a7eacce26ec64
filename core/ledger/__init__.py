"""The books: double entry per enterprise. Money moves nowhere else."""

from core.ledger.chart import CHART, Heading, code_of, heading_of, partner_of
from core.ledger.model import Account, LedgerEntry, LedgerTxn
from core.ledger.service import (
    AccountBalance,
    Posting,
    StatementLine,
    accounts,
    balance,
    post,
    posting,
    reverse,
    statement,
)

__all__ = [
    "CHART",
    "Account",
    "AccountBalance",
    "Heading",
    "LedgerEntry",
    "LedgerTxn",
    "Posting",
    "StatementLine",
    "accounts",
    "balance",
    "code_of",
    "heading_of",
    "partner_of",
    "post",
    "posting",
    "reverse",
    "statement",
]
