"""Files in a folder of this machine: orders out and answered once, whatever breaks, and names that lead nowhere else."""

import csv
import io
import os
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import pytest

from connectors.generic.files import paper, tables
from connectors.generic.files.journal import PART, Journal
from connectors.generic.files.place import Folder, Missing, plain
from connectors.generic.files.simulator import Simulator
from connectors.generic.files.system import Files
from connectors.generic.files.workbook import workbook
from core.sync import rules_of
from core.sync.conformance import ConnectorConformance
from tests.connectors import generic_house
from tests.connectors.generic_house import (
    access_of,
    by_folder,
    filed,
    folder_links,
    inside,
    nobody_known,
    order_out,
)
from tongshang.connect import (
    Awaited,
    FixSettings,
    FolderRule,
    LeaseLost,
    Rejected,
    RetryLater,
    Uncertain,
    differences,
    session,
)


class TestFiles(ConnectorConformance):
    connector = Files


@pytest.fixture
def erp() -> Iterator[Simulator]:
    with Simulator() as simulator:
        yield simulator


@pytest.fixture
def link_of(erp: Simulator):
    with folder_links(erp) as make:
        yield make


@pytest.mark.parametrize("form", ["csv", "xlsx", "xml", "jsonl"])
@pytest.mark.parametrize("answer_form", ["json", "csv", "xml"])
def test_an_order_is_filed_changed_and_cancelled_in_every_form(erp, link_of, form, answer_form):
    erp.erp.answer_form = answer_form
    link = link_of(form=form, columns="" if form == "xml" else "reference=OrderNo, quantity=Qty")
    assert link.find("SO-1") is None
    found = filed(link)
    assert (found.number, found.finished, found.total) == ("WJ-00001", True, Decimal("12316.00"))
    bill = link.bill(order_out(version=4, bearings="100"), nobody_known)
    assert differences(bill, link.find("SO-1"))
    assert link.send(bill, link.find("SO-1")).total == Decimal("11586.00")
    assert link.cancel(link.find("SO-1")).cancelled
    assert link.find("SO-1").cancelled
    ((order,),) = erp.erp.live().values()
    assert (order["state"], order["lines"][0]["quantity"]) == ("void", "100")
    assert [name.split(".")[0] for name in erp.erp.taken] == [
        "order_SO-1_3_create",
        "order_SO-1_4_change",
        "order_SO-1_4_cancel",
    ]


def test_a_workbook_holds_texts_as_texts_and_numbers_as_numbers():
    told = ["=1+1", "0012", "a<&>\x01\n", "_x0041_", Decimal("36.50"), 7, Decimal("123456789012345678.12"), None]
    data = workbook([[f"c{no}" for no in range(30)], told])
    _, rows = tables.rows_of("x.xlsx", data)
    assert list(next(rows).values())[:8] == ["=1+1", "0012", "a<&>\n", "_x0041_", "36.5", "7", "123456789012345678.12", ""]
    assert data == workbook([[f"c{no}" for no in range(30)], told])


def test_an_answer_may_be_a_workbook(erp, link_of):
    link = link_of(wait="0")
    with pytest.raises(Awaited):
        filed(link)
    answer = generic_house.workbook([["DocNo", "State", "OrderNo", "Total"], ["WJ-7", "done", "SO-1", 12316]])
    (erp.root / "answers" / "answer_SO-1_3_create.xlsx").write_bytes(answer)
    found = link.find("SO-1")
    assert (found.number, found.total) == ("WJ-7", Decimal(12316))


def test_where_numbers_have_a_decimal_comma_they_go_out_with_one_and_answers_are_read_so(erp, link_of):
    link = link_of(wait="0", number_form="european", separator="semicolon", columns="")
    with pytest.raises(Awaited):
        filed(link)
    (row, _) = csv.DictReader(io.StringIO((erp.root / "out" / "order_SO-1_3_create.csv").read_text()), delimiter=";")
    assert (row["total"], row["price"], row["tax_rate"], row["quantity"]) == ("12316,00", "36,500000", "0,13", "120")
    (erp.root / "answers" / "answer_SO-1_3_create.csv").write_text("DocNo;State;OrderNo;Total\nWJ-7;done;SO-1;12.316,00\n")
    found = link.find("SO-1")
    assert found.total == Decimal(12316)
    with pytest.raises(Awaited):
        link.cancel(found)
    assert ";12316,00;" in (erp.root / "out" / "order_SO-1_3_cancel.csv").read_text()


