"""An order as its page shows it, made from what reading found."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from flask import url_for

from core.kernel import Context, Money, Quantity
from core.orders import reading
from core.orders.panels import Document, Section
from core.orders.reading import Detail, Event, Line
from core.orders.states import STEPS
from core.orders.story import told
from core.orders.views.buttons import buttons_of
from core.orders.views.frame import State, named, partner_name, state_of
from core.orders.views.page import (
    Button,
    ChangeView,
    DocumentView,
    Happened,
    LineView,
    Notice,
    OrderPage,
    ProposalView,
    SectionView,
)
from core.orders.views.stops import gates, holds, stop_notices
from core.orders.views.wording import PROPOSALS, plan_kind
from core.web import gettext as _
from core.web.page import Fragment

COUNTED = ("confirmed", "in_progress", "delivered", "accepted", "completed", "closed", "terminated")
"""States in which the lines may have moved."""
PRIMARY, SECONDARY = 30, 40
"""Buttons up to the first rank may be the primary one, up to the second stand beside it; the rest go into the menu."""


def order_page(
    ctx: Context, found: Detail, slots: Mapping[str, tuple[Fragment, ...]], **more: Any
) -> OrderPage:
    """The page of one order. `slots` holds what plugins put into the order's slots, `line:<no>` for each line."""
    head = found.head
    buttons = tuple(buttons_of(found))
    by_key = {button.key: button for button in buttons}
    shown = [button for button in buttons if button.rank < 100]
    lead = next((button for button in shown if button.rank <= PRIMARY and not button.danger), None)
    rest = [button for button in shown if button is not lead]
    beside = tuple(button for button in rest if button.rank <= SECONDARY)[:2]
    units, taxed = {line.unit for line in found.lines}, {line.tax_incl for line in found.lines}
    return OrderPage(
        number=head.number or (_("Draft") if head.state == "draft" else _("No number yet")),
        state=state_of(head.state),
        tags=(_mode(ctx, head.mode), _("Purchase") if head.side == "buyer" else _("Sale")),
        partner=partner_name(found.partner),
        placed=head.submitted_at or head.created_at,
        lead=lead,
        beside=beside,
        more=tuple(button for button in rest if button not in beside),
        buttons=buttons,
        actions=slots.get("order:action", ()),
        notices=tuple(_notices(found, by_key)),
        proposal=_proposal(found),
        answers=tuple(
            by_key[key] for key in ("agree", "accept", "refuse", "counter_offer", "withdraw") if key in by_key
        ),
        steps=tuple(_steps(found)),
        terms=tuple(_terms(found)),
        change=by_key.get("amend"),
        lines=tuple(_line(found, line, slots.get(f"line:{line.no}", ())) for line in found.lines),
        unit=units.pop() if len(units) == 1 else None,
        tax_incl=taxed.pop() if len(taxed) == 1 else None,
        counted=head.state in COUNTED,
        low=-head.under_tol if head.under_tol or head.over_tol else None,
        high=head.over_tol if head.under_tol or head.over_tol else None,
        net=_money(found, head.net),
        tax=_money(found, head.tax),
        total=_money(found, head.total),
        sections=tuple(
            _section(section) for section in found.sections if section.template or section.documents
        ),
        events=tuple(_happened(found, event) for event in found.events),
        timeline=slots.get("order:timeline", ()),
        money=tuple(_sums(found)),
        paid_percent=_percent(head.paid + head.prepaid, found.still_due()),
        plan=tuple((plan_kind(item.kind), _due(item), _money(found, item.amount)) for item in found.plan),
        gates=tuple(gates(found, by_key)),
        holds=tuple(holds(found, by_key)),
        versions=tuple(
            (each.no, each.at, _money(found, Decimal(each.terms["total"]))) for each in found.versions
        ),
        panels=slots.get("order:panel", ()),
        edit_url=url_for("orders.edit_draft", order_id=head.id) if found.may("edit") else None,
        note=head.note,
        currency=head.currency,
        **more,
    )


