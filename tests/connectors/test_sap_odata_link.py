"""Orders into SAP: filled in, found by our reference, created, changed in the smallest steps, cancelled by rejection."""

from dataclasses import replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

import pytest

from connectors.sap.odata import wire
from connectors.sap.odata.link import SapLink
from connectors.sap.odata.mapping import ORDERS, SiteMapping, rate_of
from tests.connectors import sap_house
from tests.connectors.sap_house import CUSTOMER, access_to, nothing_known, order_out
from tongshang.connect import LeaseLost, Rejected, RetryLater, Uncertain, differences

gateway, client_of, link = sap_house.gateway, sap_house.client_of, sap_house.link


@pytest.fixture
def link_of(gateway, client_of):
    return lambda **values: SapLink(client_of(), SiteMapping(access_to(gateway, **values)))


def sent(link, order):
    bill = link.bill(order, nothing_known)
    return bill, link.send(bill, link.find(order.reference))


# -- filling in


def test_the_buyer_is_found_by_tax_number_and_remembered(link):
    order = order_out()
    bill = link.bill(order, nothing_known)
    assert bill.partner == CUSTOMER
    assert bill.learned == {("partner", str(order.partner_id)): CUSTOMER}
    assert link.bill(order, lambda kind, id: "777" if kind == "partner" else None).partner == "777"


def test_a_tax_number_in_the_long_field_counts_too(gateway, link):
    long = {"number": "10100009", "name": "长号", "tax_code": "91440300MA5DA1234X", "long": True}
    gateway.load({"customers": [long]})
    assert link.bill(order_out(partner_code="91440300MA5DA1234X"), nothing_known).partner == "10100009"


def test_a_buyer_nobody_knows_or_two_customers_share_is_refused(gateway, link):
    with pytest.raises(Rejected, match="sap.customer_missing"):
        link.bill(order_out(partner_code="91110108X00000000X"), nothing_known)
    twin = {"number": "10100003", "name": "另一家", "tax_code": "91110108Y00000000Y"}
    gateway.load({"customers": [twin, twin | {"number": "10100004"}]})
    with pytest.raises(Rejected, match="sap.customer_ambiguous"):
        link.bill(order_out(partner_code="91110108Y00000000Y"), nothing_known)


def test_a_blocked_customer_does_not_count(gateway, link):
    gateway.load(
        {"customers": [{"number": "10100005", "name": "停用", "tax_code": "B" * 18, "blocked": True}]}
    )
    with pytest.raises(Rejected, match="sap.customer_missing"):
        link.bill(order_out(partner_code="B" * 18), nothing_known)


def test_what_has_no_counterpart_is_refused_by_name(link):
    with pytest.raises(Rejected, match="sap.unit_missing"):
        link.bill(order_out("T", (1, "BRG-6204", "bundle", "1", "1.00")), nothing_known)
    with pytest.raises(Rejected, match="sap.currency_missing"):
        link.bill(order_out(currency="JPY"), nothing_known)
    with pytest.raises(Rejected, match="sap.quantity_digits"):
        link.bill(order_out("T", (1, "BRG-6204", "pcs", "1.2345", "1.00")), nothing_known)
    with pytest.raises(Rejected, match="sap.reference_too_long"):
        link.bill(order_out("X" * 36), nothing_known)


def test_codes_mapped_by_hand_go_before_what_was_learned(gateway, client_of):
    access = access_to(gateway, units="pcs=ST", currencies="CNY=RMB", ship_to="无锡市新吴区 1 号=10100002")
    access = replace(access, tables={"materials": {"BRG-6204": "000123"}, "partners": {"锡安达机电": "555"}})
    link = SapLink(client_of(), SiteMapping(access))
    bill = link.bill(order_out("T", (1, "BRG-6204", "pcs", "5", "113.00")), lambda *_: "learned")
    assert (bill.partner, bill.currency, bill.lines[0].material, bill.lines[0].unit) == (
        "555",
        "RMB",
        "000123",
        "ST",
    )
    assert bill.body["to_Partner"] == {"results": [{"PartnerFunction": "SH", "Customer": "10100002"}]}
    assert bill.body["RequestedDeliveryDate"] == wire.ticks(date(2026, 12, 5))


def test_a_delivery_address_with_a_number_there_becomes_the_ship_to_party(gateway, link_of):
    link = link_of(ship_to="无锡市新吴区 1 号=10100002", ship_to_function="WE")
    sent(link, order_out())
    (partner,) = gateway.books.rows("A_SalesOrderHeaderPartner")
    assert (partner["SalesOrder"], partner["PartnerFunction"], partner["Customer"]) == (
        "4711",
        "WE",
        "10100002",
    )


