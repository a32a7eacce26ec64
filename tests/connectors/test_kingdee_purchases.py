"""Purchase orders in the buyer's K/3 Cloud: filed once under our reference, changed in place, taken back."""

# ruff: noqa: F811

from decimal import Decimal

import pytest

from connectors.kingdee.simulator import Simulator
from connectors.kingdee.system import Kingdee
from tests.connectors.kingdee_house import (
    BEARINGS,
    REBAR,
    LinkOf,
    asked,
    bought,
    counted,
    file,
    link_of,  # noqa: F401  a fixture
    nobody,
    pushed,
    trouble,
)
from tongshang.connect import (
    Access,
    OutboundRule,
    Rejected,
    Uncertain,
    differences,
    session,
)

ORDER = "PUR_PurchaseOrder"
ENTRY = "FPOOrderEntry_FEntryID"
KEYS = ["FDocumentStatus", "FSupplierId.FNumber", "FUnitId.FNumber", "FQty", "FAllAmount", "FNote"]


def test_the_kinds_it_files_are_the_kinds_it_says(link_of: LinkOf):
    link = link_of()
    for kind in Kingdee.documents:
        assert link.filing(kind)
    assert set(Kingdee.documents) == {"sales_order", "purchase_order", "receipt", "payment"}
    with pytest.raises(KeyError):
        link.filing("inbound_order")


def test_a_purchase_order_is_saved_submitted_and_audited(kingdee: Simulator, link_of: LinkOf, client_of):
    link = link_of()
    filing, document = link.filing("purchase_order"), bought("SO-1-ABCD", BEARINGS, REBAR)
    bill = filing.bill(document, nobody)
    assert bill.learned == {("supplier", str(document.partner_id)): "VEN01"}
    found = filing.send(bill, None)
    assert found.finished and differences(bill, found) == []
    assert found.total == Decimal("12316.00") and found.number == "SO-1-ABCD"
    assert client_of().query(ORDER, KEYS, "FBillNo='SO-1-ABCD'", f"{ENTRY} ASC") == [
        ["C", "VEN01", "Pcs", 120, Decimal("4380.00"), "1"],
        ["C", "VEN01", "t", 2, Decimal("7936.00"), "2"],
    ]
    assert filing.find("SO-1-ABCD") == found and filing.count("SO-1-ABCD") == 1
    assert filing.find("SO-2") is None and filing.count("SO-2") == 0
    assert filing.send(bill, found) == found and asked(kingdee, "Save") == 1


def test_a_known_supplier_is_not_asked_for(kingdee: Simulator, link_of: LinkOf):
    bill = (
        link_of()
        .filing("purchase_order")
        .bill(bought("SO-1", BEARINGS), lambda kind, _: "VEN77" if kind == "supplier" else None)
    )
    assert bill.partner == "VEN77" and bill.learned == {}
    assert asked(kingdee, "ExecuteBillQuery") == 0


def test_a_supplier_is_the_only_one_with_the_tax_code(kingdee: Simulator, link_of: LinkOf):
    filing = link_of().filing("purchase_order")
    for code, cause in (("91X", "kingdee.supplier_missing"), ("", "kingdee.supplier_missing")):
        with pytest.raises(Rejected) as refused:
            filing.bill(bought("SO-1", BEARINGS, code=code), nobody)
        assert (refused.value.code, refused.value.field) == (cause, "FSupplierId")
    same = bought("SO-1", BEARINGS).partner_code
    kingdee.world.merge({"suppliers": [{"number": "VEN02", "tax_code": same}]})
    with pytest.raises(Rejected) as refused:
        filing.bill(bought("SO-1", BEARINGS), nobody)
    assert refused.value.code == "kingdee.supplier_ambiguous" and "VEN02" in refused.value.message
    kingdee.world.merge({"suppliers": [{"number": "VEN02", "tax_code": same, "forbidden": True}]})
    assert filing.bill(bought("SO-1", BEARINGS), nobody).partner == "VEN01"
    kingdee.world.merge({"suppliers": [{"number": "VEN02", "tax_code": same, "status": "A"}]})
    assert filing.bill(bought("SO-1", BEARINGS), nobody).partner == "VEN01"


def test_a_supplier_that_is_not_there_any_more_is_kingdees_refusal(link_of: LinkOf):
    filing = link_of().filing("purchase_order")
    bill = filing.bill(bought("SO-1", BEARINGS), lambda kind, _: "GONE" if kind == "supplier" else None)
    with pytest.raises(Rejected) as refused:
        filing.send(bill, None)
    assert refused.value.field == "FSupplierId" and "GONE" in refused.value.message


def test_a_number_somebody_else_gave_away_is_found_and_differs(kingdee: Simulator, link_of: LinkOf):
    theirs = {"number": "SO-1", "supplier": "VEN01", "lines": [{"material": "BRG-6204", "quantity": 1}]}
    link = link_of()
    kingdee.world.merge({"purchase_orders": [theirs]})
    filing = link.filing("purchase_order")
    bill = filing.bill(bought("SO-1", BEARINGS), nobody)
    with pytest.raises(Uncertain) as taken:
        filing.send(bill, None)
    assert taken.value.code == "kingdee.number_taken"
    found = filing.find("SO-1")
    assert found is not None and differences(bill, found)


def test_a_change_goes_into_the_same_lines(link_of: LinkOf, client_of):
    link = link_of()
    filing = link.filing("purchase_order")
    found = file(link, bought("SO-1", BEARINGS, REBAR))
    before = client_of().query(ORDER, [ENTRY, "FNote"], "FBillNo='SO-1'", f"{ENTRY} ASC")
    fewer = filing.bill(bought("SO-1", (2, "RB-HRB400E-16", "t", "3", "11904.00")), nobody)
    changed = filing.send(fewer, found)
    assert changed.finished and differences(fewer, changed) == []
    assert client_of().query(ORDER, [ENTRY, "FNote"], "FBillNo='SO-1'") == [before[1]]


