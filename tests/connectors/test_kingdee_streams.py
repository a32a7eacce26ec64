"""Everything that flows in from K/3 Cloud: read from a real socket, in pages, after stops, in our own words."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import requests

from connectors.kingdee.simulator import DEMO_ACCOUNT, Simulator
from connectors.kingdee.simulator.forms import FORMS
from connectors.kingdee.system import Kingdee, KingdeeLink
from tests.connectors.conftest import order
from tests.connectors.kingdee_house import asked
from tongshang.connect import Access, OutboundRule, RetryLater, SkipRecord, session

ORDER = "SAL_SaleOrder"


@pytest.fixture
def link_of(kingdee: Simulator) -> Iterator[Callable[..., KingdeeLink]]:
    """Links to the simulator; settings by keyword."""
    opened = []

    def make(**settings: str) -> KingdeeLink:
        http = session([OutboundRule.parse(f"127.0.0.1:{kingdee.port}")])
        opened.append(http)
        values = {"way": "signed", "acct_id": DEMO_ACCOUNT.acct_id, "username": "demo", "saler": "XS01"}
        values |= {"app_id": DEMO_ACCOUNT.app_id} | settings
        access = Access(kingdee.url, "100", values, {"app_secret": DEMO_ACCOUNT.app_secret})
        return Kingdee().open(access, http)

    yield make
    for http in opened:
        http.close()


def pulled(link: KingdeeLink, key: str, cursor: str | None = None, size: int | None = None) -> list[Any]:
    """All records of a stream in our words."""
    stream = link.stream(key)
    if size:
        stream.size = size  # type: ignore[attr-defined]
    return [stream.to_core(row) for page in stream.pull(cursor, None) for row in page.rows]


def act(kingdee: Simulator, what: str, **given: Any) -> dict[str, Any]:
    answer = requests.post(f"{kingdee.admin}/{what}", json=given, timeout=5)
    assert answer.status_code == 200, answer.text
    return answer.json()


def line(number: int, material: str = "BRG-6204", unit: str = "Pcs", quantity: str = "120") -> dict[str, Any]:
    base = order()["FSaleOrderEntry"][0]
    changed = {"FMaterialId": {"FNumber": material}, "FUnitID": {"FNumber": unit}, "FQty": Decimal(quantity)}
    return base | changed | {"FEntryNote": str(number)}


@pytest.fixture
def ordered(kingdee, client_of) -> Callable[..., None]:
    """Files an audited order: 120 bearings on our line 1, 2 t of rebar on our line 3."""

    def make(number: str, note: str = "通商 PO-7", **changes: Any) -> None:
        client = client_of()
        lines = [line(1), line(3, "RB-HRB400E-16", "t", "2")]
        client.save(ORDER, order(number, FNote=note, FSaleOrderEntry=lines) | changes)
        client.submit(ORDER, number)
        client.audit(ORDER, number)

    return make


# -- base data


def test_partners_come_with_the_code_by_which_we_know_them(kingdee, link_of):
    first, second = pulled(link_of(), "partners")
    assert (first.number, first.name, first.code, first.active) == (
        "CUST0001",
        "锡安达机电",
        "91320200MA1N2PQR3X",
        True,
    )
    assert (second.number, second.active) == ("CUST0002", False)


def test_a_site_may_keep_the_code_in_another_field(kingdee, link_of):
    kingdee.world.merge({"customers": [{"number": "CUST0001", "name": "锡安达", "social_code": "91X"}]})
    assert [one.code for one in pulled(link_of(fields="partner.code=FSOCIALCRECODE"), "partners")] == [
        "91X",
        "",
    ]


def test_units_come_whole_every_time(link_of):
    far = (datetime.now() + timedelta(days=400)).isoformat()
    found = {one.number: one.name for one in pulled(link_of(), "units", cursor=far)}
    assert len(found) == 10 and found["t"] == "吨"


@pytest.mark.parametrize("act_on", ["audit", "forbid"])
def test_what_was_saved_long_ago_and_audited_or_forbidden_now_is_a_change(
    kingdee, link_of, client_of, act_on
):
    document = kingdee.store.by_number("BD_MATERIAL", "BRG-6204")
    document.head |= {"FModifyDate": "2020-01-01T00:00:00", "FApproveDate": "2020-01-01T00:00:00"}
    document.head["FDocumentStatus"] = "B" if act_on == "audit" else "C"
    cursor = "2025-01-01T00:00:00.000"
    assert [one.code for one in pulled(link_of(), "products", cursor)] == ["RB-HRB400E-16"]
    client = client_of()
    if act_on == "audit":
        client.audit("BD_MATERIAL", "BRG-6204")
    else:
        client.operate("BD_MATERIAL", "Forbid", "BRG-6204")
    found = {one.code: one.active for one in pulled(link_of(), "products", cursor)}
    assert found["BRG-6204"] is (act_on == "audit")


def test_pages_end_where_they_should_and_go_on_after_a_stop(kingdee, link_of):
    rows = [{"number": f"M{n:03}", "name": f"螺栓 {n}"} for n in range(23)]
    kingdee.world.merge({"materials": rows})
    stream = link_of().stream("products")
    stream.size = 5
    pages = list(stream.pull(None, None))
    assert [len(page.rows) for page in pages] == [5, 5, 5, 5, 5]
    assert all(page.cursor for page in pages)
    codes = [row["FNumber"] for page in pages for row in page.rows]
    assert len(set(codes)) == 25
    rest = [row["FNumber"] for page in stream.pull(None, pages[1].position) for row in page.rows]
    assert rest == codes[10:]
    assert list(stream.pull(None, pages[-1].position)) == []


def test_a_change_within_the_overlap_comes_again(link_of):
    stream = link_of().stream("products")
    (page,) = stream.pull(None, None)
    assert len(next(iter(stream.pull(page.cursor, None))).rows) == 2
    later = (datetime.fromisoformat(page.cursor) + timedelta(minutes=6)).isoformat(timespec="milliseconds")
    assert list(stream.pull(later, None)) == []


# -- prices


def test_prices_for_everybody_and_for_the_customers_a_list_names(kingdee, link_of):
    kingdee.world.merge(
        {
            "price_lists": [
                {
                    "number": "XSJM01",
                    "lines": [
                        {"material": "BRG-6204", "price": "36.50"},
                        {"material": "BRG-6204", "price": "35.10", "from_quantity": 1000, "to": "2027-01-31"},
                    ],
                },
                {
                    "number": "XSJM02",
                    "customers": ["CUST0001", "CUST0002"],
                    "currency": "PRE007",
                    "from": "2026-03-01",
                    "lines": [{"material": "RB-HRB400E-16", "unit": "t", "price": "512"}],
                },
                {"number": "XSJM03", "forbidden": True, "lines": [{"material": "BRG-6204", "price": 1}]},
            ]
        }
    )
    found = pulled(link_of(), "prices", size=1)
    common = [one for one in found if not one.partner]
    assert [(one.price, one.from_quantity, one.currency, one.unit) for one in common] == [
        (Decimal("36.5"), 0, "CNY", "pcs"),
        (Decimal("35.1"), 1000, "CNY", "pcs"),
    ]
    assert common[1].to_day == date(2027, 1, 31) and common[0].from_day == date(2020, 1, 1)
    named = [one for one in found if one.partner]
    assert [(one.partner, one.price, one.currency) for one in named] == [
        ("CUST0001", 512, "USD"),
        ("CUST0002", 512, "USD"),
    ]
    assert named[0].from_day == date(2026, 3, 1)
    assert len({one.external_id for one in found}) == 4


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"tax_included": False}, "kingdee.price_without_tax"),
        ({"limit": "2"}, "kingdee.price_limited"),
        ({"limit": "1"}, "kingdee.price_limited"),
        ({"currency": "XXX"}, "kingdee.currency_unknown"),
        ({"lines": [{"material": "BRG-6204", "price": 0}]}, "kingdee.price_missing"),
        ({"lines": [{"material": "BRG-6204", "price": 5, "unit": "100pcs"}]}, "kingdee.unit_unknown"),
    ],
)
def test_a_price_that_cannot_be_said_in_our_words_is_left_out_with_its_reason(
    kingdee, link_of, changes, code
):
    row = {"number": "XSJM01", "lines": [{"material": "BRG-6204", "price": "36.50"}]}
    kingdee.world.merge({"price_lists": [row | changes]})
    stream = link_of().stream("prices")
    ((record,),) = (page.rows for page in stream.pull(None, None))
    with pytest.raises(SkipRecord) as left:
        stream.to_core(record)
    assert left.value.code == code


# -- what became of an order


def test_a_delivery_names_our_order_and_our_lines(kingdee, link_of, ordered):
    ordered("TS-1")
    act(kingdee, "ship", order="TS-1", material="RB-HRB400E-16", quantity="1.5", tracking="SF123")
    act(kingdee, "ship", order="TS-1")
    first, second = pulled(link_of(), "deliveries", size=1)
    assert (first.reference, first.tracking, first.day) == ("TS-1", "SF123", second.day)
    assert [(one.line, one.material, one.quantity, one.unit) for one in first.lines] == [
        (3, "RB-HRB400E-16", Decimal("1.5"), "t")
    ]
    assert [(one.line, one.quantity) for one in second.lines] == [(1, 120), (3, Decimal("0.5"))]
    assert first.external_id.endswith("/TS-1") and first.number.startswith("XSCKD")
    stock = {one.material: one.quantity for one in pulled(link_of(), "stock")}
    assert stock == {"BRG-6204": 380, "RB-HRB400E-16": 60}


def test_one_bill_about_two_orders_is_a_record_for_each(kingdee, link_of, ordered):
    ordered("TS-1")
    ordered("TS-2")
    bill = act(kingdee, "ship", order="TS-1")
    there = kingdee.store.by_id("SAL_OUTSTOCK", bill["id"])
    there.lines[1] |= {"FSoorDerno": "TS-2"}
    found = pulled(link_of(), "deliveries")
    assert [(one.reference, len(one.lines)) for one in found] == [("TS-1", 1), ("TS-2", 1)]
    assert len({one.external_id for one in found}) == 2
    assert {one.number for one in found} == {bill["number"]}


def test_what_is_not_audited_or_void_or_somebody_elses_stays_there(kingdee, link_of, ordered):
    ordered("TS-1")
    ordered("TS-2")
    ordered("XSDD0815", note="门市")
    act(kingdee, "ship", order="TS-1", audit="false")
    gone = act(kingdee, "ship", order="TS-2")
    kingdee.store.by_id("SAL_OUTSTOCK", gone["id"]).head["FCancelStatus"] = "B"
    act(kingdee, "ship", order="XSDD0815")
    assert pulled(link_of(), "deliveries") == []
    (listed,) = pulled(link_of(foreign="list"), "deliveries")
    assert listed.reference == "XSDD0815"


def test_invoices_and_payments_of_an_order(kingdee, link_of, ordered):
    ordered("TS-1")
    act(kingdee, "pay", order="TS-1", amount="1000")
    billed = act(kingdee, "invoice", order="TS-1")
    act(kingdee, "pay", invoice=billed["number"], amount="3453.00")
    (invoice,) = pulled(link_of(), "invoices")
    assert (invoice.reference, invoice.total, invoice.currency) == ("TS-1", Decimal("4453.00"), "CNY")
    assert invoice.number == billed["number"]
    ahead, rest = pulled(link_of(), "payments")
    assert [(one.reference, one.amount) for one in (ahead, rest)] == [("TS-1", 1000), ("TS-1", 3453)]
    assert len({ahead.external_id, rest.external_id}) == 2


def test_money_that_names_only_a_receivable_is_told_by_its_number(kingdee, link_of, ordered):
    ordered("TS-1")
    billed = act(kingdee, "invoice", order="TS-1")
    paid = act(kingdee, "pay", invoice=billed["number"])
    (source,) = kingdee.store.by_id("AR_RECEIVEBILL", paid["id"]).more["FRECEIVEBILLSRCENTRY"]
    source["FORDERBILLNO"] = ""
    (payment,) = pulled(link_of(), "payments")
    assert (payment.reference, payment.amount) == (billed["number"], Decimal("4453.00"))


def test_money_pushed_from_an_order_counts_once(kingdee, link_of, ordered):
    """K/3 writes the order on the bill's own line and as its source line."""
    ordered("TS-1")
    paid = act(kingdee, "pay", order="TS-1")
    bill = kingdee.store.by_id("AR_RECEIVEBILL", paid["id"])
    source = {"FEntryID": 1, "FSRCBILLNO": "TS-1", "FORDERBILLNO": "", "FREALRECAMOUNTFOR_S": Decimal("4453")}
    bill.more["FRECEIVEBILLSRCENTRY"] = [source]
    (payment,) = pulled(link_of(), "payments")
    assert (payment.reference, payment.amount) == ("TS-1", Decimal("4453"))