def test_without_an_answer_an_order_stays_uncertain_until_one_comes(erp, link_of):
    link = link_of(wait="0")
    with pytest.raises(Awaited):
        filed(link)
    with pytest.raises(Awaited) as waiting:
        link.find("SO-1")
    assert waiting.value.code == "files.no_answer" and waiting.value.after is not None
    with pytest.raises(RetryLater, match="files.no_answer"):  # once it should have come, every look counts
        link_of(answer_hours="0").find("SO-1")
    erp.erp.turn()
    assert link.find("SO-1").number == "WJ-00001"
    assert inside(erp, "answers") == [] and link_of().find("SO-1").number == "WJ-00001"


def test_where_nobody_answers_what_was_left_is_done(erp, link_of):
    link = link_of(answers="none")
    found = filed(link)
    assert (found.number, found.finished) == ("SO-1", True)
    assert link.find("SO-1") == found and inside(erp) == ["order_SO-1_3_create.csv"]


def test_a_refusal_is_told_once_and_the_next_try_is_a_new_file(erp, link_of):
    erp.faults.set([{"match": {"operation": "take"}, "mode": "refused", "times": 1}])
    link = link_of()
    with pytest.raises(Rejected, match="信用额度不足"):
        filed(link)
    assert link.find("SO-1") is None
    assert filed(link).number == "WJ-00001"
    assert erp.erp.taken == ["order_SO-1_3_create.csv"] * 2


def test_a_late_refusal_is_found_by_the_look_and_raised_by_the_send(erp, link_of):
    link = link_of(wait="0")
    erp.faults.set([{"match": {"operation": "take"}, "mode": "refused", "times": 1}])
    with pytest.raises(Uncertain):
        filed(link)
    erp.erp.turn()
    found, bill = link.find("SO-1"), link.bill(order_out(), nobody_known)
    assert not found.finished and not found.cancelled and not differences(bill, found)
    with pytest.raises(Rejected, match="信用额度不足"):
        link.send(bill, found)
    assert link.find("SO-1") is None


def test_a_refused_cancellation_leaves_the_order_as_it_was(erp, link_of):
    link = link_of()
    filed(link)
    erp.faults.set([{"match": {"operation": "take", "kind": "cancel"}, "mode": "refused", "times": 1}])
    with pytest.raises(Rejected):
        link.cancel(link.find("SO-1"))
    found = link.find("SO-1")
    assert found.number == "WJ-00001" and not found.cancelled
    assert link.cancel(found).cancelled


@pytest.mark.parametrize(
    ("mode", "code"), [("partial", "files.answer_unreadable"), ("wrong", "files.answer_of_another")]
)
def test_half_an_answer_and_one_for_another_order_are_no_answer(erp, link_of, mode, code):
    link = link_of(wait="0")
    erp.faults.set([{"match": {"operation": "take"}, "mode": mode, "seconds": 0.0, "times": 1}])
    with pytest.raises(Uncertain):
        filed(link)
    erp.erp.turn()
    with pytest.raises(RetryLater) as odd:
        link.find("SO-1")
    assert odd.value.code == code
    if mode == "partial":
        erp.erp.turn()
        assert link.find("SO-1").number == "WJ-00001"


def test_another_total_in_the_answer_is_a_difference_that_stays(erp, link_of):
    erp.faults.set([{"match": {"operation": "take"}, "mode": "wrong_total", "times": 1}])
    link = link_of()
    bill = link.bill(order_out(), nobody_known)
    assert differences(bill, link.send(bill, None)) == ["total: 12316.00 → 1.00"]
    assert differences(bill, link.find("SO-1")) == ["total: 12316.00 → 1.00"]


