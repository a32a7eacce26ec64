"""Whom the operator trusts and where plugins may come from: keys added and revoked, places allowed and taken back."""

from dataclasses import dataclass, field
from datetime import datetime

from flask import Response, request, url_for

from core.host.pages.frame import pages
from core.host.store.saying import TIERS as TIER_WORDS
from core.host.trust import publishers, sources
from core.identity import require_fresh_second_factor
from core.kernel import Context, NotFound
from core.web import flash, form, redirect, render
from core.web.i18n import gettext as _
from core.web.i18n import ngettext
from core.web.mending import Errors, mend
from core.web.page import Confirmation, Crumb


@dataclass(frozen=True)
class PublisherRow:
    """A publisher. `state` is its word and tone; `again` says that its key is revoked and could be trusted again."""

    name: str
    key_id: str
    tier: tuple[str, str]
    state: tuple[str, str]
    opened: bool
    trusted_by: str
    trusted_at: datetime
    edit_url: str
    revoke_url: str
    again: bool


@dataclass(frozen=True)
class SourceRow:
    """A place plugins may come from."""

    address: str
    kind: str
    added_by: str
    added_at: datetime
    offers_url: str
    remove_url: str


@dataclass(frozen=True)
class TrustPage:
    """Both lists. The urls lead to the forms, and to what all sources offer."""

    publishers: tuple[PublisherRow, ...]
    sources: tuple[SourceRow, ...]
    publisher_url: str
    source_url: str
    offers_url: str


@dataclass(frozen=True)
class PublisherForm:
    """A publisher to trust; `known` when its key is here already and only the rest may change."""

    name: str
    public_key: str
    tier: str
    opened: bool
    tiers: tuple[tuple[str, str, str], ...]
    known: bool
    errors: Errors = field(default_factory=dict)


@dataclass(frozen=True)
class SourceForm:
    """A place to be allowed."""

    address: str
    errors: Errors = field(default_factory=dict)


@pages.get("/trust", permission="plugin.install")
def trust(ctx: Context) -> Response:
    """Publishers and sources."""
    page = TrustPage(
        tuple(_row(each) for each in publishers.publishers(ctx)),
        tuple(
            SourceRow(
                each.address, _("Folder") if each.kind == "folder" else _("Package index"), each.added_by, each.added_at,
                url_for("plugins.offers", source=each.address), url_for("plugins.ask_remove_source", address=each.address),
            )
            for each in sources.sources(ctx)
        ),
        url_for("plugins.new_publisher"),
        url_for("plugins.new_source"),
        url_for("plugins.offers"),
    )  # fmt: skip
    return render("host/trust.html", page, crumbs=crumbs(here=True))


@pages.get("/trust/publishers/new", permission="plugin.install")
def new_publisher(ctx: Context) -> Response:
    """The form for a publisher; with `key` in the address, for one that is known."""
    require_fresh_second_factor(ctx)  # before anything is typed, so nothing typed is lost
    if key_id := request.args.get("key", "")[:16]:
        known = publishers.publisher(ctx, key_id)
        return _publisher_form(known.name, known.public_key, known.tier, known.open_to_enterprises, True, {})
    return _publisher_form("", "", "verified", False, False, {})


@pages.post("/trust/publishers/new", permission="plugin.install")
def add_publisher(ctx: Context) -> Response:
    """Trust a key from now on, or change what is known of it."""
    require_fresh_second_factor(ctx)
    given = form()
    name, key, tier = given.get("name", "")[:100], given.get("public_key", "")[:500], given.get("tier", "verified")
    opened = "open_to_enterprises" in given
    if errors := mend(ctx, lambda: publishers.trust(ctx, name, key, tier=tier, open_to_enterprises=opened)):
        return _publisher_form(name, key, tier, opened, False, errors)
    flash(_("%(name)s is trusted", name=name.strip()))
    return redirect("plugins.trust")


@pages.get("/trust/publishers/<key_id>/revoke", permission="plugin.install")
def ask_revoke(ctx: Context, key_id: str) -> Response:
    """What revoking a key would touch, before it is done."""
    require_fresh_second_factor(ctx)
    known = publishers.publisher(ctx, key_id)
    signed = publishers.signed_by(ctx, known.key_id)
    told = [_("Nothing that is signed with this key is installed or upgraded any more, whoever asks for it.")]
    if signed.installed:
        names = _(", ").join(signed.installed)
        told.append(_("%(plugins)s run on; stop them one by one if you no longer trust their code.", plugins=names))
    else:
        told.append(_("No installed plugin comes from this publisher."))
    if signed.packages:
        one, more = "%(n)s package in store bears its signature.", "%(n)s packages in store bear its signature."
        told.append(ngettext(one, more, len(signed.packages)))
    if signed.waiting:
        told.append(_("Changes that wait are refused when their turn comes: %(plugins)s", plugins=_(", ").join(signed.waiting)))
    told.append(_("You can trust the key again; until then new packages need another one."))
    page = Confirmation(
        _("Trust %(name)s no longer?", name=known.name),
        tuple(told),
        url_for("plugins.revoke", key_id=known.key_id),
        _("Trust no longer"),
        _("Go on trusting"),
        url_for("plugins.trust"),
        danger=True,
    )
    return render("shell/confirm.html", page, crumbs=crumbs(Crumb(known.name)))


