"""What the pages share: their collection, the words for states, times as people type them, and their tabs."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

from flask import url_for

import tongshang as ts
from plugins.presale.model import Offer, OfferItem
from tongshang import gettext as _

pages = ts.Pages("presale", prefix="/presale", template_folder=str(Path(__file__).parent.parent / "templates"))
PRESALES = ts.NavEntry(
    key="presale",
    endpoint="presale.index",
    icon="cal",
    title=ts.lazy("Presale"),
    group="trade",
    permission="presale.offer.view",
    order=26,
    letter="e",
)
VIEW, EDIT = "presale.offer.view", "presale.offer.edit"
MAKE, END = "presale.reservation.make", "presale.reservation.end"
Errors = dict[str, list[str]]
State = tuple[str, str]

OFFER = {
    "soon": (ts.lazy("Not open yet"), ""),
    "open": (ts.lazy("Open for reservations"), "acc"),
    "closing": (ts.lazy("Being counted"), "warn"),
    "reached": (ts.lazy("Goes ahead"), "ok"),
    "failed": (ts.lazy("Minimum not reached"), "bad"),
    "withdrawn": (ts.lazy("Presale withdrawn"), ""),
}
RESERVATION = {
    "reserved": (ts.lazy("First payment awaited"), "warn"),
    "earnest_paid": (ts.lazy("First payment received"), "acc"),
    "balance_due": (ts.lazy("Balance due"), "warn"),
    "paid": (ts.lazy("Paid in full"), "ok"),
    "void_unpaid": (ts.lazy("Void: not paid in time"), ""),
    "defaulted_buyer": (ts.lazy("Buyer in default"), "bad"),
    "defaulted_seller": (ts.lazy("Seller in default"), "bad"),
    "released": (ts.lazy("Released"), ""),
}
WAITING = {
    "waiting": (ts.lazy("Waiting"), ""),
    "offered": (ts.lazy("Place offered"), "acc"),
    "taken": (ts.lazy("Place taken"), "ok"),
    "lapsed": (ts.lazy("Not taken in time"), ""),
    "withdrawn": (ts.lazy("Left the list"), ""),
}
"""Each state's title and tone."""


def said(words: Mapping[str, tuple[object, str]], state: str) -> State:
    title, tone = words[state]
    return str(title), tone


def state_of(ctx: ts.Context, offer: Offer) -> State:
    """An open offer reads by its window."""
    state = offer.state
    if state == "open":
        state = "soon" if ctx.now < offer.opens_at else "closing" if ctx.now >= offer.closes_at else "open"
    return said(OFFER, state)


def named(item: OfferItem) -> str:
    return item.name_zh if ts.language().startswith("zh") or not item.name_en else item.name_en


def zone_of(ctx: ts.Context) -> ZoneInfo:
    return ZoneInfo(ts.trade_settings(ctx).timezone)


def typed_time(ctx: ts.Context, text: str) -> str:
    """What a time field sends, which names no zone, as a moment in the enterprise's zone; anything else unchanged."""
    try:
        local = datetime.fromisoformat(text)
    except ValueError:
        return text
    return (local if local.tzinfo else local.replace(tzinfo=zone_of(ctx))).isoformat()


def shown_time(ctx: ts.Context, moment: datetime) -> str:
    """A moment as a time field takes it."""
    return moment.astimezone(zone_of(ctx)).strftime("%Y-%m-%dT%H:%M")


def quantity(value: Decimal | None, unit: str) -> ts.Quantity | None:
    return None if value is None else ts.Quantity(value, unit)


def share(part: Decimal, whole: Decimal | None) -> int:
    """Percent for a bar; 0 without a whole."""
    return 0 if not whole else min(100, int(part * 100 / whole))


@dataclass(frozen=True)
class Term:
    """A term of an offer with its value in words."""

    name: str
    value: object


def terms(ctx: ts.Context, offer: Offer) -> tuple[Term, ...]:
    """The terms as both sides read them."""
    first = _("%(percent)s%% earnest money", percent=offer.earnest_percent.normalize())
    if offer.earnest_kind == "prepay":
        first = _("%(percent)s%% advance, refundable", percent=offer.earnest_percent.normalize())
    elif offer.earnest_percent > 20:
        above = (offer.earnest_percent - 20).normalize()
        first = _("20%% earnest money and %(percent)s%% advance", percent=above)
    zone = zone_of(ctx)

    def window(begins: datetime, ends: datetime) -> str:
        return f"{begins.astimezone(zone):%m-%d %H:%M} – {ends.astimezone(zone):%m-%d %H:%M}"

    found = [
        Term(_("Reserve"), window(offer.opens_at, offer.closes_at)),
        Term(_("First payment"), first),
        Term(_("Pay it within"), _("%(n)s hours", n=offer.pay_hours)),
        Term(_("Balance"), window(offer.balance_opens, offer.balance_closes)),
        Term(_("Ship by"), offer.ship_by.isoformat()),
        Term(_("Price"), _("Fixed") if offer.price_kind == "fixed" else formula(offer)),
        Term(_("Buyer takes less"), _("At once, its share of the earnest money is lost") if offer.buyer_may_cut
             else _("With the seller's consent")),
        Term(_("Late shipment"), _("%(rate)s%% a day of what is unshipped, at most %(cap)s%%",
                                   rate=offer.late_rate.normalize(), cap=offer.late_cap.normalize())),
    ]  # fmt: skip
    if offer.earnest_kind == "prepay":
        found.append(
            Term(_("Buyer leaves"), _("Costs at most %(cap)s%% of the advance", cap=f"{offer.cost_cap.normalize():f}"))
        )
    return tuple(found)


def formula(offer: Offer) -> str:
    return _(
        "%(index)s, mean of %(first)s to %(last)s, × %(factor)s + %(premium)s",
        index=offer.index_code or "",
        first=str(offer.index_from),
        last=str(offer.index_to),
        factor=f"{offer.factor.normalize():f}",
        premium=f"{offer.premium:.2f}",
    )


def tabs(ctx: ts.Context, current: str) -> list[tuple[str, str, bool, None]]:
    """Text, address, whether it is this one."""
    found = [
        ("index", _("Presales to buy from")),
        ("reservations", _("Reservations")),
        ("own", _("Your presales")),
        ("indices", _("Price indices")),
    ]
    if not ctx.allows(EDIT):
        found = found[:2]
    return [(text, url_for(f"presale.{name}"), name == current, None) for name, text in found]
