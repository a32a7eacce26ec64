"""Deliveries and invoices that SAP sends as IDocs: heard once, in our words, or refused with the reason."""

from __future__ import annotations

import random
from base64 import b64encode
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from sqlalchemy import select

from connectors.sap.idoc import segments
from connectors.sap.idoc.system import SapIdoc
from connectors.sap.soap import xml
from connectors.sap.soap.simulator import Simulator
from tests.conftest import make_unit
from tests.connectors.sap_soap_house import BASE, SapHouse, access, mutated
from tongshang.connect import DeliveryIn, InvoiceIn, MovedLine, Push, PushRefused

AT = datetime(2026, 11, 22, 19, 30, tzinfo=UTC)


@pytest.fixture
def sap():
    with Simulator() as simulator:
        simulator.world.merge(BASE)
        yield simulator


LOGIN = "Basic " + b64encode(b"SAPQAS:Ankunft-1").decode()


def control(message: str, number: str = "0000000000700001", **more: str) -> str:
    told = {
        "DOCNUM": number,
        "MESTYP": message,
        "SNDPOR": "SAPQAS",
        "SNDPRN": "QASCLNT100",
        "CREDAT": "20261206",
    } | more
    inner = "".join(f"<{name}>{value}</{name}>" for name, value in told.items())
    return f'<EDI_DC40 SEGMENT="1">{inner}</EDI_DC40>'


def desadv(**more: str) -> bytes:
    def line(position: str, material: str, quantity: str, unit: str, order: str) -> str:
        below = f'<E1EDL41 SEGMENT="1"><QUALI>001</QUALI><BSTNR>{order}</BSTNR></E1EDL41>' if order else ""
        return (
            f'<E1EDL24 SEGMENT="1"><POSNR>{position}</POSNR><MATNR>{material}</MATNR><LFIMG>{quantity}</LFIMG>'
            f"<VRKME>{unit}</VRKME><VGBEL>0000000001</VGBEL><VGPOS>{position}</VGPOS>{below}</E1EDL24>"
        )

    return (
        f'<DELVRY03><IDOC BEGIN="1">{control("DESADV", **more)}<E1EDL20 SEGMENT="1"><VBELN>0080000123</VBELN>'
        '<BOLNR>SF1024</BOLNR><E1ADRM1 SEGMENT="1"><PARTNER_Q>SP</PARTNER_Q><NAME1>顺丰</NAME1></E1ADRM1>'
        '<E1EDT13 SEGMENT="1"><QUALF>006</QUALF><NTANF>20261205</NTANF><ISDD>00000000</ISDD></E1EDT13>'
        + line("000010", "BRG-6204", "100.000", "PCE", "SO-1")
        + line("000020", "000000000000004711", "2.000", "PCE", "SO-1")
        + line("000030", "BRG-6204", "7.000", "PCE", "SO-2")
        + line("900001", "BRG-6204", "0.000", "PCE", "SO-1")
        + line("000040", "OTHER", "5.000", "??", "")
        + "</E1EDL20></IDOC></DELVRY03>"
    ).encode()


def invoic(
    total: str = "12316.00", orders_there: tuple[str, ...] = ("SO-1",), kind: str = "INVO", sumid: str = "011"
) -> bytes:
    lines = "".join(
        '<E1EDP01 SEGMENT="1"><POSEX>000010</POSEX>'
        f'<E1EDP02 SEGMENT="1"><QUALF>001</QUALF><BELNR>{each}</BELNR></E1EDP02></E1EDP01>'
        for each in orders_there
    )
    return (
        f'<INVOIC02><IDOC BEGIN="1">{control("INVOIC", "0000000000700002")}'
        f'<E1EDK01 SEGMENT="1"><CURCY>CNY</CURCY><BELNR>0090000077</BELNR><BSART>{kind}</BSART></E1EDK01>'
        '<E1EDK02 SEGMENT="1"><QUALF>009</QUALF><BELNR>0090000077</BELNR></E1EDK02>'
        '<E1EDK03 SEGMENT="1"><IDDAT>026</IDDAT><DATUM>20261207</DATUM></E1EDK03>'
        f'{lines}<E1EDS01 SEGMENT="1"><SUMID>010</SUMID><SUMME>10899.12</SUMME></E1EDS01>'
        f'<E1EDS01 SEGMENT="1"><SUMID>{sumid}</SUMID><SUMME>{total}</SUMME></E1EDS01></IDOC></INVOIC02>'
    ).encode()


def push(body: bytes, method: str = "POST", login: str = LOGIN) -> Push:
    return Push(method, "", {}, {"authorization": login} if login else {}, body, AT)


@pytest.fixture
def told(sap):
    return access(sap, "idoc")


