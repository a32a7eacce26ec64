"""Files, the way in: every form of file, each once, and whatever does not belong there refused; and the engine."""

import io
import os
import zipfile
from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import pytest

from connectors.generic import values
from connectors.generic.files import tables
from connectors.generic.files.simulator import Simulator
from connectors.generic.files.streams import UnfitFile
from connectors.generic.files.system import Files
from core.db import Database
from core.sync import replay
from tests.conftest import make_unit
from tests.connectors.generic_house import House, access_of, by_folder, folder_links, inside, workbook
from tongshang.connect import (
    FolderRule,
    SkipRecord,
    session,
)


@pytest.fixture
def erp() -> Iterator[Simulator]:
    with Simulator() as simulator:
        yield simulator


@pytest.fixture
def link_of(erp: Simulator):
    with folder_links(erp) as make:
        yield make


def pulled(link, key):
    """(records, reasons for what was left out) of one run."""
    stream = link.stream(key)
    good, left = [], []
    for page in stream.pull(None, None):
        for row in page.rows:
            try:
                good.append(stream.to_core(row))
            except SkipRecord as skipped:
                left.append((skipped.code, skipped.field))
    return good, left


def test_csv_xlsx_xml_and_json_come_in_and_are_moved_away(erp, link_of):
    erp.put("items_1.csv", "\ufeffItemNo,品名,Unit,规格\nM1,螺栓,PCE,M8\n,没有编码,PCE,\nM2,螺母,打,\n")
    erp.put("stock_1.xlsx", workbook([["ItemNo", "仓库", "Unit", "数量"], ["M9", "旧", "PCE", 9]]))
    erp.put("stock_2.xlsx", workbook([["ItemNo", "仓库", "Unit", "数量"], ["M1", "主仓", "PCE", 61.5]]))
    erp.put(
        "ship_1.csv",
        "DocNo,OrderNo,Date,Line,ItemNo,Qty,Unit,Carrier,Waybill\n"
        "D1,SO-1,2026-12-01,1,M1,60,PCE,顺丰,SF1\nD1,SO-1,2026-12-01,2,M3,2,TNE,顺丰,SF1\n"
        "D2,SO-2,2026/12/2,1,M1,5,PCE,,\n",
    )
    erp.put(
        "inv_1.xml",
        '<Invoices xmlns="urn:x"><Invoice no="I1"><Head><OrderNo>SO-1</OrderNo><Date>20261203</Date>'
        "<Currency>RMB</Currency><Total>12316.00</Total></Head></Invoice></Invoices>",
    )
    erp.put(
        "pay_1.jsonl",
        '{"number":"P1","reference":"SO-1","day":"2026-12-09","currency":"RMB","amount":12316.00}\n',
    )
    erp.put("items_2.csv.part", "half")
    link = link_of()
    (product,), left = pulled(link, "products")
    assert (product.code, product.name, product.specification) == ("M1", "螺栓", "M8")
    assert left == [("generic.field_missing", ""), ("generic.unit_unknown", "M2")]
    ((stock,), _) = pulled(link, "stock")
    assert (stock.material, stock.warehouse, stock.quantity) == ("M1", "主仓", Decimal("61.5"))
    (first, second), _ = pulled(link, "deliveries")
    assert [line.quantity for line in first.lines] == [Decimal(60), Decimal(2)] and second.day == date(
        2026, 12, 2
    )
    ((invoice,), _) = pulled(link, "invoices")
    assert (invoice.number, invoice.reference, invoice.total) == ("I1", "SO-1", Decimal("12316.00"))
    ((payment,), _) = pulled(link, "payments")
    assert payment.amount == Decimal("12316.00")
    assert inside(erp, "in") == ["items_2.csv.part"] and len(inside(erp, "done")) == 6


STOCK = "ItemNo;仓库;Unit;数量\n"


READ_STOCK = "files=stock_*, material=ItemNo, warehouse=仓库, unit=Unit, quantity=数量"


