"""ORDERS05 on its way out: an order, a change of it (ORDCHG) and its cancellation, segments in SAP's order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

from connectors.sap.idoc.segments import CONTROL, Idoc, Segment
from connectors.sap.soap import values
from connectors.sap.soap.mapping import CUSTOMER_DIGITS, Held
from tongshang.connect import Bill, RemoteLine

# Units as UN/ECE recommendation 20 and SAP's ISO codes have them.
ISO_UNITS = {
    "pcs": "PCE",
    "piece": "PCE",
    "kpcs": "MIL",
    "t": "TNE",
    "kg": "KGM",
    "m": "MTR",
    "set": "SET",
    "box": "CT",
    "roll": "RO",
}
NEW, CHANGED, DELETED = "001", "002", "003"  # ACTION of an item
CREATE, CHANGE, CANCEL = "000", "004", "003"  # ACTION of the head
BASIC_TYPE = "ORDERS05"
CENT = Decimal("0.01")


@dataclass(frozen=True)
class Partners:
    """Who sends to whom, as the partner profile (WE20) and the port (WE21) there know it."""

    client: str
    sender_port: str
    sender: str
    receiver_port: str
    receiver: str
    sender_type: str = "LS"
    receiver_type: str = "LS"


@dataclass(frozen=True)
class Layout:
    """How the site files an order."""

    sales_org: str
    channel: str
    division: str
    doc_type: str
    units: Mapping[str, str]  # the unit keys of a bill -> ISO
    material_digits: int = 18


def control(who: Partners, message: str, key: str, now: datetime) -> dict[str, str]:
    """The control record; `ARCKEY` is how the status of the IDoc is found again. No DOCNUM: the receiver gives it."""
    return {
        "TABNAM": CONTROL,
        "MANDT": who.client,
        "DIRECT": "2",
        "IDOCTYP": BASIC_TYPE,
        "MESTYP": message,
        "SNDPOR": who.sender_port,
        "SNDPRT": who.sender_type,
        "SNDPRN": who.sender,
        "RCVPOR": who.receiver_port,
        "RCVPRT": who.receiver_type,
        "RCVPRN": who.receiver,
        "CREDAT": now.strftime("%Y%m%d"),
        "CRETIM": now.strftime("%H%M%S"),
        "ARCKEY": key,
    }


def order(bill: Bill, layout: Layout, who: Partners, now: datetime, held: Held | None = None) -> Idoc:
    """The order; a change of what is `held` there already."""
    top = Segment("")
    _head(top, bill.reference, bill.currency, CREATE if held is None else CHANGE)
    for qualifier, told in (
        ("008", layout.sales_org),
        ("007", layout.channel),
        ("006", layout.division),
        ("012", layout.doc_type),
    ):
        if told:
            top.add("E1EDK14", QUALF=qualifier, ORGID=told)
    top.add("E1EDK03", IDDAT="012", DATUM=bill.body["ordered_on"].strftime("%Y%m%d"))
    top.add("E1EDK03", IDDAT="002", DATUM=bill.body["wanted_on"].strftime("%Y%m%d"))
    customer = values.padded(bill.partner, CUSTOMER_DIGITS)
    top.add("E1EDKA1", PARVW="AG", PARTN=customer)
    top.add("E1EDKA1", PARVW="WE", PARTN=customer)
    top.add("E1EDK02", QUALF="001", BELNR=bill.reference)
    wanted = bill.body["wanted_on"].strftime("%Y%m%d")
    rows = zip(bill.lines, bill.body["nos"], bill.body["texts"], strict=True)
    there = set(held.items + held.rejected) if held else set()
    for line, no, text in rows:
        action = "" if held is None else CHANGED if no in there else NEW
        _line(top, line, no, text, wanted, action, layout)
    for gone in held.items if held else ():
        if gone not in bill.body["nos"]:
            top.add("E1EDP01", POSEX=gone, ACTION=DELETED)
    top.add("E1EDS01", SUMID="001", SUMME=str(len(bill.lines)))
    message = "ORDERS" if held is None else "ORDCHG"
    return Idoc(BASIC_TYPE, control(who, message, bill.reference, now), top)


def cancellation(held: Held, who: Partners, now: datetime) -> Idoc:
    """Every item taken back: SAP keeps the order and rejects its items."""
    top = Segment("")
    _head(top, held.reference, held.currency, CANCEL)
    top.add("E1EDK02", QUALF="001", BELNR=held.reference)
    for no in held.items:
        top.add("E1EDP01", POSEX=no, ACTION=DELETED)
    return Idoc(BASIC_TYPE, control(who, "ORDCHG", held.reference, now), top)


def _head(top: Segment, reference: str, currency: str, action: str) -> None:
    top.add("E1EDK01", ACTION=action, CURCY=currency, BELNR=reference)


def _line(
    top: Segment, line: RemoteLine, no: str, text: str, wanted: str, action: str, layout: Layout
) -> None:
    quantity = values.plain(line.quantity, 3)
    price, per = priced(line)
    item = top.add(
        "E1EDP01",
        POSEX=no,
        ACTION=action,
        MENGE=quantity,
        MENEE=layout.units[line.unit],
        VPREI=values.plain(price, 2),
        PEINH=str(per),
        NETWR=values.plain(line.amount, 2),
    )
    item.add("E1EDP20", WMENG=quantity, EDATU=wanted)
    item.add("E1EDP19", QUALF="002", IDTNR=values.padded(line.material, layout.material_digits), KTEXT=text)


def priced(line: RemoteLine) -> tuple[Decimal, int]:
    """A price of two places and the quantity it is for: SAP's prices have no more places, so 0.0365 is 3.65 per 100."""
    for per in (1, 10, 100, 1000):
        price = line.amount * per / line.quantity
        rounded = price.quantize(CENT, ROUND_HALF_UP)
        if rounded == price:
            return rounded, per
    return (line.amount * 1000 / line.quantity).quantize(CENT, ROUND_HALF_UP), 1000
