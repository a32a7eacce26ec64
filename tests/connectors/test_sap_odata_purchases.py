"""Purchase orders in SAP: the seller by tax number, our reference by a short code, changes in place, deletion item by item."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from connectors.sap.odata.filing.common import short
from connectors.sap.odata.filing.purchases import PURCHASES
from connectors.sap.odata.link import SapLink
from connectors.sap.odata.mapping import SiteMapping
from connectors.sap.odata.simulator import model
from connectors.sap.odata.system import SapOData
from tests.connectors import sap_house
from tests.connectors.sap_house import SELLER_CODE, access_to, nothing_known, order_out
from tongshang.connect import (
    Ambiguous,
    FixSettings,
    OutboundRule,
    Rejected,
    RetryLater,
    Uncertain,
    differences,
    session,
)

gateway, client_of, link = sap_house.gateway, sap_house.client_of, sap_house.link

LONG = "SO-2026-000123-QX7K"
SUPPLIER = "10300001"


@pytest.fixture
def buying(link):
    return link.filing("purchase_order")


def purchase(reference=LONG, *lines, **changes):
    told = {"kind": "purchase_order", "partner_name": "华东联钢", "partner_code": SELLER_CODE, **changes}
    return order_out(reference, *lines, **told)


def sent(buying, order):
    bill = buying.bill(order, nothing_known)
    return bill, buying.send(bill, buying.find(order.reference))


def items(gateway):
    return {row["PurchaseOrderItem"]: row for row in gateway.books.rows("A_PurchaseOrderItem")}


def test_an_order_is_filed_once_and_is_ours(gateway, buying):
    order = purchase()
    bill, found = sent(buying, order)
    assert bill.partner == SUPPLIER and bill.learned == {("supplier", str(order.partner_id)): SUPPLIER}
    assert differences(bill, found) == [] and found.number == "4500000001"
    (head,) = gateway.books.rows("A_PurchaseOrder")
    assert head["CorrespncInternalReference"] == short(LONG, 12) and len(short(LONG, 12)) == 12
    (note,) = gateway.books.rows("A_PurchaseOrderNote")
    assert (note["TextObjectType"], note["PlainLongText"]) == ("F01", LONG)
    (schedule, _) = gateway.books.rows("A_PurchaseOrderScheduleLine")
    assert schedule["ScheduleLineDeliveryDate"] == date(2026, 12, 5)
    assert items(gateway)["10"]["TaxCode"] == "J1" and buying.count(LONG) == 1


def test_a_short_reference_stands_as_it_is_and_needs_no_text(gateway, buying):
    sent(buying, purchase("SO-1"))
    assert gateway.books.rows("A_PurchaseOrder")[0]["CorrespncInternalReference"] == "SO-1"
    assert gateway.books.rows("A_PurchaseOrderNote") == []


def test_a_code_that_is_somebody_elses_is_not_ours(gateway, buying):
    sent(buying, purchase())
    gateway.books.rows("A_PurchaseOrderNote")[0]["PlainLongText"] = "SO-2026-999999-QX7K"
    assert buying.find(LONG) is None
    gateway.books.rows("A_PurchaseOrderNote")[0]["PlainLongText"] = f"{LONG}\nwith a remark"
    assert buying.find(LONG) is not None


def test_a_field_of_the_customers_own_holds_the_whole_reference(gateway, client_of):
    access = access_to(gateway, purchase_reference="YY1_PlatformOrder_PDH")
    buying = SapLink(client_of(), SiteMapping(access)).filing("purchase_order")
    bill, found = sent(buying, purchase())
    assert differences(bill, found) == []
    assert gateway.books.rows("A_PurchaseOrder")[0]["YY1_PlatformOrder_PDH"] == LONG
    assert gateway.books.rows("A_PurchaseOrderNote") == []
    with pytest.raises(Rejected, match="sap.reference_too_long"):
        buying.bill(purchase("X" * 36), nothing_known)


def test_two_orders_with_our_reference_are_held(gateway, buying):
    bill, _ = sent(buying, purchase())
    buying.client.create(PURCHASES, "A_PurchaseOrder", bill.body)
    with pytest.raises(Ambiguous, match="sap.reference_twice"):
        buying.find(LONG)


def test_what_has_no_word_there_is_refused(gateway, client_of, buying):
    with pytest.raises(Rejected, match="sap.supplier_missing"):
        buying.bill(purchase(partner_code="91110108X00000000X"), nothing_known)
    odd = purchase()
    odd = replace(odd, lines=tuple(replace(line, vat_rate=Decimal("0.03")) for line in odd.lines))
    with pytest.raises(Rejected, match="sap.tax_missing"):
        buying.bill(odd, nothing_known)
    bare = SapLink(client_of(), SiteMapping(access_to(gateway, company_code=""))).filing("purchase_order")
    with pytest.raises(FixSettings, match="company_code"):
        bare.bill(purchase(), nothing_known)
    with pytest.raises(KeyError):
        SapLink(client_of(), SiteMapping(access_to(gateway))).filing("payment")


def test_a_change_writes_what_is_new_and_deletes_what_is_gone(gateway, buying):
    _, first = sent(buying, purchase())
    other = (
        (1, "BRG-6204", "pcs", "150", "5280.00"),
        (3, "BRG-6204", "pcs", "7", "226.00"),
    )
    bill, found = sent(buying, purchase(LONG, *other, delivery_on=date(2026, 12, 20)))
    assert found.number == first.number and differences(bill, found) == []
    held = items(gateway)
    assert held["10"]["OrderQuantity"] == 150 and held["20"]["PurchasingDocumentDeletionCode"] == "L"
    assert set(held) == {"10", "20", "30"}
    days = {
        row["ScheduleLineDeliveryDate"]
        for row in gateway.books.rows("A_PurchaseOrderScheduleLine")
        if row["PurchasingDocumentItem"] != "20"
    }
    assert days == {date(2026, 12, 20)}
    assert gateway.calls["create A_PurchaseOrder"] == 2  # the order, and the new item below it


def test_a_line_of_another_material_is_filed_behind_its_number(gateway, buying):
    sent(buying, purchase("SO-1", (1, "BRG-6204", "pcs", "5", "113.00")))
    bill, found = sent(buying, purchase("SO-1", (1, "RB-HRB400E-16", "t", "5", "113.00")))
    assert differences(bill, found) == [] and not found.cancelled
    assert {no: row["PurchasingDocumentDeletionCode"] or "" for no, row in items(gateway).items()} == {
        "10": "L",
        "11": "",
    }


def test_the_head_stays_as_it_is(buying):
    _, found = sent(buying, purchase())
    with pytest.raises(Rejected, match="sap.head_fixed"):
        buying.send(buying.bill(purchase(currency="USD"), nothing_known), found)


def test_cancelling_deletes_every_item(gateway, buying):
    _, found = sent(buying, purchase())
    gone = buying.cancel(found)
    assert gone.cancelled and gone.number == found.number
    assert {row["PurchasingDocumentDeletionCode"] for row in items(gateway).values()} == {"L"}
    assert buying.find(LONG).cancelled and buying.count(LONG) == 0


def test_goods_that_came_keep_their_item(gateway, buying):
    _, found = sent(buying, purchase())
    row = {"PurchaseOrder": found.number, "PurchaseOrderItem": "10", "GoodsMovementType": "101"}
    key = {"MaterialDocumentYear": "2026", "MaterialDocument": "5000000001", "MaterialDocumentItem": "1"}
    gateway.books.put("A_MaterialDocumentItem", {**row, **key, "QuantityInEntryUnit": Decimal(5)})
    with pytest.raises(Rejected, match="goods were received"):
        buying.cancel(found)


def test_an_order_somebody_has_open_is_tried_later(gateway, buying):
    _, found = sent(buying, purchase())
    gateway.books.locked[found.number] = "MUELLER"
    with pytest.raises(RetryLater, match="sap.locked"):
        buying.cancel(found)


def test_an_answer_that_never_came_is_looked_for(gateway, buying):
    gateway.faults.set([{"mode": "drop_after", "match": {"operation": "create"}, "times": 1}])
    bill = buying.bill(purchase(), nothing_known)
    with pytest.raises(Uncertain):
        buying.send(bill, None)
    found = buying.find(LONG)
    assert found is not None and differences(bill, found) == [] and buying.count(LONG) == 1


def test_an_order_searches_find_late_is_not_done(gateway, buying):
    gateway.faults.set([{"mode": "look_up_lag", "match": {"operation": "create"}, "seconds": 5, "times": 1}])
    with pytest.raises(Uncertain, match="sap.not_visible"):
        sent(buying, purchase())


def test_the_check_names_what_a_buyer_may_not_file(gateway, monkeypatch):
    monkeypatch.delitem(model.SERVICES, "API_MATERIAL_DOCUMENT_SRV")
    for company, shut in (("1010", "; cannot be read: receipt (sap.service_missing)"), ("", "")):
        with session([OutboundRule.parse(f"127.0.0.1:{gateway.port}")]) as http:
            steps = list(SapOData().check(access_to(gateway, company_code=company), http))
        assert steps[-1].ok and steps[-1].said == f"BRG-6204{shut}"
