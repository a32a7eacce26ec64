"""Postings balance or do not exist; the database says so, whoever asks."""

import threading
from decimal import Decimal
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, ProgrammingError

from core import ledger
from core.db import Unit, count_statements
from core.kernel import Actor, Conflict, Context, Invalid, NotFound, uuid7

D = Decimal


def sale(ctx: Context, ref: str = "IN-1", amount: str = "113.00") -> ledger.Posting:
    gross = D(amount)
    tax = D("13.00")
    buyer = UUID("01990000-0000-7000-8000-0000000000bb")
    entries = [
        (ledger.code_of("receivable", buyer), gross),
        ("revenue", tax - gross),
        ("output_vat", -tax),
    ]
    return ledger.post(ctx, "invoice", ref, "CNY", entries)


def test_a_posting_moves_the_balances_of_its_accounts(ctx: Context) -> None:
    sale(ctx)
    sale(ctx, "IN-2", "226.00")
    assert ledger.balance(ctx, "revenue") == D("-313.00")
    assert ledger.balance(ctx, "output_vat") == D("-26.00")
    assert ledger.balance(ctx, "rounding") == D("0.00")
    assert sum(found.balance for found in ledger.accounts(ctx)) == 0


def test_a_posting_takes_two_statements_even_when_it_opens_its_accounts(ctx: Context) -> None:
    with count_statements() as first:
        sale(ctx)
    with count_statements() as second:
        sale(ctx, "IN-2")
    assert (len(first), len(second)) == (2, 2)


def test_the_same_cause_posts_once(ctx: Context) -> None:
    assert sale(ctx).id == sale(ctx).id
    assert ledger.balance(ctx, "revenue") == D("-100.00")


def test_the_same_cause_with_other_amounts_is_refused(ctx: Context) -> None:
    sale(ctx)
    with pytest.raises(Conflict, match="ledger.ref_taken"):
        sale(ctx, amount="200.00")


def test_an_unbalanced_posting_is_refused_before_it_reaches_the_database(ctx: Context) -> None:
    with pytest.raises(ValueError, match="not balanced"):
        ledger.post(ctx, "invoice", "IN-9", "CNY", [("bank", D("1.00")), ("revenue", D("-0.99"))])
    with pytest.raises(ValueError, match="not balanced"):
        ledger.post(ctx, "invoice", "IN-9", "CNY", [("bank", D("0.00")), ("revenue", D("0.00"))])


def test_an_amount_with_more_digits_than_the_currency_is_refused(ctx: Context) -> None:
    with pytest.raises(ValueError, match="more digits"):
        ledger.post(ctx, "invoice", "IN-9", "CNY", [("bank", D("1.001")), ("revenue", D("-1.001"))])


def test_an_account_outside_the_chart_is_refused(ctx: Context) -> None:
    with pytest.raises(Invalid, match="ledger.unknown_account"):
        ledger.post(ctx, "invoice", "IN-9", "CNY", [("petty_cash", D("1")), ("revenue", D("-1"))])
    with pytest.raises(Invalid, match="ledger.unknown_account"):
        ledger.post(ctx, "invoice", "IN-9", "CNY", [("receivable", D("1")), ("revenue", D("-1"))])


def test_a_reversal_is_the_opposite_and_happens_once(ctx: Context) -> None:
    made = sale(ctx)
    back = ledger.reverse(ctx, made.id)
    assert [amount for _, amount in back.entries] == [-amount for _, amount in made.entries]
    assert ledger.reverse(ctx, made.id).id == back.id
    assert {found.balance for found in ledger.accounts(ctx)} == {D("0.00")}
    with pytest.raises(Invalid, match="ledger.reversal_of_reversal"):
        ledger.reverse(ctx, back.id)


def test_a_statement_tells_the_balance_after_each_entry_across_its_pages(ctx: Context) -> None:
    for number in range(5):
        sale(ctx, f"IN-{number}")
    revenue = next(found.id for found in ledger.accounts(ctx) if found.code == "revenue")
    account, lines = ledger.statement(ctx, revenue, limit=3)
    assert account.balance == D("-500.00")
    assert [line.balance for line in lines[:3]] == [D("-500.00"), D("-400.00"), D("-300.00")]
    _, older = ledger.statement(ctx, revenue, after=(lines[2].id, lines[2].balance), limit=3)
    assert [(line.ref, line.balance) for line in older] == [("IN-1", D("-200.00")), ("IN-0", D("-100.00"))]


