"""A plugin that implements every hook, and remembers each call: what it was given stands in `CALLS` of its module."""

from pathlib import Path

NAME = "witness"
MANIFEST = """name = "witness"
title = { zh = "见证", en = "Witness" }
category = "test"
core = ">=0.1,<0.2"
version = "1.0"
slots = [%s]
"""
CODE = '''
from decimal import Decimal
from pathlib import Path

import click

import tongshang as ts
from tongshang import fields, hookimpl

CALLS = []
MOOD = {}
pages = ts.Pages("witness", "/witness", template_folder=str(Path(__file__).parent / "templates"))
api = ts.Api("witness")


class Settings(ts.Schema):
    surcharge = fields.Decimal(2, load_default=Decimal("1.50"), metadata={"title": "Surcharge"})


class Scales:
    """What a room would look up by its class."""


def saw(hook, *given):
    CALLS.append((hook, given))


@pages.get("/", permission="witness.page.see")
def home(ctx):
    return f"witness of {ctx.plugin} with {ctx.settings['surcharge']}"


@api.get("/witness/calls", permission="witness.page.see")
def calls(ctx):
    return {"count": len(CALLS)}


@click.command("count")
def count():
    click.echo(len(CALLS))


class Job:
    name, every = "look", 1.0

    @staticmethod
    def run(installation):
        saw("job", installation)
        return 1


class Report:
    key, title = "calls", "Calls"


def heard(ctx, event):
    saw("event", ctx.tenant_id, event.number)


@hookimpl
def register_permissions():
    return [ts.Permission("witness.page.see", "See what was seen", ("admin",))]


@hookimpl
def register_blueprints():
    return [pages]


@hookimpl
def register_api():
    return [api]


@hookimpl
def register_menu():
    return [ts.NavEntry(key="witness", endpoint="witness.home", icon="eye", title="Witness stand", permission="witness.page.see",
                        count=lambda ctx: 7)]


@hookimpl
def register_jobs():
    return [Job]


@hookimpl
def register_event_handlers():
    return [ts.Subscription(ts.OrderSubmitted, heard)]


@hookimpl
def register_reports():
    return [Report]


@hookimpl
def register_commands():
    return [count]


@hookimpl
def register_trade_modes():
    return [ts.TradeMode("witnessed", "Witnessed", lambda ctx, order: [ts.PlanItem("balance", order.total)],
                         lambda ctx, order, by: None, lambda line, accepted: (accepted, line.unit_price))]


@hookimpl
def register_order_transitions():
    return [ts.Transition("recount", ("confirmed",), "confirmed", "seller", "order.confirm")]


@hookimpl
def register_providers():
    return [Scales()]


@hookimpl
def check_transition(ctx, order, transition):
    saw("check_transition", order, transition)
    if mood := MOOD.get(transition.verb):
        mood()
    if transition.verb == "reject":
        return ts.Objection("witness.no", "A witness is needed first.")


@hookimpl
def price_lines(ctx, quotation):
    saw("price_lines", quotation)
    return [ts.PriceComponent(0, Decimal(str(ctx.settings["surcharge"])), "witnessed")]


@hookimpl
def open_gates(ctx, order):
    saw("open_gates", order)
    return [ts.GateRequest("seen", "complete", "Somebody has seen it")]


@hookimpl
def payee_for(ctx, invoice):
    saw("payee_for", invoice)
    return ts.Payee("Factor Ltd", "Bank of Tests", "6222 0000", "assigned")


@hookimpl
def can_release(ctx, lots, purpose):
    saw("can_release", lots, purpose)


@hookimpl
def fill_slot(ctx, slot, subject):
    saw("fill_slot", slot, subject)
    return ts.SlotFragment("witness/mark.html", {"slot": slot, "subject": type(subject).__name__}, title=f"Seen at {slot}")


@hookimpl
def search(ctx, query):
    saw("search", query)
    return [ts.Hit(f"Found {query}", "by the witness", "/witness/", "witness")]


@hookimpl
def offers_for(ctx, subject):
    saw("offers_for", subject)
    return []


@hookimpl
def startup(app):
    saw("startup", app)


@hookimpl
def tenant_enabled(ctx):
    saw("tenant_enabled", ctx.tenant_id)


@hookimpl
def tenant_disabled(ctx):
    saw("tenant_disabled", ctx.tenant_id)


@hookimpl
def check_health():
    saw("check_health")
    return ts.Health(True, f"{len(CALLS)} calls")
'''
MARK = '<p class="witness">seen at {{ slot }} with {{ subject }}</p>\n'


def written(folder: Path, slots: list[str]) -> None:
    """Put the package into a folder that Python looks into, as installing it would."""
    package = folder / "made_witness"
    (package / "templates" / NAME).mkdir(parents=True)
    (package / "__init__.py").write_text(f'"""Sees everything."""\n{CODE}', encoding="utf-8")
    (package / "templates" / NAME / "mark.html").write_text(MARK, encoding="utf-8")
    (package / "plugin.toml").write_text(MANIFEST % ", ".join(f'"{each}"' for each in slots), encoding="utf-8")
    info = folder / "made_witness-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: made-witness\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[tongshang.plugins]\n{NAME} = made_witness\n")
