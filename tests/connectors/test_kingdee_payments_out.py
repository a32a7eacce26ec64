"""Payments in K/3 Cloud: received in the seller's books, paid in the buyer's, each once, and known when they come in again."""

# ruff: noqa: F811

from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select

from connectors.kingdee.simulator import Simulator
from core.sync import ExternalRef
from core.sync.facts import order_out, payment_out
from core.sync.refs import remember
from tests.connectors.kingdee_house import (
    BUYER_CODE,
    LinkOf,
    file,
    link_of,  # noqa: F401  a fixture
    money,
    nobody,
    pushed,
    records,
    trouble,
)
from tests.sync.landing.conftest import Wired, wired  # noqa: F401  a fixture
from tongshang.connect import Ambiguous, Rejected, Uncertain, differences

D = Decimal
RECEIVED, PAID = "AR_RECEIVEBILL", "AP_PAYBILL"
SIDES = [("in", RECEIVED, "CUST0001", "FRECTOTALAMOUNTFOR"), ("out", PAID, "VEN01", "FPAYTOTALAMOUNTFOR")]


@pytest.mark.parametrize(("direction", "form", "partner", "amount"), SIDES)
def test_money_is_booked_in_the_books_of_its_direction(
    kingdee: Simulator,
    link_of: LinkOf,
    client_of: Any,
    direction: str,
    form: str,
    partner: str,
    amount: str,
):
    link = link_of()
    filing = link.filing("payment")
    document = money("FK-1", direction, "500.00", ("FP-1", "300.00"), ("FP-2", "150.00"))
    bill = filing.bill(document, nobody)
    role = "partner" if direction == "in" else "supplier"
    assert bill.learned == {(role, str(document.partner_id)): partner}
    found = filing.send(bill, None)
    assert found.finished and differences(bill, found) == []
    assert (found.number, found.total, found.partner) == ("FK-1", D("500.00"), partner)
    purposes = {"in": ["SFKYT01_SYS", "SFKYT02_SYS"], "out": ["SFKYT08_SYS", "SFKYT09_SYS"]}[direction]
    keys = ["FDocumentStatus", "FCOMMENT", amount, "FPURPOSEID", "FSETTLETYPEID", "FACCOUNTID", "FREMARK"]
    same = ["JSFS04_SYS", "6222001", "通商 BANK-7"]
    assert client_of().query(form, keys, "FBillNo='FK-1'") == [
        ["C", "FP-1", D("300.00"), purposes[0], *same],
        ["C", "FP-2", D("150.00"), purposes[0], *same],
        ["C", "FK-1", D("50.00"), purposes[1], *same],  # what no invoice takes is paid ahead
    ]
    assert filing.find("FK-1") == found and filing.count("FK-1") == 1
    assert filing.find("FK-2") is None and filing.count("FK-2") == 0
    assert [len(kingdee.store.all(each)) for each in (RECEIVED, PAID)] == (
        [1, 0] if direction == "in" else [0, 1]
    )


@pytest.mark.parametrize(("direction", "form", "partner", "amount"), SIDES)
def test_a_payment_is_taken_back(
    kingdee: Simulator,
    link_of: LinkOf,
    direction: str,
    form: str,
    partner: str,
    amount: str,
):
    filing = link_of().filing("payment")
    found = file(link_of(), money("FK-1", direction, "500.00"))
    gone = filing.cancel(found)
    assert gone.cancelled and gone.remote_id == found.remote_id and filing.count("FK-1") == 0
    assert [each.head["FCancelStatus"] for each in kingdee.store.all(form)] == ["B"]
    other = file(link_of(), money("FK-2", direction, "500.00"))
    link_of(undo="delete").filing("payment").cancel(other)
    assert filing.find("FK-2") is None


def test_a_partner_is_looked_for_where_the_direction_says(link_of: LinkOf):
    filing = link_of().filing("payment")
    for direction, cause in (("in", "kingdee.customer_missing"), ("out", "kingdee.supplier_missing")):
        with pytest.raises(Rejected) as refused:
            filing.bill(money("FK-1", direction, "1.00", code="91X"), nobody)
        assert (refused.value.code, refused.value.field) == (cause, "FCONTACTUNIT")
    with pytest.raises(Rejected):  # our customer is no supplier of ours
        filing.bill(money("FK-1", "out", "1.00", code=BUYER_CODE), nobody)