def test_the_books_of_another_enterprise_cannot_be_seen(unit: Unit, tenant: UUID, other_tenant: UUID) -> None:
    with unit.system(tenant, "mine") as mine:
        made = sale(mine)
        revenue = next(found.id for found in ledger.accounts(mine) if found.code == "revenue")
    with unit.system(other_tenant, "foreign") as foreign:
        assert ledger.accounts(foreign) == []
        with pytest.raises(NotFound):
            ledger.statement(foreign, revenue)
        with pytest.raises(NotFound):
            ledger.reverse(foreign, made.id)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ts.ledger_entry SET amount = 1",
        "DELETE FROM ts.ledger_entry",
        "TRUNCATE ts.ledger_entry",
        "UPDATE ts.ledger_txn SET ref = 'x'",
        "DELETE FROM ts.ledger_txn",
        "UPDATE ts.account SET balance = 0",
        "DELETE FROM ts.account",
    ],
)
def test_the_books_cannot_be_rewritten(ctx: Context, statement: str) -> None:
    sale(ctx)
    with pytest.raises(ProgrammingError, match="permission denied|append-only"):
        ctx.session.execute(text(statement))


def test_an_account_opens_at_zero_whatever_the_insert_says(ctx: Context) -> None:
    ctx.session.execute(
        text(
            "INSERT INTO ts.account (id, tenant_id, code, currency, balance)"
            " VALUES (:id, :tenant, 'bank', 'CNY', 99)"
        ),
        {"id": uuid7(), "tenant": ctx.tenant_id},
    )
    assert ledger.balance(ctx, "bank") == 0


@pytest.mark.parametrize("amounts", [[], ["1"], ["1", "-2"]])
def test_the_database_refuses_to_commit_an_unbalanced_posting(
    unit: Unit, tenant: UUID, amounts: list[str]
) -> None:
    """Empty, single-sided, and not zero: raw SQL past the service meets the deferred constraint."""
    with pytest.raises(IntegrityError, match="not balanced"), unit.system(tenant, "raw") as ctx:
        account, txn = uuid7(), uuid7()
        values = {"tenant": tenant, "account": account, "txn": txn}
        run = ctx.session.execute
        run(
            text(
                "INSERT INTO ts.account (id, tenant_id, code, currency)"
                " VALUES (:account, :tenant, 'bank', 'CNY')"
            ),
            values,
        )
        run(
            text(
                "INSERT INTO ts.ledger_txn (id, tenant_id, kind, ref, label, currency, actor, at)"
                " VALUES (:txn, :tenant, 'x', 'x', 'x', 'CNY', 'x', now())"
            ),
            values,
        )
        for no, amount in enumerate(amounts):
            run(
                text(
                    "INSERT INTO ts.ledger_entry (id, tenant_id, txn_id, account_id, currency, no, amount)"
                    " VALUES (:id, :tenant, :txn, :account, 'CNY', :no, CAST(:amount AS numeric))"
                ),
                {**values, "id": uuid7(), "no": no, "amount": amount},
            )


def test_a_minimum_balance_is_kept(unit: Unit, tenant: UUID) -> None:
    with unit.system(tenant, "open") as ctx:
        ctx.session.add(ledger.Account(tenant_id=tenant, code="bank", currency="CNY", min_balance=D("0")))
    with pytest.raises(IntegrityError, match="min_balance"), unit.system(tenant, "spend") as ctx:
        ledger.post(ctx, "payment", "P-1", "CNY", [("bank", D("-1")), ("purchases", D("1"))])


def test_postings_at_once_lose_nothing_and_never_deadlock(unit: Unit, tenant: UUID) -> None:
    """Eight threads post over the same two accounts, named in opposite order, one cause in four repeated."""
    start = threading.Barrier(8)
    failures: list[BaseException] = []

    def work(thread: int) -> None:
        start.wait()
        for number in range(10):
            with unit.acting(tenant, Actor.system(f"t{thread}"), {}, everything=True) as ctx:
                pair = [("bank", D("1.00")), ("revenue", D("-1.00"))]
                cause = f"shared-{number}" if thread < 2 else f"{thread}-{number}"
                ledger.post(ctx, "payment", cause, "CNY", pair[:: 1 if thread % 2 else -1])

    def guarded(thread: int) -> None:
        try:
            work(thread)
        except BaseException as fault:
            failures.append(fault)

    threads = [threading.Thread(target=guarded, args=(number,)) for number in range(8)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert failures == []
    with unit.system(tenant, "check") as ctx:
        assert ledger.balance(ctx, "bank") == D("70.00")
        assert ledger.balance(ctx, "revenue") == D("-70.00")
