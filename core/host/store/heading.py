"""The head of every page of one plugin: who it is, how it stands, the tabs, and what the reader may do with it."""

from dataclasses import dataclass
from typing import Any

from flask import url_for

from core.host import rows
from core.host.store.offers import Offer, offer
from core.host.store.saying import CHANGE_STATES, OPEN, STATES, TIERS, VERBS, category
from core.host.trust.publishers import of_revoked
from core.kernel import Context
from core.web.i18n import gettext as _
from core.web.page import Crumb


@dataclass(frozen=True)
class Act:
    """A link to a page that says what would happen and asks."""

    text: str
    href: str
    kind: str = ""
    icon: str | None = None


@dataclass(frozen=True)
class Notice:
    """Something that must be known before anything else on the page. `act` leads to what can be done about it."""

    tone: str
    title: str
    text: str
    act: Act | None = None


@dataclass(frozen=True)
class Head:
    """`badge` says who vouches, `state` how it stands, `more` are the operator's acts behind the menu."""

    name: str
    title: str
    icon: str
    sub: tuple[str, ...]
    badge: tuple[str, str]
    state: tuple[str, str]
    tabs: tuple[tuple[str, str, bool, int | None], ...]
    acts: tuple[Act, ...]
    more: tuple[Act, ...]
    notices: tuple[Notice, ...]


def head(ctx: Context, name: str, current: str, found: Offer | None = None) -> Head:
    """The head of a plugin's page. `current` is overview, permissions, settings, health or versions."""
    found = found or offer(ctx, name)
    word, tone = STATES[found.state]
    tier, tier_tone = TIERS[found.tier]
    return Head(
        found.name, found.title, category(found.category)[1], _sub(found), (str(tier), tier_tone), (str(word), tone),
        _tabs(ctx, found, current), tuple(_acts(ctx, found)), tuple(_more(ctx, found)), tuple(_notices(ctx, found)),
    )  # fmt: skip


def crumbs(found: Head | Offer, *more: Crumb) -> list[Crumb]:
    """The way down to a plugin's page."""
    own = Crumb(found.title, url_for("plugins.detail", name=found.name) if more else None)
    return [Crumb(_("Plugin store"), url_for("plugins.index")), own, *more]


def _sub(found: Offer) -> tuple[str, ...]:
    said: list[str] = [part for part in (found.publisher, category(found.category)[0], found.version) if part]
    if found.row is not None and found.row.packages:
        said.append(_("installed %(when)s by %(who)s", when=found.row.installed_at, who=found.row.installed_by))
    return tuple(said)


def _tabs(ctx: Context, found: Offer, current: str) -> tuple[tuple[str, str, bool, int | None], ...]:
    tabs = [("overview", _("Overview"), "plugins.detail"), ("permissions", _("Permissions and data"), "plugins.permissions")]
    if found.loaded is not None:
        tabs.append(("settings", _("Settings"), "plugins.settings"))
    if found.row is not None:
        tabs.append(("health", _("Health"), "plugins.health"))
    tabs.append(("versions", _("Versions"), "plugins.versions"))
    return tuple((text, url_for(endpoint, name=found.name), key == current, None) for key, text, endpoint in tabs)


def _acts(ctx: Context, found: Offer) -> list[Act]:
    """At most three: the operator's newest version first, then what the enterprise decides."""
    acts, name = [], found.name
    if found.newer is not None and ctx.allows("plugin.manage"):
        text = _("Upgrade to %(version)s", version=found.newer.version)
        acts.append(_planned(name, "upgrade", text, "pri", "up", found.newer.sha256))
    if found.state == "in_store" and ctx.allows("plugin.manage"):
        text = _("Install") if ctx.allows("plugin.install") else _("Ask for it")
        acts.append(_planned(name, "install", text, "pri", "plus", found.package.sha256))
    if found.state == "archived" and ctx.allows("plugin.install"):
        acts.append(_planned(name, "restore", str(VERBS["restore"]), "pri", "undo"))
    if found.loaded is not None and ctx.allows("plugin.manage") and found.installed:
        if found.own == "enabled":
            acts.append(Act(_("Finish open orders only"), url_for("plugins.ask_drain", name=name)))
        if found.used:
            acts.append(Act(_("Switch off"), url_for("plugins.ask_disable", name=name), "danger"))
        if found.own != "enabled":
            kind = "" if any(each.kind == "pri" for each in acts) else "pri"
            acts.append(Act(_("Switch on"), url_for("plugins.ask_enable", name=name), kind))
    return acts


