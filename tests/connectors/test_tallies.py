"""Connectors that list a day for reconciliation: what the platform filed under it, each document by itself, and nothing else."""

# ruff: noqa: F811

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from connectors.generic.rest.simulator import Simulator as RestErp
from connectors.sap.odata.filing.purchases import Purchases
from connectors.sap.odata.link import SapLink
from connectors.sap.odata.mapping import SiteMapping
from tests.connectors import sap_house
from tests.connectors.generic_house import filed, nobody_known, rest_links
from tests.connectors.generic_house import order_out as small_order
from tests.connectors.kingdee_house import (
    BEARINGS,
    LinkOf,
    bought,
    counted,
    file,
    link_of,  # noqa: F401  a fixture
    money,
    nobody,
)
from tests.connectors.sap_house import access_to, nothing_known, order_out
from tests.connectors.test_generic_kinds import OTHERS, made

gateway, client_of = sap_house.gateway, sap_house.client_of
D = Decimal
DAY, NEXT = date(2026, 11, 22), date(2026, 11, 23)


# -- K/3 Cloud


def test_k3_lists_sales_orders_that_bear_our_mark(link_of: LinkOf):
    link = link_of()
    sales = link.filing("sales_order")
    first = replace(bought("SO-1", BEARINGS, code="91320200MA1N2PQR3X"), kind="sales_order")
    for order in (first, replace(first, reference="SO-2"), replace(first, reference="SO-3", ordered_on=NEXT)):
        file(link, order)
    sales.cancel(sales.find("SO-2"))
    own = {**sales.bill(replace(first, reference="XSDD9"), nobody).body, "FNote": "门店订单"}
    sales.client.save("SAL_SaleOrder", own)  # somebody's own, with no mark
    assert sales.tally(DAY) == [("SO-1", D("4380.00"), False), ("SO-2", D("4380.00"), True)]
    assert sales.tally(NEXT) == [("SO-3", D("4380.00"), False)]
    assert link_of().filing("sales_order").tally(date(2026, 1, 1)) == []


def test_k3_lists_receipts_and_money_and_no_purchase_order_without_a_field_for_the_mark(link_of: LinkOf):
    link = link_of()
    file(link, bought("PO-1", BEARINGS))
    assert link.filing("purchase_order").tally(DAY) is None
    half = (1, "BRG-6204", "pcs", "60", "2190.00", "PO-1", 1)
    file(link, counted("GR-1", half, half[:3] + ("30", "1095.00") + half[5:]))
    assert link.filing("receipt").tally(NEXT) == [("GR-1", D("3285.00"), False)]
    file(link, money("FK-1", "in", "500.00", ("FP-1", "300.00")))
    file(link, money("FK-2", "out", "70.00"))
    assert link.filing("payment").tally(NEXT) == [("FK-1", D("500.00"), False), ("FK-2", D("70.00"), False)]
    assert link.filing("payment").tally(DAY) == []


def test_k3_lists_purchase_orders_where_a_field_takes_the_mark(link_of: LinkOf):
    link = link_of(fields="purchase.note=F_PAEZ_Text")
    file(link, bought("PO-1", BEARINGS))
    assert link.filing("purchase_order").tally(DAY) == [("PO-1", D("4380.00"), False)]


# -- SAP


@pytest.mark.parametrize("version", ["v2", "v4"])
def test_sap_lists_the_orders_of_our_user(gateway, client_of, version):
    def link_with(**values: str) -> SapLink:
        return SapLink(client_of(), SiteMapping(access_to(gateway, odata_version=version, **values)))

    link = link_with()
    for order in (order_out("TS-1"), order_out("TS-2"), order_out("TS-3", ordered_on=NEXT)):
        link.send(link.bill(order, nothing_known), None)
    link.cancel(link.find("TS-2"))
    first, second = sorted(link.tally(DAY))
    assert (first, second[0], second[2]) == (("TS-1", D("12316.00"), False), "TS-2", True)
    assert link.tally(NEXT) == [("TS-3", D("12316.00"), False)]
    assert link_with(user="SOMEBODY").tally(DAY) == []
    for values in ({"user": ""}, {"way": "oauth"}, {"user": "A-LONG-USER-NAME"}):  # SAP calls them by names we do not know
        assert link_with(**values).tally(DAY) is None


