"""Inbound deliveries in S/4 for the warehouse: made once under our reference, taken back while nothing was put away."""

import pytest

from connectors.sap.ewm.simulator import Warehouse
from connectors.sap.ewm.system import SapEwm
from tests.connectors.test_ewm_link import access, http_to
from tests.connectors.test_wms_inbound import D, goods
from tests.connectors.wms_house import nobody
from tongshang.connect import MovedLine, Rejected, RetryLater, Trace, Uncertain, differences

# Our line 2 travels first: its announcement's first line is of the order's second item.
BOUGHT = {"10": ("BRG-6204", "30", "PC"), "20": ("BRG-6204", "120", "PC")}


@pytest.fixture
def warehouse():
    with Warehouse() as made:
        yield made


@pytest.fixture
def filing(warehouse):
    link = SapEwm().open(access(warehouse), http_to(warehouse))
    link.trace, link.before_write = Trace(), lambda: None
    yield link.filing("inbound_order")
    link.close()


def sent(filing, document=None):
    bill = filing.bill(document or goods(), nobody)
    return bill, filing.send(bill, filing.find(bill.reference))


def test_an_announcement_is_made_with_reference_to_the_purchase_order(warehouse, filing):
    order = warehouse.world.buy("SO-1-ABCD", BOUGHT)
    assert filing.find("SH-1-ABCD") is None
    bill, found = sent(filing)
    assert not differences(bill, found) and found.partner == "V-7"
    (arrival,) = warehouse.world.arrivals.values()
    assert arrival["DeliveryDocumentBySupplier"] == "SH-1-ABCD"
    assert arrival["items"] == {"10": (order, "20", D(120)), "20": (order, "10", D(30))}
    assert sent(filing)[1] == found and len(warehouse.world.arrivals) == filing.count("SH-1-ABCD") == 1
    filing.client.create(filing.service, filing.heads, bill.body)
    assert filing.count("SH-1-ABCD") == 2 and differences(bill, filing.find("SH-1-ABCD"))


def test_goods_of_two_orders_travel_together_but_not_of_two_suppliers(warehouse, filing):
    warehouse.world.buy("SO-1-ABCD", BOUGHT)
    warehouse.world.buy("SO-2-ABCD", {"10": ("BRG-6204", "9", "PC")})
    first, second = goods("SH-1-ABCD", "120"), goods("SH-1-ABCD", "9")
    other = second.lines[0].__class__(
        **{**vars(second.lines[0]), "no": 2, "order_reference": "SO-2-ABCD", "order_line": 1}
    )
    both = goods("SH-1-ABCD", lines=(*first.lines, other))
    bill, found = sent(filing, both)
    assert [line.quantity for line in found.lines] == [120, 9] and not differences(bill, found)
    warehouse.world.buy("SO-3-ABCD", {"10": ("BRG-6204", "9", "PC")}, supplier="V-8")
    third = other.__class__(**{**vars(other), "order_reference": "SO-3-ABCD"})
    with pytest.raises(Rejected) as refused:
        filing.bill(goods("SH-2-ABCD", lines=(*first.lines, third)), nobody)
    assert refused.value.code == "ewm.order_differs"


def test_what_does_not_fit_is_refused_or_waits(warehouse, filing):
    with pytest.raises(RetryLater) as waits:
        filing.bill(goods(), nobody)
    assert waits.value.code == "ewm.purchase_missing"
    warehouse.world.buy("SO-1-ABCD", {"10": ("BRG-6204", "30", "PC")})
    for document, code in ((goods(), "ewm.order_differs"), (goods("SH" * 18), "ewm.reference_too_long")):
        with pytest.raises(Rejected) as refused:
            filing.bill(document, nobody)
        assert refused.value.code == code
    warehouse.world.buy("SO-1-ABCD", BOUGHT)
    with pytest.raises(Rejected) as twice:
        filing.bill(goods(), nobody)
    assert twice.value.code == "ewm.purchase_twice"


def test_a_change_deletes_and_makes_anew_until_it_is_put_away(warehouse, filing):
    warehouse.world.buy("SO-1-ABCD", BOUGHT)
    _, first = sent(filing)
    bill, second = sent(filing, goods("SH-1-ABCD", "100", "30"))
    assert second.number != first.number and not differences(bill, second)
    warehouse.world.put_away(second.number)
    with pytest.raises(Rejected) as begun:
        filing.cancel(filing.find("SH-1-ABCD"))
    assert begun.value.code == "ewm.begun"
    with pytest.raises(Rejected):  # it began behind the look-up
        filing.cancel(second)
    assert set(warehouse.world.arrivals) == {second.number}


def test_an_announcement_is_taken_back(warehouse, filing):
    warehouse.world.buy("SO-1-ABCD", BOUGHT)
    _, found = sent(filing)
    assert filing.cancel(found).cancelled and filing.find("SH-1-ABCD") is None


@pytest.mark.parametrize("mode", ["drop_after", "status_500_after", "cut_body"])
def test_a_lost_answer_is_looked_up_and_nothing_is_announced_twice(warehouse, filing, mode):
    warehouse.world.buy("SO-1-ABCD", BOUGHT)
    bill = filing.bill(goods(), nobody)
    warehouse.faults.set([{"match": "create", "mode": mode, "times": 1}])
    with pytest.raises(Uncertain):
        filing.send(bill, None)
    assert not differences(bill, filing.send(bill, filing.find(bill.reference)))
    assert len(warehouse.world.arrivals) == 1


def told(filing_link, **more):
    stream = filing_link.stream("receipts")
    stream.size = 2
    return [
        stream.to_core(row)
        for page in stream.pull(more.get("cursor"), more.get("position"))
        for row in page.rows
    ]


@pytest.fixture
def link(warehouse):
    made = SapEwm().open(access(warehouse), http_to(warehouse))
    made.trace, made.before_write = Trace(), lambda: None
    yield made
    made.close()


def test_what_was_taken_in_comes_back_under_the_announcement(warehouse, link):
    warehouse.world.buy("SO-1-ABCD", BOUGHT)
    for reference in ("SH-1-ABCD", "SH-2-ABCD", "foreign number"):
        _, found = sent(link.filing("inbound_order"), goods(reference, "1", "2"))
        assert told(link) == [] or reference != "SH-1-ABCD"
        warehouse.world.take_in(found.number, {"20": "1"} if reference == "SH-1-ABCD" else None)
    first, second = told(link)
    assert (first.reference, second.reference) == ("SH-1-ABCD", "SH-2-ABCD")
    assert first.lines == (MovedLine(1, "BRG-6204", D(1), "pcs"), MovedLine(2, "BRG-6204", D(1), "pcs"))
    assert [line.quantity for line in second.lines] == [1, 2]
    assert told(link, cursor=str(first.day)) == [first, second] and told(link, cursor="2999-01-01") == []
    assert told(link, position=first.number) == [second]


def test_goods_that_are_on_it_once_are_told_by_their_material_alone(warehouse, link):
    warehouse.world.buy("SO-1-ABCD", BOUGHT)
    _, found = sent(link.filing("inbound_order"), goods("SH-1-ABCD", "5"))
    warehouse.world.take_in(found.number)
    (receipt,) = told(link)
    assert receipt.lines == (MovedLine(0, "BRG-6204", D(5), "pcs"),)