@pytest.mark.parametrize(
    ("form", "good", "bad"),
    [
        ("plain", {"1200.50": "1200.5", "-3": "-3", "61": "61"}, ("1,200.50", "1.200,50", "1,200")),
        ("english", {"1,200.50": "1200.5", "1,200": "1200", "1200.5": "1200.5"}, ("1.200,50", "12,00", "1,2000")),
        ("european", {"1.200,50": "1200.5", "1.200": "1200", "-0,5": "-0.5"}, ("1,200.50", "1200.50", "1.2,5")),
    ],
)
def test_numbers_of_csv_are_read_as_they_are_written_there_and_not_guessed_at(erp, link_of, form, good, bad):
    rows = "".join(f"M{no};主仓;PCE;{told}\n" for no, told in enumerate([*good, *bad]))
    erp.put("stock_1.csv", (STOCK + rows).encode("gb18030"))
    told = {"number_form": form, "separator": "semicolon", "encoding": "gb18030", "read_stock": READ_STOCK}
    read, left = pulled(link_of(**told), "stock")
    assert [each.quantity for each in read] == [Decimal(right) for right in good.values()]
    assert [code for code, _ in left] == ["generic.unreadable_value"] * len(bad)
    erp.put("stock_2.xlsx", workbook([["ItemNo", "仓库", "Unit", "数量"], ["M1", "主仓", "PCE", 1.234]]))
    (cell,), _ = pulled(link_of(**told), "stock")
    assert cell.quantity == Decimal("1.234"), "a workbook knows its numbers"


@pytest.mark.parametrize(
    ("told", "day"),
    [
        ("2026/12/5 0:00:00", date(2026, 12, 5)),
        ("05.12.2026", date(2026, 12, 5)),
        ("20261205143000", date(2026, 12, 5)),
        ("2026-12-05T23:30:00", date(2026, 12, 5)),
        ("2026-12-04T16:00:00.000Z", date(2026, 12, 5)),
        ("2026-12-05T23:30:00+08:00", date(2026, 12, 5)),
        ("2026-12-05 00:30:00+00:00", date(2026, 12, 5)),
    ],
)
def test_a_day_is_read_as_it_is_there_in_china(told, day):
    assert values.day(told) == day


@pytest.mark.parametrize("told", ["5/12/2026", "12/5/26", "46361", "2026-13-01", "20261305143000", "tomorrow"])
def test_a_day_that_could_be_another_one_is_none(told):
    with pytest.raises(ValueError):
        values.day(told)


def test_files_are_read_in_the_order_of_their_names_and_a_stop_loses_no_row(erp, link_of):
    for no in (2, 1, 3):
        rows = "".join(f"M{no}{n:04},螺栓,PCE,\n" for n in range(700))
        erp.put(f"items_{no}.csv", f"ItemNo,品名,Unit,规格\n{rows}")
    stream = link_of().stream("products")
    codes = []
    pages = stream.pull(None, None)
    for _ in range(3):
        page = next(pages)
        codes += [row["ItemNo"] for row in page.rows]
    pages.close()
    assert inside(erp, "in") == ["items_2.csv", "items_3.csv"]
    again = link_of().stream("products")
    codes += [row["ItemNo"] for page in again.pull(None, page.position) for row in page.rows]
    assert codes == [f"M{no}{n:04}" for no in (1, 2, 3) for n in range(700)]
    assert inside(erp, "in") == []


def test_files_that_stay_are_remembered_and_read_again_only_when_they_changed(erp, link_of):
    head = "ItemNo,品名,Unit,规格\n"
    erp.put("items_1.csv", head + "M1,螺栓,PCE,\n")
    link = link_of(processed="remember")

    def run(cursor):
        pages = list(link.stream("products").pull(cursor, None))
        return [row["ItemNo"] for page in pages for row in page.rows], pages[-1].cursor if pages else cursor

    codes, cursor = run(None)
    assert (codes, run(cursor)) == (["M1"], ([], cursor))
    erp.put("items_2.csv", head + "M2,螺母,PCE,\n")
    codes, cursor = run(cursor)
    assert codes == ["M2"]
    os.utime(erp.put("items_1.csv", head + "M1,螺栓,PCE,M8\n"), (1, 1))
    assert run(cursor)[0] == ["M1"]
    assert inside(erp, "in") == ["items_1.csv", "items_2.csv"]


def test_a_file_that_is_still_being_written_waits(erp, link_of):
    path = erp.put("items_1.csv", "ItemNo,品名,Unit,规格\nM1,螺栓,PCE,\n")
    link = link_of(quiet="60")
    assert pulled(link, "products") == ([], [])
    os.utime(path, (path.stat().st_mtime - 90,) * 2)
    assert len(pulled(link, "products")[0]) == 1


def _bomb(name="xl/sharedStrings.xml", size=60_000_000):
    out = io.BytesIO(workbook([["ItemNo"]]))
    with zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, b" " * size)
    return out.getvalue()


def _many_parts():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for no in range(300):
            archive.writestr(f"part{no}.xml", "x")
    return out.getvalue()


