"""Several new documents in one call: saved as a batch the server works off by itself, submitted and audited together."""

import json
from decimal import Decimal

import pytest

from connectors.kingdee.client import Saved
from connectors.kingdee.simulator import Simulator
from core.sync import Pusher
from tests.connectors.conftest import order
from tests.connectors.kingdee_house import (
    BEARINGS,
    LinkOf,
    asked,
    bought,
    counted,
    file,
    link_of,  # noqa: F401  a fixture
    money,
    nobody,
)
from tests.connectors.test_kingdee_buying import Buying, buying, receipt  # noqa: F401  a fixture
from tests.connectors.test_kingdee_mutations import client
from tongshang.connect import Found, Rejected, RetryLater, Uncertain, differences

ORDER = "PUR_PurchaseOrder"


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.kingdee.filing.bills.BATCH_PAUSE", 0.01)


@pytest.fixture
def filing(link_of: LinkOf):  # noqa: F811
    return link_of().filing("purchase_order")


def bills(filing, *numbers: str):
    return [filing.bill(bought(number, BEARINGS), nobody) for number in numbers]


def test_ten_orders_are_one_save_one_submit_and_one_audit(kingdee: Simulator, filing):
    made = bills(filing, *(f"SO-{number}" for number in range(10)))
    answers = filing.send_many(made)
    for bill, found in zip(made, answers, strict=True):
        assert isinstance(found, Found) and found.finished and differences(bill, found) == []
        assert found.number == bill.reference
    assert [asked(kingdee, each) for each in ("BatchSave", "Save", "Submit", "Audit")] == [1, 0, 1, 1]


def test_each_hears_its_own_end(kingdee: Simulator, filing, link_of: LinkOf):  # noqa: F811
    file(link_of(), bought("SO-2", BEARINGS))
    made = bills(filing, "SO-1", "SO-2", "SO-3", "SO-4")
    made[2].body["FSupplierId"]["FNumber"] = "NONE"  # type: ignore[index]
    first, taken, wrong, last = filing.send_many(made)
    assert isinstance(first, Found) and isinstance(last, Found) and first.finished and last.finished
    assert isinstance(taken, Uncertain) and taken.code == "kingdee.number_taken"
    assert isinstance(wrong, Rejected) and wrong.field == "FSupplierId"
    assert sorted(each.number for each in kingdee.store.all(ORDER)) == ["SO-1", "SO-2", "SO-4"]


def test_nothing_saved_is_nothing_submitted(kingdee: Simulator, filing):
    made = bills(filing, "SO-1", "SO-2")
    for bill in made:
        bill.body["FSupplierId"]["FNumber"] = "NONE"  # type: ignore[index]
    assert all(isinstance(each, Rejected) for each in filing.send_many(made))
    assert asked(kingdee, "Submit") == 0 and kingdee.store.all(ORDER) == []


@pytest.mark.parametrize("service", ["BatchSave", "QueryAsyncResult"])
@pytest.mark.parametrize("mode", ["drop_after", "html_200", "status_500_after"])
def test_a_batch_whose_end_is_not_heard_leaves_all_open(kingdee: Simulator, filing, service: str, mode: str):
    kingdee.faults.set([{"match": service, "mode": mode, "times": 1}])
    made = bills(filing, "SO-1", "SO-2")
    with pytest.raises(Uncertain):
        filing.send_many(made)
    for bill in made:  # the engine looks before it sends again
        assert filing.send(bill, filing.find(bill.reference)).finished
    assert len(kingdee.store.all(ORDER)) == 2


@pytest.mark.parametrize(
    ("mode", "error"), [("drop_after", Uncertain), ("lock_conflict", RetryLater), ("html_200", Uncertain)]
)
@pytest.mark.parametrize("service", ["Submit", "Audit"])
def test_a_step_that_breaks_off_leaves_what_is_not_done_open(
    kingdee: Simulator, filing, service: str, mode: str, error: type[Exception]
):
    kingdee.faults.set([{"match": service, "mode": mode, "times": 1}])
    made = bills(filing, "SO-1", "SO-2")
    for bill, told in zip(made, filing.send_many(made), strict=True):
        if service == "Audit" and mode != "lock_conflict":
            assert isinstance(told, Found) and told.finished  # it was done, only the answer was lost
        else:
            assert isinstance(told, error)
            assert filing.send(bill, filing.find(bill.reference)).finished
    assert len(kingdee.store.all(ORDER)) == 2


def test_a_server_that_answers_a_batch_at_once_is_heard():
    """One that knows no batches of its own: some saved and some refused is no refusal of all."""
    status = {
        "IsSuccess": False,
        "Errors": [{"FieldName": "FCustId", "Message": "字段[客户]是必录字段", "DIndex": 1}],
        "SuccessEntitys": [{"Id": 100012, "Number": "TS-1", "DIndex": 0}],
        "MsgCode": 11,
    }
    body = json.dumps({"Result": {"ResponseStatus": status}}).encode()
    saved, refused = client(body).save_many("SAL_SaleOrder", [order("TS-1"), order("TS-2")])
    assert isinstance(saved, Saved) and saved.id == "100012"
    assert isinstance(refused, Rejected) and refused.field == "FCustId"


def test_receipts_of_one_order_and_money_of_both_directions_travel_too(kingdee: Simulator, link_of: LinkOf):  # noqa: F811
    link = link_of()
    file(link, bought("SO-1", BEARINGS))
    receipts, payments = link.filing("receipt"), link.filing("payment")
    goods = [
        (1, "BRG-6204", "pcs", quantity, gross, "SO-1", 1)
        for quantity, gross in (("100", "3650"), ("50", "1825"))
    ]
    made = [receipts.bill(counted(f"SH-{no}", each), nobody) for no, each in enumerate(goods, 1)]
    first, second = receipts.send_many(made)
    assert isinstance(first, Found) and first.remote_id.endswith("/SO-1")
    assert isinstance(second, Rejected) and "源单关联数量" in second.message
    told = payments.send_many(
        [
            payments.bill(money(number, direction, "5.00"), nobody)
            for number, direction in (("FK-1", "out"), ("SK-1", "in"), ("FK-2", "out"))
        ]
    )
    assert [each.number for each in told if isinstance(each, Found)] == ["FK-1", "SK-1", "FK-2"]
    assert {each.total for each in told if isinstance(each, Found)} == {Decimal("5.00")}
    assert len(kingdee.store.all("AP_PAYBILL")) == 2 and len(kingdee.store.all("AR_RECEIVEBILL")) == 1


def test_the_engine_lets_orders_travel_together(buying: Buying, kingdee: Simulator):  # noqa: F811
    for number in range(8):
        buying.wants(bought(f"SO-{number}", BEARINGS))
    for number in range(4):
        buying.wants(receipt(number))
    pusher = Pusher(buying.engine(), threads=1)
    for _ in range(60):
        if not buying.waiting():
            break
        if not pusher.turn():
            buying.later(3600)
    assert set(buying.states().values()) == {"done"} and asked(kingdee, "BatchSave") >= 1
    assert len(kingdee.store.all(ORDER)) == 8 and len(kingdee.store.all("STK_InStock")) == 4
