"""Orders, base data and checks through the link."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from connectors.kingdee.eas.simulator import Simulator
from connectors.kingdee.eas.simulator.books import AUDITED, SAVED, SUBMITTED
from connectors.kingdee.eas.streams import Customers, Materials, Stocks
from connectors.kingdee.eas.system import Eas
from tests.connectors.eas_house import BASE, FACADE, access, link_to, nobody, order
from tests.sync.conftest import BUYER_CODE
from tongshang.connect import (
    Ambiguous,
    OutboundRule,
    PartnerIn,
    ProductIn,
    Rejected,
    RetryLater,
    SkipRecord,
    StockIn,
    Stop,
    Uncertain,
    differences,
    session,
)


@pytest.fixture
def eas():
    with Simulator() as simulator:
        simulator.books.merge(BASE)
        yield simulator


# -- the link


def test_an_order_is_imported_submitted_audited_and_read_back_as_it_was_sent(eas):
    link = link_to(eas)
    bill = link.bill(order(), nobody)
    assert bill.learned == {("partner", str(order().partner_id)): "C0217"}
    found = link.send(bill, None)
    assert differences(bill, found) == []
    assert (found.finished, found.status, found.number) == (True, AUDITED, "TS-1")
    assert eas.calls[f"importBill {FACADE}"] == 1


def test_a_customer_out_of_use_does_not_stand_in_the_way_of_his_namesake(eas):
    old = [{"number": f"C000{no}", "tax_code": BUYER_CODE, "forbidden": True} for no in range(3)]
    eas.books.merge({"customers": old})
    assert link_to(eas).bill(order(), nobody).partner == "C0217"
    eas.books.merge({"customers": [{"number": "C0218", "tax_code": BUYER_CODE}]})
    with pytest.raises(Rejected, match="C0217, C0218"):
        link_to(eas).bill(order(), nobody)


def test_a_change_opens_the_bill_and_files_it_again(eas):
    link = link_to(eas)
    first = link.send(link.bill(order(), nobody), None)
    line = replace(order().lines[0], quantity=Decimal(100), gross=Decimal("3650.00"))
    bill = link.bill(order(lines=(line, order().lines[1]), total=Decimal("11586.00")), nobody)
    found = link.send(bill, first)
    assert (found.remote_id, found.finished, differences(bill, found)) == (first.remote_id, True, [])


@pytest.mark.parametrize("state", [SAVED, SUBMITTED])
def test_a_bill_found_half_way_is_carried_on_and_not_imported_again(eas, state):
    link = link_to(eas)
    bill = link.bill(order(), nobody)
    link.facade.take_in(bill.body)
    if state == SUBMITTED:
        link.facade.carry("submit", {"number": "TS-1"})
    assert link.send(bill, link.find("TS-1")).finished
    assert eas.calls[f"importBill {FACADE}"] == 1


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"currency": "USD"}, "eas.currency_missing"),
        ({"lines": (replace(order().lines[0], unit="barrel"),)}, "eas.unit_missing"),
        ({"partner_code": ""}, "eas.customer_missing"),
        ({"partner_code": "91310000MA1FL4XY7W"}, "eas.customer_missing"),
    ],
)
def test_what_has_no_counterpart_is_rejected_before_anything_is_sent(eas, change, code):
    with pytest.raises(Rejected) as refused:
        link_to(eas).bill(order(**change), nobody)
    assert refused.value.code == code


def test_two_customers_with_one_tax_number_are_named(eas):
    eas.books.merge({"customers": [{"number": "C0999", "name": "分公司", "tax_code": BUYER_CODE}]})
    with pytest.raises(Rejected, match="C0217, C0999"):
        link_to(eas).bill(order(), nobody)


def test_words_of_the_site_go_over_the_standard_ones(eas):
    eas.books.merge(
        {"units": [{"number": "JIAN", "name": "件"}], "currencies": [{"number": "RMB", "name": "人民币"}]}
    )
    link = link_to(eas, units="pcs=JIAN", currencies="CNY=RMB", fields="note=remark")
    bill = link.bill(order(), nobody)
    found = link.send(bill, None)
    assert (found.lines[0].unit, found.currency) == ("JIAN", "RMB")
    (stored,) = eas.books.orders.values()
    assert stored.head["remark"] == "通商 PO-77" and "description" not in stored.head


def test_of_two_bills_with_one_number_the_void_one_does_not_count(eas):
    eas.books.unique = False
    link = link_to(eas)
    bill = link.bill(order(), nobody)
    link.cancel(link.send(bill, None))
    void = link.find("TS-1")
    assert void is not None and void.cancelled
    link.facade.take_in(bill.body)
    alive = link.find("TS-1")
    assert alive is not None and not alive.cancelled and alive.remote_id != void.remote_id


def test_two_live_bills_with_one_number_are_for_a_person(eas):
    eas.books.unique = False
    link = link_to(eas)
    for _ in range(2):
        link.facade.take_in(link.bill(order(), nobody).body)
    with pytest.raises(Ambiguous) as refused:
        link.find("TS-1")
    assert refused.value.code == "eas.number_twice"


def test_a_number_that_is_taken_is_looked_up(eas):
    link = link_to(eas)
    bill = link.bill(order(), nobody)
    link.facade.take_in(bill.body)
    with pytest.raises(Uncertain) as perhaps:
        link.send(bill, None)
    assert perhaps.value.code == "eas.number_taken"


def test_a_look_up_that_ignores_what_was_asked_is_no_answer(eas, monkeypatch):
    link = link_to(eas)
    link.send(link.bill(order(), nobody), None)
    monkeypatch.setattr(
        eas.books, "find", lambda number, lag=0.0: [o.row() for o in eas.books.orders.values()]
    )
    with pytest.raises(RetryLater) as later:
        link.find("TS-2")
    assert later.value.code == "eas.query_ignored"


@pytest.mark.parametrize("missing", ["baseStatus", "orderCustomer", "entry", "totalTaxAmount", "id"])
def test_a_bill_without_a_field_we_need_says_nothing(eas, monkeypatch, missing):
    link = link_to(eas)
    link.send(link.bill(order(), nobody), None)
    rows = [{key: value for key, value in row.items() if key != missing} for row in eas.books.find("TS-1")]
    monkeypatch.setattr(eas.books, "find", lambda number, lag=0.0: rows)
    with pytest.raises(RetryLater, match="without what is needed"):
        link.find("TS-1")


# -- streams and check


def rows_of(stream):
    return [stream.to_core(row) for page in stream.pull(None, None) for row in page.rows]


def test_base_data_and_stock_flow_in_our_words(eas):
    link = link_to(eas)
    products = rows_of(link.stream("products"))
    assert [(one.code, one.unit, one.specification) for one in products] == [
        ("BRG-6204", "pcs", "20×47×14"),
        ("RB-HRB400E-16", "t", ""),
    ]
    assert all(isinstance(one, ProductIn) and one.active for one in products)
    (partner,) = rows_of(link.stream("partners"))
    assert isinstance(partner, PartnerIn) and (partner.number, partner.code) == ("C0217", BUYER_CODE)
    stock = rows_of(link.stream("stock"))
    assert all(isinstance(one, StockIn) for one in stock)
    assert [(one.external_id, one.quantity) for one in stock] == [
        ("BRG-6204@CK001", Decimal("520.5")),
        ("RB-HRB400E-16@CK001", Decimal(62)),
    ]


@pytest.mark.parametrize("kind", [Materials, Customers])
def test_pages_follow_each_other_and_a_stopped_run_goes_on(eas, kind):
    eas.books.merge({kind.what: [{"number": f"N{at:03}", "name": "x", "unit": "PCS"} for at in range(23)]})
    link = link_to(eas)
    pages = list(kind(link.facade, link.mapping, size=10).pull(None, None))
    numbers = [row["number"] for page in pages for row in page.rows]
    assert len(numbers) == len(set(numbers)) == sum(1 for _ in pages[0].rows) + 10 + len(pages[2].rows)
    rest = kind(link.facade, link.mapping, size=10).pull(None, pages[0].position)
    assert [row["number"] for page in rest for row in page.rows] == numbers[10:]
    later = kind(link.facade, link.mapping, size=10).pull("2999-01-01 00:00:00", None)
    assert list(later) == []


def test_a_material_is_never_cut_between_two_pages_of_stock(eas):
    rows = [{"material": f"M{at // 3}", "lot": f"L{at}", "quantity": 1, "unit": "PCS"} for at in range(12)]
    eas.books.merge({"stock": rows})
    link = link_to(eas)
    found = rows_of(Stocks(link.facade, link.mapping, size=5))
    assert {one.material: one.quantity for one in found if one.material.startswith("M")} == {
        f"M{at}": Decimal(3) for at in range(4)
    }
    with pytest.raises(RetryLater, match="more than 2"):
        list(Stocks(link.facade, link.mapping, size=2).pull(None, "BRG-6204-Z"))


def test_a_server_that_does_not_go_forward_stops_the_run(eas, monkeypatch):
    again = [{"id": "x", "number": "N1", "name": "x", "baseUnit": {"number": "PCS"}}]
    monkeypatch.setattr(eas.books, "materials", lambda *_: again)
    link = link_to(eas)
    with pytest.raises(Stop) as stopped:
        list(Materials(link.facade, link.mapping, size=1).pull(None, None))
    assert stopped.value.code == "eas.paging"


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ({"id": "1", "number": "A", "name": "", "baseUnit": {"number": "PCS"}}, "eas.name_missing"),
        ({"id": "1", "number": "A", "name": "x", "baseUnit": {"number": "LOT"}}, "eas.unit_unknown"),
        ({"id": "1", "number": "A", "name": "x"}, "eas.unit_unknown"),
        ({"id": "1", "name": "x", "baseUnit": {"number": "PCS"}}, "eas.number_missing"),
        ({"number": "A", "name": "x", "baseUnit": {"number": "PCS"}}, "eas.number_missing"),
    ],
)
def test_a_material_that_cannot_be_used_is_left_out_with_its_reason(eas, row, code):
    with pytest.raises(SkipRecord) as skipped:
        link_to(eas).mapping.product(row)
    assert skipped.value.code == code


def test_stock_below_zero_is_left_out(eas):
    eas.books.merge({"stock": [{"material": "BRG-6204", "quantity": "-600", "lot": "C"}]})
    link = link_to(eas)
    (page,) = link.stream("stock").pull(None, None)
    with pytest.raises(SkipRecord, match="below zero"):
        link.stream("stock").to_core(page.rows[0])


STEPS = ["address", "dns", "tcp", "service", "login", "organisation", "read"]


@pytest.mark.parametrize(
    ("told", "last"),
    [
        ({}, "read"),
        ({"facade_wsdl": "<html/>"}, "service"),
        ({"operations": "cancel=voidBill"}, "service"),
        ({"password": "wrong"}, "login"),
        ({"organisation": ""}, "organisation"),
        ({"operations": "materials=listGoods"}, "read"),
    ],
)
def test_a_check_names_its_steps_and_ends_at_the_one_that_fails(eas, told, last):
    http = session([OutboundRule.parse(f"127.0.0.1:{eas.port}")])
    steps = list(Eas().check(access(eas.url, **told), http))
    assert [step.name for step in steps] == STEPS[: STEPS.index(last) + 1]
    assert steps[-1].ok is (last == "read")
    assert all(step.ok for step in steps[:-1])


@pytest.mark.parametrize(
    ("told", "without"),
    [
        ({}, ()),
        ({"operations": "materials=listGoods"}, ("products",)),
        ({"operations": "materials=listGoods\nstock=listStock"}, ("products", "stock")),
    ],
)
def test_a_check_leaves_off_the_lists_a_facade_does_not_have(eas, told, without):
    http = session([OutboundRule.parse(f"127.0.0.1:{eas.port}")])
    *_, last = Eas().check(access(eas.url, **told), http)
    http.close()
    assert last.ok and last.without == without
    assert [name for name in without if f"{name}: eas.operation_missing" not in last.said] == []
