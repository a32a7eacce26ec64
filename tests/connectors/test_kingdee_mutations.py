"""Answers that something in between, or a mistake over there, has changed: an error by remedy, or what was really said."""

import json
import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from connectors.kingdee.client import Account, Client, Saved, SignedHeaders
from connectors.kingdee.filing.orders import SALES
from connectors.kingdee.filing.receipts import Receipts
from connectors.kingdee.mapping import SiteMapping
from connectors.kingdee.simulator import DEMO_ACCOUNT
from connectors.kingdee.streams import Deliveries, Invoices, Materials, Payments, Prices, Stocks
from tests.connectors.conftest import APP, order
from tests.connectors.kingdee_house import counted
from tongshang.connect import Access, SyncError

FORM = "SAL_SaleOrder"
SAVED = {
    "Result": {
        "ResponseStatus": {
            "IsSuccess": True,
            "Errors": [],
            "SuccessEntitys": [{"Id": 100012, "Number": "TS-1", "DIndex": 0}],
            "SuccessMessages": [],
            "MsgCode": 0,
        },
        "Id": 100012,
        "Number": "TS-1",
        "NeedReturnData": [{"FBillNo": "TS-1"}],
    }
}
REFUSED = {
    "Result": {
        "ResponseStatus": {
            "ErrorCode": 500,
            "IsSuccess": False,
            "Errors": [{"FieldName": "FCustId", "Message": "字段[客户]是必录字段", "DIndex": 0}],
            "SuccessEntitys": [],
            "SuccessMessages": [],
            "MsgCode": 11,
        }
    }
}
NONSENSE: tuple[Any, ...] = (
    None,
    True,
    -1,
    0,
    "",
    "x",
    [],
    {},
    [[]],
    "9" * 30,
    1e300,
    {"Id": []},
    "1900-00-00",
)


class Wire:
    """Stands where the session would be, and answers every call with one body."""

    def __init__(self, body: bytes) -> None:
        self.body = body

    def post(self, *_: Any, **__: Any) -> requests.Response:
        answer = requests.Response()
        answer.status_code, answer._content = 200, self.body
        return answer


def bytes_changed(dice: random.Random, body: bytes) -> bytes:
    """A few bytes turned, lost, doubled or broken off."""
    changed = bytearray(body)
    for _ in range(dice.randint(1, 4)):
        place = dice.randrange(len(changed) or 1)
        match dice.randrange(4):
            case 0:
                changed[place : place + 1] = bytes([dice.randrange(256)])
            case 1:
                del changed[place : place + dice.randint(1, 12)]
            case 2:
                changed[place:place] = changed[place : place + dice.randint(1, 30)]
            case 3:
                del changed[place:]
    return bytes(changed)


def values_changed(dice: random.Random, body: bytes) -> bytes:
    """Right JSON with something else in one place."""
    told = json.loads(body)
    places = list(_places(told))
    holder, key = dice.choice(places)
    if dice.random() < 0.2 and isinstance(holder, dict):
        del holder[key]
    else:
        holder[key] = dice.choice(NONSENSE)
    return json.dumps(told).encode()


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        yield value, key
        yield from _places(value[key])


def client(body: bytes) -> Client:
    return Client(Wire(body), Account("http://k3/k3cloud", DEMO_ACCOUNT.acct_id, "demo"), SignedHeaders(*APP))  # type: ignore[arg-type]


def mutants(count: int, body: bytes) -> Iterator[bytes]:
    dice = random.Random(4)
    for turn in range(count):
        yield (values_changed if turn % 2 else bytes_changed)(dice, body)


class Rows:
    """Answers a query with one fitting row, which `spoil` may change."""

    def __init__(self, spoil: Callable[[bytes], bytes]) -> None:
        self.spoil = spoil

    def post(self, *_: Any, data: str, **__: Any) -> requests.Response:
        keys = json.loads(data)["data"]["FieldKeys"].split(",")
        return Wire(self.spoil(json.dumps([[cell(key) for key in keys]]).encode())).post()


def cell(key: str) -> Any:
    if "date" in key.lower():
        return "2026-11-22T10:00:00.123"
    if "unit" in key.lower():
        return "Pcs"
    if "curr" in key.lower():
        return "PRE001"
    plain = {"FIsIncludedTax": True, "FLimitCustomer": "", "FLimitSalesMan": "", "FID": 100012}
    return plain.get(key, 100012 if key == "FMATERIALID" else "12")


