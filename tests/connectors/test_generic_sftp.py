"""SFTP on a real socket: the host is who it should be, the way out is the operator's, and a lost line loses nothing."""

import re
import threading
import time
from collections.abc import Iterator

import paramiko
import pytest

from connectors.generic.files.sftp import Sftp
from connectors.generic.files.simulator import Account, Simulator, settings_for
from connectors.generic.files.simulator.account import fingerprint_of, key_text
from connectors.generic.files.system import Files
from core.db import Database
from tests.conftest import make_unit
from tests.connectors.generic_house import House, access_of, nobody_known, order_out
from tongshang.connect import (
    Blocked,
    FixSettings,
    OutboundRule,
    RetryLater,
    Trace,
    Uncertain,
    Unreachable,
    session,
    wire,
)


@pytest.fixture
def erp() -> Iterator[Simulator]:
    with Simulator() as simulator:
        yield simulator


@pytest.fixture
def http(erp):
    made = session([OutboundRule.parse(f"127.0.0.1:{erp.sftp.port}")])
    yield made
    made.close()


@pytest.fixture
def link_of(erp: Simulator, http, monkeypatch):
    opened = []
    monkeypatch.setattr(Sftp.__init__, "__kwdefaults__", {**Sftp.__init__.__kwdefaults__, "patience": 1.0})

    def make(**more: str):
        link = Files().open(access_of(Files(), erp.url, settings_for() | more), http)
        link.trace = Trace()
        opened.append(link)
        return link

    yield make
    for link in opened:
        link.close()


def filed(link):
    return link.send(link.bill(order_out(), nobody_known), None)


def test_an_order_is_filed_changed_and_cancelled(erp, link_of):
    link = link_of()
    assert link.find("SO-1") is None
    assert filed(link).number == "WJ-00001"
    bill = link.bill(order_out(version=4, bearings="100"), nobody_known)
    assert link.send(bill, link.find("SO-1")).lines[0].quantity == 100
    assert link.cancel(link.find("SO-1")).cancelled
    ((order,),) = erp.erp.live().values()
    assert order["state"] == "void" and len(erp.erp.taken) == 3
    assert [e.operation for e in link.trace.exchanges] == ["write", "read"] * 3


def test_a_private_key_opens_the_door_too(erp, link_of):
    link = link_of(password="", private_key=key_text(f"{erp.account.seed} of the user"))
    assert link.find("SO-1") is None


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"password": "nonsense"}, "files.login_refused"),
        ({"password": "", "private_key": key_text("another")}, "files.login_refused"),
        ({"password": "", "private_key": "nonsense"}, "files.private_key"),
        ({"password": ""}, "files.credentials_missing"),
        ({"fingerprint": ""}, "files.fingerprint_missing"),
        ({"fingerprint": fingerprint_of(Account(seed="somebody else"))}, "files.host_key"),
        ({"root": "/../etc"}, "files.folder_name"),
    ],
)
def test_wrong_settings_are_named(link_of, wrong, code):
    with pytest.raises(FixSettings) as refused:
        link_of(**wrong).find("SO-1")
    assert refused.value.code == code


def test_the_password_never_reaches_a_host_with_another_key(erp, link_of, monkeypatch):
    tried = []
    monkeypatch.setattr(paramiko.Transport, "auth_password", lambda *given, **_: tried.append(given))
    with pytest.raises(FixSettings, match=re.escape(fingerprint_of())):
        link_of(fingerprint="SHA256:" + "A" * 43).find("SO-1")
    assert tried == []


def test_several_fingerprints_may_be_told_while_a_host_changes_its_key(link_of):
    both = f"{fingerprint_of(Account(seed='old'))}, {fingerprint_of()}"
    assert link_of(fingerprint=both).find("SO-1") is None


def test_only_what_the_operator_allows_is_dialled(erp):
    closed = Files().open(access_of(Files(), erp.url, settings_for()), session())
    with pytest.raises(FixSettings, match="not public"):
        closed.find("SO-1")
    with pytest.raises(Blocked):
        wire(session([OutboundRule.parse("10.0.0.0/8:22")]), "127.0.0.1", erp.sftp.port, 1)
    import requests

    with requests.Session() as bare, pytest.raises(Blocked, match="no rules"):
        wire(bare, "127.0.0.1", erp.sftp.port, 1)


def test_a_way_out_that_leads_nowhere_is_told_as_such():
    with session([OutboundRule.parse("127.0.0.1:1")]) as http:
        with pytest.raises(Unreachable) as away:
            wire(http, "127.0.0.1", 1, 1)
        assert away.value.stage == "tcp"
        link = Files().open(access_of(Files(), "http://127.0.0.1:1", settings_for()), http)
        with pytest.raises(RetryLater) as later:
            link.find("SO-1")
        assert later.value.code == "unreachable.tcp"