def test_receipts_are_found_by_the_buyers_purchase_order(kingdee, link_of):
    kingdee.world.merge(
        {
            "suppliers": [{"number": "S1", "name": "华东联钢"}],
            "purchase_orders": [
                {"number": "TS-9", "supplier": "S1", "lines": [{"material": "BRG-6204", "quantity": 50}]}
            ],
        }
    )
    act(kingdee, "receive", order="TS-9", quantity="20")
    (receipt,) = pulled(link_of(), "receipts")
    assert (receipt.reference, receipt.number[:4]) == ("TS-9", "CGRK")
    assert [(one.material, one.quantity, one.unit) for one in receipt.lines] == [("BRG-6204", 20, "pcs")]


def test_an_act_that_cannot_be_is_refused_in_kingdees_words_and_leaves_nothing(kingdee, ordered):
    ordered("TS-1")
    over = requests.post(f"{kingdee.admin}/ship", json={"order": "TS-1", "quantity": "500"}, timeout=5)
    assert (over.status_code, "源单关联数量" in over.text or "u6e90" in over.text) == (400, True)
    for wrong in ({"order": "NONE"}, {"order": "TS-1", "quantity": "x"}, {"order": "TS-1", "colour": "red"}):
        assert requests.post(f"{kingdee.admin}/ship", json=wrong, timeout=5).status_code == 400
    assert list(kingdee.store.all("SAL_OUTSTOCK")) == []
    act(kingdee, "ship", order="TS-1")
    assert requests.post(f"{kingdee.admin}/ship", json={"order": "TS-1"}, timeout=5).status_code == 400