def test_one_reference_in_both_directions_is_a_matter_for_people(link_of: LinkOf):
    link = link_of()
    filing = link.filing("payment")
    came = file(link, money("FK-1", "in", "500.00"))
    with pytest.raises(Ambiguous):
        filing.send(filing.bill(money("FK-1", "out", "500.00"), nobody), came)
    file(link, money("FK-1", "out", "500.00"))
    with pytest.raises(Ambiguous) as twice:
        filing.find("FK-1")
    assert twice.value.code == "kingdee.reference_twice"


def test_a_bank_wants_an_account(link_of: LinkOf):
    with pytest.raises(Rejected) as refused:
        file(link_of(bank_account=""), money("FK-1", "out", "500.00"))
    assert refused.value.field == "FACCOUNTID" and "必录" in refused.value.message
    assert file(link_of(bank_account="", settle_type="JSFS01_SYS"), money("FK-1", "out", "500.00")).finished


def test_a_site_has_its_own_purposes_and_fields(kingdee: Simulator, link_of: LinkOf, client_of: Any):
    own = "payout.reference=F_TS_Pay\npayout.order=F_TS_Order\npayment.reference=F_TS_Pay"
    link = link_of(fields=own, purposes="out.ahead=SFKYT99", bill_types="payout=FKDLX01_SYS")
    found = file(link, money("FK-1", "out", "500.00", order="SO-1"))
    assert found.number.startswith("FKD") and link.filing("payment").find("FK-1") == found
    keys = ["FPURPOSEID", "F_TS_Pay"]
    assert client_of().query(PAID, keys, f"FBillNo='{found.number}'") == [["SFKYT99", "FK-1"]]
    assert [each["F_TS_Order"] for each in kingdee.store.all(PAID)[0].lines] == ["SO-1"]


def test_a_number_somebody_else_gave_away_is_found_and_differs(link_of: LinkOf):
    link = link_of()
    filing = link.filing("payment")
    file(link, money("FK-1", "out", "1.00"))
    bill = filing.bill(money("FK-1", "out", "500.00"), nobody)
    with pytest.raises(Uncertain) as taken:
        filing.send(bill, None)
    assert taken.value.code == "kingdee.number_taken"
    found = filing.find("FK-1")
    assert found is not None and any(each.startswith("total") for each in differences(bill, found))


@pytest.mark.parametrize(("direction", "form", "partner", "amount"), SIDES)
def test_payments_through_trouble_are_there_once(
    kingdee: Simulator,
    link_of: LinkOf,
    direction: str,
    form: str,
    partner: str,
    amount: str,
):
    filing = link_of().filing("payment")
    kingdee.faults.set(trouble(0.06))
    for number in range(12):
        pushed(filing, money(f"FK-{number}", direction, "500.00", ("FP-1", "300.00")))
    kingdee.faults.set([])
    assert sorted(each.number for each in kingdee.store.all(form)) == sorted(f"FK-{n}" for n in range(12))
    assert {each.status for each in kingdee.store.all(form)} == {"C"}


def test_money_for_no_order_does_not_come_in(link_of: LinkOf):
    link = link_of()
    found = file(link, money("FK-1", "in", "500.00", ("FP-1", "500.00")))
    assert found.remote_id.isdecimal() and records(link, "payments") == []


@pytest.mark.parametrize("fields", ["", "order.reference=F_TS_Order"])
def test_our_own_payment_comes_in_and_is_known(
    kingdee: Simulator, link_of: LinkOf, wired: Wired, fields: str
):
    """The whole circle: found at the bank here, filed there, read back in, known."""
    trade, link = wired.trade, link_of(fields=fields)
    kingdee.world.merge({"materials": [{"number": code, "unit": "t"} for code in ("RB12", "RB16")]})

    def customer(kind: str, _: Any) -> str | None:
        return "CUST0001" if kind == "partner" else None

    order = link.bill(order_out(trade.ctx, trade.now, 1), customer)
    assert link.send(order, None).finished
    payment = trade.pay("500.00", "BANK-7")
    came = payment_out(trade.ctx, payment.id)
    filing = link.filing("payment")
    bill = filing.bill(came, customer)
    found = filing.send(bill, None)
    assert came.order_reference and differences(bill, found) == []
    connection = wired.connections["seller"]
    assert remember(trade.ctx, connection, "payment", payment.id, found.remote_id, found.number)
    (item,) = records(link, "payments")
    assert (item.external_id, item.amount, item.reference) == (found.remote_id, D("500.00"), wired.reference)
    assert wired.land("seller", item) == []
    kept = select(ExternalRef.external_id).where(
        ExternalRef.connection_id == connection, ExternalRef.kind == "payment"
    )
    assert list(trade.ctx.session.scalars(kept)) == [found.remote_id]