@pages.post("/trust/publishers/<key_id>/revoke", permission="plugin.install")
def revoke(ctx: Context, key_id: str) -> Response:
    """Trust a key no longer."""
    require_fresh_second_factor(ctx)
    known = publishers.distrust(ctx, key_id)
    flash(_("%(name)s is trusted no longer", name=known.name))
    return redirect("plugins.trust")


@pages.get("/trust/sources/new", permission="plugin.install")
def new_source(ctx: Context) -> Response:
    """The form for a source."""
    require_fresh_second_factor(ctx)
    return _source_form("", {})


@pages.post("/trust/sources/new", permission="plugin.install")
def add_source(ctx: Context) -> Response:
    """Let plugins come from a place."""
    require_fresh_second_factor(ctx)
    address = form().get("address", "")[:1000]
    added: list[sources.Allowed] = []
    if errors := mend(ctx, lambda: added.append(sources.add(ctx, address))):
        return _source_form(address, errors)
    flash(_("Plugins may come from there now"))
    return redirect("plugins.offers", source=added[0].address)


@pages.get("/trust/sources/remove", permission="plugin.install")
def ask_remove_source(ctx: Context) -> Response:
    """The question before a place is taken off the list."""
    require_fresh_second_factor(ctx)
    known = sources.source(ctx, request.args.get("address", "")[:1000])
    page = Confirmation(
        _("Take this source off the list?"),
        (known.address, _("Packages and plugins that came from it stay. Nothing more comes from there.")),
        url_for("plugins.remove_source", address=known.address),
        _("Take off the list"),
        _("Keep it"),
        url_for("plugins.trust"),
        danger=True,
    )
    return render("shell/confirm.html", page, crumbs=crumbs(Crumb(_("Source"))))


@pages.post("/trust/sources/remove", permission="plugin.install")
def remove_source(ctx: Context) -> Response:
    """Let nothing come from a place any more."""
    require_fresh_second_factor(ctx)
    try:
        sources.remove(ctx, request.args.get("address", "")[:1000])
        flash(_("Nothing comes from there any more"))
    except NotFound:
        flash(_("It was not on the list any more"))
    return redirect("plugins.trust")


def crumbs(*below: Crumb, here: bool = False) -> list[Crumb]:
    """The way down to these pages."""
    own = Crumb(_("Publishers and sources"), None if here else url_for("plugins.trust"))
    return [Crumb(_("Plugin store"), url_for("plugins.index")), own, *below]


def _row(each: publishers.Publisher) -> PublisherRow:
    word, tone = TIER_WORDS[each.tier]
    revoked = each.revoked_at is not None
    return PublisherRow(
        each.name, each.key_id, (str(word), tone), (_("Trusted no longer"), "bad") if revoked else (_("Trusted"), "ok"),
        each.open_to_enterprises and not revoked, each.trusted_by, each.trusted_at,
        url_for("plugins.new_publisher", key=each.key_id), url_for("plugins.ask_revoke", key_id=each.key_id), revoked,
    )  # fmt: skip


def _publisher_form(name: str, key: str, tier: str, opened: bool, known: bool, errors: Errors) -> Response:
    tiers = (
        ("official", _("Official"), _("Made or ordered by the operator of this platform.")),
        ("verified", _("Verified"), _("You know the publisher and got the key from them directly.")),
        ("community", _("Community"), _("Somebody whose work you let in, without knowing them.")),
    )
    page = PublisherForm(name, key, tier, opened, tiers, known, errors)
    title = _("Change a publisher") if known else _("Trust a publisher")
    return render("host/trust_publisher.html", page, 422 if errors else 200, crumbs=crumbs(Crumb(title)))


def _source_form(address: str, errors: Errors) -> Response:
    return render(
        "host/trust_source.html", SourceForm(address, errors), 422 if errors else 200, crumbs=crumbs(Crumb(_("Add a source")))
    )
