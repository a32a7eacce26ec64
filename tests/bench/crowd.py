"""Thirty plugins that have something to say at every order, and six that fill a panel of its page; written as packages.

Each has a price, a gate and a check hook; five of them read one row of their own,
once for an order, where the seller is asked. Of the six panels four are plain,
one is of a plugin that raises (dead) and one of a plugin that sleeps past its time (slow).
"""

import sys
from pathlib import Path
from uuid import UUID

from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from core import tenancy
from core.app import Installation
from core.config import Config
from core.host import tables
from core.host.manifest import read
from core.host.shipping import next_epoch

SIZE = 30
READERS = 5
NAMES = [f"crowd{number:02}" for number in range(1, SIZE + 1)]
PANELS = {name: "plain" for name in NAMES[6:10]} | {NAMES[10]: "dead", NAMES[11]: "slow"}

HOOKS = '''"""One of the crowd."""

import os
from decimal import Decimal

from pathlib import Path

from sqlalchemy import text

from tongshang import Api, Objection, Pages, PriceComponent, SlotFragment, hookimpl

SHARE = text("SELECT percent FROM plugin_{name}.share")
PAGES = Pages("{name}", prefix="/{name}", template_folder=str(Path(__file__).parent / "templates"))


API = Api("{name}")


@API.get("/{name}/here", permission="order.view")
def here(ctx):
    """Which process answered."""
    return {{"process": os.getpid()}}


@hookimpl
def register_blueprints():
    return [PAGES]


@hookimpl
def register_api():
    return [API]


@hookimpl
def price_lines(ctx, quotation):
    {body}
    return None


@hookimpl
def open_gates(ctx, order):
    return []


@hookimpl
def check_transition(ctx, order, transition):
    return Objection("order.too_many", {{}}) if len(order.lines) > 400 else None
'''
READING = """if quotation.seller_id == ctx.tenant_id:
        share = ctx.session.execute(SHARE).scalar()
        if share:
            return [PriceComponent(0, Decimal(share), "share")]"""
MIGRATION = '''"""The one table."""

from alembic import op

revision = "1"
down_revision = None


def upgrade():
    for statement in (
        "GRANT USAGE ON SCHEMA plugin_{name} TO ts_app, ts_worker, ts_plugin",
        "CREATE TABLE plugin_{name}.share (tenant_id uuid NOT NULL, id uuid NOT NULL, percent integer NOT NULL,"
        " PRIMARY KEY (tenant_id, id))",
        "ALTER TABLE plugin_{name}.share ENABLE ROW LEVEL SECURITY",
        "ALTER TABLE plugin_{name}.share FORCE ROW LEVEL SECURITY",
        "CREATE POLICY own ON plugin_{name}.share TO ts_app, ts_worker, ts_plugin"
        " USING (tenant_id = (SELECT ts.tenant())) WITH CHECK (tenant_id = (SELECT ts.tenant()))",
        "GRANT SELECT, INSERT, UPDATE, DELETE ON plugin_{name}.share TO ts_app, ts_worker, ts_plugin",
    ):
        op.execute(statement)
'''
PANEL = """

@hookimpl
def fill_slot(ctx, slot, subject):
    {body}
"""
PANEL_BODIES = {
    "plain": 'return SlotFragment("{name}/panel.html", {{"number": subject.number}})',
    "dead": 'raise RuntimeError("dead")',
    "slow": 'import time\n\n    time.sleep(5)\n    return SlotFragment("{name}/panel.html", {{"number": subject.number}})',
}
MANIFEST = """name = "{name}"
category = "trade"
core = ">=0"
scope = "tenant"
licence = "Apache-2.0"
permissions = []
hosts = []
slots = {slots}

[title]
zh = "{name}"
en = "{name}"

[summary]
zh = "{name}"
en = "{name}"
"""


def written(folder: Path) -> dict[str, str]:
    """Write the packages as `pip` would leave them. Answers the environment in which processes find them."""
    for number, name in enumerate(NAMES):
        package, info = folder / name, folder / f"{name}-1.0.dist-info"
        (package / "templates" / name).mkdir(parents=True)
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[tongshang.plugins]\n{name} = {name}\n")
        reads = number < READERS
        source = HOOKS.format(name=name, body=READING if reads else "pass")
        kind = PANELS.get(name)
        if kind:
            source += PANEL.format(body=PANEL_BODIES[kind].format(name=name))
        (package / "__init__.py").write_text(source)
        (package / "plugin.toml").write_text(
            MANIFEST.format(name=name, slots='["order:panel"]' if kind else "[]")
        )
        (package / "templates" / name / "panel.html").write_text("<p>{{ number }}</p>\n")
        if reads:
            (package / "migrations").mkdir()
            (package / "migrations" / "r1.py").write_text(MIGRATION.format(name=name))
    sys.path.insert(0, str(folder))
    return {"PYTHONPATH": str(folder)}


def installed(config: Config, folder: Path) -> None:
    """Write them down as installed, their tables made, as plugins of the Python environment are."""
    engine = create_engine(config.url("migrate"), poolclass=NullPool)
    with engine.begin() as connection:
        for name in NAMES:
            tables.migrate(connection, read(folder / name, name, "1.0"))
            connection.execute(
                text("INSERT INTO ts.plugin (name, version, installed_by) VALUES (:name, '1.0', 'bench')"),
                {"name": name},
            )
        next_epoch(connection)
    engine.dispose()


def switch_on(house: Installation, tenants: list[UUID], names: list[str]) -> None:
    """Enable plugins for enterprises, through the verb."""
    for tenant in tenants:
        with house.unit.system(tenant, "bench") as ctx:
            for name in names:
                tenancy.enable_plugin(ctx, name, version="1.0")


def switch_off(house: Installation, tenant: UUID, name: str) -> None:
    with house.unit.system(tenant, "bench") as ctx:
        tenancy.disable_plugin(ctx, name)