@pytest.mark.parametrize("key", [kind.key for kind in Kingdee.streams])
@pytest.mark.parametrize("mode", ["drop_before", "html_200", "cut_body", "call_limit", "status_500_after"])
def test_a_stream_that_breaks_may_run_again(kingdee, link_of, ordered, key, mode):
    ordered("TS-1")
    act(kingdee, "ship", order="TS-1")
    kingdee.faults.set([{"match": "ExecuteBillQuery", "mode": mode, "times": 1}])
    with pytest.raises(RetryLater):
        pulled(link_of(), key)
    pulled(link_of(), key)


def test_a_lost_session_is_renewed_in_the_middle_of_a_stream(kingdee, link_of, ordered):
    ordered("TS-1")
    act(kingdee, "ship", order="TS-1")
    kingdee.faults.set(
        [{"match": {"operation": "ExecuteBillQuery", "kind": ORDER}, "mode": "session_lost", "times": 1}]
    )
    assert len(pulled(link_of(), "deliveries")) == 1


def test_the_check_says_which_streams_the_site_cannot_feed(kingdee):
    http = session([OutboundRule.parse(f"127.0.0.1:{kingdee.port}")])
    values = {"way": "signed", "acct_id": DEMO_ACCOUNT.acct_id, "username": "demo", "saler": "XS01"}
    values |= {"app_id": DEMO_ACCOUNT.app_id, "fields": "delivery.order=FNoSuchField"}
    access = Access(kingdee.url, "100", values, {"app_secret": DEMO_ACCOUNT.app_secret})
    steps = list(Kingdee().check(access, http))
    http.close()
    assert all(step.ok for step in steps)
    assert steps[-1].said.startswith("BRG-6204; deliveries (SAL_OUTSTOCK): ")
    assert "FNoSuchField" in steps[-1].said and "invoices" not in steps[-1].said


