"""The books over JSON: accounts and their statements, for reading only."""

from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from core import ledger
from core.kernel import Context
from core.ledger.schema import AccountList, StatementAnswer, StatementQuery
from core.web import Api, Rejected
from core.web.pager import cut, decode

api = Api("ledger")


def _shown(found: ledger.AccountBalance) -> dict[str, Any]:
    heading = ledger.heading_of(found.code)
    return {
        "id": found.id,
        "code": found.code,
        "name_en": heading.name_en,
        "name_zh": heading.name_zh,
        "nature": heading.nature,
        "partner_id": ledger.partner_of(found.code),
        "currency": found.currency,
        "balance": found.balance,
    }


@api.get("/ledger/accounts", permission="ledger.view", answer=AccountList)
def list_accounts(ctx: Context) -> dict[str, Any]:
    """Every account of the enterprise with its balance."""
    return {"items": [_shown(found) for found in ledger.accounts(ctx)]}


@api.get(
    "/ledger/accounts/<uuid:account_id>/entries",
    permission="ledger.view",
    query=StatementQuery,
    answer=StatementAnswer,
)
def account_statement(ctx: Context, account_id: UUID, query: dict[str, Any]) -> dict[str, Any]:
    """The entries of an account, newest first, each with the balance after it."""
    account, lines = ledger.statement(ctx, account_id, after=_seen(query["after"]), limit=query["limit"])
    page = cut(lines, query["limit"], lambda line: (line.id, line.balance))
    return {"account": _shown(account), "items": page.rows, "next": page.next}


def _seen(cursor: str | None) -> tuple[UUID, Decimal] | None:
    keys = decode(cursor, 2)
    if keys is None:
        return None
    try:
        return UUID(keys[0]), Decimal(keys[1])
    except (ValueError, InvalidOperation):
        raise Rejected(400, "page.bad_cursor") from None
