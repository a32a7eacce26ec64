"""Purchases, goods and money go out by REST and by files, are found again, taken back, and known when they come in."""

import csv
import io
from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import pytest

from connectors.generic.files.simulator import Simulator as FilesErp
from connectors.generic.files.system import Files
from connectors.generic.rest.simulator import Simulator as RestErp
from connectors.generic.rest.simulator.account import PATHS
from connectors.generic.rest.system import Rest
from connectors.generic.shapes import LAYOUTS
from core.kernel import uuid7
from core.sync import ErpConnection
from core.sync.documents import wish
from tests.conftest import make_unit
from tests.connectors.generic_house import (
    BUYER_CODE,
    SELLER_CODE,
    House,
    filed,
    folder_links,
    inside,
    nobody_known,
    order_out,
    rest_links,
)
from tongshang.connect import (
    Ambiguous,
    FixSettings,
    GoodsOut,
    InvoicePart,
    LineOut,
    MoneyOut,
    OrderOut,
    OutboundRule,
    Outgoing,
    Rejected,
    differences,
)

OTHERS = [kind for kind in LAYOUTS if kind != "sales_order"]
D = Decimal


def made(
    kind: str, reference: str = "X-1", *, version: int = 1, direction: str = "out", count: str = "60"
) -> Outgoing:
    """A document of any kind. What is bought comes from the seller, what is sold goes to the buyer."""
    head = {
        "object_id": uuid7(),
        "reference": reference,
        "version": version,
        "partner_id": uuid7(),
        "partner_name": "华东联钢",
        "partner_code": SELLER_CODE if direction == "out" else BUYER_CODE,
        "currency": "CNY",
        "total": D(count) * D("36.50"),
        "note": "",
    }
    if kind == "payment":
        return MoneyOut(
            direction=direction,
            order_reference="SO-1-ABCD",
            paid_on=date(2026, 12, 9),
            bank_ref="BANK-7",
            invoices=(InvoicePart("INV-1", D("100.00")),),
            **head,
        )
    order = ("SO-1-ABCD", 2) if kind in ("inbound_order", "receipt") else ()
    line = LineOut(1, uuid7(), "BRG-6204", "轴承", "pcs", D(count), D("0.13"), head["total"], *order)
    if kind in ("sales_order", "purchase_order"):
        return OrderOut(
            kind=kind,
            buyer_po="",
            ordered_on=date(2026, 12, 1),
            delivery_on=None,
            ship_to="",
            lines=(line,),
            **head,
        )
    return GoodsOut(
        kind=kind,
        order_reference="SO-1-ABCD",
        moved_on=date(2026, 12, 8),
        carrier="中远",
        waybill="WB-1",
        lines=(line,),
        **head,
    )


@pytest.fixture
def rest() -> Iterator[RestErp]:
    with RestErp() as simulator:
        yield simulator


@pytest.fixture
def files() -> Iterator[FilesErp]:
    with FilesErp() as simulator:
        yield simulator


@pytest.mark.parametrize("kind", OTHERS)
def test_rest_files_every_kind_finds_changes_and_voids_it(rest, kind):
    with rest_links(rest) as link_of:
        filing = link_of().filing(kind)
        assert filing.find("X-1") is None
        bill = filing.bill(made(kind), nobody_known)
        assert list(bill.body) == [*(name for name in LAYOUTS[kind].head if name != "act"), "lines"]
        found = filing.send(bill, None)
        assert not differences(bill, found) and found.finished and not found.cancelled
        (kept,) = rest.papers.kept[PATHS[kind]]
        assert (kept["ref"], kept["docNo"], found.remote_id) == ("X-1", found.number, kept["docId"])
        more = filing.bill(made(kind, version=2, count="70"), nobody_known)
        assert differences(more, found)
        assert not differences(more, filing.send(more, filing.find("X-1")))
        assert filing.cancel(filing.find("X-1")).cancelled and filing.find("X-1").cancelled
        assert len(rest.papers.kept[PATHS[kind]]) == 1 and rest.books.orders == []


