"""Due days by their rules (V-DU1)."""

from datetime import date
from decimal import Decimal

import pytest

from core.billing import due_on, overdue
from core.kernel import Invalid
from tests.fulfilment.trading import Trade

BASE = date(2026, 11, 22)


@pytest.mark.parametrize(
    ("rule", "due"),
    [
        ({"kind": "net", "days": 30}, date(2026, 12, 22)),
        ({"kind": "eom", "days": 30}, date(2026, 12, 30)),
        ({"kind": "day_of_month", "days": 25}, date(2026, 12, 25)),
        ({"kind": "fixed", "fixed": date(2027, 1, 5)}, date(2027, 1, 5)),
        ({"kind": "net", "days": 6, "roll": True}, date(2026, 11, 30)),
        ({"kind": "net", "days": 6}, date(2026, 11, 28)),
    ],
)
def test_v_du1_the_due_day_follows_its_rule(rule: dict, due: date) -> None:  # type: ignore[type-arg]
    assert due_on(base=BASE, **rule) == due


def test_a_day_a_month_does_not_have_is_its_last() -> None:
    assert due_on("day_of_month", date(2027, 1, 15), 31) == date(2027, 2, 28)


def test_an_unknown_rule_is_refused() -> None:
    with pytest.raises(Invalid, match="billing.unknown_due_rule"):
        due_on("whenever", BASE)


def test_the_due_day_itself_is_in_time(accepted: Trade) -> None:
    invoice = accepted.invoice()
    assert (invoice.due_on - invoice.issued_on).days == 30
    assert not overdue(invoice, invoice.due_on)
    assert overdue(invoice, date.fromordinal(invoice.due_on.toordinal() + 1))
    accepted.pay(str(Decimal("1130.00")))
    assert not overdue(invoice, date(2099, 1, 1))
