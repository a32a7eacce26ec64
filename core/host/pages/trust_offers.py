"""What the allowed sources offer, and taking a package from one of them into the store."""

from collections.abc import Mapping
from dataclasses import dataclass

from flask import Response, request, url_for

from core.host import rows
from core.host.api.frame import data_folder
from core.host.pages.frame import pages
from core.host.pages.trust import crumbs
from core.host.store.saying import said
from core.host.trust import sources
from core.host.trust.fetching import Fetched, fetch
from core.identity import require_fresh_second_factor
from core.kernel import Context, Refused
from core.web import flash, redirect, render
from core.web.i18n import gettext as _
from core.web.page import Crumb
from core.web.problem import sentence


@dataclass(frozen=True)
class OfferRow:
    """A distribution on offer. `fetch_url` is None where one looks at its versions first; `problem` says why it is no use."""

    title: str
    name: str
    summary: str
    version: str
    without_plugin: bool
    problem: str
    versions_url: str
    fetch_url: str | None
    state: tuple[str, str] | None


@dataclass(frozen=True)
class ListingShown:
    """One source with its offers; `problem` says why there are none, `more` how many are left out."""

    address: str
    index: bool
    rows: tuple[OfferRow, ...]
    more: int
    problem: str


@dataclass(frozen=True)
class OffersPage:
    """What the sources offer to a word. `source` when only one of them was asked."""

    q: str
    source: str
    listings: tuple[ListingShown, ...]
    new_url: str
    all_url: str | None


@dataclass(frozen=True)
class VersionRow:
    """A version on offer; `fetch_url` is None where it does not fit here."""

    version: str
    filename: str
    size: int | None
    sha256: str
    yanked: bool
    fetch_url: str | None


@dataclass(frozen=True)
class VersionsPage:
    """The versions of one distribution. `told` when the source tells what it needs; `problem` says why it cannot be taken."""

    distribution: str
    address: str
    title: str
    summary: str
    requires: tuple[str, ...]
    rows: tuple[VersionRow, ...]
    told: bool = False
    problem: str = ""


@pages.get("/trust/offers", permission="plugin.install")
def offers(ctx: Context) -> Response:
    """What one source offers, or all of them."""
    word, address = request.args.get("q", "")[:100], request.args.get("source", "")[:1000]
    known = _Known(ctx)
    found = sources.search(ctx, data_folder(), word, address or None)
    page = OffersPage(
        word, address, tuple(_listing(each, known) for each in found), url_for("plugins.new_source"),
        url_for("plugins.offers", q=word) if address else None,
    )  # fmt: skip
    return render("host/trust_offers.html", page, crumbs=crumbs(Crumb(_("Offers"))))


@pages.get("/trust/offers/versions", permission="plugin.install")
def offered_versions(ctx: Context) -> Response:
    """The versions of one distribution, each to be taken."""
    address, name = request.args.get("source", "")[:1000], request.args.get("distribution", "")[:100]
    known = sources.source(ctx, address)
    try:
        found = sources.detail(ctx, data_folder(), address, name)
    except Refused as refused:
        page = VersionsPage(name, address, name, "", (), (), problem=sentence(refused.code, refused.values))
        return render("host/trust_versions.html", page, refused.status, crumbs=_below(known.address, name))
    about = found.about
    title = said(about.title or {}) if about else ""
    shown = tuple(
        VersionRow(
            str(each.version), each.filename, each.size, each.sha256, each.yanked,
            _fetch_url(address, found.distribution, str(each.version)) if each.fits else None,
        )
        for each in found.versions
    )  # fmt: skip
    page = VersionsPage(
        found.distribution, address, title or found.distribution, said(about.summary) if about else "",
        about.requires if about else (), shown, about is not None, _problem(about.problem) if about else "",
    )  # fmt: skip
    return render("host/trust_versions.html", page, crumbs=_below(known.address, page.title))


@pages.get("/trust/offers/fetch", permission="plugin.install")
def ask_fetch(ctx: Context) -> Response:
    """Back from showing the second factor: at the versions again."""
    require_fresh_second_factor(ctx)
    asked = {name: request.args.get(name, "")[:1000] for name in ("source", "distribution")}
    return redirect("plugins.offered_versions", **asked)


@pages.post("/trust/offers/fetch", permission="plugin.install")
def fetch_offer(ctx: Context) -> Response:
    """Take a package; a plugin goes on to its plan, a library waits for who needs it."""
    require_fresh_second_factor(ctx)
    given = {name: request.args.get(name, "")[:1000] for name in ("source", "distribution", "version")}
    came = fetch(ctx, data_folder(), given["source"], given["distribution"], given["version"] or None)
    for text, tone in _told(came):
        flash(text, tone=tone)
    if came.plugin is None:
        return redirect("plugins.offers", source=given["source"])
    verb = "install" if rows.plugin(ctx.session, came.plugin) is None else "upgrade"
    return redirect("plugins.plan_page", name=came.plugin, verb=verb, sha256=came.sha256)


def _told(came: Fetched) -> list[tuple[str, str]]:
    name = f"{came.distribution} {came.version}"
    told = [(_("%(name)s is in store", name=name), "ok")]
    if came.libraries:
        told.append((_("With it came: %(libraries)s", libraries=_(", ").join(came.libraries)), "ok"))
    if came.stranger:
        told.append((_("It is signed with the key %(key)s, which you do not trust", key=came.stranger), "warn"))
    if came.missing:
        told.append((_("Not to be had there: %(what)s", what=_(", ").join(came.missing)), "warn"))
    return told


class _Known:
    """What is here already of what is offered: versions of plugins in store, and installed ones."""

    def __init__(self, ctx: Context) -> None:
        self.kept = {(row.distribution, row.version) for row in rows.packages(ctx.session)}
        self.installed = {row.name: row.version for row in rows.plugins(ctx.session)}

    def state(self, offer: sources.Offer) -> tuple[str, str] | None:
        if offer.newest is None:
            return None
        version = str(offer.newest.version)
        if offer.about and self.installed.get(offer.about.plugin or "") == version:
            return _("Installed"), "ok"
        return (_("Fetched already"), "") if (offer.distribution, version) in self.kept else None


def _listing(found: sources.Listing, known: _Known) -> ListingShown:
    refused = found.refused
    return ListingShown(
        found.source.address,
        found.source.kind == "index",
        tuple(_row(each, known) for each in found.offers),
        found.more,
        sentence(refused.code, refused.values) if refused else "",
    )


def _row(offer: sources.Offer, known: _Known) -> OfferRow:
    about, newest = offer.about, offer.newest
    problem = _problem(about.problem) if about else ""
    usable = newest is not None and newest.fits and not problem
    return OfferRow(
        (said(about.title or {}) if about else "") or offer.distribution,
        offer.distribution,
        said(about.summary) if about else "",
        str(newest.version) if newest else "",
        bool(about and about.without_plugin),
        problem or ("" if newest is None or newest.fits else _("It is made for another machine or another Python.")),
        url_for("plugins.offered_versions", source=offer.source, distribution=offer.distribution),
        _fetch_url(offer.source, offer.distribution, str(newest.version)) if usable and newest else None,
        known.state(offer),
    )


def _fetch_url(address: str, distribution: str, version: str) -> str:
    return url_for("plugins.fetch_offer", source=address, distribution=distribution, version=version)


def _problem(problem: tuple[str, Mapping[str, object]] | None) -> str:
    return sentence(problem[0], dict(problem[1])) if problem else ""


def _below(address: str, title: str) -> list[Crumb]:
    return crumbs(Crumb(_("Offers"), url_for("plugins.offers", source=address)), Crumb(title))
