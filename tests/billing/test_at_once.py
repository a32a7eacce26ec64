"""Two people at once: what may happen once happens once, and nothing is lost."""

import threading
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from core import billing, fulfilment, ledger
from core.kernel import Actor, Conflict, Refused
from tests.conftest import make_unit
from tests.fulfilment.trading import Trade, dispatch_of_tests

D = Decimal


@pytest.fixture
def committed(fresh_db: Any, tenant: Any, other_tenant: Any) -> Any:
    """A trade with 100 t received and accepted, committed, and a way to act on it from a thread of one's own."""
    unit = make_unit(fresh_db, dispatch_of_tests())
    with unit.system(tenant, "seed") as ctx:
        trade = Trade(ctx, tenant, other_tenant)
        trade.set_up({"RB12": D(1000)})
        trade.order({"RB12": D(100)})
        trade.receive(trade.ship("60"), "60")
    return unit, trade


def race(unit: Any, tenant: Any, acts: list[Callable[[Any], object]]) -> tuple[list[object], list[BaseException]]:
    """Run acts at the same moment, each in its own transaction."""
    start, done, failed = threading.Barrier(len(acts)), [], []

    def run(act: Callable[[Any], object]) -> None:
        start.wait()

        def attempt() -> object:
            with unit.acting(tenant, Actor.system("racer"), {}, everything=True) as ctx:
                return act(ctx)

        try:
            done.append(unit.retrying(attempt))
        except Refused as refused:
            failed.append(refused)

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    return done, failed


def test_two_clerks_who_bill_at_once_make_one_invoice(committed: Any) -> None:
    unit, trade = committed
    bill = lambda ctx: billing.issue_invoice(ctx, trade.order_id)  # noqa: E731
    done, failed = race(unit, trade.seller_id, [bill] * 4)
    assert len(done) == 1
    assert {refused.code for refused in failed} == {"invoice.nothing_to_bill"}


def test_a_shipment_is_never_more_than_the_order_however_many_ship_it(committed: Any) -> None:
    unit, trade = committed
    with unit.system(trade.seller_id, "look") as ctx:
        trade.ctx = ctx
        line = trade.lines[0].id
    ship = lambda ctx: fulfilment.ship(ctx, trade.order_id, [fulfilment.Portion(line, D(20))])  # noqa: E731
    done, failed = race(unit, trade.seller_id, [ship] * 5)
    assert (len(done), len(failed)) == (2, 3)


def test_one_transfer_is_confirmed_once_even_for_two_payments(committed: Any) -> None:
    unit, trade = committed
    with unit.system(trade.seller_id, "bill") as ctx:
        billing.issue_invoice(ctx, trade.order_id)
    with unit.system(trade.buyer_id, "pay") as ctx:
        ids = [
            billing.announce_payment(ctx, D("100"), f"B-{n}", order_id=trade.order_id).id for n in range(3)
        ]
    acts = [lambda ctx, i=ident: billing.confirm_payment(ctx, i, bank_ref="SAME") for ident in (*ids, ids[0])]
    done, failed = race(unit, trade.seller_id, acts)
    assert len(done) == 1 and all(isinstance(refused, Conflict) for refused in failed)
    with unit.system(trade.seller_id, "look") as ctx:
        assert ledger.balance(ctx, "bank") == D("100.00")
