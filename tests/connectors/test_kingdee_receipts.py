"""Receipts in the buyer's K/3 Cloud: hung on the lines of their orders, taken back, and known when they come in again."""

# ruff: noqa: F811

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import func, select

from connectors.kingdee.simulator import Simulator
from connectors.kingdee.system import KingdeeLink
from core.sync import ExternalRef
from core.sync.facts import marked, receipt_out
from core.sync.refs import remember
from tests.connectors.kingdee_house import (
    BEARINGS,
    REBAR,
    SELLER_CODE,
    LinkOf,
    act,
    bought,
    counted,
    file,
    link_of,  # noqa: F811, F401  a fixture
    nobody,
    pushed,
    records,
    trouble,
)
from tests.sync.landing.conftest import Wired, wired  # noqa: F401  a fixture
from tongshang.connect import Rejected, RetryLater, Uncertain, differences

D = Decimal
RECEIPT, ORDER = "STK_InStock", "PUR_PurchaseOrder"


def of_first(quantity: str, gross: str, order: str = "SO-1") -> tuple[Any, ...]:
    """Some of the bearings of an order."""
    return (1, "BRG-6204", "pcs", quantity, gross, order, 1)


def of_second(quantity: str, gross: str, order: str = "SO-1") -> tuple[Any, ...]:
    """Some of the rebar of an order."""
    return (2, "RB-HRB400E-16", "t", quantity, gross, order, 2)


@pytest.fixture
def link(link_of: LinkOf) -> KingdeeLink:
    """A link to books in which the purchase order SO-1 stands."""
    made = link_of()
    file(made, bought("SO-1", BEARINGS, REBAR))
    return made


def stock(kingdee: Simulator, material: str = "BRG-6204") -> Decimal:
    (found,) = [each for each in kingdee.store.all("STK_Inventory") if each.head["FMaterialId"] == material]
    return Decimal(found.head["FBaseQty"])


def test_a_receipt_waits_for_its_order(kingdee: Simulator, link_of: LinkOf, client_of):
    link = link_of()
    filing, goods = link.filing("receipt"), counted("SH-1", of_first("50", "1825.00"))
    with pytest.raises(RetryLater) as waits:
        filing.bill(goods, nobody)
    assert waits.value.code == "kingdee.order_awaited" and waits.value.after == timedelta(minutes=5)
    kingdee.faults.set(
        [{"match": {"operation": "Audit", "kind": ORDER}, "mode": "lock_conflict", "times": 1}]
    )
    with pytest.raises(RetryLater):
        file(link, bought("SO-1", BEARINGS))
    with pytest.raises(RetryLater) as waits:  # it is there, and not audited yet
        filing.bill(goods, nobody)
    assert waits.value.code == "kingdee.order_awaited"
    assert kingdee.store.all(RECEIPT) == []
    client_of().audit(ORDER, "SO-1")
    assert file(link, goods).finished


def test_a_receipt_of_an_order_that_is_void_is_a_matter_for_people(link_of: LinkOf):
    link = link_of()
    order = file(link, bought("SO-1", BEARINGS))
    link.filing("purchase_order").cancel(order)
    with pytest.raises(Rejected) as refused:
        link.filing("receipt").bill(counted("SH-1", of_first("50", "1825.00")), nobody)
    assert refused.value.code == "kingdee.order_void"


def test_a_receipt_hangs_on_the_lines_of_its_order(kingdee: Simulator, link: KingdeeLink, client_of):
    filing, before = link.filing("receipt"), stock(kingdee)
    bill = filing.bill(counted("SH-1", of_first("50", "1825.00"), of_second("2", "7936.00")), nobody)
    found = filing.send(bill, None)
    assert found.finished and differences(bill, found) == []
    assert (found.number, found.total, found.partner) == ("SH-1", D("9761.00"), "VEN01")
    keys = ["FDocumentStatus", "FPOOrderNo", "FStockId.FNumber", "FRealQty", "FBillAllAmount", "FNote"]
    assert client_of().query(RECEIPT, keys, "FBillNo='SH-1'", "FInStockEntry_FEntryID ASC") == [
        ["C", "SO-1", "CK001", 50, D("9761.00"), "通商 1"],
        ["C", "SO-1", "CK001", 2, D("9761.00"), "通商 2"],
    ]
    assert stock(kingdee) == before + 50
    # Kingdee knows what is still open: 70 bearings, and no rebar.
    (rest,) = client_of().push(ORDER, ["SO-1"], RECEIPT)
    assert client_of().query(RECEIPT, ["FMaterialId.FNumber", "FRealQty"], f"FBillNo='{rest.number}'") == [
        ["BRG-6204", 70]
    ]


