"""What the acts of an order are called, what they bring about, and which form they ask with."""

from collections.abc import Callable
from dataclasses import dataclass

from core.kernel import Money
from core.orders.reading import Detail
from core.orders.views.frame import partner_name
from core.web import gettext as _
from core.web.i18n import Lazy, lazy

Consequences = Callable[[Detail], tuple[str, ...]]


@dataclass(frozen=True)
class Wording:
    """`text` is the button, `title` the question, `said` what the next page reports. `rank` orders the buttons."""

    text: Lazy
    title: Lazy
    said: Lazy
    consequences: Consequences
    icon: str = "right"
    form: str | None = None
    danger: bool = False
    rank: int = 50


def _total(found: Detail) -> Money:
    return Money(found.head.total, found.head.currency)


def _final(*sentences: str) -> tuple[str, ...]:
    return (*sentences, _("This cannot be undone."))


def _submit(found: Detail) -> tuple[str, ...]:
    return (
        _("It is priced again and goes to %(seller)s.", seller=partner_name(found.seller)),
        _(
            "The goods are held for you while they decide. From a certain amount on, a colleague approves it first."
        ),
    )


def _approve(found: Detail) -> tuple[str, ...]:
    return (_("The order goes to the seller at %(total)s, and the goods are held.", total=_total(found)),)


def _send_back(found: Detail) -> tuple[str, ...]:
    return (_("The order is a draft again. Its author reads your reason."),)


def _confirm(found: Detail) -> tuple[str, ...]:
    return (
        _("This binds both sides at %(total)s.", total=_total(found)),
        _("The goods are reserved for this order; prices, tax and terms are frozen as version 1."),
    )


def _counter(found: Detail) -> tuple[str, ...]:
    return (_("Nothing binds yet: the other side may accept, answer or leave it."),)


def _accept(found: Detail) -> tuple[str, ...]:
    total = Money(found.proposal.total, found.head.currency) if found.proposal else _total(found)
    return (
        _("This binds both sides at %(total)s.", total=total),
        _("The goods are reserved for this order."),
    )


def _reject(found: Detail) -> tuple[str, ...]:
    return _final(_("The order ends and the held goods are free again. The buyer reads your reason."))


def _cancel(found: Detail) -> tuple[str, ...]:
    return _final(_("The order ends and the held goods are free again."))


def _cancel_confirmed(found: Detail) -> tuple[str, ...]:
    ends = _("The order ends at once and the reserved goods are free again.")
    if found.head.prepaid:
        prepaid = Money(found.head.prepaid, found.head.currency)
        return _final(ends, _("%(amount)s paid in advance goes back to the buyer.", amount=prepaid))
    return _final(ends)


def _propose(found: Detail) -> tuple[str, ...]:
    return (_("Nothing changes until the other side agrees. You may withdraw it until then."),)


def _amend(found: Detail) -> tuple[str, ...]:
    return (*_propose(found), _("Agreed prices stay. The payment plan is split again; paid items are kept."))


def _terminate(found: Detail) -> tuple[str, ...]:
    head = found.head
    still = Money(head.invoiced - head.paid - head.prepaid, head.currency)
    return (
        *_propose(found),
        _(
            "Outstanding less refund must come to %(open)s: what is invoiced less what is paid. A penalty comes on top.",
            open=still,
        ),
    )


def _agree(found: Detail) -> tuple[str, ...]:
    proposal = found.proposal
    if proposal is None:
        return ()
    if proposal.kind == "amend":
        total = Money(proposal.total, found.head.currency)
        return (
            _("The new terms bind both sides at %(total)s.", total=total),
            _("Reservations follow the new quantities."),
        )
    return _final(_("The order ends, and the money moves as proposed are posted in both books."))


def _refuse(found: Detail) -> tuple[str, ...]:
    return (_("The order stays as it is. The other side reads your reason."),)


def _withdraw(found: Detail) -> tuple[str, ...]:
    return (_("The order stays as it is."),)


def _hold(found: Detail) -> tuple[str, ...]:
    return (_("The chosen acts are stopped for both sides until you lift the hold."),)


def _lift(found: Detail) -> tuple[str, ...]:
    return (_("The stopped acts are possible again."),)


def _waive(found: Detail) -> tuple[str, ...]:
    return _final(_("The order goes on without this condition. Your reason stays on the order."))