@pytest.mark.parametrize(
    ("amount", "quantity", "expected"),
    [
        ("100.00", "4", ("25.00", 1)),
        ("3876.11", "120", ("3230.09", 100)),
        ("7023.01", "2", ("35115.05", 10)),
        ("0.01", "3", ("0.03", 10)),
        ("161.50", "2.5", ("64.60", 1)),
        ("12.34", "10000", ("12.34", 10000)),
    ],
)
def test_a_price_is_told_per_the_smallest_quantity_that_keeps_the_amount(amount, quantity, expected):
    rate, per = rate_of(Decimal(amount), Decimal(quantity), "M")
    assert (rate * Decimal(quantity) / per).quantize(Decimal("0.01"), ROUND_HALF_UP) == Decimal(amount)
    assert (str(rate), per) == expected


def test_an_amount_no_price_comes_to_is_refused():
    with pytest.raises(Rejected, match="sap.price_not_exact"):
        rate_of(Decimal("1234.57"), Decimal("7654321"), "M")


# -- creating and finding


def test_an_order_stands_in_sap_as_it_was_sent(gateway, link):
    bill, found = sent(link, order_out())
    assert differences(bill, found) == []
    assert found.finished and not found.cancelled
    (held,) = gateway.books.rows("A_SalesOrder")
    assert held["PurchaseOrderByCustomer"] == "TS-1" and held["RequestedDeliveryDate"] == date(2026, 12, 5)
    assert link.find("TS-1") == found
    assert link.find("TS-2") is None


def test_with_prices_that_hold_the_tax_every_amount_is_kept(gateway, link_of):
    link = link_of(condition_type="ZPR0", price_basis="gross")
    order = order_out("TS-1", (1, "BRG-6204", "pcs", "1", "1.00"), (2, "BRG-6204", "pcs", "7", "33.33"))
    bill, found = sent(link, order)
    assert found.total == bill.total == Decimal("34.33")
    assert differences(bill, found) == []


def test_with_net_prices_the_tail_is_at_most_a_cent_and_is_told_in_advance(link):
    order = order_out("TS-1", (1, "BRG-6204", "pcs", "1", "1.00"))
    bill, found = sent(link, order)
    assert bill.total == Decimal("0.99")  # no net price at 13 % gives 1.00
    assert differences(bill, found) == []


def test_another_tax_in_sap_is_a_difference(gateway, link):
    gateway.books.taxes["BRG-6204"] = Decimal(9)
    bill, found = sent(link, order_out())
    assert any(told.startswith("total") for told in differences(bill, found))


def test_a_quote_in_a_reference_stays_text(link):
    bill, found = sent(link, order_out("O'Brien & Söhne #1"))
    assert link.find("O'Brien & Söhne #1") == found
    assert link.find("O") is None


def test_two_live_orders_with_our_reference_are_for_a_person(link):
    order = order_out()
    sent(link, order)
    assert (link.count("TS-1"), link.count("TS-2")) == (1, 0)
    with pytest.raises(Uncertain, match="sap.reference_twice"):
        link.send(link.bill(order, nothing_known), None)
    with pytest.raises(Uncertain, match="sap.reference_twice"):
        link.find("TS-1")
    assert link.count("TS-1") == 2
    link.cancel(replace(sent(link, order_out("TS-9"))[1], number="4711"))
    assert link.count("TS-1") == 1


def test_a_rejected_order_counts_as_cancelled_and_a_live_one_goes_before_it(link):
    order = order_out()
    _, first = sent(link, order)
    assert link.cancel(first).cancelled
    assert link.find("TS-1").cancelled
    second = link.send(link.bill(order, nothing_known), None)
    assert not second.cancelled and second.number != first.number
    assert link.find("TS-1").number == second.number


def test_created_and_not_yet_searchable_is_not_done(gateway, link):
    gateway.faults.set([{"mode": "look_up_lag", "match": "create", "seconds": 0.3, "times": 1}])
    order = order_out()
    with pytest.raises(Uncertain, match="sap.not_visible"):
        sent(link, order)
    gateway.books.hidden.clear()
    assert link.find("TS-1") is not None
    assert len(gateway.books.rows("A_SalesOrder")) == 1