def test_a_material_with_more_lots_than_a_page_has_rows_is_added_up_all_the_same(kingdee, link_of):
    lots = [{"material": "RB-HRB400E-16", "lot": f"H{no:02}", "quantity": 1} for no in range(7)]
    kingdee.world.merge({"stock": [*lots, {"material": "RB-HRB400E-16", "warehouse": "CK002", "quantity": 3}]})
    found = {one.external_id: one.quantity for one in pulled(link_of(), "stock", size=3)}
    assert found == {"BRG-6204@CK001": 500, "RB-HRB400E-16@CK001": 69, "RB-HRB400E-16@CK002": 3}


def test_a_site_that_shows_no_stock_is_set_up_without_that_stream(kingdee, monkeypatch):
    monkeypatch.setitem(FORMS, "stk_inventory", replace(FORMS["stk_inventory"], fields=("FLot",)))
    http = session([OutboundRule.parse(f"127.0.0.1:{kingdee.port}")])
    values = {"way": "signed", "acct_id": DEMO_ACCOUNT.acct_id, "username": "demo", "saler": "XS01"}
    access = Access(
        kingdee.url, "100", values | {"app_id": DEMO_ACCOUNT.app_id}, {"app_secret": DEMO_ACCOUNT.app_secret}
    )
    *_, last = Kingdee().check(access, http)
    http.close()
    assert last.ok and last.without == ("stock",) and "FBaseQty" in last.said


