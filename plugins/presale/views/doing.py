"""What may be done about a reservation, by whom and at what cost; what was asked; how far along the road it is."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from flask import url_for

import tongshang as ts
from plugins.presale import reckoning
from plugins.presale.mode import outcome, settlement_plan
from plugins.presale.model import LIVE
from plugins.presale.reading import Standing
from plugins.presale.views.frame import END, State, zone_of
from tongshang import gettext as _

PLEAS = {
    "cut": ts.lazy("asks to take less"),
    "release": ts.lazy("asks to end it with nobody to blame"),
    "leave": ts.lazy("asks to leave"),
}


@dataclass(frozen=True)
class PleaRow:
    """What was asked. `theirs` shows the answer's form, `mine` the way back. `most` caps the cost of leaving."""

    id: UUID
    who: str
    text: str
    reason: str
    quantity: ts.Quantity | None
    file_url: str | None
    at: Any
    mine: bool
    theirs: bool
    most: ts.Money | None
    state: State


@dataclass(frozen=True)
class Act:
    """One thing that may be done: what it is called, where it goes, what it costs, which fields it asks for."""

    key: str
    title: str
    url: str
    consequence: str
    fields: tuple[str, ...]
    danger: bool = False
    form_key: str = ""


def steps(ctx: ts.Context, state: str, found: Any) -> tuple[tuple[str, Any, str], ...]:
    """The straight road, for the stepper; one that ended otherwise stops where it was."""
    zone = zone_of(ctx)

    def at_time(moment: datetime) -> str:
        return f"{moment.astimezone(zone):%m-%d %H:%M}"

    road = [
        ("reserved", _("Reserved"), at_time(found.reserved_at)),
        ("earnest_paid", _("First payment"), None),
        ("balance_due", _("Balance due"), at_time(found.balance_opens)),
        ("paid", _("Paid in full"), None),
    ]
    at = LIVE.index(state) if state in LIVE else -1
    found_steps = []
    for number, (key, text, when) in enumerate(road):
        mark = "done" if number < at else "now" if number == at else "next"
        found_steps.append((text, when if number <= at or key == "balance_due" else None, mark))
    return tuple(found_steps)


def plea_row(ctx: ts.Context, plea: Any, each: Standing, side: str) -> PleaRow:
    found, offer = each.reservation, each.offer
    states = {
        "open": (_("Waits for an answer"), "warn"),
        "agreed": (_("Agreed"), "ok"),
        "refused": (_("Not agreed"), "bad"),
        "withdrawn": (_("Taken back"), ""),
    }
    most = reckoning.share(found.earnest + found.prepay, offer.cost_cap, Decimal(100)) if plea.kind == "leave" else None
    acting = plea.state == "open" and ctx.allows(END)
    return PleaRow(
        plea.id, plea.asked_by, str(PLEAS[plea.kind]), plea.reason,
        None if plea.quantity is None else ts.Quantity(plea.quantity, found.unit),
        url_for("files.download", file_id=plea.file_id) if plea.file_id else None, plea.asked_at,
        acting and plea.side == side, acting and plea.side != side,
        None if most is None else ts.Money(most, found.currency), states[plea.state],
    )  # fmt: skip


def acts(ctx: ts.Context, each: Standing, order: ts.OrderFacts, side: str) -> tuple[Act, ...]:
    """What this side may do now, with what it costs in money."""
    found, offer = each.reservation, each.offer

    def at(name: str) -> str:
        return url_for(f"presale.{name}", reservation_id=found.id)

    def money(amount: Decimal) -> ts.Money:
        return ts.Money(amount, found.currency)

    can: list[Act] = []
    if order.state == "confirmed":
        if side == "buyer":
            ending = "defaulted_buyer" if offer.earnest_kind == "earnest" else "released"
            result = outcome(found, ending, order.prepaid)
            text = _("You get %(back)s back and lose %(lost)s.", back=money(result.refund), lost=money(result.forfeit))
            can.append(Act("leave", _("Give the reservation up"), at("leave"), text, ("reason",), True))
            text = (
                _("The earnest money of what you drop is lost at once.")
                if offer.buyer_may_cut
                else _("Needs the seller's consent. The earnest money of what you drop is lost.")
            )
            can.append(Act("cut", _("Take less"), at("cut"), text, ("quantity", "reason")))
        else:
            result = outcome(found, "defaulted_seller", order.prepaid)
            text = _(
                "The buyer gets %(back)s back and %(more)s more from you.",
                back=money(result.refund),
                more=money(result.from_seller),
            )
            can.append(Act("fail", _("Cannot deliver"), at("fail"), text, ("reason",), True))
        text = _("The other side must agree. Everything paid goes back and nobody pays a penalty.")
        can.append(
            Act("release", _("End it with nobody to blame"), at("release"), text, ("reason", "file", "force_majeure"))
        )
    if side == "seller" and order.state in ("confirmed", "in_progress"):
        text = _("The earnest money of what is missing goes back doubled.")
        can.append(Act("cut", _("Deliver less"), at("cut"), text, ("quantity", "reason"), True))
    if side == "buyer" and (late_now := settlement_plan(ctx, order)):
        text = _("%(amount)s by the terms so far.", amount=money(late_now[0].amount))
        can.append(Act("late", _("Claim damages for late shipment"), at("late"), text, ()))
    return tuple(Act(a.key, a.title, a.url, a.consequence, a.fields, a.danger, str(ts.uuid7())) for a in can)