def test_a_refusal_names_code_and_field(link):
    bill = link.bill(order_out("TS-1", (1, "NO-SUCH", "pcs", "1", "1.13")), nothing_known)
    with pytest.raises(Rejected) as refused:
        link.send(bill, None)
    assert "V1/382" in refused.value.message and refused.value.field == "Material"


def test_warnings_of_a_success_are_in_the_trace(link):
    order = order_out()
    _, found = sent(link, order)
    link.cancel(found)
    link.send(link.bill(order, nothing_known), None)
    shown = [one.response for one in link.client.trace.exchanges if one.operation == "create A_SalesOrder"]
    assert any(
        "sap-message: warning V4/115: Purchase order number TS-1 exists already" in one for one in shown
    )


def test_no_write_begins_when_the_lease_is_over(gateway, link):
    bill = link.bill(order_out(), nothing_known)

    def over():
        raise LeaseLost

    link.before_write = over
    with pytest.raises(LeaseLost):
        link.send(bill, None)
    assert gateway.books.rows("A_SalesOrder") == []


# -- changing


def items(gateway, only_live=True):
    rows = sorted(gateway.books.rows("A_SalesOrderItem"), key=lambda row: int(row["SalesOrderItem"]))
    return [
        (row["SalesOrderItem"], row["Material"], row["RequestedQuantity"])
        for row in rows
        if not (only_live and row["SalesDocumentRjcnReason"])
    ]


def test_a_changed_quantity_and_price_are_written_into_the_item(gateway, link):
    _, found = sent(link, order_out())
    lines = ((1, "BRG-6204", "pcs", "100", "4000.00"), (2, "RB-HRB400E-16", "t", "2", "7936.00"))
    changed = order_out("TS-1", *lines, delivery_on=date(2026, 12, 9))
    bill, after = sent(link, changed)
    assert differences(bill, after) == [] and after.number == found.number
    assert items(gateway, only_live=False) == [
        ("10", "BRG-6204", Decimal(100)),
        ("20", "RB-HRB400E-16", Decimal(2)),
    ]
    assert gateway.books.rows("A_SalesOrder")[0]["RequestedDeliveryDate"] == date(2026, 12, 9)
    writes = gateway.calls["change A_SalesOrder"] + gateway.calls["change A_SalesOrderItem"]
    assert (writes, gateway.calls["change A_SalesOrderItemPrElement"]) == (2, 1)


def test_what_is_the_same_is_not_written_again(gateway, link):
    bill, found = sent(link, order_out())
    link.send(bill, found)
    assert not [name for name in gateway.calls if name.startswith("change")]
    assert gateway.calls["create A_SalesOrder"] == 1


def test_added_removed_and_replaced_lines(gateway, link):
    sent(link, order_out())
    lines = ((1, "RB-HRB400E-16", "t", "3", "11904.00"), (3, "BRG-6204", "pcs", "5", "182.50"))
    bill, after = sent(link, order_out("TS-1", *lines))
    assert differences(bill, after) == []
    assert items(gateway) == [("11", "RB-HRB400E-16", Decimal(3)), ("30", "BRG-6204", Decimal(5))]
    rejected = [row for row in gateway.books.rows("A_SalesOrderItem") if row["SalesDocumentRjcnReason"]]
    assert {(row["SalesOrderItem"], row["SalesDocumentRjcnReason"]) for row in rejected} == {
        ("10", "61"),
        ("20", "61"),
    }
    bill, again = sent(link, order_out())
    assert differences(bill, again) == []
    assert [number for number, *_ in items(gateway)] == ["12", "21"]


def test_replacing_every_line_never_leaves_a_cancelled_order_behind(gateway, link):
    sent(link, order_out("TS-1", (1, "BRG-6204", "pcs", "1", "36.50")))
    bill = link.bill(order_out("TS-1", (1, "RB-HRB400E-16", "t", "1", "3968.00")), nothing_known)
    gateway.faults.set([{"mode": "locked", "match": "change", "times": 1}])
    with pytest.raises(RetryLater, match="sap.locked"):
        link.send(bill, link.find("TS-1"))
    found = link.find("TS-1")
    assert not found.cancelled and len(found.lines) == 2
    assert differences(bill, link.send(bill, found)) == []


def test_a_line_replaced_too_often_is_for_a_person(gateway, link):
    pair = ((1, "BRG-6204", "pcs", "1", "36.50"), (1, "RB-HRB400E-16", "t", "1", "3968.00"))
    for no in range(10):
        sent(link, order_out("TS-1", pair[no % 2]))
    with pytest.raises(Rejected, match="sap.item_numbers_used"):
        sent(link, order_out("TS-1", pair[0]))


