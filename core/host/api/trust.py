"""Publishers and sources of plugins over JSON: whom the operator trusts, and where plugins may come from."""

from typing import Any

from core.host.api.frame import api, data_folder
from core.host.trust import publishers, schema, sources
from core.host.trust.fetching import fetch
from core.identity import require_fresh_second_factor
from core.kernel import Context


@api.get("/plugins/publishers", permission="plugin.install", answer=schema.PublisherList)
def list_publishers(ctx: Context) -> dict[str, Any]:
    """Everybody whose key is or was trusted."""
    return {"items": publishers.publishers(ctx)}


@api.post(
    "/plugins/publishers",
    permission="plugin.install",
    body=schema.TrustIn,
    answer=schema.PublisherAnswer,
    status=201,
    idempotent=True,
)
def trust_publisher(ctx: Context, body: dict[str, Any]) -> publishers.Publisher:
    """Trust a publisher's key from now on, or again. A person's act, with a fresh second factor."""
    require_fresh_second_factor(ctx)
    return publishers.trust(
        ctx, body["name"], body["public_key"], tier=body["tier"], open_to_enterprises=body["open_to_enterprises"]
    )


@api.get("/plugins/publishers/<key_id>", permission="plugin.install", answer=schema.SignedAnswer)
def read_publisher(ctx: Context, key_id: str) -> dict[str, Any]:
    """A publisher and what its signature stands on: what revoking the key would touch."""
    known = publishers.publisher(ctx, key_id)
    signed = publishers.signed_by(ctx, known.key_id)
    return {
        "publisher": known, "packages": signed.packages, "installed": signed.installed, "waiting": signed.waiting
    }  # fmt: skip


@api.post(
    "/plugins/publishers/<key_id>/revoke",
    permission="plugin.install",
    answer=schema.PublisherAnswer,
    idempotent=True,
)
def revoke_publisher(ctx: Context, key_id: str) -> publishers.Publisher:
    """Trust a key no longer: what is installed runs on, nothing of its packages is installed any more."""
    require_fresh_second_factor(ctx)
    return publishers.distrust(ctx, key_id)


@api.get("/plugins/sources", permission="plugin.install", answer=schema.SourceList)
def list_sources(ctx: Context) -> dict[str, Any]:
    """The places plugins may come from."""
    return {"items": sources.sources(ctx)}


@api.post(
    "/plugins/sources",
    permission="plugin.install",
    body=schema.SourceIn,
    answer=schema.SourceAnswer,
    status=201,
    idempotent=True,
)
def add_source(ctx: Context, body: dict[str, Any]) -> sources.Allowed:
    """Let plugins come from a folder or an index."""
    require_fresh_second_factor(ctx)
    return sources.add(ctx, body["address"])


@api.post(
    "/plugins/sources/remove",
    permission="plugin.install",
    body=schema.SourceIn,
    answer=schema.SourceList,
    idempotent=True,
)
def remove_source(ctx: Context, body: dict[str, Any]) -> dict[str, Any]:
    """Let nothing come from a place any more. What came from it stays. Answers the places that are left."""
    require_fresh_second_factor(ctx)
    sources.remove(ctx, body["address"])
    return {"items": sources.sources(ctx)}


@api.get(
    "/plugins/offers", permission="plugin.install", query=schema.OffersQuery, answer=schema.ListingList
)
def list_offers(ctx: Context, query: dict[str, Any]) -> dict[str, Any]:
    """What the sources offer to a word. A source that does not answer says why in its `problem`."""
    found = sources.search(ctx, data_folder(), query["word"], query["source"])
    return {"items": [_listing(each) for each in found]}


@api.get(
    "/plugins/offers/versions", permission="plugin.install", query=schema.VersionsQuery, answer=schema.VersionsAnswer
)
def list_offered_versions(ctx: Context, query: dict[str, Any]) -> dict[str, Any]:
    """The versions of one distribution that a source has."""
    found = sources.detail(ctx, data_folder(), query["source"], query["distribution"])
    return {
        "distribution": found.distribution,
        "versions": [_version(each) for each in found.versions],
        "requires": found.about.requires if found.about else (),
    }


@api.post(
    "/plugins/offers/fetch",
    permission="plugin.install",
    body=schema.FetchIn,
    answer=schema.FetchedAnswer,
    status=201,
    idempotent=True,
)
def fetch_offer(ctx: Context, body: dict[str, Any]) -> Any:
    """Take a package from a source into the store, with the libraries it lacks here. Nothing is installed by it."""
    require_fresh_second_factor(ctx)
    return fetch(ctx, data_folder(), body["source"], body["distribution"], body["version"])


def _listing(found: sources.Listing) -> dict[str, Any]:
    refused = found.refused
    return {
        "source": found.source.address,
        "kind": found.source.kind,
        "offers": [_offer(each) for each in found.offers],
        "more": found.more,
        "problem": {"code": refused.code, "values": refused.values} if refused else None,
    }


def _offer(offer: sources.Offer) -> dict[str, Any]:
    about = offer.about
    problem = about.problem if about else None
    return {
        "distribution": offer.distribution,
        "version": str(offer.newest.version) if offer.newest else None,
        "plugin": about.plugin if about else None,
        "title": (about.title or {}) if about else {},
        "summary": about.summary if about else {},
        "problem": {"code": problem[0], "values": problem[1]} if problem else None,
    }


def _version(wheel: sources.OfferedWheel) -> dict[str, Any]:
    return {
        "version": str(wheel.version), "filename": wheel.filename, "sha256": wheel.sha256, "size": wheel.size,
        "fits": wheel.fits, "yanked": wheel.yanked,
    }  # fmt: skip