@pytest.mark.parametrize("step", ["before the note", "before it was let go", "in the middle of letting go"])
def test_a_worker_that_dies_at_any_point_leaves_one_file(erp, link_of, monkeypatch, step):
    """The next worker sees from the files alone whether the order was let go."""

    class Killed(BaseException):
        pass

    def killed(*_):
        raise Killed

    dying = link_of()
    if step == "before the note":
        monkeypatch.setattr(Journal, "write", killed)
    else:
        plain_move = Folder.move

        def move(self, folder, name, to, new):
            if folder == "out" and step == "before it was let go":
                raise Killed
            plain_move(self, folder, name, to, new)
            if folder == "out":
                raise Killed

        monkeypatch.setattr(Folder, "move", move)
    with pytest.raises(Killed):
        filed(dying)
    monkeypatch.undo()
    next_one = link_of()
    if step == "in the middle of letting go":
        with pytest.raises(Awaited, match="no answer yet"):
            next_one.find("SO-1")
        erp.erp.turn()
        assert next_one.find("SO-1").number == "WJ-00001"
    else:
        assert next_one.find("SO-1") is None
        assert filed(next_one).number == "WJ-00001"
    assert len(erp.erp.taken) == 1 and not [name for name in inside(erp) if name.endswith(PART)]


def test_nothing_is_let_go_once_the_lease_is_over(erp, link_of):
    link, asked = link_of(), []

    def over():
        asked.append(1)
        if len(asked) == 2:
            raise LeaseLost

    link.before_write = over
    with pytest.raises(LeaseLost):
        filed(link)
    assert inside(erp) == ["order_SO-1_3_create.csv" + PART]
    assert link_of().find("SO-1") is None


EVIL = [
    "../../etc/passwd",
    "..",
    "a/b",
    "a\\b",
    "SO-1\x00.csv",
    "SO 1",
    "订单-1",
    ".hidden",
    "C:con",
    "SO.1",
    "%2e%2e",
]


@pytest.mark.parametrize("reference", EVIL)
def test_no_reference_leads_out_of_the_folder(erp, link_of, reference):
    link = link_of(answers="none")
    filed(link, order_out(reference=reference))
    (name,) = inside(erp)
    assert plain(name) and name.startswith("order_")
    assert sorted(path.name for path in erp.root.iterdir()) == [
        "answers",
        "done",
        "in",
        "out",
        "sent",
        "taken",
    ]
    assert link.find(reference) is not None and link.find(reference + "x") is None


def test_no_two_references_share_a_name():
    assert len({paper.piece(reference) for reference in EVIL}) == len(EVIL)
    with pytest.raises(Rejected):
        paper.piece("S" * 200)


@pytest.mark.parametrize(
    "pattern", ["order_{reference}", "../{reference}_{version}_{act}", "a/{reference}{version}{act}"]
)
def test_a_pattern_of_names_that_would_not_do_is_a_wrong_setting(link_of, pattern):
    with pytest.raises(FixSettings, match="files.pattern"):
        filed(link_of(order_name=pattern))


@pytest.mark.parametrize(
    "key", ["out_folder", "answer_folder", "in_folder", "done_folder", "bad_folder", "journal_folder"]
)
@pytest.mark.parametrize("folder", ["..", "../x", "/etc", "a/../../b", "a//b", ".ssh"])
def test_no_folder_setting_climbs(link_of, key, folder):
    with pytest.raises(FixSettings, match="files.folder_name"):
        link_of(**{key: folder})


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", "＝", "＋", "－", "＠", " =", "a;=", "a,-"])
def test_a_cell_that_would_be_a_formula_gets_an_apostrophe(erp, link_of, start):
    link = link_of(answers="none")
    filed(link, replace(order_out(), note=f"{start}cmd|' /C calc'!A0"))
    (row, _) = csv.DictReader(io.StringIO((erp.root / "out" / inside(erp)[0]).read_text(encoding="utf-8")))
    assert row["note"] == f"'{start}cmd|' /C calc'!A0"
    assert (row["total"], row["Qty"], row["OrderNo"]) == ("12316.00", "120", "SO-1")


def test_text_that_the_character_set_lacks_is_refused_and_gb18030_has_it_all(erp, link_of):
    gb = link_of(answers="none", encoding="gb18030", separator="tab")
    filed(gb, replace(order_out(), note="甲\n乙"))
    told = (erp.root / "out" / "order_SO-1_3_create.csv").read_bytes().decode("gb18030")
    assert "锡安达机电" in told and "甲 乙" in told and "\t" in told


