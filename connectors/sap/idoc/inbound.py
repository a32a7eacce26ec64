"""What SAP sends by itself: deliveries (DESADV, SHPCON in DELVRY03 and later) and invoices (INVOIC02)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from connectors.sap.idoc.segments import Idoc, Segment
from connectors.sap.soap import values
from tongshang.connect import DeliveryIn, Incoming, InvoiceIn, MovedLine

DELIVERIES = {"DESADV", "SHPCON", "WHSCON"}
INVOICES = {"INVOIC"}
LEFT, PLANNED = "006", "007"  # QUALF of E1EDT13: goods issue, delivery
INVOICED_ON, WRITTEN_ON = "026", "012"  # IDDAT of E1EDK03
OUR_ORDER, INVOICE_NO, SAP_ORDER = "001", "009", "002"  # QUALF of E1EDK02 and E1EDP02
CREDITS = {"CRME", "SUBC"}  # BSART of credit notes


class Unusable(ValueError):
    """An IDoc that was understood and cannot be taken; `code` names the reason."""

    def __init__(self, code: str, said: str) -> None:
        super().__init__(said)
        self.code = code


@dataclass(frozen=True)
class Words:
    """SAP's units in ours, and which sum of an invoice is the amount with tax."""

    units: Mapping[str, str]  # ISO -> ours
    gross_sum: str = "011"

    def unit(self, theirs: str) -> str:
        ours = self.units.get(theirs)
        if ours is None:
            raise Unusable("sap.unit_missing", f"no unit of ours for {theirs or 'an empty unit'}")
        return ours


def records(idoc: Idoc, words: Words) -> tuple[Incoming, ...]:
    """What an IDoc says in the platform's words; nothing when it is about nothing of ours. Raises Unusable."""
    message = idoc.control.get("MESTYP", "")
    if message in DELIVERIES:
        heads = idoc.top.all("E1EDL20")
        if not heads:
            raise Unusable("sap.idoc_empty", "a delivery without E1EDL20")
        return tuple(found for head in heads for found in _deliveries(head, idoc, words))
    if message in INVOICES:
        return _invoice(idoc, words)
    raise Unusable("sap.idoc_unknown", f"{message or 'an IDoc without MESTYP'} is not taken here")


def _deliveries(head: Segment, idoc: Idoc, words: Words) -> list[DeliveryIn]:
    """One for each order of ours that lies in the delivery; lines of other customers' orders are none of ours."""
    number = values.bare(head["VBELN"])
    if not number.strip("0"):
        raise Unusable("sap.idoc_empty", "a delivery without a number")
    day = _left_on(head) or _day(idoc.control.get("CREDAT", ""))
    if day is None:
        raise Unusable("sap.date_missing", f"delivery {number} has no day")
    lines: dict[str, list[MovedLine]] = {}
    for row in head.all("E1EDL24"):
        order = row.first("E1EDL41", QUALI="001") or row.first("E1EDL41")
        reference = order["BSTNR"] if order else ""
        quantity = _number(row["LFIMG"])
        if not reference or not quantity:
            continue  # not ordered here, or the empty head of a split into batches
        unit = words.unit(row["VRKME"])
        moved = MovedLine(_line_no(order, row), values.bare(row["MATNR"]), quantity, unit)
        lines.setdefault(reference, []).append(moved)
    carrier = head.first("E1ADRM1", PARTNER_Q="SP")
    return [
        DeliveryIn(
            external_id=f"{number}/{reference}",
            number=number,
            reference=reference,
            day=day,
            lines=tuple(moved),
            carrier=carrier["NAME1"] if carrier else "",
            tracking=head["BOLNR"],
        )
        for reference, moved in lines.items()
    ]


def _invoice(idoc: Idoc, words: Words) -> tuple[Incoming, ...]:
    top = idoc.top
    head = top.first("E1EDK01")
    if head is None:
        raise Unusable("sap.idoc_empty", "an invoice without E1EDK01")
    said = top.first("E1EDK02", QUALF=INVOICE_NO)
    number = values.bare(said["BELNR"] if said else head["BELNR"])
    if not number.strip("0"):
        raise Unusable("sap.idoc_empty", "an invoice without a number")
    if head["BSART"] in CREDITS:
        raise Unusable("sap.credit_note", f"{number} is a credit note; book it by hand")
    references = {one["BELNR"] for one in top.deep("E1EDP02") if one["QUALF"] == OUR_ORDER and one["BELNR"]}
    over_all = top.first("E1EDK02", QUALF=OUR_ORDER)
    if over_all and over_all["BELNR"]:
        references.add(over_all["BELNR"])
    if not references:
        return ()
    if len(references) > 1:
        told = ", ".join(sorted(references)[:5])
        raise Unusable("sap.invoice_of_several", f"{number} is about several orders: {told}")
    total = top.first("E1EDS01", SUMID=words.gross_sum)
    if total is None:
        raise Unusable("sap.invoice_total_missing", f"{number} has no E1EDS01 with SUMID {words.gross_sum}")
    amount = _number(total["SUMME"])
    if amount <= 0:
        raise Unusable("sap.credit_note", f"{number} is about {amount}; book it by hand")
    currency = head["CURCY"] or total["WAERQ"]
    day = _dated(top, INVOICED_ON) or _dated(top, WRITTEN_ON)
    if day is None or not currency:
        raise Unusable("sap.date_missing", f"invoice {number} has no day or no currency")
    return (InvoiceIn(number, number, references.pop(), day, currency, amount),)


def _left_on(head: Segment) -> date | None:
    for qualifier in (LEFT, PLANNED):
        for one in head.deep("E1EDT13"):
            if one["QUALF"] == qualifier:
                found = _day(one["ISDD"]) or _day(one["NTANF"])
                if found:
                    return found
    return _day(head["PODAT"])


def _dated(top: Segment, kind: str) -> date | None:
    one = top.first("E1EDK03", IDDAT=kind)
    return _day(one["DATUM"]) if one else None


def _line_no(order: Segment | None, row: Segment) -> int:
    """Our line of an item: items are numbered in tens; 0 when it cannot be told."""
    for text in (order["POSEX"] if order else "", row["VGPOS"]):
        if text.isascii() and text.isdigit() and int(text) and int(text) % 10 == 0:
            return int(text) // 10
    return 0


def _number(text: str) -> Decimal:
    try:
        return values.number(text)
    except ValueError as error:
        raise Unusable("sap.number_unreadable", str(error)) from None


def _day(text: str) -> date | None:
    try:
        return values.day(text)
    except ValueError:
        raise Unusable("sap.date_missing", f"{text!r} is no day") from None