def test_more_than_was_ordered_is_kingdees_refusal(kingdee: Simulator, link: KingdeeLink):
    file(link, counted("SH-1", of_first("100", "3650.00")))
    with pytest.raises(Rejected) as refused:
        file(link, counted("SH-2", of_first("21", "766.50")))
    assert "源单关联数量" in refused.value.message and refused.value.field == "FRealQty"
    assert [each.number for each in kingdee.store.all(RECEIPT)] == ["SH-1"]


@pytest.mark.parametrize("undo", ["void", "delete"])
def test_a_receipt_is_taken_back(kingdee: Simulator, link: KingdeeLink, link_of: LinkOf, undo: str):
    filing, before = link_of(undo=undo).filing("receipt"), stock(kingdee)
    found = file(link, counted("SH-1", of_first("120", "4380.00")))
    assert filing.cancel(found).cancelled and stock(kingdee) == before
    left = filing.find("SH-1")
    assert (left is None) if undo == "delete" else (left is not None and left.cancelled)
    assert filing.count("SH-1") == 0 and records(link, "receipts") == []
    assert file(link, counted("SH-2", of_first("120", "4380.00"))).finished  # the order is open again


def test_a_receipt_somebody_is_looking_at_is_taken_back_later(kingdee: Simulator, link: KingdeeLink):
    filing = link.filing("receipt")
    found = file(link, counted("SH-1", of_first("50", "1825.00")))
    kingdee.faults.set([{"match": "UnAudit", "mode": "lock_conflict", "times": 1}])
    with pytest.raises(RetryLater):
        filing.cancel(found)
    assert filing.find("SH-1") == found
    assert filing.cancel(found).cancelled


def test_the_line_is_found_by_our_number_where_a_material_stands_on_two(link_of: LinkOf, client_of):
    link = link_of()
    file(link, bought("SO-1", BEARINGS, (2, "BRG-6204", "pcs", "30", "1095.00")))
    file(link, counted("SH-1", (1, "BRG-6204", "pcs", "30", "1095.00", "SO-1", 2)))
    entry = client_of().query(ORDER, ["FPOOrderEntry_FEntryID"], "FBillNo='SO-1' and FNote='2'")
    assert client_of().query(RECEIPT, ["FPOORDERENTRYID"], "FBillNo='SH-1'") == entry


def test_an_order_people_wrote_has_no_numbers_of_ours(kingdee: Simulator, link_of: LinkOf):
    link = link_of()
    lines = [
        {"material": "BRG-6204", "quantity": 120},
        {"material": "RB-HRB400E-16", "unit": "t", "quantity": 2},
    ]
    kingdee.world.merge({"purchase_orders": [{"number": "SO-1", "supplier": "VEN01", "lines": lines}]})
    assert file(link, counted("SH-1", of_second("2", "7936.00"))).finished
    kingdee.world.merge(
        {"purchase_orders": [{"number": "SO-2", "supplier": "VEN01", "lines": lines[:1] * 2}]}
    )
    for code, unit in (
        ("BRG-6204", "pcs"),
        ("RB-HRB400E-16", "t"),
    ):  # two lines of the one, none of the other
        with pytest.raises(Rejected) as refused:
            link.filing("receipt").bill(counted("SH-2", (1, code, unit, "1", "36.50", "SO-2", 1)), nobody)
        assert refused.value.code == "kingdee.order_line_missing"


def test_without_a_warehouse_kingdee_refuses_it(link: KingdeeLink, link_of: LinkOf):
    with pytest.raises(Rejected) as refused:
        file(link_of(warehouse=""), counted("SH-1", of_first("50", "1825.00")))
    assert refused.value.field == "FStockId"


def test_what_was_filed_comes_in_under_the_id_it_was_filed_with(link: KingdeeLink):
    found = file(link, counted("SH-1", of_first("50", "1825.00")))
    (item,) = records(link, "receipts")
    assert (item.external_id, item.number, item.reference) == (found.remote_id, "SH-1", "SO-1")