def test_only_a_folder_that_the_operator_opened_with_that_word_is_used(tmp_path, erp):
    (tmp_path / "outbound-folders").write_text(f"# one a line\n{erp.root} | 芝麻\n", encoding="utf-8")
    rules = rules_of(tmp_path, {})
    for root, word, opened in (
        (str(erp.root), "芝麻", True),
        (str(erp.root / "in"), "芝麻", True),
        (str(erp.root), "", False),
        (str(erp.root), "开门", False),
        (str(erp.root.parent), "芝麻", False),
        (f"{erp.root}-other", "芝麻", False),
        (f"{erp.root}/../..", "芝麻", False),
    ):
        access = access_of(Files(), "https://x.example.com", by_folder(erp, root=root, folder_word=word))
        http = session(rules)
        link = Files().open(access, http)
        if opened:
            assert link.place.root == os.path.realpath(root)
        else:
            with pytest.raises(FixSettings, match="files.folder_closed"):
                link.find("SO-1")
        http.close()
    with pytest.raises(FixSettings):
        Files().open(access, session()).find("SO-1")


@pytest.mark.parametrize("line", ["relative/path", "/", "//", "/tmp/.."])
def test_a_line_that_opens_no_folder_is_named(tmp_path, line):
    (tmp_path / "outbound-folders").write_text(line, encoding="utf-8")
    with pytest.raises(ValueError, match="folder"):
        rules_of(tmp_path, {})


def test_a_folder_rule_opens_no_network(erp):
    import ipaddress

    rule = FolderRule.parse(str(erp.root))
    assert str(rule) == str(erp.root)
    assert not rule.allows(ipaddress.ip_address("0.0.0.0"), 80)  # noqa: S104  it is asked about, not listened on


def test_nothing_is_made_behind_a_link_out_of_the_root(erp, tmp_path):
    outside = tmp_path / "others"
    outside.mkdir()
    (erp.root / "done2").symlink_to(outside)
    with pytest.raises(FixSettings, match="files.folder_elsewhere"):
        Folder(str(erp.root)).make("done2/mine")
    assert list(outside.iterdir()) == []


def test_a_link_that_appears_after_the_look_is_not_followed(erp, tmp_path, monkeypatch):
    outside, there = tmp_path / "others", erp.root / "swapped"
    outside.mkdir()
    (outside / "secret.csv").write_text("geheim", encoding="utf-8")
    look = Folder._folder

    def swapped(place, folder):
        real = look(place, folder)
        there.rmdir()
        there.symlink_to(outside)
        return real

    monkeypatch.setattr(Folder, "_folder", swapped)
    acts = {
        "list": lambda place: place.list("swapped"),
        "read": lambda place: place.read("swapped", "secret.csv"),
        "write": lambda place: place.write("swapped", "secret.csv", b"ours"),
        "exists": lambda place: place.exists("swapped", "secret.csv"),
        "move": lambda place: place.move("swapped", "secret.csv", "swapped", "taken.csv"),
    }
    for act in acts.values():
        there.unlink(missing_ok=True)
        there.mkdir()
        with pytest.raises((RetryLater, FixSettings)):
            act(Folder(str(erp.root)))
    assert [each.name for each in outside.iterdir()] == ["secret.csv"]
    assert (outside / "secret.csv").read_text(encoding="utf-8") == "geheim"


def test_links_and_pipes_are_not_followed(erp, tmp_path):
    place = Folder(str(erp.root))
    secret = tmp_path / "secret.csv"
    secret.write_text("geheim", encoding="utf-8")
    (erp.root / "in" / "link.csv").symlink_to(secret)
    (erp.root / "inner").symlink_to(tmp_path)
    os.mkfifo(erp.root / "in" / "pipe.csv")
    erp.put("good.csv", "x")
    (erp.root / "in" / ".hidden.csv").write_text("x", encoding="utf-8")
    assert [entry.name for entry in place.list("in")] == ["good.csv"]
    with pytest.raises((RetryLater, FixSettings)):
        place.read("in", "link.csv")
    with pytest.raises((RetryLater, ValueError)):
        place.read("in", "pipe.csv")
    with pytest.raises(FixSettings, match="files.folder_elsewhere"):
        place.read("inner", "secret.csv")
    for name in ("../secret.csv", "..", "/etc/passwd", "a/b", "", "x\n"):
        with pytest.raises(FixSettings, match="files.name"):
            place.write("in", name, b"")
    with pytest.raises(Missing):
        place.read("in", "nothing.csv")
    with pytest.raises(ValueError, match="longer"):
        place.read("in", "good.csv", 0)
    assert secret.read_text(encoding="utf-8") == "geheim"