def test_another_buyer_cannot_be_written_into_an_order(link):
    order = order_out()
    bill, found = sent(link, order)
    with pytest.raises(Rejected, match="sap.head_fixed"):
        link.send(replace(bill, partner="10100002"), found)


def test_somebody_else_changed_it_meanwhile(gateway, link, monkeypatch):
    _, found = sent(link, order_out())
    bill = link.bill(order_out("TS-1", (1, "BRG-6204", "pcs", "99", "3613.50")), nothing_known)
    whole = SapLink._whole

    def read_then_disturbed(self, number):
        order = whole(self, number)
        gateway.books.rows("A_SalesOrder")[0]["LastChangeDateTime"] = gateway.books.stamp()
        return order

    monkeypatch.setattr(SapLink, "_whole", read_then_disturbed)
    with pytest.raises(RetryLater, match="sap.changed_meanwhile"):
        link.send(bill, found)
    assert items(gateway)[0] == ("10", "BRG-6204", Decimal(120))
    monkeypatch.undo()
    assert differences(bill, link.send(bill, found)) == []


def test_a_locked_order_is_tried_again_later(gateway, link):
    _, found = sent(link, order_out())
    gateway.books.locked[found.number] = "MUELLER"
    bill = link.bill(order_out("TS-1", (1, "BRG-6204", "pcs", "99", "3613.50")), nothing_known)
    with pytest.raises(RetryLater, match=r"sap.locked.*is currently being processed \(by user MUELLER\)"):
        link.send(bill, found)
    with pytest.raises(RetryLater, match="sap.locked"):
        link.cancel(found)
    gateway.books.locked.clear()
    assert differences(bill, link.send(bill, found)) == []


# -- cancelling


def test_cancelling_rejects_every_item_in_one_batch(gateway, link):
    _, found = sent(link, order_out())
    after = link.cancel(found)
    assert after.cancelled and after.finished
    assert items(gateway) == []
    assert gateway.calls["batch"] == 1
    assert link.cancel(after).cancelled and gateway.calls["batch"] == 1


def test_a_batch_done_in_part_goes_on_with_the_rest(gateway, link):
    _, found = sent(link, order_out())
    gateway.faults.set([{"mode": "partial_batch", "match": "batch", "times": 1}])
    with pytest.raises(RetryLater, match="sap.locked"):
        link.cancel(found)
    assert len(items(gateway)) == 1
    assert not link.find("TS-1").cancelled
    assert link.cancel(found).cancelled


def test_delivered_items_cannot_be_taken_back(gateway, link):
    _, found = sent(link, order_out())
    gateway.admin_act("deliver", {"order": found.number})
    with pytest.raises(Rejected, match="V1/375"):
        link.cancel(found)


def test_a_reason_sap_does_not_know_is_refused(link_of):
    link = link_of(rejection_reason="99")
    _, found = sent(link, order_out())
    with pytest.raises(Rejected, match="99 is not defined"):
        link.cancel(found)


# -- reading back what others write


def test_parts_below_an_item_are_no_lines(gateway, link):
    bill, found = sent(link, order_out())
    order = gateway.books.tables["A_SalesOrder"][(found.number,)]
    free = {"SalesOrderItem": "11", "Material": "BRG-6204", "RequestedQuantity": "1", "HigherLevelItem": "10"}
    gateway.books.add_item(order, free)
    assert differences(bill, link.find("TS-1")) == []


def test_fields_a_customer_added_do_no_harm(gateway, link):
    gateway.faults.set([{"mode": "extra_field"}])
    bill, found = sent(link, order_out())
    assert differences(bill, found) == []


def test_a_field_this_release_does_not_have_is_empty(link, gateway):
    sent(link, order_out())
    row = link.client.one(ORDERS, "A_SalesOrder('4711')", {"$expand": "to_Item,to_Item/to_PricingElement"})
    bare = {name: value for name, value in row.items() if name not in ("OverallSDProcessStatus",)}
    bare.pop("OverallSDDocumentRejectionSts")
    for item in bare["to_Item"]["results"]:
        for name in ("HigherLevelItem", "SDProcessStatus"):
            item.pop(name)
        for price in item["to_PricingElement"]["results"]:
            price.pop("ConditionClass")
            price.pop("ConditionInactiveReason")
    assert link.mapping.found(bare).total == link.find("TS-1").total
