"""Ten thousand broken envelopes of each protocol, both ways: never a crash, never a silent yes."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlencode

import pytest

from connectors.wms import flux, qimen, signing, xmltext
from connectors.wms.flux.simulator import Simulator as FluxSimulator
from connectors.wms.pushing import Sending
from connectors.wms.qimen.simulator import Simulator as QimenSimulator
from tests.connectors.wms_house import access, linked, nobody, order, pushed
from tongshang.connect import PushRefused, SyncError, Uncertain

COUNT = 10_000


def broken(whole: bytes, seed: int) -> Iterator[bytes]:
    """Cut, doubled, swapped, overwritten; never the whole itself."""
    dice = random.Random(seed)
    for _ in range(COUNT):
        body = bytearray(whole)
        kind = dice.randrange(5)
        at, to = sorted((dice.randrange(len(body)), dice.randrange(len(body))))
        if kind == 0:
            del body[at:]
        elif kind == 1:
            del body[at:to]
        elif kind == 2:
            body[at:at] = body[at:to]
        else:
            for _ in range(dice.randint(1, 6)):
                body[dice.randrange(len(body))] = dice.choice(b"<>&\"'/{}[],:\\ \x00\xff\xe4019eE-+")
        if bytes(body) != whole:
            yield bytes(body)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["qimen", "flux"])
def test_no_broken_answer_is_a_yes_that_the_whole_one_did_not_say(name):
    """A refusal stays a refusal or becomes unclear, whatever falls out of it."""
    if name == "qimen":
        inside = "<flag>failure</flag><code>S12</code><message>商品不存在</message>"
        whole, more = xmltext.document(f"<response>{inside}</response>"), ()
        made, simulator = qimen.connector(), QimenSimulator
    else:
        rows = '[{"OrderNo":"SO-1","errorcode":"S003","errordescr":"数据有误"}]'
        told = f'{{"returnCode":"0001","returnDesc":"失败","returnFlag":"0","resultInfo":{rows}}}'
        whole, more = f'{{"Response":{{"return":{told}}}}}'.encode(), ("SO-1",)
        made, simulator = flux.connector(), FluxSimulator
    with simulator() as warehouse, linked(made, warehouse) as link:
        assert _taken_for_yes(lambda body: link.client._read(body, *more, True), whole) == []


def _taken_for_yes(read, whole: bytes) -> list[bytes]:
    """The broken answers that were taken for a yes."""
    wrong, unclear = [], 0
    for body in broken(whole, 3):
        try:
            read(body)
        except SyncError as error:
            unclear += isinstance(error, Uncertain)
        else:
            wrong.append(body)
    assert unclear > COUNT // 3
    return wrong


@pytest.mark.slow
@pytest.mark.parametrize("name", ["qimen", "flux form", "flux json"])
def test_no_broken_push_is_heard_and_one_signed_well_is_heard_or_refused(name):
    if name == "qimen":
        made, warehouse = qimen.connector(), QimenSimulator()
    else:
        made, warehouse = flux.connector(), FluxSimulator(gateway=name.split()[1])
    changes = {} if name == "qimen" else {"gateway": warehouse.gateway}
    with warehouse:
        with linked(made, warehouse, **changes) as link:
            link.send(link.bill(order(), nobody), None)
        told = access(made, warehouse, **changes)
        whole = _confirmation(warehouse)
        heard = made.hear(told, pushed(whole)).records
        assert heard
        refused = 0
        for body in broken(whole.body, 5):
            try:
                # A form may lose a field that nobody reads: what is heard then is what was signed.
                found = made.hear(told, pushed(Sending(whole.url, body, whole.content_type)))
                assert name == "flux form" and found.records == heard
            except PushRefused as no:
                assert no.answer.body
                refused += 1
        assert refused > COUNT * 0.9
        for body in broken(_text(warehouse, whole), 7):
            try:
                found = made.hear(told, pushed(_signed(warehouse, body)))
            except PushRefused:
                continue
            for record in found.records:
                assert record.reference and all(line.quantity > 0 for line in record.lines)


def _confirmation(warehouse) -> Sending:
    method, inside = warehouse._confirm({"code": "SO-1"}, "")
    if isinstance(warehouse, QimenSimulator):
        inside = xmltext.document(xmltext.tag("request", inside))
    return warehouse.signed(method, inside, "http://portal.test/")


def _text(warehouse, sending: Sending) -> bytes:
    """What is signed of a push."""
    if isinstance(warehouse, QimenSimulator) or warehouse.gateway == "json":
        return sending.body
    return parse_qs(sending.body.decode())["data"][0].encode()


def _signed(warehouse, body: bytes) -> Sending:
    if isinstance(warehouse, QimenSimulator):
        return warehouse.signed("stockout.confirm", body, "http://x")
    text = body.decode("utf-8", "replace")
    fields = {"method": "confirmSOData", "timestamp": signing.stamp(datetime.now(UTC))}
    fields["sign"] = signing.flux(text, warehouse.account.secret)
    if warehouse.gateway == "json":
        return Sending(f"http://x?{urlencode(fields)}", text.encode(), "application/json")
    return Sending(
        "http://x", urlencode({**fields, "data": text}).encode(), "application/x-www-form-urlencoded"
    )
