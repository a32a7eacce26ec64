"""What the pages share: their collection, the words for states, times as people type them, the talk and the files."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from uuid import UUID

from flask import url_for

import tongshang as ts
from plugins.rfq import panels, reading
from plugins.rfq.service.asking import zone_of
from tongshang import gettext as _

pages = ts.Pages("rfq", prefix="/rfq", template_folder=str(Path(__file__).parent.parent / "templates"))
MENU = ts.NavEntry(
    key="rfq",
    endpoint="rfq.index",
    icon="tender",
    title=ts.lazy("Requests for quotation"),
    group="trade",
    permission="rfq.view",
    order=27,
    count=panels.waiting_count,
    letter="q",
)
Errors = dict[str, list[str]]
State = tuple[str, str]

REQUEST = {
    "draft": (ts.lazy("Draft"), ""),
    "open": (ts.lazy("Open for quotes"), "acc"),
    "closed": (ts.lazy("To be decided"), "warn"),
    "awarded": (ts.lazy("Awarded"), "ok"),
    "withdrawn": (ts.lazy("Request withdrawn"), ""),
}
PART = {
    "drafted": (ts.lazy("Not sent yet"), ""),
    "invited": (ts.lazy("Quote awaited"), "warn"),
    "declined": (ts.lazy("Declined"), ""),
    "quoted": (ts.lazy("Quoted"), "acc"),
    "retracted": (ts.lazy("Quote taken back"), ""),
    "expired": (ts.lazy("Quote expired"), "bad"),
    "missed": (ts.lazy("No quote in time"), ""),
    "withdrawn": (ts.lazy("Request withdrawn"), ""),
    "won": (ts.lazy("Won"), "ok"),
    "lost": (ts.lazy("Not chosen"), ""),
}
KINDS = {
    "question": ts.lazy("asked"),
    "answer": ts.lazy("answered"),
    "better": ts.lazy("asked for a better offer"),
    "notice": ts.lazy("told all sellers"),
}


@dataclass(frozen=True)
class Said:
    """One entry of the talk, as the timeline shows it."""

    icon: str
    tone: str
    who: str
    what: str
    when: datetime
    quote: str
    source: str = ""


@dataclass(frozen=True)
class FileView:
    name: str
    url: str
    size: int
    added_at: datetime


def request_state(state: str) -> State:
    title, tone = REQUEST[state]
    return str(title), tone


def part_state(state: str) -> State:
    title, tone = PART[state]
    return str(title), tone


def talk(ctx: ts.Context, facts: reading.RequestFacts, invitation_id: UUID | None = None) -> tuple[Said, ...]:
    """The talk about a request; the buyer sees every seller's, each with the seller's name."""
    sellers = {part.id: part.seller for part in facts.invitations}
    many = invitation_id is None and len(sellers) > 1
    return tuple(
        Said(
            icon="chat" if each.kind in ("question", "answer") else "tender",
            tone="warn" if each.kind == "better" else "",
            who=facts.buyer if each.side == "buyer" else sellers.get(each.invitation_id, "—"),
            what=str(KINDS[each.kind]) + (f" → {sellers.get(each.invitation_id, '—')}" if many and each.side == "buyer" else ""),
            when=each.said_at,
            quote=each.body,
        )
        for each in reading.messages(ctx, facts.id, invitation_id)
    )


def files(ctx: ts.Context, request_id: UUID) -> tuple[FileView, ...]:
    return tuple(
        FileView(each.name, url_for("rfq.file", document_id=each.id), each.size, each.added_at)
        for each in reading.documents(ctx, request_id)
    )


def moment(ctx: ts.Context, name: str, text: str | None) -> datetime | None:
    """A time as a form has it (`2026-11-26T17:00`), in the enterprise's own zone; None when left empty."""
    if not text or not text.strip():
        return None
    try:
        typed = datetime.fromisoformat(text.strip())
    except ValueError:
        raise ts.Invalid.one(name, "date.not_a_time") from None
    return typed if typed.tzinfo else typed.replace(tzinfo=zone_of(ctx))


def typed_moment(ctx: ts.Context, at: datetime | None) -> str:
    """The same the other way round, for the value of a field."""
    return at.astimezone(zone_of(ctx)).strftime("%Y-%m-%dT%H:%M") if at is not None else ""


def typed_number(value: Decimal | None) -> str:
    return "" if value is None else f"{value.normalize():f}"


def filled(typed: Mapping[str, str], *names: str) -> dict[str, str]:
    """The fields that were not left empty."""
    return {name: typed[name] for name in names if typed.get(name, "").strip()}


def crumbs(side: str = "buyer") -> tuple[ts.Crumb, ...]:
    return (ts.Crumb(_("Requests for quotation"), url_for("rfq.index", side=side)),)