def _w(
    text: str,
    title: str,
    said: str,
    consequences: Consequences,
    icon: str = "right",
    rank: int = 50,
    **more: object,
) -> Wording:
    return Wording(lazy(text), lazy(title), lazy(said), consequences, icon, rank=rank, **more)  # type: ignore[arg-type]


REASON, CHANGES, MOVES, HOLD = (
    f"orders/forms/{name}.html" for name in ("reason", "changes", "moves", "hold")
)
WORDINGS = {
    "submit": _w("Submit order", "Submit this order?", "Order submitted", _submit, "order", 10),
    "approve": _w("Approve", "Approve order?", "Order approved", _approve, "check", 10),
    "confirm": _w("Confirm order", "Confirm order?", "Order confirmed", _confirm, "check", 10),
    "accept": _w(
        "Accept counter-offer", "Accept the counter-offer?", "Counter-offer accepted", _accept, "check", 10
    ),
    "agree": _w("Agree", "Agree to the proposal?", "Proposal agreed", _agree, "sign", 10),
    "refuse": _w("Do not agree", "Refuse the proposal?", "Proposal refused", _refuse, "x", 12, form=REASON),
    "withdraw": _w(
        "Withdraw proposal", "Withdraw your proposal?", "Proposal withdrawn", _withdraw, "undo", 12
    ),
    "counter": _w(
        "Make a counter-offer",
        "What would you change?",
        "Counter-offer sent",
        _counter,
        "chat",
        12,
        form=CHANGES,
    ),
    "counter_offer": _w(
        "Make another offer", "What would you change?", "Offer sent", _counter, "chat", 12, form=CHANGES
    ),
    "send_back": _w(
        "Send back", "Send the order back?", "Order sent back", _send_back, "undo", 12, form=REASON
    ),
    "reject": _w("Reject", "Reject order?", "Order rejected", _reject, "x", 14, form=REASON, danger=True),
    "amend": _w(
        "Request a change", "What should change?", "Change requested", _amend, "pen", 62, form=CHANGES
    ),
    "hold": _w("Place a hold", "Stop what?", "Hold placed", _hold, "lock", 64, form=HOLD),
    "waive": _w(
        "Waive condition", "Waive this condition?", "Condition waived", _waive, "flag", 66, form=REASON
    ),
    "lift": _w("Lift hold", "Lift the hold?", "Hold lifted", _lift, "key", 66),
    "propose_cancel": _w(
        "Propose cancellation",
        "Propose to cancel the order?",
        "Cancellation proposed",
        _propose,
        "undo",
        80,
        form=REASON,
        danger=True,
    ),
    "cancel_confirmed": _w(
        "Cancel order",
        "Cancel order?",
        "Order cancelled",
        _cancel_confirmed,
        "x",
        82,
        form=REASON,
        danger=True,
    ),
    "terminate": _w(
        "Propose termination",
        "Propose to end the order?",
        "Termination proposed",
        _terminate,
        "stop",
        84,
        form=MOVES,
        danger=True,
    ),
    "cancel": _w(
        "Cancel order", "Cancel order?", "Order cancelled", _cancel, "x", 90, form=REASON, danger=True
    ),
}
KEEP = {"cancel": lazy("Keep order"), "cancel_confirmed": lazy("Keep order"), "reject": lazy("Keep order")}
STAGES = {
    "confirm": lazy("Confirmation"),
    "start": lazy("Start"),
    "ship": lazy("Shipping"),
    "receive": lazy("Receiving"),
    "accept": lazy("Acceptance"),
    "invoice": lazy("Invoicing"),
    "pay": lazy("Payment"),
    "complete": lazy("Completion"),
}
PLAN = {
    "earnest": lazy("Earnest money"),
    "prepay": lazy("Advance payment"),
    "progress": lazy("Progress payment"),
    "delivery": lazy("Payment on delivery"),
    "balance": lazy("Balance"),
    "retention": lazy("Retention"),
}
PROPOSALS = {
    "counter": lazy("Counter-offer"),
    "amend": lazy("Change request"),
    "cancel": lazy("Cancellation"),
    "terminate": lazy("Termination"),
}


def stage(key: str) -> str:
    return str(STAGES[key]) if key in STAGES else key


def plan_kind(key: str) -> str:
    return str(PLAN[key]) if key in PLAN else key
