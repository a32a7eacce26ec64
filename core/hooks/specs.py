"""The whole plugin contract on one page: 23 hooks, each with its failure policy.

declare    once at start-up, pure data; a failure quarantines the plugin
decide     inside the transaction; a failure refuses the command and names the plugin
decorate   a failure shows nothing and is logged
life       start-up, enabling, health

A plugin implements the ones it needs with `@hookimpl` and names only the arguments it uses.
"""

from collections.abc import Sequence
from typing import Any

import pluggy

from core.hooks.answers import (
    GateRequest,
    Health,
    Hit,
    Objection,
    Offer,
    Payee,
    PriceComponent,
    Report,
    SlotFragment,
    Subscription,
    TradeMode,
)
from core.hooks.facts import InvoiceFacts, LotFacts, OrderFacts, Quotation, TransitionFacts
from core.kernel import Context, Permission, Transition

PROJECT = "tongshang"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)
"""Marks a function of a plugin's package as its implementation of the hook of that name; it names only the arguments it uses."""

POLICIES: dict[str, str] = {}


def _policy(name: str) -> Any:
    def mark(function: Any) -> Any:
        POLICIES[function.__name__] = name
        return hookspec(function)

    return mark


declare, decide, decorate, life = _policy("declare"), _policy("decide"), _policy("decorate"), _policy("life")


@declare
def register_permissions() -> list[Permission]:
    """Permissions the plugin checks: `Permission`s named `<plugin>.<noun>.<verb>`, with the roles that hold them."""
    return []


@declare
def register_blueprints() -> list[Any]:
    """Pages: `Pages` whose prefix is `/<plugin>`. They exist only for enterprises that switched the plugin on."""
    return []


@declare
def register_api() -> list[Any]:
    """JSON routes: `Api`s whose paths start with `/<plugin>`, so that they lie under `/api/v1/<plugin>`."""
    return []


@declare
def register_menu() -> list[Any]:
    """At most one `NavEntry`; its `count(ctx)` is asked like a decorating hook."""
    return []


@declare
def register_jobs() -> list[Any]:
    """Duties the worker runs for the plugin: objects with `name`, `every` (seconds) and `run(installation)`."""
    return []


@declare
def register_event_handlers() -> list[Subscription]:
    """`Subscription`s. Handlers run after the commit, at least once, retried and then dead-lettered."""
    return []


@declare
def register_reports() -> list[Report]:
    """`Report`s: tables for a period, listed and drawn at `/reports`, also as CSV."""
    return []


@declare
def register_commands() -> list[Any]:
    """Click commands for `run.py plugin run <plugin> <command>`; `obj` of their context is the installation."""
    return []


@declare
def register_trade_modes() -> list[TradeMode]:
    """Modes of trade, each under a key that no other plugin brings."""
    return []


@declare
def register_order_transitions() -> list[Transition]:
    """Transitions and guards added to the order process; the merged graph is validated at start-up."""
    return []


@declare
def register_providers() -> list[Any]:
    """Typed objects that rooms look up by class, such as a connector or a carrier."""
    return []


@decide
def check_transition(ctx: Context, order: OrderFacts, transition: TransitionFacts) -> Objection | None:
    """Asked before every step of an order, on both sides: None, or an `Objection` that refuses the step."""


@decide
def price_lines(ctx: Context, quotation: Quotation) -> list[PriceComponent] | None:
    """`PriceComponent`s to add to the unit prices of the quotation, by line index; never totals."""


@decide
def open_gates(ctx: Context, order: OrderFacts) -> list[GateRequest] | None:
    """`GateRequest`s to open when the order binds both sides."""


@decide
def payee_for(ctx: Context, invoice: InvoiceFacts) -> Payee | None:
    """Another account to pay an invoice to, asked when it is issued; two answers are an error."""


@decide
def can_release(ctx: Context, lots: Sequence[LotFacts], purpose: str) -> Objection | None:
    """None, or an `Objection` that keeps the lots where they are. `purpose` says what they are to leave for."""


@decorate
def fill_slot(ctx: Context, slot: str, subject: Any) -> SlotFragment | None:
    """A `SlotFragment` for a named place on a page, or None; what `subject` is follows from the slot."""


@decorate
def search(ctx: Context, query: str) -> list[Hit] | None:
    """`Hit`s for the words typed into the search."""


@decorate
def offers_for(ctx: Context, subject: OrderFacts | InvoiceFacts) -> list[Offer] | None:
    """`Offer`s (finance, freight, insurance) for an order or an invoice, shown on its page."""


@life
def startup(app: Any) -> None:
    """Once per process, when the Flask application is made and before its routes are."""


@life
def tenant_enabled(ctx: Context) -> None:
    """After the plugin was switched on for ctx's enterprise, in the same transaction."""


@life
def tenant_disabled(ctx: Context) -> None:
    """Before the plugin is switched off for ctx's enterprise, in the same transaction."""


@life
def check_health() -> Health:
    """Whether the plugin could work now; asked by `doctor`, the plugin page and before an installation commits."""