def _one_text_in_many_cells(cells=11_000, across=100):
    """A workbook of a few kilobytes whose rows are 350 MB of text: each cell points at the same one."""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    rows = "".join(
        f'<row r="{no}">' + '<c t="s"><v>0</v></c>' * across + "</row>" for no in range(1, cells // across + 1)
    )
    texts = f'<sst xmlns="{main}" count="1" uniqueCount="1"><si><t>{"x" * 32_000}</t></si></sst>'
    relation = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings"
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(workbook([["a"]]))) as plain, zipfile.ZipFile(out, "w") as made:
        for name in plain.namelist():
            data = plain.read(name).decode()
            if name == "xl/worksheets/sheet1.xml":
                data = f'<worksheet xmlns="{main}"><sheetData>{rows}</sheetData></worksheet>'
            if name == "xl/_rels/workbook.xml.rels":
                target = f'<Relationship Id="rId99" Type="{relation}" Target="sharedStrings.xml"/>'
                data = data.replace("</Relationships>", f"{target}</Relationships>")
            made.writestr(name, data)
        made.writestr("xl/sharedStrings.xml", texts)
    return out.getvalue()


BAD = {
    "empty.csv": (b"", "files.empty"),
    "blank.csv": (b" \n\n", "files.empty"),
    "latin.csv": ("ItemNo,品名\n".encode("gb18030"), "files.encoding"),
    "utf16.csv": ("ItemNo,品名\n".encode("utf-16"), "files.encoding"),
    "columns.csv": (b"a,b\n1,2\n", "files.column_missing"),
    "twice.csv": (b"a,a\n1,2\n", "files.no_header"),
    "quote.csv": (b'ItemNo,"x\n', "files.broken_row"),
    "wide.csv": (b"a\n" + b"1," * 400 + b"\n", "files.too_many_columns"),
    "long.csv": (b"a\n" + b"x" * 20_000 + b"\n", "files.broken_row"),
    "semicolon.csv": ("ItemNo,品名,Unit,规格\nM1,螺栓,PCE,M8,more\n".encode(), "files.broken_row"),
    "other.pdf": (b"%PDF-1.7", "files.ending"),
    "book.csv": (workbook([["a"]]), "files.not_what_it_says"),
    "text.xlsx": (b"ItemNo,x\n", "files.not_what_it_says"),
    "cut.xlsx": (workbook([["a"]])[:400], "files.zip"),
    "bomb.xlsx": (_bomb(), "files.zip"),
    "climb.xlsx": (_bomb("../../etc/x", 10), "files.zip"),
    "parts.xlsx": (_many_parts(), "files.zip"),
    "far.xlsx": (workbook([["ItemNo"]], far="XFD1048576"), "files.sheet"),
    "texts.xlsx": (_one_text_in_many_cells(), "files.sheet"),
    "sheet.xlsx": (workbook([["a"]], sheet="Andere"), "files.sheet"),
    "entity.xml": (b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x><y>&a;</y></x>', "files.xml"),
    "laughs.xml": (b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "ha">]><x>&a;</x>', "files.xml"),
    "doctype16.xml": (
        '<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE x><x/>'.encode("utf-16"),
        "files.xml",
    ),
    "cut.xml": (b"<x><y>", "files.xml"),
    "deep.xml": (b"<x>" + b"<y>" * 100 + b"</y>" * 100 + b"</x>", "files.xml"),
    "tags.xml": (b"<x>" + b"<a/>" * 2_000_001 + b"</x>", "files.xml"),
    "lists.json": (b"[[]" + b",[]" * 2_000_001 + b"]", "files.json"),
    "cut.json": (b'[{"a":', "files.json"),
    "nan.json": (b'[{"a": NaN}]', "files.json"),
    "vast.json": (b'[{"ItemNo": 1e999999999}]', "files.json"),
    "vast.jsonl": (b'{"ItemNo": 1}\n{"ItemNo": 1e-999999999}\n', "files.json"),
    "deep.json": (b"[" * 100_000, "files.json"),
}


@pytest.mark.parametrize("name", BAD)
def test_huge_and_odd_files_are_refused_with_their_reason_and_put_aside(erp, link_of, name):
    data, code = BAD[name]
    erp.put(name, data)
    erp.put(f"zz_good_{name.partition('.')[0]}.csv", "ItemNo,品名,Unit,规格\nM1,螺栓,PCE,\n")
    more = ", sheet=Nicht da" if name == "sheet.xlsx" else ""
    told = f"files=*, code=ItemNo, name=品名, unit=Unit, specification=规格{more}"
    good, left = pulled(link_of(read_products=told), "products")
    assert left == [(code, name)]
    assert [each.code for each in good] == ["M1"]
    assert len(inside(erp, "bad")) == 1 and inside(erp, "in") == []


def test_a_reason_names_the_file_and_never_its_contents():
    row = UnfitFile({"#file": "a.csv", "code": "files.zip", "said": "a.csv: no"})
    assert dict(row) == {"#file": "a.csv", "code": "files.zip", "said": "a.csv: no"}
    with pytest.raises(tables.Unfit):
        tables.check_zip(b"PK\x03\x04nonsense")


def test_the_check_writes_renames_and_names_the_folder_that_is_missing(erp):
    http = session([FolderRule.parse(str(erp.root))])
    access = access_of(Files(), "https://x.example.com", by_folder(erp))
    steps = list(Files().check(access, http))
    assert [(step.name, step.ok) for step in steps] == [
        (name, True) for name in ("address", "folders", "write", "read")
    ]
    (erp.root / "answers").rename(erp.root / "gone")
    *_, last = Files().check(access, http)
    assert (last.name, last.ok) == ("folders", False) and "answers" in last.said
    *_, last = Files().check(access, session())
    assert (last.name, last.ok) == ("address", False) and "operator" in last.said


@pytest.fixture
def house(fresh_db: Database, worker_db: Database, erp: Simulator) -> House:
    rules = [FolderRule.parse(str(erp.root))]
    values = by_folder(erp, wait="1")
    return House(
        make_unit(fresh_db), make_unit(worker_db), Files(), "https://x.example.com", values, lambda: rules
    )


def test_orders_go_out_and_come_to_rest_whatever_the_answers_do(house, erp):
    modes = ("late", "partial", "refused")
    for no in (0, 1, 2, 9):
        house.order(f"SO-{no}")
    erp.faults.set(
        [
            {"match": {"operation": "take", "number": f"SO-{no}"}, "mode": mode, "seconds": 1.4, "times": 1}
            for no, mode in enumerate(modes)
        ]
    )
    house.push(house.engine(), rounds=200)
    states = {reference: state for reference, _, state in house.states()}
    assert states == {"SO-0": "done", "SO-1": "done", "SO-2": "failed", "SO-9": "done"}
    with house.app.system(house.seller, "test") as ctx:
        replay(ctx, house.connection_id)
    house.push(house.engine())
    assert {state for *_, state in house.states()} == {"done"}
    assert {reference: len(found) for reference, found in erp.erp.live().items()} == dict.fromkeys(states, 1)


def test_an_order_nobody_answers_is_for_a_person_in_the_end_and_left_once(house, erp, monkeypatch):
    erp.faults.set([{"match": {"operation": "take"}, "mode": "silent"}])
    house.order("SO-1")
    ended = house.push(house.engine(), rounds=40)
    assert set(ended) == {"unknown"} and len(ended) > 12 and len(erp.erp.taken) == 1
    assert house.sql("SELECT failures, state FROM ts.erp_connection") == [
        (0, "active")
    ]  # no sign of trouble yet
    house.sql("""UPDATE ts.erp_connection SET settings = settings || '{"answer_hours": "0"}'""")
    monkeypatch.setattr("core.sync.verdict.MOST_EARLY", 20)  # where a whole connection is in trouble it is a day of tries
    ended = house.push(house.engine(), rounds=80)
    assert ended[-1] == "held" and len(erp.erp.taken) == 1
    assert house.sql("SELECT cause FROM ts.sync_document") == [("files.no_answer",)]


def test_a_change_and_a_cancellation_follow_the_order(house, erp):
    id = house.order("SO-1")
    assert house.push(house.engine())[-1] == "done"
    house.change(id)
    assert house.push(house.engine())[-1] == "done"
    house.wish(id, "cancel", 5)
    assert house.push(house.engine())[-1] == "done"
    ((order,),) = erp.erp.live().values()
    assert (order["state"], order["total"]) == ("void", Decimal("11586.00"))


def test_products_come_in_through_the_puller_and_bad_files_are_issues(house, erp):
    erp.put("items_1.csv", "ItemNo,品名,Unit,规格\nBRG-6204,轴承,PCE,\nX,坏,打,\n")
    erp.put("items_2.csv", "\x00")
    assert house.pull("products") == "done"
    ((read, stored, skipped),) = house.sql("SELECT read, stored, skipped FROM ts.sync_run")
    assert (read, stored, skipped) == (3, 1, 2)
    assert house.sql("SELECT external_id, code FROM ts.sync_issue ORDER BY code") == [
        ("items_2.csv", "files.encoding"),
        ("X", "generic.unit_unknown"),
    ]
    assert len(inside(erp, "bad")) == 1