def _notices(found: Detail, by_key: Mapping[str, Button]) -> Iterator[Notice]:
    head = found.head
    yield from stop_notices(found, by_key)
    if head.state == "pending_approval":
        yield Notice(
            "warn", _("Waits for an approver"), _("A colleague other than the author decides."), None
        )
    if head.state in ("submitted", "countered") and head.offer_expires_at is not None:
        mine = (head.state == "submitted") == (head.side == "seller")
        who = (
            _("Answer before %(at)s", at=head.offer_expires_at)
            if mine
            else _("The other side has until %(at)s", at=head.offer_expires_at)
        )
        yield Notice(
            "warn" if mine else "",
            who,
            _("After that the offer has run out and the goods are free again."),
            None,
        )
    if head.state in ("rejected", "cancelled", "terminated") and head.reason:
        yield Notice("bad", state_of(head.state)[0], head.reason, None)
    if head.state == "draft" and head.reason:
        yield Notice("warn", _("Sent back"), head.reason, None)


def _proposal(found: Detail) -> ProposalView | None:
    proposal = found.proposal
    if proposal is None:
        return None
    return ProposalView(
        title=str(PROPOSALS[proposal.kind]),
        mine=proposal.side == found.head.side,
        who=proposal.proposed_by,
        at=proposal.proposed_at,
        reason=proposal.reason,
        changes=tuple(_change(change) for change in proposal.changes),
        moves=tuple((_move(move), _money(found, Decimal(move["amount"]))) for move in proposal.moves),
        before=_money(found, found.head.total),
        after=_money(found, proposal.total),
    )


def _change(change: reading.Change) -> ChangeView:
    if change.what == "delivery_date":
        return ChangeView(_("Delivery date"), change.before, change.after)
    what = (
        _("Line %(no)s, quantity", no=change.no)
        if change.what == "quantity"
        else _("Line %(no)s, unit price", no=change.no)
    )
    if change.what == "quantity":
        return ChangeView(
            what, *(Quantity(Decimal(each), change.unit) for each in (change.before, change.after))
        )
    return ChangeView(what, Decimal(change.before), Decimal(change.after))


def _move(move: Mapping[str, str]) -> str:
    reasons = {"outstanding": _("Outstanding"), "refund": _("Refund"), "penalty": _("Penalty")}
    way = _("buyer to seller") if move["payer"] == "buyer" else _("seller to buyer")
    return f"{reasons.get(move['reason'], move['reason'])}, {way}"


def _steps(found: Detail) -> Iterator[tuple[str, datetime | None, str]]:
    head = found.head
    moments = {
        "draft": head.created_at, "submitted": head.submitted_at, "confirmed": head.confirmed_at, "in_progress": head.started_at,
        "delivered": head.delivered_at, "accepted": head.accepted_at, "completed": head.completed_at,
    }  # fmt: skip
    keys = [key for key, _title in STEPS]
    standing = {"pending_approval": "draft", "countered": "submitted", "closed": "completed"}.get(
        head.state, head.state
    )
    ended = standing not in keys
    reached = (
        max((i for i, key in enumerate(keys) if moments[key]), default=0) if ended else keys.index(standing)
    )
    for index, (key, title) in enumerate(STEPS):
        if index > reached:
            yield _(title), None, "next"
        elif index < reached:
            yield _(title), moments[key], "done"
        elif standing == head.state and not ended:
            yield _(title), moments[key], "now"
        else:  # where it stands has a word of its own: awaiting approval, with the buyer, rejected, closed
            yield state_of(head.state)[0], head.ended_at or moments[key], "now"


def _terms(found: Detail) -> Iterator[tuple[str, Any]]:
    head = found.head
    yield _("Delivery date"), head.delivery_date.isoformat() if head.delivery_date else None
    yield _("Payment"), _("%(days)s days after the invoice", days=head.terms_days)
    yield _("Tolerance"), _tolerance(head.under_tol, head.over_tol)
    yield _("Acceptance"), _("%(days)s days without objection", days=head.accept_days)
    yield _("Ship to"), head.ship_to or None
    yield _("Buyer's order number"), head.buyer_po
    rates = sorted({line.vat_rate for line in found.lines})
    yield _("VAT"), ", ".join(f"{rate * 100:f}".rstrip("0").rstrip(".") + "%" for rate in rates) or None
    yield (
        _("Terms"),
        _("Version %(no)s", no=head.terms_version) if head.terms_version else _("Not binding yet"),
    )


def _tolerance(under: Decimal, over: Decimal) -> str:
    if not under and not over:
        return _("none")
    below, above = (f"{(each * 100).normalize():f}%" for each in (under, over))
    return f"±{above}" if under == over else f"+{above} / −{below}"