def test_the_check_names_the_step_that_fails(erp, http):
    def steps(**more):
        access = access_of(Files(), erp.url, settings_for() | more)
        return [(step.name, step.ok) for step in Files().check(access, http)]

    good = [(name, True) for name in ("address", "tcp", "login", "folders", "write", "read")]
    assert steps() == good
    assert steps(password="nonsense") == [*good[:2], ("login", False)]
    assert steps(fingerprint="SHA256:x") == [*good[:1], ("tcp", False)]
    assert steps(in_folder="nowhere") == [*good[:3], ("folders", False)]


@pytest.mark.parametrize("operation", ["write", "rename", "list", "stat"])
@pytest.mark.parametrize("mode", ["drop_before", "drop_after", "timeout_before", "timeout_after"])
def test_a_lost_line_leaves_one_order_whatever_was_under_way(erp, link_of, operation, mode):
    link = link_of()
    link.find("SO-0")
    erp.faults.set([{"match": {"operation": operation}, "mode": mode, "seconds": 1.3, "times": 1}])
    done = None
    for _ in range(6):
        try:
            found = link.find("SO-1")
            done = found or filed(link)
            break
        except (RetryLater, Uncertain):
            continue
    assert done is not None and done.number == "WJ-00001"
    assert erp.faults.as_json()[0]["hits"] == 1
    assert erp.erp.taken == ["order_SO-1_3_create.csv"]


def test_only_the_last_renaming_is_uncertain(erp, link_of):
    link = link_of()
    link.find("SO-0")
    erp.faults.set([{"match": {"operation": "write", "kind": "out"}, "mode": "drop_after", "times": 1}])
    with pytest.raises(RetryLater):
        filed(link)
    erp.faults.set([{"match": {"operation": "rename", "kind": "out"}, "mode": "drop_after", "times": 1}])
    with pytest.raises(Uncertain):
        filed(link)


def test_names_of_a_server_that_lead_elsewhere_are_passed_over(erp, link_of, monkeypatch):
    from connectors.generic.files.simulator import sftp

    plain = sftp._Files._listed

    def evil(self, folder):
        import os

        found = plain(self, folder)
        for name in ("../../etc/passwd", "..", "/etc/passwd", "items_1.csv\n", "items_a\\b.csv"):
            found.append(paramiko.SFTPAttributes.from_stat(os.stat(__file__), name))
        return found

    monkeypatch.setattr(sftp._Files, "_listed", evil)
    erp.put("items_1.csv", "ItemNo,品名,Unit,规格\nM1,螺栓,PCE,\n")
    assert [entry.name for entry in link_of().place.list("in")] == ["items_1.csv"]


def test_files_come_in_and_are_moved_away(erp, link_of):
    erp.put("items_1.csv", "ItemNo,品名,Unit,规格\nM1,螺栓,PCE,\n")
    erp.put("items_2.csv", b"\xff\xfe")
    stream = link_of().stream("products")
    rows = [row for page in stream.pull(None, None) for row in page.rows]
    assert stream.to_core(rows[0]).code == "M1" and rows[1]["code"] == "files.encoding"
    assert list((erp.root / "in").iterdir()) == []
    assert len(list((erp.root / "done").iterdir())) == len(list((erp.root / "bad").iterdir())) == 1


def test_a_large_file_comes_whole_and_one_that_is_too_large_does_not(erp, link_of):
    place, data = link_of().place, bytes(range(256)) * 4_000
    erp.put("big.bin", data)
    assert place.read("in", "big.bin") == data
    with pytest.raises(ValueError, match="longer"):
        place.read("in", "big.bin", len(data) - 1)
    place.write("out", "back.bin", data)
    assert (erp.root / "out" / "back.bin").read_bytes() == data


def test_a_line_lost_in_the_middle_of_a_file_is_to_be_read_again(erp, link_of, monkeypatch):
    from connectors.generic.files.simulator import sftp

    place, data = link_of().place, b"x" * 1_000_000
    erp.put("big.bin", data)
    plain = paramiko.SFTPHandle.read

    def lost(self, offset, length):
        if offset > 300_000 and not broken:
            broken.append(offset)
            sessions[0].close()
        return plain(self, offset, length)

    broken, sessions = [], []
    door = sftp._Door.__init__

    def noted(self, owner, transport):
        sessions.append(transport)
        door(self, owner, transport)

    monkeypatch.setattr(sftp._Door, "__init__", noted)
    monkeypatch.setattr(paramiko.SFTPHandle, "read", lost)
    with pytest.raises(RetryLater):
        place.read("in", "big.bin")
    assert broken and place.read("in", "big.bin") == data


