"""The places the operator lets plugins come from, and what they offer.

Nothing is taken from anywhere else, and nothing is run to find out what it is. A source is asked only when a person asks.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from packaging.specifiers import SpecifierSet
from sqlalchemy import text

from core.host import rows
from core.host.trust.errand import PORTS, Errand, Limits
from core.host.trust.folder import Folder
from core.host.trust.index import Index
from core.host.trust.offers import About, OfferedWheel, Source, best, versions
from core.kernel import Context, Invalid, NotFound, Refused

MOST_OFFERS = 200
LIMITS = Limits()


@dataclass(frozen=True)
class Allowed:
    """A place on the operator's list. `kind` is folder or index."""

    address: str
    kind: str
    added_by: str
    added_at: datetime


@dataclass(frozen=True)
class Offer:
    """A distribution on offer. `newest` and `about` are looked up only where that takes no visit for each of them."""

    source: str
    distribution: str
    newest: OfferedWheel | None = None
    about: About | None = None


@dataclass(frozen=True)
class Listing:
    """What one source offers to a word. `more` says how many offers were left out; `refused` why it offers nothing."""

    source: Allowed
    offers: tuple[Offer, ...] = ()
    more: int = 0
    refused: Refused | None = None


@dataclass(frozen=True)
class Detail:
    """One distribution of a source with its versions, the newest first, and what the newest says of itself."""

    source: Allowed
    distribution: str
    versions: tuple[OfferedWheel, ...]
    about: About | None


def sources(ctx: Context) -> list[Allowed]:
    ctx.require("plugin.install")
    return [Allowed(row.address, row.kind, row.added_by, row.added_at) for row in rows.sources(ctx.session)]


def source(ctx: Context, address: str) -> Allowed:
    """One of the list; NotFound for any other place."""
    found = next((each for each in sources(ctx) if each.address == address.strip()), None)
    if found is None:
        raise NotFound("plugin.no_such_source", address=address[:200])
    return found


def add(ctx: Context, address: str) -> Allowed:
    """Allow a folder of this machine or an index of the web. Raises Invalid where it is neither."""
    ctx.require("plugin.install")
    place, kind = _normal(address)
    ctx.session.execute(
        text("SELECT ts.plugin_source_add(:address, :kind, :by)"),
        {"address": place, "kind": kind, "by": ctx.actor.name},
    )
    ctx.record("plugin.source_add", f"source:{place}", kind=kind)
    return source(ctx, place)


def remove(ctx: Context, address: str) -> None:
    """Allow a place no longer. What came from it stays."""
    known = source(ctx, address)
    ctx.session.execute(text("SELECT ts.plugin_source_remove(:address)"), {"address": known.address})
    ctx.record("plugin.source_remove", f"source:{known.address}")


def search(ctx: Context, data: Path, word: str = "", address: str | None = None) -> list[Listing]:
    """What the sources offer to a word, each by itself: one that fails says why and keeps no other from answering."""
    asked = sources(ctx) if address is None else [source(ctx, address)]
    patient(ctx)
    until = time.monotonic() + LIMITS.errand  # for all of them together
    return [_listing(each, data, word, until) for each in asked]


def detail(ctx: Context, data: Path, address: str, distribution: str) -> Detail:
    """The versions of one distribution. Raises NotFound where the source has none, Refused where it does not answer."""
    known = source(ctx, address)
    patient(ctx)
    shop = opened(known, data)
    found = versions(shop.wheels(distribution))
    if not found:
        raise NotFound("plugin.not_offered", distribution=distribution[:100], address=known.address)
    return Detail(known, found[0].distribution, tuple(found), shop.about(found[0]))


def opened(known: Allowed, data: Path, until: float | None = None) -> Source:
    """A source, ready to be asked, by the monotonic clock until a moment."""
    if known.kind == "folder":
        return Folder(known.address)
    try:
        return Index(known.address, Errand(known.address, data, LIMITS, until))
    except ValueError as wrong:  # a line of outbound.conf that cannot be read
        raise Refused("plugin.source_rules", file="outbound.conf", reason=str(wrong)) from None


def _listing(known: Allowed, data: Path, word: str, until: float) -> Listing:
    wanted = word.strip().lower()
    try:
        shop = opened(known, data, until)
        if known.kind == "index":
            names = [name for name in shop.names() if wanted.replace("_", "-") in name]
            offers = [Offer(known.address, name) for name in names[:MOST_OFFERS]]
            return Listing(known, tuple(offers), len(names) - len(offers))
        all_ = [_of_folder(shop, name) for name in shop.names()]
    except Refused as refused:
        return Listing(known, refused=refused)
    fitting = [each for each in all_ if wanted in _said(each)]
    return Listing(known, tuple(fitting[:MOST_OFFERS]), max(0, len(fitting) - MOST_OFFERS))


def _of_folder(shop: Source, name: str) -> Offer:
    found = shop.wheels(name)
    newest = best(found, SpecifierSet()) or versions(found)[0]
    return Offer(shop.address, name, newest, shop.about(newest))


def _said(offer: Offer) -> str:
    about = offer.about
    said: Sequence[str] = (
        [offer.distribution, offer.distribution.replace("-", "_")]
        + ([about.plugin or "", *(about.title or {}).values(), *about.summary.values()] if about else [])
    )
    return "\n".join(said).lower()


def _normal(address: str) -> tuple[str, str]:
    """An address as it is kept, and its kind."""
    given = address.strip()
    if not given or len(given) > 1000 or any(character < " " for character in given):
        raise Invalid.one("address", "plugin.source_address")
    if "://" not in given:
        folder = Path(given)
        if not folder.is_absolute():
            raise Invalid.one("address", "plugin.source_address")
        if not folder.is_dir():
            raise Invalid.one("address", "plugin.source_no_folder", folder=given)
        return str(folder.resolve()), "folder"
    try:
        said = urlsplit(given)
        right = said.scheme in PORTS and said.hostname and not said.query and not said.fragment
        _ = said.port
    except ValueError:
        right = False
    if not right or "@" in urlsplit(given).netloc:
        raise Invalid.one("address", "plugin.source_address")
    return given.rstrip("/") + "/", "index"


def patient(ctx: Context) -> None:
    """Let this transaction wait for the answers of a source; the errand's own time ends before this does."""
    ctx.session.execute(
        text("SELECT set_config('idle_in_transaction_session_timeout', :long, true)"),
        {"long": f"{LIMITS.errand * 2 + 30:.0f}s"},
    )
