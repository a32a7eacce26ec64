"""The IDoc door: an order comes in as ORDERS05, is only received, and gets its status when it is processed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lxml import etree  # type: ignore[import-untyped]

from connectors.sap.soap.simulator.functions import FUNCTIONS, run
from connectors.sap.soap.simulator.world import ISO_UNITS, World

POSTED, NOT_POSTED, WAITING = "53", "51", "64"


def receive(world: World, idoc: Any, *, hold: bool = False, lag: float = 0.0) -> str:
    """Keep one IDoc and process it unless it is to wait; the number it got here."""
    control = idoc.find("EDI_DC40")
    with world.lock:
        docnum = str(len(world.idocs) + 4711).zfill(16)
        kept = {
            "DOCNUM": docnum,
            "ARCKEY": _text(control, "ARCKEY"),
            "STATUS": WAITING,
            "STATUS_TEXT": "Ready",
        }
        world.idocs.append(kept)
        if hold:
            world.waiting.append((docnum, idoc))
            return docnum
    process(world, docnum, idoc, lag=lag)
    return docnum


def process_waiting(world: World) -> int:
    """What the nightly job does: everything that waits."""
    with world.lock:
        waiting, world.waiting = world.waiting, []
    for docnum, idoc in waiting:
        process(world, docnum, idoc)
    return len(waiting)


def process(world: World, docnum: str, idoc: Any, *, lag: float = 0.0) -> None:
    name, given = _order(world, idoc)
    told = run(world, FUNCTIONS[name], given, lag=lag)
    bad = [row for row in told["RETURN"] if row["TYPE"] in "EA"]
    with world.lock:
        for kept in world.idocs:
            if kept["DOCNUM"] == docnum:
                kept["STATUS"] = NOT_POSTED if bad else POSTED
                kept["STATUS_TEXT"] = "; ".join(row["MESSAGE"] for row in told["RETURN"])


def read(body: bytes) -> list[Any]:
    """The IDocs of a body, bare or in a SOAP envelope. Raises ValueError."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        root = etree.fromstring(body, parser)
    except etree.XMLSyntaxError as error:
        raise ValueError(str(error)) from None
    found = list(root.iter("IDOC"))
    if not found or any(one.find("EDI_DC40") is None for one in found):
        raise ValueError("no IDoc with a control record")
    return found


def reference_of(idoc: Any) -> str:
    return next((_text(one, "BELNR") for one in idoc.findall("E1EDK02") if _text(one, "QUALF") == "001"), "")


def _order(world: World, idoc: Any) -> tuple[str, Mapping[str, Any]]:
    """The function that posts this IDoc, and its parameters."""
    head = idoc.find("E1EDK01")
    reference = reference_of(idoc)
    dates = {_text(one, "IDDAT"): _text(one, "DATUM") for one in idoc.findall("E1EDK03")}
    partners = {_text(one, "PARVW"): _text(one, "PARTN") for one in idoc.findall("E1EDKA1")}
    given: dict[str, Any] = {
        "PURCH_NO_C": reference,
        "SOLD_TO": partners.get("AG", ""),
        "CURRENCY": _text(head, "CURCY"),
        "REQ_DATE": dates.get("002", ""),
        "ITEMS": [_item(one) for one in idoc.findall("E1EDP01") if _text(one, "ACTION") != "003"],
    }
    if _text(idoc.find("EDI_DC40"), "MESTYP") != "ORDCHG":
        return "Z_TS_SALESORDER_CREATE", given
    found = world.by_reference(reference)
    given["SALESDOCUMENT"] = found[0].number if found else ""
    return ("Z_TS_SALESORDER_CHANGE" if given["ITEMS"] else "Z_TS_SALESORDER_CANCEL"), given


def _item(segment: Any) -> dict[str, str]:
    numbers = {_text(one, "QUALF"): _text(one, "IDTNR") for one in segment.findall("E1EDP19")}
    return {
        "ITM_NUMBER": _text(segment, "POSEX"),
        "MATERIAL": numbers.get("002", ""),
        "TARGET_QTY": _text(segment, "MENGE"),
        "TARGET_QU": ISO_UNITS.get(_text(segment, "MENEE"), _text(segment, "MENEE")),
        "GROSS_AMOUNT": _text(segment, "NETWR"),
    }


def _text(segment: Any, name: str) -> str:
    found = segment.find(name) if segment is not None else None
    return (found.text or "").strip() if found is not None else ""