def test_sap_lists_both_where_two_orders_have_one_reference(gateway, client_of):
    link = SapLink(client_of(), SiteMapping(access_to(gateway)))
    bill = link.bill(order_out("TS-1"), nothing_known)
    for _ in range(2):
        link.client.create(link.orders.service, link.orders.orders, bill.body)
    assert link.tally(DAY) == [("TS-1", D("12316.00"), False)] * 2


SHORT, LONG, LATER = "SO-1", "SO-2026-000123-QX7K", "SO-2026-000124-QX7K"


@pytest.fixture
def buying_of(gateway, client_of):
    """What files purchase orders; three of them are there, the shortest taken back."""

    def make(**values: str) -> Purchases:
        return SapLink(client_of(), SiteMapping(access_to(gateway, **values))).filing("purchase_order")

    def filled(**values: str) -> Purchases:
        buying = make(**values)
        for reference, day in ((SHORT, DAY), (LONG, DAY), (LATER, NEXT)):
            order = order_out(reference, kind="purchase_order", partner_code=sap_house.SELLER_CODE, ordered_on=day)
            buying.send(buying.bill(order, nothing_known), None)
        buying.cancel(buying.find(SHORT))
        return buying

    filled.empty = make
    return filled


@pytest.mark.parametrize("values", [{}, {"purchase_reference": "YY1_PlatformOrder_PDH"}])
def test_sap_lists_purchase_orders_by_our_whole_number(buying_of, values):
    buying = buying_of(**values)
    assert [(each[0], each[2]) for each in sorted(buying.tally(DAY))] == [(SHORT, True), (LONG, False)]
    assert buying.tally(NEXT) == [(LATER, D("12316.00"), False)]
    assert buying_of.empty(way="oauth").tally(DAY) is None and buying_of.empty(company_code="").tally(DAY) is None


def test_sap_lists_no_purchase_order_by_a_code_alone(gateway, buying_of):
    buying = buying_of()
    (note,) = [row for row in gateway.books.rows("A_PurchaseOrderNote") if row["PlainLongText"] == LATER]
    note["PlainLongText"] = f"Tel. 0510, {LATER} urgent"  # somebody wrote more
    assert buying.tally(NEXT)[0][0] == LATER
    note["PlainLongText"] = ""  # and wiped it
    assert buying.tally(NEXT) is None and buying.tally(DAY) is not None


# -- REST


def test_rest_lists_a_day_where_a_path_asks_for_it():
    with RestErp() as erp, rest_links(erp) as link_of:
        link = link_of()
        for reference in ("SO-1", "SO-2"):
            filed(link, small_order(reference))
        orders = link.filing("sales_order")
        orders.cancel(orders.find("SO-2"))
        assert orders.tally(DAY) == [("SO-1", D("12316.00"), False), ("SO-2", D("12316.00"), True)]
        assert orders.tally(NEXT) == []
        assert link_of(day_path="").filing("sales_order").tally(DAY) is None
        assert link_of(answer=link.client.access["answer"] + ", reference=-").filing("sales_order").tally(DAY) is None


@pytest.mark.parametrize("kind", OTHERS)
def test_rest_lists_every_kind(kind):
    with RestErp() as erp, rest_links(erp) as link_of:
        filing = link_of().filing(kind)
        document = made(kind)
        filing.send(filing.bill(document, nobody_known), None)
        day = getattr(document, "ordered_on", None) or getattr(document, "moved_on", None) or document.paid_on
        assert filing.tally(day) == [("X-1", document.total, False)]
        assert filing.tally(DAY) == []