@pytest.mark.parametrize("form", ["csv", "xlsx", "xml", "jsonl"])
@pytest.mark.parametrize("kind", OTHERS)
def test_files_leaves_every_kind_in_every_form_and_reads_its_answer(files, kind, form):
    with folder_links(files) as link_of:
        filing = link_of(form=form, columns="").filing(kind)
        assert filing.find("X-1") is None
        bill = filing.bill(made(kind), nobody_known)
        found = filing.send(bill, None)
        assert not differences(bill, found) and found.finished
        more = filing.bill(made(kind, version=2, count="70"), nobody_known)
        assert not differences(more, filing.send(more, filing.find("X-1")))
        assert filing.cancel(filing.find("X-1")).cancelled and filing.find("X-1").cancelled
        ((kept,),) = files.erp.kept(kind).values()
        assert (kept["number"], kept["state"]) == (found.number, "void")
        assert [name.split(".")[0] for name in files.erp.taken] == [
            f"{kind}_X-1_1_create",
            f"{kind}_X-1_2_change",
            f"{kind}_X-1_2_cancel",
        ]
        assert files.erp.live() == {} and inside(files, "answers") == []


def test_one_reference_may_stand_on_a_document_of_each_kind(rest, files):
    with rest_links(rest) as by_rest, folder_links(files) as by_file:
        for link in (by_rest(), by_file()):
            filed(link, order_out(reference="X-1"))
            numbers = {link.find("X-1").number}
            for kind in OTHERS:
                filing = link.filing(kind)
                assert filing.find("X-1") is None
                numbers.add(filing.send(filing.bill(made(kind), nobody_known), None).number)
            assert len(numbers) == len(LAYOUTS)
            assert link.find("X-1").total == D("12316.00")


def test_money_received_is_the_customers_and_money_paid_the_suppliers(rest):
    with rest_links(rest) as link_of:
        filing = link_of().filing("payment")
        came = made("payment", direction="in")
        told = {("partner", came.partner_id): "K9", ("supplier", came.partner_id): "G9"}
        assert filing.bill(came, lambda *asked: told.get(asked)).partner == "K9"
        went = made("payment")
        told = {("partner", went.partner_id): "K9", ("supplier", went.partner_id): "G9"}
        assert filing.bill(went, lambda *asked: told.get(asked)).partner == "G9"
        filing.send(filing.bill(came, nobody_known), None)
        assert rest.papers.kept["payments"][0]["customer"]["no"] == "K0217"
        strict = link_of(partner_by="number")
        for kind, code in (("sales_order", "partner"), ("receipt", "supplier")):
            with pytest.raises(Rejected, match=f"generic.{code}_missing"):
                strict.filing(kind).bill(made(kind), nobody_known)


def test_what_was_filed_is_known_by_the_same_id_when_it_comes_in(rest):
    with rest_links(rest) as link_of:
        link = link_of()
        for kind, stream, amount in (("receipt", "receipts", "quantity"), ("payment", "payments", "amount")):
            filing = link.filing(kind)
            found = filing.send(filing.bill(made(kind), nobody_known), None)
            rows = [row for page in link.stream(stream).pull(None, None) for row in page.rows]
            (record,) = [link.stream(stream).to_core(row) for row in rows]
            assert (record.external_id, record.reference) == (found.remote_id, "SO-1-ABCD")
            told = record.lines[0] if kind == "receipt" else record
            assert getattr(told, amount) == (D(60) if kind == "receipt" else D("2190.00"))


def test_an_id_in_an_answer_file_is_what_the_document_is_known_by(files):
    with folder_links(files) as link_of:
        filing = link_of(answer="id=DocNo, number=OrderNo, status=State, reference=OrderNo").filing("receipt")
        found = filing.send(filing.bill(made("receipt"), nobody_known), None)
        assert (found.remote_id, found.number) == ("RK-00001", "X-1")
        assert filing.find("X-1").remote_id == "RK-00001"


