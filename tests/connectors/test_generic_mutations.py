"""Ten thousand broken envelopes: every one is an error by remedy or what it says, none is a crash, none a silent yes."""

import random
from datetime import UTC, datetime

import pytest
import requests

from connectors.generic.files import tables
from connectors.generic.records import Reader
from connectors.generic.rest import wire
from connectors.generic.rest.simulator import DEMO, Simulator, settings_for
from connectors.generic.rest.simulator.books import Books
from connectors.generic.rest.system import Rest
from tests.connectors.generic_house import access_of, nobody_known, order_out, workbook
from tongshang.connect import Push, PushRefused, SkipRecord, SyncError, differences

SPICE = [
    b'"',
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"null",
    b"NaN",
    b"-1",
    b"1e400",
    b"\x00",
    b"\xff",
    b"<",
    b"\\u0000",
    b"''",
    b"0",
]


def mutants(body: bytes, count: int, seed: int):
    """The body with one to four cuts, copies, flips or strange bytes; the same ones on every run."""
    dice = random.Random(seed)
    for _ in range(count):
        broken = bytearray(body)
        for _ in range(dice.randint(1, 4)):
            at, end = sorted((dice.randrange(len(broken) + 1), dice.randrange(len(broken) + 1)))
            end = min(end, at + 40)
            match dice.randrange(5):
                case 0:
                    del broken[at:end]
                case 1:
                    broken[at:at] = dice.choice(SPICE)
                case 2:
                    broken[at:at] = broken[at:end]
                case 3 if at < len(broken):
                    broken[at] = dice.randrange(256)
                case _:
                    broken[at:end] = dice.choice(SPICE)
        if bytes(broken) != body and broken:
            yield bytes(broken)


class Parrot(requests.Session):
    """A session that answers what it was told to."""

    body = b""

    def request(self, *_: object, **__: object) -> requests.Response:
        answer = requests.Response()
        answer.status_code, answer._content = 200, self.body
        return answer


@pytest.fixture(scope="module")
def filed():
    """(a bill, the answer of a search that found it)."""
    books = Books()
    books.seed()
    link = Rest().open(access_of(Rest(), "https://erp.example.com", settings_for()), Parrot())
    bill = link.bill(order_out(), nobody_known)
    books.create(wire.read(wire.encode(bill.body, as_text=True).encode()))
    return bill, wire.encode({"code": 0, "data": {"orders": books.find("SO-1")}}).encode()


def test_no_broken_answer_makes_an_order_vanish_or_passes_for_another(filed):
    """An order that was found once is never said not to be there, which would send it a second time."""
    bill, body = filed
    parrot = Parrot()
    link = Rest().open(access_of(Rest(), "https://erp.example.com", settings_for()), parrot)
    parrot.body = body
    assert differences(bill, link.find("SO-1")) == []
    told = {"error": 0, "differs": 0, "same": 0}
    for broken in mutants(body, 10_000, seed=4):
        parrot.body = broken
        try:
            found = link.find("SO-1")
        except SyncError as error:
            assert error.code and error.message
            told["error"] += 1
            continue
        if found is None:
            orders = wire.read(broken)["data"]["orders"]
            assert orders in ([], None), broken
        else:
            told["differs" if differences(bill, found) else "same"] += 1
    assert told["error"] > 5000 and told["differs"] > 100


def test_no_broken_webhook_is_heard(filed):
    body = wire.encode(
        {"event": "stock.changed", "items": [{"item": "X", "house": "A", "uom": "PCE", "qty": "5"}]}
    ).encode()
    with Simulator() as erp:
        headers = {name.lower(): value for name, value in erp.hook_headers(body).items()}
    access, at = access_of(Rest(), "https://erp.example.com", settings_for()), datetime.now(UTC)
    assert Rest().hear(access, Push("POST", "", {}, headers, body, at)).records
    for broken in mutants(body, 10_000, seed=5):
        with pytest.raises(PushRefused) as refused:
            Rest().hear(access, Push("POST", "", {}, headers, broken, at))
        assert refused.value.code == "rest.hook_signature"


def test_a_broken_webhook_with_a_right_signature_is_heard_whole_or_refused():
    body = wire.encode(
        {"event": "stock.changed", "items": [{"item": "X", "house": "A", "uom": "PCE", "qty": "5"}]}
    ).encode()
    access, at = access_of(Rest(), "https://erp.example.com", settings_for()), datetime.now(UTC)
    stamp = str(int(at.timestamp()))
    heard = 0
    for broken in mutants(body, 5000, seed=6):
        signature = wire.sign(DEMO.hook_secret, [stamp.encode(), broken], "hex")
        headers = {"x-timestamp": stamp, "x-signature": signature}
        try:
            told = Rest().hear(access, Push("POST", "", {}, headers, broken, at))
        except PushRefused as refused:
            assert refused.answer.status >= 400 and refused.code.startswith("rest.hook_")
            continue
        heard += 1
        assert len(told.records) == len(wire.read(broken)["items"]) and told.kind == "stock"
    assert heard < 2500


FILES = {
    "a.csv": "material,warehouse,unit,quantity\nM1,主仓,pcs,5\nM2,主仓,t,61.5\n".encode(),
    "a.xml": "<s><r><material>M1</material><warehouse>主仓</warehouse><unit>pcs</unit><quantity>5</quantity></r></s>".encode(),
    "a.json": '[{"material":"M1","warehouse":"主仓","unit":"pcs","quantity":5}]'.encode(),
}


@pytest.mark.parametrize("name", FILES)
def test_a_broken_file_is_rows_and_reasons_and_nothing_else(name):
    reader = Reader(access_of(Rest(), "https://erp.example.com", {}), "stock")
    told = {"file": 0, "row": 0, "record": 0}
    for broken in mutants(FILES[name], 10_000, seed=7):
        try:
            for row in tables.rows_of(name, broken)[1]:
                try:
                    assert reader.record(row).quantity.is_finite()
                    told["record"] += 1
                except SkipRecord as skipped:
                    assert skipped.code.startswith("generic.")
                    told["row"] += 1
        except tables.Unfit as unfit:
            assert unfit.code.startswith("files.") and unfit.said
            told["file"] += 1
    assert min(told.values()) > 50


def test_a_broken_workbook_never_reaches_the_reader_or_is_refused_by_it():
    book = workbook([["material", "warehouse", "unit", "quantity"], ["M1", "A", "pcs", 5]])
    refused = passed = 0
    for broken in mutants(book, 2000, seed=8):
        try:
            tables.check_zip(broken)
            passed += 1
        except tables.Unfit as unfit:
            assert unfit.code == "files.zip"
            refused += 1
    assert refused > 1500 and passed < 500
