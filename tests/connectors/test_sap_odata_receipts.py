"""Goods receipts in SAP: material documents against our purchase orders, taken back by a cancellation."""

from datetime import date
from decimal import Decimal

import pytest

from connectors.sap.odata.filing.common import short
from connectors.sap.odata.filing.receipts import MOVEMENTS
from core.kernel import uuid7
from tests.connectors import sap_house
from tests.connectors.sap_house import SELLER_CODE, nothing_known, order_out
from tongshang.connect import GoodsOut, LineOut, Rejected, RetryLater, Uncertain, differences

gateway, client_of, link = sap_house.gateway, sap_house.client_of, sap_house.link

ORDER, RECEIPT = "SO-2026-000123-QX7K", "GR-2026-000045"


@pytest.fixture
def receiving(link):
    return link.filing("receipt")


@pytest.fixture
def ordered(link):
    """A purchase order of bearings and rebar that is in SAP."""
    buying = link.filing("purchase_order")
    order = order_out(ORDER, kind="purchase_order", partner_code=SELLER_CODE, partner_name="华东联钢")
    return buying.send(buying.bill(order, nothing_known), None)


def goods(reference=RECEIPT, bearings="20", order=ORDER, line=1, material="BRG-6204", unit="pcs"):
    made = LineOut(
        1, uuid7(), material, material, unit, Decimal(bearings), Decimal("0.13"), Decimal("730"), order, line
    )
    return GoodsOut(
        kind="receipt",
        object_id=uuid7(),
        reference=reference,
        version=1,
        partner_id=uuid7(),
        partner_name="华东联钢",
        partner_code=SELLER_CODE,
        order_reference=order,
        currency="CNY",
        total=Decimal("730"),
        moved_on=date(2026, 11, 20),
        carrier="",
        waybill="",
        note="",
        lines=(made,),
    )


def sent(receiving, document):
    bill = receiving.bill(document, nothing_known)
    return bill, receiving.send(bill, receiving.find(document.reference))


def test_goods_are_posted_against_the_item_of_their_line(gateway, receiving, ordered):
    bill, found = sent(receiving, goods())
    assert differences(bill, found) == [] and found.remote_id == f"{found.number}/2026"
    (head,) = gateway.books.rows("A_MaterialDocumentHeader")
    assert (head["ReferenceDocument"], head["MaterialDocumentHeaderText"]) == (RECEIPT, RECEIPT)
    (row,) = gateway.books.rows("A_MaterialDocumentItem")
    assert (row["GoodsMovementType"], row["PurchaseOrder"], row["PurchaseOrderItem"]) == (
        "101",
        ordered.number,
        "10",
    )
    assert row["QuantityInEntryUnit"] == 20 and row["StorageLocation"] == "101A"
    assert receiving.count(RECEIPT) == 1


def test_a_long_reference_stands_as_a_code_with_the_text_beside_it(gateway, receiving, ordered):
    long = "receipt-2026-000045"
    bill, found = sent(receiving, goods(long))
    (head,) = gateway.books.rows("A_MaterialDocumentHeader")
    assert head["ReferenceDocument"] == short(long, 16) and head["MaterialDocumentHeaderText"] == long
    head["MaterialDocumentHeaderText"] = "delivery note of somebody"
    assert receiving.find(long) is None and differences(bill, found) == []


def test_a_receipt_waits_for_its_order(receiving):
    with pytest.raises(RetryLater, match="sap.purchase_missing"):
        receiving.bill(goods(), nothing_known)


def test_a_line_without_an_item_is_refused(receiving, ordered, link):
    with pytest.raises(Rejected, match="sap.purchase_item_missing"):
        receiving.bill(goods(line=7), nothing_known)
    with pytest.raises(Rejected, match="sap.purchase_item_missing"):
        receiving.bill(goods(material="RB-HRB400E-16", unit="t"), nothing_known)
    link.filing("purchase_order").cancel(ordered)
    with pytest.raises(Rejected, match="sap.purchase_item_missing"):
        receiving.bill(goods(), nothing_known)


def test_more_than_ordered_is_refused_by_name(receiving, ordered):
    sent(receiving, goods(bearings="100"))
    with pytest.raises(Rejected, match="sap.over_delivery"):
        sent(receiving, goods("GR-2", bearings="21"))
    sent(receiving, goods("GR-3", bearings="20"))


def test_a_closed_period_is_refused_by_name(gateway, receiving, ordered):
    gateway.books.open_from = date(2026, 12, 1)
    with pytest.raises(Rejected, match="sap.period_closed"):
        sent(receiving, goods())


def test_cancelling_posts_102_today_and_gives_the_quantity_back(gateway, receiving, ordered):
    _, found = sent(receiving, goods(bearings="120"))
    gateway.books.open_from = date(2026, 11, 21)  # the receipt's own day is closed by now
    gone = receiving.cancel(found)
    assert gone.cancelled and gone.remote_id == found.remote_id
    types = [row["GoodsMovementType"] for row in gateway.books.rows("A_MaterialDocumentItem")]
    assert types == ["101", "102"]
    assert receiving.find(RECEIPT).cancelled and receiving.count(RECEIPT) == 0
    gateway.books.open_from = date(2026, 1, 1)
    sent(receiving, goods("GR-2", bearings="120"))


def test_a_cancellation_counts_on_releases_that_do_not_flag_the_items(gateway, receiving, ordered):
    _, found = sent(receiving, goods())
    receiving.cancel(found)
    for row in gateway.books.rows("A_MaterialDocumentItem"):
        row["GoodsMovementIsCancelled"] = False
    assert receiving.find(RECEIPT).cancelled


def test_a_posted_document_is_never_changed(receiving, ordered):
    _, found = sent(receiving, goods())
    with pytest.raises(Rejected, match="sap.receipt_fixed"):
        receiving.send(receiving.bill(goods(bearings="21"), nothing_known), found)


def test_lost_answers_leave_one_document(gateway, receiving, ordered):
    gateway.faults.set([{"mode": "drop_after", "match": {"operation": "create"}, "times": 1}])
    bill = receiving.bill(goods(), nothing_known)
    with pytest.raises(Uncertain):
        receiving.send(bill, None)
    found = receiving.find(RECEIPT)
    assert found is not None and differences(bill, found) == []
    gateway.faults.set([{"mode": "drop_after", "match": {"operation": "cancel"}, "times": 1}])
    with pytest.raises(Uncertain):
        receiving.cancel(found)
    assert receiving.find(RECEIPT).cancelled


def test_somebody_in_the_order_is_waited_for(gateway, receiving, ordered):
    gateway.books.locked[ordered.number] = "MUELLER"
    with pytest.raises(RetryLater, match="sap.locked"):
        sent(receiving, goods())


def test_cancelling_twice_is_refused(receiving, ordered):
    _, found = sent(receiving, goods())
    receiving.cancel(found)
    with pytest.raises(Rejected, match="M7/305"):
        receiving.cancel(found)
    assert receiving.client.count(MOVEMENTS, "A_MaterialDocumentHeader") == 2
