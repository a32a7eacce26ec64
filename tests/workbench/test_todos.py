"""The workbench: what waits is ordered by deadline, and only what its reader may do stands there."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from core import orders, workbench
from core.db import Database
from core.hooks import Dispatch
from core.kernel import Context
from core.orders import waiting
from core.workbench import Todo, todos
from core.workbench.views import _pressing
from tests.conftest import make_unit
from tests.orders.trade import Trade, dispatch

D = Decimal
NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)


@pytest.fixture
def plugins() -> Dispatch:
    return dispatch()


@pytest.fixture
def trade(shared_db: Database, plugins: Dispatch) -> Iterator[Trade]:
    with shared_db.session() as session:
        yield Trade(make_unit(shared_db, plugins), session).set_up()
        session.rollback()


@pytest.fixture
def sources(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    found: list[Any] = []
    monkeypatch.setattr(todos, "_todos", found)
    return found


def todo(title: str, due: datetime | None, rank: int = 50) -> Todo:
    return Todo("test", title, "", "orders.index", {}, "Do", due=due, rank=rank)


def test_the_earliest_deadline_comes_first_and_none_comes_last(sources: list[Any], ctx: Context) -> None:
    workbench.register_todos(
        lambda ctx, limit: [todo("later", NOON + timedelta(days=2)), todo("never", None)]
    )
    workbench.register_todos(lambda ctx, limit: [todo("now", NOON), todo("never, but urgent", None, 10)])
    found = [each.title for each in workbench.waiting(ctx)]
    assert found == ["now", "later", "never, but urgent", "never"]
    assert len(workbench.waiting(ctx, 2)) == 2


@pytest.mark.parametrize(
    ("due", "pressing"),
    [
        (None, ""),
        (NOON - timedelta(hours=1), "late"),
        (NOON + timedelta(hours=4), "late"),
        (NOON + timedelta(hours=5), "soon"),
        (NOON + timedelta(hours=12), ""),
    ],
)
def test_a_deadline_presses_when_it_is_near(due: datetime | None, pressing: str) -> None:
    assert _pressing(NOON, due) == pressing


def kinds(trade: Trade, ctx: Context) -> list[tuple[str, str]]:
    trade.session.flush()
    return [(each.kind, each.what) for each in waiting.todos(ctx, 10)]


def test_an_order_waits_for_the_side_that_must_answer(trade: Trade) -> None:
    order = trade.place()
    assert kinds(trade, trade.seller()) == [("order.confirm", order.number)]
    assert kinds(trade, trade.seller(limit=D("1500.99"))) == []
    assert kinds(trade, trade.as_("Sun Li", "seller.warehouse")) == []
    assert kinds(trade, trade.buyer()) == []
    orders.counter(trade.seller(), order.id, {"delivery_date": "2027-01-05"}, "later")
    assert kinds(trade, trade.buyer()) == [("order.counter", order.number)]


def test_an_approval_waits_for_everybody_but_its_author(trade: Trade) -> None:
    trade.move(approval_threshold=D(1))
    orders.place(trade.approver(), trade.wish(buyer_po="PO-1"))
    assert kinds(trade, trade.approver()) == []
    assert kinds(trade, trade.as_("Chen Bo", "buyer.approver")) == [("order.approve", "PO-1")]


def test_a_proposal_waits_for_the_other_side(trade: Trade) -> None:
    order = trade.confirmed()
    orders.propose_amendment(trade.buyer(), order.id, {"lines": [{"no": 10, "quantity": "12"}]}, "more")
    assert kinds(trade, trade.seller()) == [("order.proposal", order.number)]
    assert kinds(trade, trade.buyer()) == []


def test_the_figures_are_the_sums_of_what_is_under_way(trade: Trade) -> None:
    order = trade.confirmed()
    orders.book(trade.seller(), order, invoiced=D("500.00"), paid=D("200.00"))
    trade.session.flush()
    found = {str(figure.label): figure.value for figure in waiting.figures(trade.seller())}
    assert [value.amount for value in found.values()] == [D("1501.00"), D("300.00")]
    assert waiting.figures(trade.as_("Nobody", "operator.risk", at=trade.buyer_id)) == []
