"""Messages on the page of an order: the box to write one, and the order's life with what was said in between."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from flask import Response, request, url_for

from core.kernel import Context, Invalid
from core.orders import reading, talk
from core.orders.reading import Detail
from core.orders.sides import side_of
from core.orders.talk.model import LONGEST
from core.orders.talk.reading import Message, read_talk
from core.orders.views.frame import Errors, errors_of, named, pages, partner_name
from core.orders.views.page import Happened
from core.tenancy import cards
from core.web import flash, form, redirect, render
from core.web import gettext as _
from core.web.page import Crumb

SHOWS = ("all", "messages", "steps")


@dataclass(frozen=True)
class Composer:
    """The box to write a message. `both` names the counterparty, None where nothing can be shared yet."""

    action: str
    ask_url: str
    both: str | None
    attach: bool
    longest: int


@dataclass(frozen=True)
class Entry:
    """An entry of the activity. `own` marks a note that the other side does not see."""

    icon: str
    tone: str
    who: str
    what: str
    when: datetime
    source: str
    quote: str
    own: bool = False
    file_name: str = ""
    file_url: str = ""


@dataclass(frozen=True)
class Unread:
    """The other side said something that nobody of the own side has read."""

    partner: str
    message: str
    action: str


@dataclass(frozen=True)
class Activity:
    """What happened and what was said, newest first; `filters` are (text, address, current)."""

    entries: tuple[Entry, ...]
    composer: Composer | None
    unread: Unread | None
    filters: tuple[tuple[str, str, bool], ...]
    older_url: str | None


@dataclass(frozen=True)
class WritePage:
    """The box as a page of its own: without scripts, and again after a refusal, with what was typed."""

    number: str
    composer: Composer
    back_url: str
    text: str
    audience: str
    errors: Errors


def activity(ctx: Context, found: Detail, events: tuple[Happened, ...]) -> Activity:
    """The activity of one order, as its address asks for it (`show=messages` or `steps`). One statement."""
    head = found.head
    said = read_talk(ctx, head.id, head.side, request.args.get("said"))
    shown = request.args.get("show", "all")
    shown = shown if shown in SHOWS else "all"
    partner = partner_name(found.partner)
    steps = [] if shown == "messages" else [_step(event) for event in events]
    messages = [] if shown == "steps" else list(_messages(said.messages, head.side))
    texts = {"all": _("All"), "messages": _("Messages"), "steps": _("Steps")}
    may = ctx.allows("order.message")
    return Activity(
        entries=tuple(sorted([*steps, *messages], key=lambda entry: entry.when, reverse=True)),
        composer=_composer(ctx, head.id, partner if head.number else None) if may else None,
        unread=Unread(partner, str(said.unread), url_for("orders.read_messages", order_id=head.id))
        if said.unread and may
        else None,
        filters=tuple(
            (
                text,
                url_for("orders.detail", order_id=head.id, show=None if key == "all" else key, _anchor="h-tl"),
                key == shown,
            )
            for key, text in texts.items()
        ),
        older_url=url_for("orders.detail", order_id=head.id, show="messages", said=said.next, _anchor="h-tl")
        if said.next
        else None,
    )


@pages.get("/<uuid:order_id>/messages/new", permission="order.message")
def new_message(ctx: Context, order_id: UUID) -> Response:
    """The box as a page of its own."""
    return _write_page(ctx, order_id, {}, {})


@pages.post("/<uuid:order_id>/messages", permission="order.message", upload=True, idempotent=True)
def write_message(ctx: Context, order_id: UUID) -> Response:
    """Leave a message, with a file if one was chosen."""
    given, handed = form(), request.files.get("file")
    attached = talk.Attachment(handed.filename, handed.read()) if handed and handed.filename else None
    audience = given.get("audience", "own")
    try:
        talk.write_message(ctx, order_id, given.get("text", ""), audience, attached)
    except Invalid as wrong:
        return _write_page(ctx, order_id, given, errors_of(wrong), 422)
    flash(_("Message sent") if audience == "both" else _("Note kept"))
    return redirect("orders.detail", order_id=order_id, _anchor="h-tl")


@pages.post("/<uuid:order_id>/messages/read", permission="order.message")
def read_messages(ctx: Context, order_id: UUID) -> Response:
    """Take the messages as read, for everybody of the own side."""
    try:
        newest = UUID(form().get("message", ""))
    except ValueError:
        raise Invalid.one("message", "id.not_an_id") from None
    done = talk.mark_read(ctx, order_id, newest)
    flash(_("Marked as read") if done else _("Another message came in meanwhile"), "" if done else "warn")
    return redirect("orders.detail", order_id=order_id, _anchor="h-tl")


def _composer(ctx: Context, order_id: UUID, both: str | None) -> Composer:
    return Composer(
        action=url_for("orders.write_message", order_id=order_id),
        ask_url=url_for("orders.new_message", order_id=order_id),
        both=both,
        attach=ctx.allows("file.add"),
        longest=LONGEST,
    )


def _write_page(
    ctx: Context, order_id: UUID, given: Mapping[str, str], errors: Errors, status: int = 200
) -> Response:
    order = reading.find(ctx, order_id)
    theirs = order.seller_id if side_of(ctx, order) == "buyer" else order.buyer_id
    card = cards(ctx, [theirs]).get(theirs)
    partner = named(card.name, card.name_en) if card is not None else "—"
    number, back = order.number or _("Draft"), url_for("orders.detail", order_id=order_id)
    page = WritePage(
        number=number,
        composer=_composer(ctx, order_id, partner if order.number else None),
        back_url=back,
        text=given.get("text", ""),
        audience=given.get("audience", "own"),
        errors=errors,
    )
    crumbs = (Crumb(_("Orders"), url_for("orders.index")), Crumb(number, back), Crumb(_("Write a message")))
    return render("orders/message.html", page, status, crumbs)


def _step(event: Happened) -> Entry:
    return Entry(event.icon, event.tone, event.who, event.what, event.when, event.source, event.quote)


def _messages(messages: tuple[Message, ...], side: str) -> Iterator[Entry]:
    sides = {"buyer": _("buyer"), "seller": _("seller")}
    for message in messages:
        own = message.audience == "own"
        yield Entry(
            icon="lock" if own else "cmt",
            tone="" if own else "acc",
            who=message.author,
            what=_("noted") if own else _("wrote"),
            when=message.at,
            source=sides[message.side],
            quote=message.text,
            own=own,
            file_name=message.file_name or "",
            file_url=url_for("files.download", file_id=message.file_id) if message.file_id else "",
        )