def test_a_write_that_arrived_in_part_is_noticed(erp, link_of, monkeypatch):
    from connectors.generic.files.simulator import sftp

    place = link_of().place
    place.list("in")
    plain = sftp._Files.stat

    def short(self, path):
        found = plain(self, path)
        if path.endswith(".part"):
            found.st_size -= 1
        return found

    monkeypatch.setattr(sftp._Files, "stat", short)
    with pytest.raises(RetryLater, match="4 of 5 bytes"):
        place.write("out", "a.part", b"12345")


def test_nobody_gets_above_the_folder_of_the_simulator(erp, http):
    place = Sftp(
        http,
        "127.0.0.1",
        erp.sftp.port,
        root="",
        username=erp.account.user,
        password=erp.account.password,
        fingerprints={fingerprint_of()},
    )
    found = place._open.listdir("../../..")
    assert sorted(found) == ["answers", "in", "out", "taken"]
    place.close()


@pytest.mark.slow
def test_orders_through_a_line_that_breaks_become_one_order_each(
    fresh_db: Database, worker_db: Database, erp: Simulator, monkeypatch
):
    monkeypatch.setattr(Sftp.__init__, "__kwdefaults__", {**Sftp.__init__.__kwdefaults__, "patience": 1.0})
    rules = [OutboundRule.parse(f"127.0.0.1:{erp.sftp.port}")]
    units = make_unit(fresh_db), make_unit(worker_db)
    house = House(*units, Files(), erp.url, settings_for() | {"wait": "0"}, lambda: rules)
    numbers = [f"SO-{no:02}" for no in range(12)]
    for number in numbers:
        house.order(number)
    erp.faults.set(
        [
            {"match": {"operation": operation}, "mode": mode, "probability": 0.04}
            for operation in ("write", "rename", "list", "stat", "read")
            for mode in ("drop_before", "drop_after")
        ]
        + [{"match": {"operation": "take"}, "mode": "late", "seconds": 0.4, "probability": 0.3}]
    )
    house.push(house.engine(), rounds=400)
    assert {state for *_, state in house.states()} == {"done"}
    assert sorted(erp.erp.taken) == [f"order_{number}_3_create.csv" for number in numbers]


def emptily(server, number, _folder):
    """An answer to a listing with no name in it, and never the last one."""
    told = paramiko.Message()
    told.add_int(number)
    told.add_int(0)
    server._send_packet(paramiko.sftp.CMD_NAME, told)


def without_end(server, number, _folder):
    """One more name that is shown to nobody, for ever."""
    told = paramiko.Message()
    told.add_int(number)
    told.add_int(1)
    for each in (".hidden", "long name"):
        told.add_string(each)
    paramiko.SFTPAttributes()._pack(told)
    server._send_packet(paramiko.sftp.CMD_NAME, told)


@pytest.mark.parametrize("listing", [emptily, without_end])
def test_a_listing_that_never_ends_is_given_up(link_of, monkeypatch, listing):
    monkeypatch.setitem(Sftp.__init__.__kwdefaults__, "longest", 1.0)
    monkeypatch.setattr(paramiko.SFTPServer, "_read_folder", listing)
    began = time.monotonic()
    with pytest.raises((RetryLater, FixSettings)) as given_up:
        link_of().place.list("in")
    assert given_up.value.code in ("files.broken_off", "files.too_many") and time.monotonic() - began < 5


def test_a_file_that_trickles_is_given_up(erp, link_of, monkeypatch):
    def slowly(handle, offset, _length):
        time.sleep(0.3)  # sooner than the patience with one answer
        return b"x"

    monkeypatch.setitem(Sftp.__init__.__kwdefaults__, "longest", 1.0)
    monkeypatch.setattr(paramiko.SFTPHandle, "read", slowly)
    erp.put("items.csv", "x" * 100)
    began = time.monotonic()
    with pytest.raises(RetryLater, match="broken_off"):
        link_of().place.read("in", "items.csv")
    assert time.monotonic() - began < 5


def test_a_server_that_never_opens_its_file_service_is_given_up(link_of, monkeypatch):
    asked = paramiko.ServerInterface.check_channel_subsystem_request
    held = threading.Event()
    monkeypatch.setattr(
        paramiko.ServerInterface,
        "check_channel_subsystem_request",
        lambda *given: held.wait(10) and asked(*given),
    )
    began = time.monotonic()
    with pytest.raises(RetryLater, match="broken_off"):
        link_of().find("SO-1")
    assert time.monotonic() - began < 5
    held.set()
