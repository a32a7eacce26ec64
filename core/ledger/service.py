"""Post, reverse, read. A posting is two statements whatever its size; its rules live in the database."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import select, text

from core.kernel import Conflict, Context, Invalid, Money, NotFound, uuid7
from core.ledger.chart import heading_of
from core.ledger.model import Account, LedgerEntry, LedgerTxn

Entries = Sequence[tuple[str, Decimal]]

_ACCOUNTS = text("""
WITH wanted AS (SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:codes AS text[])) AS w(id, code)),
opened AS (
  INSERT INTO ts.account (id, tenant_id, code, currency)
  SELECT w.id, :tenant, w.code, :currency FROM wanted w
  WHERE NOT EXISTS (SELECT 1 FROM ts.account a
                    WHERE a.tenant_id = :tenant AND a.code = w.code AND a.currency = :currency)
  ON CONFLICT (tenant_id, code, currency) DO NOTHING
  RETURNING id, code)
SELECT code, id FROM opened
UNION ALL
SELECT a.code, a.id FROM ts.account a JOIN wanted w ON w.code = a.code
WHERE a.tenant_id = :tenant AND a.currency = :currency
""")

# Entries go in by account id, so two postings that share accounts take their rows in one order.
_POST = text("""
WITH txn AS (
  INSERT INTO ts.ledger_txn (id, tenant_id, kind, ref, label, currency, actor, at)
  VALUES (:txn, :tenant, :kind, :ref, :label, :currency, :actor, :at)
  ON CONFLICT (tenant_id, kind, ref) DO NOTHING
  RETURNING id)
INSERT INTO ts.ledger_entry (id, tenant_id, txn_id, account_id, currency, no, amount)
SELECT e.id, :tenant, txn.id, e.account_id, :currency, e.no, e.amount
FROM txn CROSS JOIN unnest(CAST(:ids AS uuid[]), CAST(:accounts AS uuid[]), CAST(:amounts AS numeric[]))
  WITH ORDINALITY AS e(id, account_id, amount, no)
ORDER BY e.account_id, e.no
RETURNING id
""")


@dataclass(frozen=True)
class Posting:
    """A transaction of the books. `entries` are (account code, amount): debit positive, sum zero."""

    id: UUID
    kind: str
    ref: str
    currency: str
    at: datetime
    entries: tuple[tuple[str, Decimal], ...]


@dataclass(frozen=True)
class AccountBalance:
    """An account and what stands on it."""

    id: UUID
    code: str
    currency: str
    balance: Decimal


@dataclass(frozen=True)
class StatementLine:
    """One entry of an account's statement, with the balance after it."""

    id: UUID
    kind: str
    ref: str
    label: str
    at: datetime
    amount: Decimal
    balance: Decimal


def post(ctx: Context, kind: str, ref: str, currency: str, entries: Entries, label: str = "") -> Posting:
    """Post into the books of ctx's tenant. Entries of 0 are left out; the rest sum to zero, or ValueError.

    Accounts are opened at their first use. The same (kind, ref) with the same entries answers the posting
    made before; with other entries it is a Conflict.
    """
    kept = tuple((code, Money(amount, currency).amount) for code, amount in entries if amount)
    if len(kept) < 2 or sum((amount for _, amount in kept), Decimal(0)):
        raise ValueError(f"{kind} {ref} is not balanced: {kept}")
    ids = _account_ids(ctx, currency, {code for code, _ in kept})
    txn = uuid7()
    written = ctx.session.execute(
        _POST,
        {
            "txn": txn,
            "tenant": ctx.tenant_id,
            "kind": kind,
            "ref": ref,
            "label": label or ref,
            "currency": currency,
            "actor": ctx.actor.name,
            "at": ctx.now,
            "ids": [uuid7() for _ in kept],
            "accounts": [ids[code] for code, _ in kept],
            "amounts": [amount for _, amount in kept],
        },
    ).all()
    if written:
        return Posting(txn, kind, ref, currency, ctx.now, kept)
    before = posting(ctx, kind, ref)
    if before.currency != currency or sorted(before.entries) != sorted(kept):
        raise Conflict("ledger.ref_taken", kind=kind, ref=ref)
    return before


def _account_ids(ctx: Context, currency: str, codes: set[str]) -> dict[str, UUID]:
    ordered = sorted(codes)
    for code in ordered:
        heading_of(code)
    values = {
        "tenant": ctx.tenant_id,
        "currency": currency,
        "codes": ordered,
        "ids": [uuid7() for _ in ordered],
    }
    for _ in range(3):
        found = {code: ident for code, ident in ctx.session.execute(_ACCOUNTS, values)}
        if len(found) == len(codes):
            return found
    # somebody opened one at this moment and it cannot be seen yet
    raise Conflict("ledger.account_race", account=next(code for code in ordered if code not in found))


