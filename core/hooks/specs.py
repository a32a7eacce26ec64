"""The whole plugin contract on one page: 23 hooks, each with its failure policy.

declare    once at start-up, pure data; a failure quarantines the plugin
decide     inside the transaction; a failure refuses the command and names the plugin
decorate   a failure shows nothing and is logged
life       start-up, enabling, health

A plugin implements the ones it needs with `@hookimpl` and names only the arguments it uses.
"""

from typing import Any

import pluggy

PROJECT = "tongshang"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)

POLICIES: dict[str, str] = {}


def _policy(name: str) -> Any:
    def mark(function: Any) -> Any:
        POLICIES[function.__name__] = name
        return hookspec(function)

    return mark


declare, decide, decorate, life = _policy("declare"), _policy("decide"), _policy("decorate"), _policy("life")


@declare
def register_permissions() -> list[Any]:
    """Permissions the plugin checks: `Permission`s named `<plugin>.<noun>.<verb>`."""
    return []


@declare
def register_blueprints() -> list[Any]:
    """`Pages` under the plugin's own prefix `/<plugin>`."""
    return []


@declare
def register_api() -> list[Any]:
    """`Api`s; their paths start with `/<plugin>`."""
    return []


@declare
def register_menu() -> list[Any]:
    """At most one `NavEntry`."""
    return []


@declare
def register_jobs() -> list[Any]:
    """Duties the worker runs for the plugin: `Duty(name, every, run)`."""
    return []


@declare
def register_event_handlers() -> list[Any]:
    """`Subscription`s. Handlers run after the commit, at least once, retried and then dead-lettered."""
    return []


@declare
def register_reports() -> list[Any]:
    """Reports by key."""
    return []


@declare
def register_commands() -> list[Any]:
    """Click commands for `run.py`."""
    return []


@declare
def register_trade_modes() -> list[Any]:
    """`TradeMode`s."""
    return []


@declare
def register_order_transitions() -> list[Any]:
    """Transitions and guards added to the order process; the merged graph is validated at start-up."""
    return []


@declare
def register_providers() -> list[Any]:
    """Typed objects other rooms look up by class: Connector, Carrier, FinanceProduct ..."""
    return []


@decide
def check_transition(ctx: Any, order: Any, transition: Any) -> Any:
    """None, or an `Objection` that refuses the step."""


@decide
def price_lines(ctx: Any, quotation: Any) -> Any:
    """`PriceComponent`s to add to the quotation, never totals."""


@decide
def open_gates(ctx: Any, order: Any) -> Any:
    """`GateRequest`s to open when the order is confirmed."""


@decide
def payee_for(ctx: Any, invoice: Any) -> Any:
    """Another account to pay an invoice to; two answers are an error."""


@decide
def can_release(ctx: Any, lots: Any, purpose: str) -> Any:
    """None, or an `Objection` that keeps the lots where they are."""


@decorate
def fill_slot(ctx: Any, slot: str, subject: Any) -> Any:
    """A `SlotFragment` for a named place on a page, or None."""


@decorate
def search(ctx: Any, query: str) -> Any:
    """`Hit`s for the palette."""


@decorate
def offers_for(ctx: Any, subject: Any) -> Any:
    """Offers (finance, freight, insurance) for an order or invoice."""


@life
def startup(app: Any) -> None:
    """Once per process, when the application is made."""


@life
def tenant_enabled(ctx: Any) -> None:
    """After the plugin was switched on for ctx's tenant, in the same transaction."""


@life
def tenant_disabled(ctx: Any) -> None:
    """Before the plugin is switched off for ctx's tenant, in the same transaction."""


@life
def check_health() -> Any:
    """`Health`, asked by `doctor` and the plugin page."""