def _more(ctx: Context, found: Offer) -> list[Act]:
    """What the operator may do to the whole installation."""
    row = found.row
    if row is None or not ctx.allows("plugin.install"):
        return []
    acts, name = [], found.name
    if row.state == "installed":
        if row.previous_version is not None:
            text = _("Roll back to %(version)s", version=row.previous_version)
            acts.append(_planned(name, "rollback", text, icon="undo"))
        acts.append(_planned(name, "archive", str(VERBS["archive"]), icon="box"))
    acts.append(_planned(name, "export", str(VERBS["export"]), icon="export"))
    if row.state == "archived":
        acts.append(_planned(name, "purge", str(VERBS["purge"]), "danger", "trash"))
    if found.state == "stopped":
        acts.append(Act(_("Let it act again"), url_for("plugins.ask_lift", name=name), icon="play"))
    elif row.state == "installed":
        acts.append(Act(_("Stop for everybody"), url_for("plugins.ask_stop", name=name), "danger", "stop"))
    return acts


def _planned(name: str, verb: str, text: str, kind: str = "", icon: str | None = None, sha256: str | None = None) -> Act:
    return Act(text, url_for("plugins.plan_page", name=name, verb=verb, sha256=sha256), kind, icon)


def _notices(ctx: Context, found: Offer) -> list[Notice]:
    notices = []
    if found.state == "stopped":
        notices.append(_stopped(ctx, found))
    if (publisher := of_revoked(ctx.session).get(found.name)) is not None:
        text = _("It was signed by %(publisher)s, whom the operator trusts no longer.", publisher=publisher)
        notices.append(Notice("warn", _("Nobody vouches for this plugin any more."), text))
    if found.state == "broken":
        text = _(
            "It could not start here: %(reason)s. Nothing it keeps is lost; its author or the operator can mend it.",
            reason=found.reason,
        )
        notices.append(Notice("bad", _("This plugin is broken."), text))
    if found.state == "archived":
        text = _("Its data is kept unchanged and comes back with it. The operator can restore it.")
        notices.append(Notice("", _("This plugin is archived."), text))
    if found.state == "starting":
        notices.append(Notice("acc", _("This plugin is coming in."), _("The processes take it over one after the other.")))
    notices += [_under_way(change) for change in waiting(ctx, found.name)]
    return notices


def waiting(ctx: Context, name: str | None) -> list[Any]:
    """Changes that are not over, of one plugin or of all, as far as the reader may know of them."""
    operator = ctx.allows("plugin.install")
    return [
        each
        for each in rows.changes(ctx.session, name, 200)
        if each.state in OPEN or each.state == "asked" and (operator or each.tenant_id == ctx.tenant_id)
    ]


def _under_way(change: Any) -> Notice:
    word, tone = CHANGE_STATES[change.state]
    title = _("%(act)s %(version)s: %(state)s.", act=str(VERBS[change.verb]), version=change.version or "", state=str(word))
    act = Act(_("See how far it is"), url_for("plugins.change", change_id=change.id))
    return Notice("warn" if change.state == "asked" else "acc", title, _("Asked by %(who)s.", who=change.asked_by), act)


def _stopped(ctx: Context, found: Offer) -> Notice:
    row = found.row
    by_operator = row.stopped_by == "operator"
    parts = [_("The operator stopped it for everybody: %(reason)s", reason=found.reason) if by_operator
             else _("The platform took it out of use: %(reason)s", reason=found.reason)]  # fmt: skip
    parts.append(_("Its gates and orders stay as they are."))
    if row.stopped_until is not None:
        parts.append(_("It is tried again by itself %(when)s.", when=row.stopped_until))
    may = ctx.allows("plugin.install")
    if not may:
        parts.append(_("The operator of the platform can lift it."))
    act = Act(_("Let it act again"), url_for("plugins.ask_lift", name=found.name)) if may else None
    return Notice("bad", _("This plugin is stopped."), " ".join(parts), act)