STREAMS = (Materials, Prices, Stocks, Deliveries, Invoices, Payments)


def read(kind: Any, spoil: Callable[[bytes], bytes]) -> int:
    """How many records a stream gave in our words."""
    told = 0
    http: Any = Rows(spoil)
    spoken = Client(http, Account("http://k3/k3cloud", DEMO_ACCOUNT.acct_id, "demo"), SignedHeaders(*APP))
    stream = kind(spoken, SiteMapping(Access("", "100", {}, {})))
    try:
        for page in stream.pull(None, None):
            for row in page.rows:
                try:
                    stream.to_core(row)
                    told += 1
                except SyncError as error:
                    assert error.code
            assert not page.cursor or page.cursor.startswith(("1", "2"))
            break
    except SyncError as error:
        assert error.code
    return told


def save_mutated(count: int) -> None:
    for body in mutants(count, json.dumps(SAVED).encode()):
        try:
            saved = client(body).save(FORM, order())
        except SyncError as error:
            assert error.code
            continue
        # Taken for a yes: the answer has to say so, and to name a document.
        status = json.loads(body.decode("utf-8-sig"))["Result"]["ResponseStatus"]
        assert str(status["IsSuccess"]).lower() == "true" and isinstance(saved, Saved) and saved.id


def refusal_mutated(count: int) -> None:
    for body in mutants(count, json.dumps(REFUSED).encode()):
        try:
            client(body).save(FORM, order())
        except SyncError as error:
            assert error.code
        else:
            raise AssertionError(f"a refusal was taken for a yes: {body!r}")


def rows_mutated(count: int) -> None:
    dice = random.Random(5)

    def spoil(body: bytes) -> bytes:
        change = dice.choice((values_changed, bytes_changed, lambda _, whole: whole, lambda _, whole: whole))
        return change(dice, body)

    for kind in STREAMS:
        for _ in range(count):
            read(kind, spoil)


def look_up_mutated(count: int) -> None:
    line = [100012, "TS-1", "C", "A", "C1", "PRE001", "4380.00", "BRG-6204", "Pcs", "120", "36.5", "4380.00"]
    for body in mutants(count, json.dumps([line]).encode()):
        try:
            rows = client(body).query(FORM, SALES.keys, "FBillNo = 'TS-1'")
            found = SALES.found(rows)
        except SyncError as error:
            assert error.code
            continue
        assert found is None or found.remote_id.isdecimal()


def orders_mutated(count: int) -> None:
    """The purchase order a receipt looks for: found as it is, or an error by remedy."""
    line = [100012, "SO-1", "C", "A", 100013, "BRG-6204", "1"]
    goods = counted("SH-1", (1, "BRG-6204", "pcs", "5", "182.50", "SO-1", 1))
    site = SiteMapping(Access("", "100", {}, {}))
    for body in mutants(count, json.dumps([line]).encode()):
        try:
            bill = Receipts(client(body), site).bill(
                goods, lambda kind, _: "V1" if kind == "supplier" else None
            )
        except SyncError as error:
            assert error.code
            continue
        (link,) = bill.body["FInStockEntry"][0]["FInStockEntry_Link"]
        assert isinstance(link["FInStockEntry_Link_FSBillId"], int) and bill.lines[0].quantity == 5


@pytest.mark.parametrize("kind", STREAMS)
def test_an_answer_nobody_changed_becomes_a_record(kind):
    assert read(kind, lambda body: body) == 1


@pytest.mark.parametrize(
    "attack", [save_mutated, refusal_mutated, rows_mutated, look_up_mutated, orders_mutated]
)
def test_changed_answers_crash_nothing_and_are_never_a_silent_yes(attack):
    attack(150)


@pytest.mark.slow
def test_ten_thousand_changed_answers():
    save_mutated(2500)
    refusal_mutated(2500)
    look_up_mutated(2500)
    orders_mutated(2500)
    rows_mutated(420)


@pytest.mark.parametrize(
    "body", [b"[" * 100000, b"9" * 5000, b"NaN", b'"' + b"x" * 100, b"\xff\xfe{}", b"null"]
)
def test_bodies_that_would_hurt_a_parser_are_errors_by_remedy(body):
    for call in (lambda: client(body).save(FORM, order()), lambda: client(body).query(FORM, ["FID"])):
        with pytest.raises(SyncError):
            call()
