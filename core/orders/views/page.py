"""What the pages of one order show, as frozen dataclasses: all their templates know."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from markupsafe import Markup

from core.kernel import Money, Quantity
from core.orders.views.frame import State
from core.web.page import Fragment
from core.web.refill import Fault


@dataclass(frozen=True)
class Button:
    """An act with its question. `key` names the dialog; `form` draws its fields from `facts`."""

    key: str
    text: str
    icon: str
    title: str
    consequences: tuple[str, ...]
    action: str
    ask_url: str
    verb: str
    keep: str
    danger: bool
    form: str | None
    facts: Any
    fields: Mapping[str, str]
    rank: int


@dataclass(frozen=True)
class Notice:
    """Something to know before anything else; `act` is the button that deals with it."""

    tone: str
    title: str
    text: str
    act: Button | None = None


@dataclass(frozen=True)
class LineView:
    """A row of the lines table. `ratio` is how far the receipt is from the order, None while nothing is received."""

    no: int
    name: str
    code: str
    spec: str
    href: str | None
    ordered: Quantity
    shipped: Quantity
    received: Quantity
    invoiced: Quantity
    rejected: Quantity
    unit_price: Decimal
    tax_incl: bool
    vat_rate: Decimal
    gross: Decimal
    state: State
    ratio: Decimal | None
    why: tuple[str, ...]
    fragments: tuple[Fragment, ...] = ()


@dataclass(frozen=True)
class ChangeView:
    """A difference a proposal asks for, before and after in the reader's formats."""

    what: str
    before: Any
    after: Any


@dataclass(frozen=True)
class ProposalView:
    """What waits for an answer: from whom, why, and what would be different."""

    title: str
    mine: bool
    who: str
    at: datetime
    reason: str
    changes: tuple[ChangeView, ...]
    moves: tuple[tuple[str, Money], ...]
    before: Money
    after: Money


@dataclass(frozen=True)
class Happened:
    """An entry of the timeline, as `ui.timeline` takes it."""

    icon: str
    tone: str
    who: str
    what: str
    when: datetime
    source: str
    quote: str


@dataclass(frozen=True)
class FileView:
    name: str
    href: str
    kind: str
    at: datetime
    who: str


@dataclass(frozen=True)
class DocumentView:
    kind: str
    number: str
    href: str | None
    at: datetime | None
    what: str
    state: State
    amount: Money | None


@dataclass(frozen=True)
class SectionView:
    """A part another room brings: its own body, or the list of its documents."""

    title: str
    icon: str
    template: str | None
    facts: Any
    documents: tuple[DocumentView, ...]


@dataclass(frozen=True)
class OrderPage:
    """Everything the order's page shows.

    `lead` is the primary button, `beside` those next to it, `more` those in the menu. `unit` and `tax_incl` are
    those of all lines, None where they differ. `counted` says whether the lines may have moved; `low` and `high`
    are the tolerances as ratios, None where there are none. Amounts are Money, VAT included. `activity` is the events
    with what was said about the order in between.
    """

    number: str
    state: State
    tags: tuple[str, ...]
    partner: str
    placed: datetime
    lead: Button | None
    beside: tuple[Button, ...]
    more: tuple[Button, ...]
    buttons: tuple[Button, ...]
    actions: tuple[Fragment, ...]
    notices: tuple[Notice, ...]
    proposal: ProposalView | None
    answers: tuple[Button, ...]
    steps: tuple[tuple[str, datetime | None, str], ...]
    terms: tuple[tuple[str, Any], ...]
    change: Button | None
    lines: tuple[LineView, ...]
    unit: str | None
    tax_incl: bool | None
    counted: bool
    low: Decimal | None
    high: Decimal | None
    net: Money
    tax: Money
    total: Money
    sections: tuple[SectionView, ...]
    events: tuple[Happened, ...]
    timeline: tuple[Fragment, ...]
    money: tuple[tuple[str, Money | None], ...]
    paid_percent: int
    plan: tuple[tuple[str, str, Money], ...]
    gates: tuple[tuple[str, State, str, Button | None], ...]
    holds: tuple[tuple[str, str, str, Button | None], ...]
    versions: tuple[tuple[int, datetime, Money], ...]
    panels: tuple[Fragment, ...]
    files: tuple[FileView, ...] = ()
    upload_url: str | None = None
    edit_url: str | None = None
    note: str = ""
    currency: str = "CNY"
    activity: Any = None
    offers_url: str | None = None


@dataclass(frozen=True)
class AskPage:
    """One act asked on a page of its own: without scripts, and again after a refusal.

    `fields` are the act's own, drawn; after a refusal with everything typed. `faults` is what the summary says, and
    `at_fault` whether a field takes the focus instead of it.
    """

    number: str
    act: Button
    back_url: str
    fields: Markup
    faults: tuple[Fault, ...] = ()
    at_fault: bool = False
