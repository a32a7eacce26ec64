"""The store: every plugin one may have, found by words and category; for the operator the whole installation."""

from dataclasses import dataclass
from datetime import datetime

from flask import Response, request, url_for

from core.host import rows
from core.host.pages.change import Change, change_rows
from core.host.pages.frame import pages
from core.host.store.heading import Act, waiting
from core.host.store.offers import Offer, offers, touched
from core.host.store.saying import STATES, TIERS, category
from core.host.store.tabs import in_tab, tabs
from core.kernel import Context
from core.web import render
from core.web.i18n import gettext as _
from core.web.page import here


@dataclass(frozen=True)
class Card:
    """One plugin in the store. `badge` says who vouches, `act` is the one thing to do next."""

    name: str
    title: str
    href: str
    icon: str
    publisher: str
    badge: tuple[str, str]
    summary: str
    version: str
    state: tuple[str, str]
    reason: str
    newer: str
    act: Act


@dataclass(frozen=True)
class StorePage:
    """`tabs` and `categories` are links with how many there are. `bare` when nothing at all is installed."""

    tabs: tuple[tuple[str, str, bool, int | None], ...]
    categories: tuple[tuple[str, str, bool], ...]
    q: str
    tab: str
    category: str
    cards: tuple[Card, ...]
    updates: int
    waiting: tuple[Change, ...]
    upload_url: str | None
    bare: bool
    clear_url: str


@dataclass(frozen=True)
class InstalledRow:
    """A plugin of the installation as the operator sees it."""

    title: str
    href: str
    version: str
    previous: str | None
    state: tuple[str, str]
    reason: str
    enterprises: int
    open_orders: int
    badge: tuple[str, str]
    changed_at: datetime


@dataclass(frozen=True)
class PackageRow:
    """A wheel in store."""

    filename: str
    title: str
    href: str | None
    version: str
    sha256: str
    size: int
    publisher: str
    added_by: str
    added_at: datetime
    used: bool


@dataclass(frozen=True)
class InstallationPage:
    """The whole installation: its plugins, its packages, what waits for an answer or is under way."""

    tabs: tuple[tuple[str, str, bool, int | None], ...]
    plugins: tuple[InstalledRow, ...]
    packages: tuple[PackageRow, ...]
    waiting: tuple[Change, ...]
    upload_url: str


@pages.get("", permission="plugin.view")
def index(ctx: Context) -> Response:
    """Every plugin the reader may have."""
    found = offers(ctx)
    q = request.args.get("q", "")[:100].strip()
    tab = request.args.get("tab", "")
    chosen = request.args.get("category", "")[:40]
    shown = [each for each in found if in_tab(each, tab)]
    kinds = sorted({each.category for each in shown if each.category})
    shown = [each for each in shown if (not chosen or each.category == chosen) and _matches(each, q)]
    page = StorePage(
        tabs=tabs(ctx, found, tab),
        categories=((_("All"), here(category=None), not chosen),
                    *((category(each)[0], here(category=each), each == chosen) for each in kinds)),
        q=q, tab=tab, category=chosen, cards=tuple(_card(ctx, each) for each in shown),
        updates=sum(each.newer is not None for each in found) if ctx.allows("plugin.manage") else 0,
        waiting=change_rows(ctx, waiting(ctx, None)), upload_url=_upload_url(ctx), bare=not found,
        clear_url=url_for("plugins.index", tab=tab or None),
    )  # fmt: skip
    return render("host/store.html", page)


@pages.get("/installation", permission="plugin.install")
def installation(ctx: Context) -> Response:
    """What is installed, which packages lie in store, what waits."""
    found = offers(ctx)
    by_name = {each.name: each for each in found}
    publishers = {each.key_id: each.name for each in rows.publishers(ctx.session) if each.revoked_at is None}
    used = {
        digest for each in found if each.row is not None for digest in (*each.row.packages, *(each.row.previous_packages or ()))
    }
    page = InstallationPage(
        tabs=tabs(ctx, found, "installation"),
        plugins=tuple(_installed(ctx, each) for each in found if each.row is not None),
        packages=tuple(
            PackageRow(
                each.filename, by_name[each.plugin].title if each.plugin in by_name else each.distribution,
                url_for("plugins.versions", name=each.plugin) if each.plugin in by_name else None, each.version,
                each.sha256, each.size, publishers.get(each.signer, ""), each.added_by, each.added_at, each.sha256 in used,
            )
            for each in sorted(rows.packages(ctx.session), key=lambda one: one.added_at, reverse=True)
        ),
        waiting=change_rows(ctx, waiting(ctx, None)), upload_url=url_for("plugins.upload"),
    )  # fmt: skip
    return render("host/installation.html", page)


def _matches(found: Offer, q: str) -> bool:
    said = " ".join((found.name, found.title, found.summary, found.publisher, category(found.category)[0])).casefold()
    return all(word in said for word in q.casefold().split())


def _card(ctx: Context, found: Offer) -> Card:
    word, tone = STATES[found.state]
    tier, tier_tone = TIERS[found.tier]
    href = url_for("plugins.detail", name=found.name)
    newer = found.newer.version if found.newer is not None and ctx.allows("plugin.manage") else ""
    return Card(
        found.name, found.title, href, category(found.category)[1], found.publisher or category(found.category)[0],
        (str(tier), tier_tone), found.summary, found.version, (str(word), tone), found.reason, newer, _next(ctx, found, href),
    )  # fmt: skip


def _next(ctx: Context, found: Offer, href: str) -> Act:
    """The act of a card; what changes anything leads to a page that asks first."""
    name = found.name
    if ctx.allows("plugin.manage"):
        if found.newer is not None:
            plan = url_for("plugins.plan_page", name=name, verb="upgrade", sha256=found.newer.sha256)
            return Act(_("Upgrade"), plan, "pri")
        if found.state == "in_store":
            text = _("Install") if ctx.allows("plugin.install") else _("Ask for it")
            return Act(text, url_for("plugins.plan_page", name=name, verb="install", sha256=found.package.sha256))
        if found.state in ("available", "disabled"):
            return Act(_("Switch on"), url_for("plugins.ask_enable", name=name))
        if found.state == "enabled":
            return Act(_("Settings"), url_for("plugins.settings", name=name))
    return Act(_("Open"), href)


def _installed(ctx: Context, found: Offer) -> InstalledRow:
    troubled = found.state in ("broken", "stopped", "archived", "starting")
    word, tone = STATES[found.state] if troubled else (_("Running well"), "ok")
    tier, tier_tone = TIERS[found.tier]
    touch = touched(ctx, found)
    return InstalledRow(
        found.title, url_for("plugins.detail", name=found.name), found.version, found.row.previous_version,
        (str(word), tone), found.reason, touch.enterprises + touch.draining, touch.open_orders, (str(tier), tier_tone),
        found.row.changed_at,
    )  # fmt: skip


def _upload_url(ctx: Context) -> str | None:
    return url_for("plugins.upload") if ctx.allows("plugin.install") else None
