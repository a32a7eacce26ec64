"""How each step of an order reads in its timeline: a sentence, an icon, a tone. What nobody declared reads by its name."""

from dataclasses import dataclass

from core.web.i18n import Lazy, lazy


@dataclass(frozen=True)
class Told:
    """`text` follows the actor's name; `icon` and `tone` as the portal's macros take them."""

    text: Lazy
    icon: str = "info"
    tone: str = ""


def _told(text: str, icon: str = "info", tone: str = "") -> Told:
    return Told(lazy(text), icon, tone)


STORY = {
    "request_approval": _told("asked for approval", "sign", "warn"),
    "submit": _told("placed the order", "order"),
    "approve": _told("approved and placed the order", "check", "ok"),
    "send_back": _told("sent the order back", "undo", "warn"),
    "edited": _told("changed the draft", "pen"),
    "confirm": _told("confirmed the order", "check", "ok"),
    "counter": _told("made a counter-offer", "chat", "warn"),
    "accept": _told("accepted the counter-offer", "check", "ok"),
    "counter_offer": _told("made another offer", "chat"),
    "reject": _told("rejected the order", "x", "bad"),
    "expire": _told("let the offer run out", "clock", "warn"),
    "cancel": _told("cancelled the order", "x", "bad"),
    "cancel_confirmed": _told("cancelled the confirmed order", "x", "bad"),
    "agree_cancel": _told("agreed to the cancellation", "x", "bad"),
    "start": _told("started the order: nothing stands in the way", "play", "acc"),
    "deliver": _told("marked the order delivered: everything has arrived", "truck", "ok"),
    "settle_receipts": _told("marked the order accepted: everything is decided", "shield", "ok"),
    "reopen_delivery": _told("reopened the delivery", "undo", "warn"),
    "complete": _told("completed the order: invoiced and paid", "check", "ok"),
    "reopen": _told("reopened the order", "undo", "warn"),
    "terminate": _told("agreed to the termination", "stop", "bad"),
    "close": _told("closed the order for good", "lock"),
    "amend": _told("agreed to the amendment", "sign", "ok"),
    "proposed_amend": _told("asked for an amendment", "pen", "warn"),
    "proposed_cancel": _told("asked to cancel the order", "undo", "warn"),
    "proposed_terminate": _told("offered a termination", "stop", "warn"),
    "proposal_refused": _told("did not agree to the proposal", "x", "bad"),
    "proposal_withdrawn": _told("took the proposal back", "undo"),
    "held": _told("placed a hold", "lock", "warn"),
    "hold_lifted": _told("lifted the hold", "key", "ok"),
    "gate_satisfied": _told("met a condition", "check", "ok"),
    "gate_waived": _told("waived a condition", "flag", "warn"),
    "shipped": _told("shipped goods", "truck", "acc"),
    "received": _told("received goods", "stock", "ok"),
    "inspected": _told("inspected goods", "shield", "ok"),
    "accepted_by_time": _told("took the goods as accepted: nobody objected in time", "clock", "ok"),
    "excess_accepted": _told("kept goods beyond the order", "plus"),
    "excess_returned": _told("returned goods beyond the order", "undo"),
    "returned": _told("took rejected goods back", "undo", "warn"),
    "taken_back": _told("took rejected goods back from a receipt", "undo", "warn"),
    "receipt_reversed": _told("reversed a receipt", "undo", "bad"),
    "short_close_asked": _told("asked to close a line short", "flag", "warn"),
    "short_close_refused": _told("did not agree to close a line short", "x", "bad"),
    "short_closed": _told("closed a line short", "flag", "warn"),
    "invoiced": _told("issued an invoice", "receipt", "acc"),
    "credited": _told("issued a red invoice", "receipt", "warn"),
    "invoice_reversed": _told("reversed an invoice", "undo", "bad"),
    "payment_announced": _told("announced a payment", "coin"),
    "paid": _told("confirmed a payment", "coin", "ok"),
    "prepaid": _told("confirmed an advance payment", "coin", "ok"),
    "written_off": _told("wrote off a remainder", "coin", "warn"),
    "claimed": _told("claimed damages", "flag", "warn"),
    "claim_paid": _told("received the damages", "coin", "ok"),
    "claim_waived": _told("waived the damages", "undo"),
}
"""By the verb of the order's event."""


def told(verb: str) -> Told:
    return STORY.get(verb) or Told(lazy(verb.replace("_", " ")))