# -- how far a run is


def totals(link: KingdeeLink, key: str, size: int, position: str | None = None) -> list[int | None]:
    stream = link.stream(key)
    stream.size = size  # type: ignore[attr-defined]
    return [page.total for page in stream.pull(None, position)]


def test_a_run_says_once_how_much_there_is(kingdee, link_of):
    link, before = link_of(), asked(kingdee, "ExecuteBillQuery")
    assert totals(link, "units", 4) == [10, None, None]  # 4 + 4 + 2
    assert asked(kingdee, "ExecuteBillQuery") - before == 4  # three pages, one count
    before = asked(kingdee, "ExecuteBillQuery")
    assert totals(link, "units", 100) == [10]
    assert asked(kingdee, "ExecuteBillQuery") - before == 1  # one page holds them all: nothing to count
    fourth = next(link_with(link, "units", 4)).position
    assert totals(link, "units", 4, fourth) == [10, None]  # a run that goes on is still the whole run


def link_with(link: KingdeeLink, key: str, size: int) -> Iterator[Any]:
    stream = link.stream(key)
    stream.size = size  # type: ignore[attr-defined]
    yield from stream.pull(None, None)


def test_a_server_that_does_not_count_tells_no_total(kingdee, link_of):
    assert totals(link_of(count="COUNT(*)"), "units", 4) == [None, None, None]
    before = asked(kingdee, "ExecuteBillQuery")
    assert totals(link_of(count=""), "units", 4) == [None, None, None]
    assert asked(kingdee, "ExecuteBillQuery") - before == 3


def test_bills_are_not_counted_since_one_may_be_several_records(kingdee, link_of, ordered):
    ordered("TS-1")
    act(kingdee, "ship", order="TS-1")
    assert totals(link_of(), "deliveries", 1) == [None]