def posting(ctx: Context, kind: str, ref: str) -> Posting:
    """A posting by what caused it; NotFound when it was never made."""
    txn = ctx.session.scalar(
        select(LedgerTxn).where(
            LedgerTxn.tenant_id == ctx.tenant_id, LedgerTxn.kind == kind, LedgerTxn.ref == ref
        )
    )
    if txn is None:
        raise NotFound("ledger.not_found", kind=kind, ref=ref)
    return _whole(ctx, txn)


def _whole(ctx: Context, txn: LedgerTxn) -> Posting:
    entries = ctx.session.execute(
        select(Account.code, LedgerEntry.amount)
        .join(Account, Account.id == LedgerEntry.account_id)
        .where(LedgerEntry.tenant_id == ctx.tenant_id, LedgerEntry.txn_id == txn.id)
        .order_by(LedgerEntry.no)
    )
    return Posting(
        txn.id,
        txn.kind,
        txn.ref,
        txn.currency,
        txn.at,
        tuple((code, _tidy(amount)) for code, amount in entries),
    )


def reverse(ctx: Context, txn_id: UUID) -> Posting:
    """Answer a posting with its opposite; a second call answers the same reversal. NotFound when foreign."""
    txn = ctx.session.get(LedgerTxn, txn_id)
    if txn is None or txn.tenant_id != ctx.tenant_id:
        raise NotFound("ledger.not_found", kind="", ref=str(txn_id))
    if txn.kind == "reversal":
        raise Invalid.one("txn_id", "ledger.reversal_of_reversal")
    whole = _whole(ctx, txn)
    back = [(code, -amount) for code, amount in whole.entries]
    made = post(ctx, "reversal", str(txn.id), txn.currency, back, txn.label)
    ctx.record("ledger.reverse", f"ledger_txn:{txn.id}", kind=txn.kind, ref=txn.ref)
    return made


def balance(ctx: Context, code: str, currency: str = "CNY") -> Decimal:
    """What stands on an account; 0 for one that was never used."""
    found = ctx.session.scalar(
        select(Account.balance).where(
            Account.tenant_id == ctx.tenant_id, Account.code == code, Account.currency == currency
        )
    )
    return _tidy(found) if found is not None else Decimal("0.00")


def accounts(ctx: Context) -> list[AccountBalance]:
    """Every account of the enterprise, by code and currency."""
    rows = ctx.session.execute(
        select(Account.id, Account.code, Account.currency, Account.balance)
        .where(Account.tenant_id == ctx.tenant_id)
        .order_by(Account.code, Account.currency)
    )
    return [AccountBalance(ident, code, currency, _tidy(amount)) for ident, code, currency, amount in rows]


def statement(
    ctx: Context, account_id: UUID, *, after: tuple[UUID, Decimal] | None = None, limit: int = 50
) -> tuple[AccountBalance, list[StatementLine]]:
    """The account and its entries, newest first, each with the balance after it; at most `limit` + 1 of them.

    `after` = (id, balance after) of the last line seen continues from there.
    """
    row = ctx.session.execute(
        select(Account.id, Account.code, Account.currency, Account.balance).where(
            Account.tenant_id == ctx.tenant_id, Account.id == account_id
        )
    ).one_or_none()
    if row is None:
        raise NotFound("ledger.account_not_found")
    wanted = (
        select(LedgerEntry.id, LedgerTxn.kind, LedgerTxn.ref, LedgerTxn.label, LedgerTxn.at, LedgerEntry.amount)
        .join(LedgerTxn, LedgerTxn.id == LedgerEntry.txn_id)
        .where(LedgerEntry.tenant_id == ctx.tenant_id, LedgerEntry.account_id == account_id)
        .order_by(LedgerEntry.id.desc())
        .limit(limit + 1)
    )
    standing: Decimal = row.balance
    if after is not None:
        # the line seen last had `after[1]` after it; the next older one stands before that line's own amount
        wanted = wanted.where(LedgerEntry.id < after[0])
        seen: Any = ctx.session.scalar(
            select(LedgerEntry.amount).where(
                LedgerEntry.tenant_id == ctx.tenant_id, LedgerEntry.id == after[0]
            )
        )
        standing = after[1] - (seen or Decimal(0))
    lines = []
    for ident, kind, ref, label, at, amount in ctx.session.execute(wanted):
        lines.append(StatementLine(ident, kind, ref, label, at, _tidy(amount), _tidy(standing)))
        standing -= amount
    return AccountBalance(row.id, row.code, row.currency, _tidy(row.balance)), lines


def _tidy(amount: Decimal) -> Decimal:
    """Two decimals where the rest is zeros, as people read amounts."""
    cents = amount.quantize(Decimal("0.01"))
    return cents if cents == amount else amount
