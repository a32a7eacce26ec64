"""Sales orders over OData V4, from the first look to the cancellation: other names on the wire, the same order in the end."""

from datetime import date
from decimal import Decimal

import pytest

from connectors.sap.odata import wire
from connectors.sap.odata.dialect import V2, V4, dialect_of
from connectors.sap.odata.link import SapLink
from connectors.sap.odata.mapping import SiteMapping
from connectors.sap.odata.system import SapOData
from tests.connectors import sap_house
from tests.connectors.sap_house import access_to, nothing_known, order_out
from tongshang.connect import OutboundRule, RetryLater, Uncertain, differences, session

gateway, client_of = sap_house.gateway, sap_house.client_of
PATH = "/sap/opu/odata4/sap/api_salesorder/srvd_a2x/sap/salesorder/0001/"


@pytest.fixture
def link(gateway, client_of):
    return SapLink(client_of(), SiteMapping(access_to(gateway, odata_version="v4")))


def sent(link, order):
    bill = link.bill(order, nothing_known)
    return bill, link.send(bill, link.find(order.reference))


def calls_of(link, word):
    return [one for one in link.client.trace.exchanges if one.operation.startswith(word)]


def test_an_order_goes_out_in_the_words_of_version_four(gateway, link):
    bill, found = sent(link, order_out())
    assert differences(bill, found) == [] and found.number == "4711"
    (made,) = calls_of(link, "create")
    assert PATH + "SalesOrder" in made.url
    for word in (
        '"_Item":[',
        '"Product":"BRG-6204"',
        '"RequestedQuantitySAPUnit":"PC"',
        '"_ItemPricingElement":[',
        '"ConditionRateAmount":"',
        '"RequestedDeliveryDate":"2026-12-05"',
    ):
        assert word in made.request, word
    assert "results" not in made.request and "/Date(" not in made.request
    assert gateway.books.rows("A_SalesOrder")[0]["RequestedDeliveryDate"] == date(2026, 12, 5)


def test_a_ship_to_party_goes_along(gateway, client_of):
    access = access_to(gateway, odata_version="v4", ship_to="无锡市新吴区 1 号=10100002")
    sent(SapLink(client_of(), SiteMapping(access)), order_out())
    (partner,) = gateway.books.rows("A_SalesOrderHeaderPartner")
    assert (partner["PartnerFunction"], partner["Customer"]) == ("SH", "10100002")


def test_changes_are_guarded_by_the_entitys_own_etag(gateway, link):
    sent(link, order_out())
    other = ((1, "BRG-6204", "pcs", "150", "5280.00"), (3, "BRG-6204", "pcs", "7", "226.00"))
    bill, found = sent(link, order_out("TS-1", *other, delivery_on=date(2026, 12, 20)))
    assert differences(bill, found) == [] and found.number == "4711"
    items = {row["SalesOrderItem"]: row for row in gateway.books.rows("A_SalesOrderItem")}
    assert items["10"]["RequestedQuantity"] == 150 and items["20"]["SalesDocumentRjcnReason"] == "61"
    assert items["30"]["RequestedQuantity"] == 7


def test_the_same_order_is_found_whichever_version_asks(gateway, client_of, link):
    bill, found = sent(link, order_out())
    older = SapLink(client_of(), SiteMapping(access_to(gateway)))
    assert older.find("TS-1") == found and differences(bill, older.find("TS-1")) == []


def test_cancelling_rejects_every_item_in_one_batch(gateway, link):
    _, found = sent(link, order_out())
    assert link.cancel(found).cancelled and link.find("TS-1").cancelled
    assert len(calls_of(link, "batch")) == 1


def test_pages_the_server_cuts_are_followed(gateway, link):
    gateway.page = 1
    for no in range(3):
        sent(link, order_out(f"TS-{no}"))
    assert [link.find(f"TS-{no}").number for no in range(3)] == ["4711", "4712", "4713"]


def test_a_lock_and_a_lost_answer_are_what_they_are(gateway, link):
    _, found = sent(link, order_out())
    gateway.books.locked[found.number] = "MUELLER"
    with pytest.raises(RetryLater, match="sap.locked"):
        sent(link, order_out("TS-1", (1, "BRG-6204", "pcs", "5", "113.00")))
    gateway.books.locked.clear()
    gateway.faults.set([{"mode": "drop_after", "match": {"operation": "create"}, "times": 1}])
    with pytest.raises(Uncertain):
        sent(link, order_out("TS-2"))
    assert link.find("TS-2") is not None


def test_deliveries_find_our_number_over_version_four(gateway, link):
    _, found = sent(link, order_out())
    gateway.admin_act("deliver", {"order": found.number})
    stream = link.stream("deliveries")
    (record,) = [stream.to_core(row) for page in stream.pull(None, None) for row in page.rows]
    assert record.reference == "TS-1"


def test_the_check_asks_the_service_that_is_used(gateway):
    with session([OutboundRule.parse(f"127.0.0.1:{gateway.port}")]) as http:
        steps = list(SapOData().check(access_to(gateway, odata_version="v4"), http))
    assert all(step.ok for step in steps) and "salesorder" in {step.said for step in steps}


def test_what_cannot_be_read_is_no_order(link):
    with pytest.raises(wire.Unreadable):
        V4.back({"_Item": "no rows"})
    assert dialect_of("") is V2 and V2.out({"a": 1}) == {"a": 1}
    assert V4.back(V4.out({"Material": "M", "to_Item": {"results": []}})) == {"Material": "M", "to_Item": []}
    assert wire.sets([]) == wire.sets({"d": 1}) == [] and wire.iso_day(Decimal(1)) == 1