def test_a_delivery_is_heard_for_each_order_of_ours(told):
    heard = SapIdoc().hear(told, push(desadv()))
    assert (heard.key, heard.kind) == ("SAPQAS:0000000000700001", "DESADV")
    assert heard.records == (
        DeliveryIn(
            "80000123/SO-1",
            "80000123",
            "SO-1",
            date(2026, 12, 5),
            (MovedLine(1, "BRG-6204", Decimal(100), "pcs"), MovedLine(2, "4711", Decimal(2), "pcs")),
            "顺丰",
            "SF1024",
        ),
        DeliveryIn(
            "80000123/SO-2",
            "80000123",
            "SO-2",
            date(2026, 12, 5),
            (MovedLine(3, "BRG-6204", Decimal(7), "pcs"),),
            "顺丰",
            "SF1024",
        ),
    )
    assert heard.answer.status == 200 and heard.answer.content_type.startswith("text/xml")
    assert xml.parse(heard.answer.body)[0].get("DOCNUM") == "0000000000700001"


def test_an_invoice_is_heard_with_its_amount_with_tax(told):
    heard = SapIdoc().hear(told, push(invoic()))
    assert heard.records == (
        InvoiceIn("90000077", "90000077", "SO-1", date(2026, 12, 7), "CNY", Decimal("12316.00")),
    )
    assert (
        SapIdoc().hear(told, push(segments.enveloped(b'<?xml version="1.0"?>' + invoic()))).records
        == heard.records
    )


def test_what_is_about_nothing_of_ours_is_taken_and_says_nothing(told):
    assert SapIdoc().hear(told, push(invoic(orders_there=()))).records == ()


@pytest.mark.parametrize(
    "login", ["", "Basic eDp5", "Basic !!", "Bearer x", "Basic " + b64encode(b"SAPQAS:").decode()]
)
def test_a_call_without_the_right_login_is_refused_before_it_is_read(told, login):
    with pytest.raises(PushRefused) as refused:
        SapIdoc().hear(told, push(b"never read", login=login))
    assert (refused.value.code, refused.value.answer.status) == ("sap.push_login", 401)


def test_without_a_login_set_nobody_is_let_in(told):
    silent = replace(told, settings={**told.settings, "hear_user": ""}, secrets={"password": "x"})
    with pytest.raises(PushRefused):
        SapIdoc().hear(silent, push(desadv(), login="Basic " + b64encode(b":").decode()))


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"<a", 400, "sap.unreadable"),
        (b"<!DOCTYPE x><a/>", 400, "sap.unreadable"),
        (desadv(SNDPRN="STRANGER"), 403, "sap.sender_unknown"),
        (desadv(DOCNUM="0"), 422, "sap.docnum_missing"),
        (desadv(MESTYP="MATMAS"), 422, "sap.idoc_unknown"),
        (desadv().replace(b"PCE", b"XXX"), 422, "sap.unit_missing"),
        (desadv().replace(b"100.000", b"1OO"), 422, "sap.number_unreadable"),
        (invoic(kind="CRME"), 422, "sap.credit_note"),
        (invoic(total="12316.00-"), 422, "sap.credit_note"),
        (invoic(sumid="012"), 422, "sap.invoice_total_missing"),
        (invoic(orders_there=("SO-1", "SO-2")), 422, "sap.invoice_of_several"),
        (invoic().replace(b"20261207", b"00000000"), 422, "sap.date_missing"),
    ],
)
def test_what_cannot_be_taken_is_refused_with_its_reason(told, body, status, code):
    with pytest.raises(PushRefused) as refused:
        SapIdoc().hear(told, push(body))
    assert (refused.value.answer.status, refused.value.code) == (status, code)
    assert xml.parse(refused.value.answer.body).get("CODE") == code


def test_only_a_post_is_heard(told):
    with pytest.raises(PushRefused) as refused:
        SapIdoc().hear(told, push(desadv(), method="GET"))
    assert refused.value.answer.status == 405


def test_two_thousand_wounded_idocs_crash_nothing(told):
    dice = random.Random(5)
    taken = 0
    for turn in range(2000):
        body = mutated((desadv, invoic)[turn % 2](), dice)
        try:
            heard = SapIdoc().hear(told, push(body))
        except PushRefused as refused:
            assert refused.code.startswith("sap.") and refused.answer.status >= 400
            continue
        taken += 1
        for record in heard.records:
            assert record.number and record.reference and record.day  # type: ignore[union-attr]
    assert 0 < taken < 1500


def test_an_idoc_that_comes_twice_is_kept_once_and_answered_alike(fresh_db, worker_db, sap):
    from core.sync import SyncPush
    from core.sync.inbox import Inbox, renew_token

    house = SapHouse(make_unit(fresh_db), make_unit(worker_db), sap, "idoc")
    house.order("SO-1")
    with house.app.system(house.seller, "test") as ctx:
        token = renew_token(ctx, house.connector, house.connection_id)
    inbox = Inbox(house.app, house.registry)
    answers = [inbox.take(token, push(body)) for body in (desadv(), desadv(), invoic(), b"<a")]
    assert [one.status for one in answers] == [200, 200, 200, 400]
    assert answers[0] == answers[1]
    assert inbox.take(token, push(desadv(), login="")).status == 401
    with house.app.system(house.seller, "test") as ctx:
        kept = ctx.session.scalars(
            select(SyncPush).where(SyncPush.state == "landed").order_by(SyncPush.id)
        ).all()
        assert [(one.kind, one.key) for one in kept] == [
            ("DESADV", "SAPQAS:0000000000700001"),
            ("INVOIC", "SAPQAS:0000000000700002"),
        ]