def test_a_receipt_of_several_orders_is_one_record_when_it_is_ours(kingdee: Simulator, link: KingdeeLink):
    file(link, bought("SO-2", BEARINGS))
    found = file(
        link, counted("SH-1", of_second("1", "3968.00"), (2, "BRG-6204", "pcs", "9", "328.50", "SO-2", 1))
    )
    (item,) = records(link, "receipts")
    assert item.external_id == found.remote_id
    # A bill people made over two orders is one record for each.
    (held,) = kingdee.store.all(RECEIPT)
    for row in held.lines:
        row["FNote"] = ""
    assert [each.reference for each in records(link, "receipts")] == ["SO-1", "SO-2"]


def test_orders_numbered_by_kingdee_keep_our_reference(kingdee: Simulator, link_of: LinkOf):
    own = "purchase.reference=F_TS_Order\nreceipt.reference=F_TS_Receipt"
    link = link_of(fields=own)
    order = file(link, bought("SO-1", BEARINGS))
    found = file(link, counted("SH-1", of_first("50", "1825.00")))
    assert found.number.startswith("CGRK") and link.filing("receipt").find("SH-1") == found
    (item,) = records(link, "receipts")
    assert (item.reference, item.external_id) == ("SO-1", found.remote_id)
    act(kingdee, "receive", order=order.number, quantity=5)
    assert [each.reference for each in records(link, "receipts")] == ["SO-1", "SO-1"]


@pytest.mark.parametrize("mode", ["drop_after", "status_500_after", "html_200", "cut_body"])
@pytest.mark.parametrize("service", ["Save", "Submit", "Audit"])
def test_an_answer_that_is_lost_leaves_one_receipt(
    kingdee: Simulator, link: KingdeeLink, service: str, mode: str
):
    filing, before = link.filing("receipt"), stock(kingdee)
    bill = filing.bill(counted("SH-1", of_first("50", "1825.00")), nobody)
    kingdee.faults.set([{"match": service, "mode": mode, "times": 1}])
    with pytest.raises(Uncertain):
        filing.send(bill, None)
    found = filing.send(bill, filing.find("SH-1"))
    assert found.finished and filing.count("SH-1") == 1
    assert len(kingdee.store.all(RECEIPT)) == 1 and stock(kingdee) == before + 50


def test_receipts_through_trouble_are_there_once(kingdee: Simulator, link: KingdeeLink):
    filing, before = link.filing("receipt"), stock(kingdee)
    kingdee.faults.set(trouble(0.06))
    for number in range(12):
        pushed(filing, counted(f"SH-{number}", of_first("10", "365.00")))
    kingdee.faults.set([])
    assert sorted(each.number for each in kingdee.store.all(RECEIPT)) == sorted(f"SH-{n}" for n in range(12))
    assert stock(kingdee) == before + 120


def test_our_own_receipt_comes_in_and_counts_nothing_twice(kingdee: Simulator, link_of: LinkOf, wired: Wired):
    """The whole circle: counted here, filed there, read back in, known."""
    trade, link = wired.trade, link_of()
    kingdee.world.merge({"materials": [{"number": code, "unit": "t"} for code in ("RB12", "RB16")]})
    reference = marked(trade.now.number or "", trade.seller_id)
    rows = [(each.no, each.sku_code, "t", str(each.quantity), str(each.gross)) for each in trade.lines]
    file(link, bought(reference, *rows))
    receipt = trade.receive(trade.ship("60", "0"), "60")
    connection = wired.connections["buyer"]
    with trade.buyer() as ctx:
        goods = receipt_out(ctx, receipt.id, 1)
        filing = link.filing("receipt")
        bill = filing.bill(goods, lambda kind, _: "VEN01" if kind == "supplier" else None)
        found = filing.send(bill, None)
        assert differences(bill, found) == [] and goods.partner_code != SELLER_CODE
        assert remember(ctx, connection, "receipt", receipt.id, found.remote_id, found.number)
    (item,) = records(link, "receipts")
    assert item.external_id == found.remote_id
    assert wired.land("buyer", item) == [] and trade.lines[0].received == 60
    with trade.buyer() as ctx:
        kept = select(func.count()).where(
            ExternalRef.connection_id == connection, ExternalRef.kind == "receipt"
        )
        assert ctx.session.scalar(kept) == 1