def test_a_kind_without_a_path_or_with_no_file_is_refused_by_name(rest, files):
    with rest_links(rest) as by_rest, folder_links(files) as by_file:
        asked = dict(rest.calls)
        filing = by_rest(out_receipt="find=/goods-in?ref={reference}").filing("receipt")
        with pytest.raises(Rejected, match="create in out_receipt is not set"):
            filing.bill(made("receipt"), nobody_known)
        with pytest.raises(Rejected, match="find in out_payment"):
            by_rest(out_payment="").filing("payment").find("X-1")
        assert dict(rest.calls) == asked
        filing = by_file(out_receipt="file=-").filing("receipt")
        with pytest.raises(Rejected, match=r"files.kind_not_set.*out_receipt"):
            filing.bill(made("receipt"), nobody_known)
        with pytest.raises(KeyError):
            by_rest().filing("invoice")


def test_names_paths_and_folders_of_a_kind_may_differ(rest, files):
    with folder_links(files) as link_of:
        (files.root / "grn").mkdir()
        told = (
            "file=in_{reference}_{version}_{act}, form=csv, folder=grn, quantity=Counted, order_line=PoLine"
        )
        filing = link_of(answers="none", out_receipt=told).filing("receipt")
        filing.send(filing.bill(made("receipt"), nobody_known), None)
        (name,) = inside(files, "grn")
        (row,) = csv.DictReader(io.StringIO((files.root / "grn" / name).read_text(encoding="utf-8")))
        assert (name, row["Counted"], row["PoLine"]) == ("in_X-1_1_create.csv", "60", "2")
        assert row["order_reference"] == "SO-1-ABCD"
        for wrong, code in (("folder=../x", "files.folder_name"), ("form=pdf", "files.form")):
            with pytest.raises(FixSettings, match=code):
                link_of(out_receipt=wrong)
        with pytest.raises(FixSettings, match="files.pattern"):
            same = link_of(out_payment="file=pay_{version}_{act}").filing("payment")
            same.send(same.bill(made("payment"), nobody_known), None)
    with rest_links(rest) as link_of:
        paths = "find=/goods-in?ref={reference}, create=/goods-in, list=data.found"
        filing = link_of(out_receipt=f"{paths}, number=docId, total=-").filing("receipt")
        bill = filing.bill(made("receipt"), nobody_known)
        found = filing.send(bill, None)
        assert found.number == found.remote_id and bill.total == found.total == D(0)
        with pytest.raises(Rejected, match="cancel in out_receipt"):
            filing.cancel(found)


def test_two_papers_of_one_reference_are_for_a_person(rest):
    with rest_links(rest) as link_of:
        filing = link_of().filing("receipt")
        bill = filing.bill(made("receipt"), nobody_known)
        rest.papers.create("goods-in", bill.body)
        rest.papers.create("goods-in", bill.body)
        with pytest.raises(Ambiguous, match="RK2611-00001, RK2611-00002"):
            filing.find("X-1")


@pytest.mark.parametrize("kind", ["receipt", "payment"])
def test_the_engine_files_it_once_although_the_answer_is_lost(fresh_db, worker_db, rest, kind):
    from connectors.generic.rest.simulator import settings_for

    rules = [OutboundRule.parse(f"127.0.0.1:{rest.port}")]
    house = House(make_unit(fresh_db), make_unit(worker_db), Rest(), rest.url, settings_for(), lambda: rules)
    document = made(kind)
    with house.app.system(house.seller, "test") as ctx:
        ctx.session.get_one(ErpConnection, house.connection_id).documents = [kind]
        assert wish(ctx, kind, document.object_id, "create", 1, lambda: document) == 1
    rest.faults.set([{"match": {"operation": "create"}, "mode": "drop_after", "times": 1}])
    assert house.push(house.engine())[-1] == "done"
    (kept,) = rest.papers.kept[PATHS[kind]]
    assert house.sql(f"SELECT external_id FROM ts.external_ref WHERE kind = '{kind}'") == [(kept["docId"],)]


def test_both_say_that_they_file_every_kind():
    assert Rest.documents == Files.documents == tuple(LAYOUTS)
