"""The order process: 14 states, 22 transitions, one machine for every mode of trade.

T4 of the rule book is `approve`, T8 `accept`, and so on; `number` keeps the row of the table beside each line here.
T14 has two rows: a mode may allow one side to cancel alone (`cancel_confirmed`), and both may always agree
(`agree_cancel`). T22 leaves the state as it is, so it appears once for each state it is allowed in.
"""

from core.kernel import Process, Transition

TITLES = {
    "draft": ("Draft", ""),
    "pending_approval": ("Awaiting approval", "warn"),
    "submitted": ("With the seller", "acc"),
    "countered": ("With the buyer", "warn"),
    "confirmed": ("Confirmed", "acc"),
    "in_progress": ("In progress", "acc"),
    "delivered": ("Delivered", "acc"),
    "accepted": ("Accepted", "ok"),
    "completed": ("Completed", "ok"),
    "closed": ("Closed", ""),
    "rejected": ("Rejected", "bad"),
    "expired": ("Expired", ""),
    "cancelled": ("Cancelled", ""),
    "terminated": ("Terminated", "bad"),
}
"""Each state's title (a msgid) and tone."""

OPEN = ("submitted", "countered", "pending_approval")
BINDING = ("confirmed", "in_progress", "delivered", "accepted")
AMENDABLE = BINDING


def _t(
    number: str,
    verb: str,
    sources: str,
    target: str,
    side: str,
    permission: str | None,
    stage: str | None = None,
) -> Transition:
    return Transition(verb, tuple(sources.split()), target, side, permission, stage=stage, number=number)


ORDER = Process(
    "order",
    initial="draft",
    ends=frozenset({"closed", "rejected", "expired", "cancelled", "terminated"}),
    transitions=[
        _t("T2", "request_approval", "draft", "pending_approval", "buyer", "order.submit"),
        _t("T3", "submit", "draft", "submitted", "buyer", "order.submit"),
        _t("T4", "approve", "pending_approval", "submitted", "buyer", "order.approve"),
        _t("T5", "send_back", "pending_approval", "draft", "buyer", "order.draft"),
        _t("T6", "confirm", "submitted", "confirmed", "seller", "order.confirm", stage="confirm"),
        _t("T7", "counter", "submitted", "countered", "seller", "order.confirm"),
        _t("T8", "accept", "countered", "confirmed", "buyer", "order.submit", stage="confirm"),
        _t("T9", "counter_offer", "countered", "submitted", "buyer", "order.submit"),
        _t("T10", "reject", "submitted", "rejected", "seller", "order.confirm"),
        _t("T11", "expire", "submitted countered pending_approval", "expired", "system", None),
        _t(
            "T12",
            "cancel",
            "draft pending_approval submitted countered",
            "cancelled",
            "creator",
            "order.draft",
        ),
        _t("T13", "start", "confirmed", "in_progress", "system", None, stage="start"),
        _t("T14", "cancel_confirmed", "confirmed", "cancelled", "either", "order.change"),
        _t("T14", "agree_cancel", "confirmed", "cancelled", "both", "order.change"),
        _t("T15", "deliver", "in_progress", "delivered", "system", None),
        _t("T16", "settle_receipts", "delivered", "accepted", "system", None, stage="accept"),
        _t("T17", "reopen_delivery", "delivered", "in_progress", "system", None),
        _t("T18", "complete", "accepted", "completed", "system", None, stage="complete"),
        _t("T19", "reopen", "completed", "accepted", "system", None),
        _t("T20", "terminate", "in_progress delivered accepted", "terminated", "both", "order.terminate"),
        _t("T21", "close", "completed", "closed", "system", None),
        *(_t("T22", "amend", state, state, "both", "order.change") for state in AMENDABLE),
    ],
)

STEPS = (
    ("draft", "Draft"),
    ("submitted", "Submitted"),
    ("confirmed", "Confirmed"),
    ("in_progress", "In progress"),
    ("delivered", "Delivered"),
    ("accepted", "Accepted"),
    ("completed", "Completed"),
)
"""The straight road of an order, for the stepper: state and title."""