def _line(found: Detail, line: Line, fragments: tuple[Fragment, ...]) -> LineView:
    def of(value: Decimal) -> Quantity:
        return Quantity(value, line.unit)

    return LineView(
        no=line.no,
        name=named(line.name_zh, line.name_en),
        code=line.sku_code,
        spec=line.spec,
        href=None,
        ordered=of(line.quantity),
        shipped=of(line.shipped),
        received=of(line.received),
        invoiced=of(line.invoiced),
        rejected=of(line.rejected),
        unit_price=line.unit_price,
        tax_incl=line.tax_incl,
        vat_rate=line.vat_rate,
        gross=line.gross,
        state=_line_state(found, line),
        ratio=(line.received - line.quantity) / line.quantity if line.received else None,
        why=tuple(_component(each) for each in line.components if _component(each)),
        fragments=fragments,
    )


def _component(each: Mapping[str, Any]) -> str:
    """Why the price is what it is, beyond the plain list price."""
    if each.get("level") == "agreed":
        return _("agreed in a counter-offer")
    adjustment = Decimal(each.get("adjustment", "0"))
    return f"{each.get('reason', '')} {adjustment.normalize():+f}".strip() if adjustment else ""


def _line_state(found: Detail, line: Line) -> State:
    if found.head.state not in COUNTED:
        return _("Not binding yet"), ""
    if line.rejected:
        return _("Partly rejected"), "bad"
    done = line.received + line.short_closed >= line.quantity * (1 - found.head.under_tol)
    if line.short_closed and line.received + line.short_closed >= line.quantity:
        return _("Closed short"), "warn"
    if done and line.invoiced and line.invoiced == line.accepted:
        return _("Invoiced"), "ok"
    if done:
        return _("Received"), "ok"
    if line.received:
        return _("Partly received"), "acc"
    if line.shipped >= line.quantity:
        return _("Shipped"), "acc"
    return (_("Partly shipped"), "acc") if line.shipped else (_("To ship"), "")


def _happened(found: Detail, event: Event) -> Happened:
    how, detail = told(event.verb), event.detail
    papers = [str(detail[name]) for name in ("shipment", "receipt", "invoice", "payment") if detail.get(name)]
    amounts = [_in_words(found, detail[name]) for name in ("total", "amount") if detail.get(name)]
    what = " ".join([str(how.text), *papers, *amounts[:1]])
    side = {"buyer": _("buyer"), "seller": _("seller"), "system": _("platform")}.get(event.side, event.side)
    who = _("Tongshang") if event.side == "system" else event.actor
    return Happened(how.icon, how.tone, who, what, event.at, side, str(detail.get("reason") or ""))


def _in_words(found: Detail, text: Any) -> str:
    try:
        return _("(%(amount)s)", amount=_money(found, Decimal(str(text))))
    except (ArithmeticError, ValueError):
        return ""


def _sums(found: Detail) -> Iterator[tuple[str, Money | None]]:
    head = found.head
    yield _("Order total"), _money(found, head.total)
    yield _("Invoiced"), _money(found, head.invoiced)
    if head.prepaid:
        yield _("Paid in advance"), _money(found, head.prepaid)
    yield _("Paid"), _money(found, head.paid)
    yield _("Still to pay"), _money(found, found.still_due())


def _percent(paid: Decimal, still: Decimal) -> int:
    return int(paid * 100 / (paid + still)) if paid + still > 0 else 100


def _due(item: reading.PlanFacts) -> str:
    bases = {
        "confirm": _("%(days)s days after confirmation", days=item.due_days),
        "invoice": _("%(days)s days after the invoice", days=item.due_days),
        "receipt": _("%(days)s days after receipt", days=item.due_days),
    }
    return bases.get(item.due_base, item.due_base)


def _section(section: Section) -> SectionView:
    return SectionView(
        section.title,
        section.icon,
        section.template,
        section.facts,
        tuple(_document(each) for each in section.documents),
    )


def _document(each: Document) -> DocumentView:
    href = url_for(each.endpoint, **each.values) if each.endpoint else None
    return DocumentView(
        each.kind, each.number, href, each.at, each.what, (each.state, each.tone), each.amount
    )


def _money(found: Detail, amount: Decimal) -> Money:
    return Money(amount, found.head.currency)


def _mode(ctx: Context, key: str) -> str:
    known = ctx.ports.dispatch.modes.get(key)
    return _(known.mode.title) if known is not None else key