def test_an_order_goods_came_in_for_is_not_changed_and_not_taken_back(link_of: LinkOf):
    link = link_of()
    filing = link.filing("purchase_order")
    found = file(link, bought("SO-1", BEARINGS))
    file(link, counted("SH-1", (1, "BRG-6204", "pcs", "20", "730.00", "SO-1", 1)))
    for do in (
        lambda: filing.cancel(found),
        lambda: filing.send(filing.bill(bought("SO-1", REBAR), nobody), found),
    ):
        with pytest.raises(Rejected) as refused:
            do()
        assert "下游单据" in refused.value.message
    assert filing.find("SO-1") == found


@pytest.mark.parametrize("undo", ["void", "delete"])
def test_an_order_is_taken_back(kingdee: Simulator, link_of: LinkOf, undo: str):
    link = link_of(undo=undo)
    filing = link.filing("purchase_order")
    found = file(link, bought("SO-1", BEARINGS))
    gone = filing.cancel(found)
    assert gone.cancelled and not gone.finished and filing.count("SO-1") == 0
    left = filing.find("SO-1")
    assert (left is None) if undo == "delete" else (left is not None and left.cancelled)
    assert len(kingdee.store.all(ORDER)) == (0 if undo == "delete" else 1)


def test_a_site_has_its_own_ways(link_of: LinkOf, client_of):
    own = "purchase.reference=F_TS_Order\npurchase.note=F_TS_Note\npurchase.line=F_TS_Line"
    link = link_of(fields=own, purchaser="CG01", bill_types="purchase=CGDD01_SYS")
    filing = link.filing("purchase_order")
    found = file(link, bought("SO-1-ABCD", BEARINGS))
    assert found.number.startswith("CGDD") and filing.find("SO-1-ABCD") == found
    keys = ["F_TS_Order", "F_TS_Note", "FPurchaserId"]
    assert client_of().query(ORDER, keys, f"FID = {found.remote_id}") == [["SO-1-ABCD", "通商 PO-7", "CG01"]]
    assert filing.cancel(found).cancelled


def test_a_type_of_bill_that_is_not_there_is_kingdees_refusal(link_of: LinkOf):
    with pytest.raises(Rejected) as refused:
        file(link_of(bill_types="purchase=NONE"), bought("SO-1", BEARINGS))
    assert refused.value.field == "FBillTypeID"


def test_sales_orders_alone_want_a_salesperson_and_do_not_stop_the_rest(link_of: LinkOf):
    link = link_of(saler="")
    assert file(link, bought("SO-1", BEARINGS)).finished
    with pytest.raises(Rejected) as missing:
        link.bill(bought("SO-2", BEARINGS), nobody)
    assert (missing.value.code, missing.value.field) == ("kingdee.saler_missing", "FSalerId")


@pytest.mark.parametrize("mode", ["drop_after", "status_500_after", "html_200", "cut_body"])
@pytest.mark.parametrize("service", ["Save", "Submit", "Audit"])
def test_an_answer_that_is_lost_leaves_one_order(
    kingdee: Simulator, link_of: LinkOf, service: str, mode: str
):
    filing = link_of().filing("purchase_order")
    kingdee.faults.set([{"match": service, "mode": mode, "times": 1}])
    bill = filing.bill(bought("SO-1", BEARINGS), nobody)
    with pytest.raises(Uncertain):
        filing.send(bill, None)
    found = filing.send(bill, filing.find("SO-1"))
    assert found.finished and filing.count("SO-1") == 1 and len(kingdee.store.all(ORDER)) == 1


def test_orders_through_trouble_are_there_once(kingdee: Simulator, link_of: LinkOf):
    filing = link_of().filing("purchase_order")
    kingdee.faults.set(trouble(0.06))
    for number in range(15):
        pushed(filing, bought(f"SO-{number}", BEARINGS, REBAR))
    kingdee.faults.set([])
    assert sorted(each.number for each in kingdee.store.all(ORDER)) == sorted(f"SO-{n}" for n in range(15))
    assert {each.status for each in kingdee.store.all(ORDER)} == {"C"}


def test_the_check_names_what_cannot_be_filed(kingdee: Simulator, link_of: LinkOf):
    link = link_of()
    http = session([OutboundRule.parse(f"127.0.0.1:{kingdee.port}")])
    settings = {"fields": "purchase.unit=FNope"}
    account = link.client.account
    settings |= {"way": "signed", "acct_id": account.acct_id, "username": "demo"}
    settings["app_id"] = link.client.credentials.app_id  # type: ignore[union-attr]
    secrets = {"app_secret": link.client.credentials.app_secret}  # type: ignore[union-attr]
    *_, last = Kingdee().check(Access(kingdee.url, "100", settings, secrets), http)
    assert last.ok and f"purchase_order ({ORDER})" in last.said and "payment" not in last.said
    assert last.without == ("sales_order", "purchase_order")  # there is no salesperson either
    settings |= {"saler": "XS01", "fields": "order.reference=FNope"}
    *_, last = Kingdee().check(Access(kingdee.url, "100", settings, secrets), http)
    assert last.ok and last.without == ("sales_order", "deliveries", "invoices", "payments")
    settings["fields"] = "purchase.reference=FNope"
    *_, last = Kingdee().check(Access(kingdee.url, "100", settings, secrets), http)
    assert last.ok and last.without == ("purchase_order", "receipt", "receipts")
    http.close()
