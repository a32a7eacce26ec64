"""Every plugin one reader of the store may know of: what this process runs, what is installed, what only lies in store."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from packaging.version import InvalidVersion, Version

from core.host import rows, service
from core.host.loading import Loaded
from core.host.store.saying import said
from core.kernel import Context, NotFound

PLATFORM = "platform"
USED = ("enabled", "draining")


@dataclass(frozen=True)
class Offer:
    """One plugin. `state` is the headline, `own` what this enterprise chose, whatever else is wrong.

    `tier` is platform, official, verified, community or empty where nobody vouches. `row` is its row in the installation,
    None where it only lies in store; `newer` is the package of a version above the installed one.
    """

    name: str
    title: str
    summary: str
    category: str
    version: str
    state: str
    own: str
    reason: str
    publisher: str
    tier: str
    licence: str
    core: str
    row: Any = None
    loaded: Loaded | None = None
    package: Any = None
    newer: Any = None

    @property
    def installed(self) -> bool:
        return self.row is not None and self.row.state == "installed"

    @property
    def used(self) -> bool:
        return self.own in USED


def offers(ctx: Context) -> list[Offer]:
    """What the reader may see, by title. Archived plugins and waiting packages are the operator's and who may ask for them."""
    ctx.require("plugin.view")
    desk = _Desk(ctx)
    names = {*desk.views, *desk.rows, *desk.packages}
    found = [desk.offer(name) for name in names]
    operator = ctx.allows("plugin.install")
    may_ask = operator or ctx.allows("plugin.manage")
    seen = [
        each for each in found
        if (each.state != "archived" or operator) and (each.state != "in_store" or may_ask)
    ]  # fmt: skip
    return sorted(seen, key=lambda each: (each.title.casefold(), each.name))


def offer(ctx: Context, name: str) -> Offer:
    """One plugin, also an archived or a waiting one. NotFound where nobody ever heard of it."""
    ctx.require("plugin.view")
    desk = _Desk(ctx)
    if name not in desk.views and name not in desk.rows and name not in desk.packages:
        raise NotFound("plugin.not_found", plugin=name)
    return desk.offer(name)


def touched(ctx: Context, found: Offer) -> Any:
    """How many enterprises, open orders and open gates of the whole installation hang on a plugin."""
    return rows.touches(ctx.session, found.name, list(modes(ctx, found)))


def modes(ctx: Context, found: Offer) -> tuple[str, ...]:
    """The keys of the trade modes it brings, as far as anybody knows."""
    noted = tuple(found.row.manifest.get("modes", ())) if found.row is not None else ()
    return noted or tuple(key for key, mode in ctx.ports.dispatch.modes.items() if mode.plugin == found.name)


def newest(packages: Iterable[Any]) -> Any:
    """The package of the highest version; None without any."""
    return max(packages, key=lambda each: _version(each.version), default=None)


class _Desk:
    """What is read once for a page."""

    def __init__(self, ctx: Context) -> None:
        self.now = ctx.now
        self.host = service.host()
        self.views = {each.name: each for each in service.plugins(ctx)}
        self.rows = {each.name: each for each in rows.plugins(ctx.session)}
        self.publishers = {each.key_id: each for each in rows.publishers(ctx.session)}
        self.by_hash: dict[str, Any] = {}
        self.packages: dict[str, list[Any]] = {}
        for package in rows.packages(ctx.session):
            self.by_hash[package.sha256] = package
            if package.kind == "plugin":
                self.packages.setdefault(package.plugin, []).append(package)

    def offer(self, name: str) -> Offer:
        view, row, loaded = self.views.get(name), self.rows.get(name), self.host.loaded.get(name)
        package = self.by_hash.get(row.packages[0]) if row is not None and row.packages else None
        if row is None and view is None:
            package = newest(self.packages[name])
        told: Mapping[str, Any] = (row.manifest if row is not None else None) or (package.manifest if package is not None else {})
        own = view.state if view is not None else "available"
        state, reason = self._state(name, own)
        publisher, tier = self._publisher(row, package)
        manifest = loaded.manifest if loaded is not None else None
        return Offer(
            name,
            said(manifest.title if manifest else told.get("title")) or name,
            said(manifest.summary if manifest else told.get("summary")),
            manifest.category if manifest else told.get("category", ""),
            row.version if row is not None else package.version if package is not None else view.version if view else "",
            state, own, reason, publisher, tier,
            manifest.licence if manifest else told.get("licence", ""), manifest.core if manifest else told.get("core", ""),
            row, loaded, package, self._newer(name, row),
        )  # fmt: skip

    def _state(self, name: str, own: str) -> tuple[str, str]:
        row = self.rows.get(name)
        if row is None:
            return (own, self.host.broken.get(name, "")) if name in self.views else ("in_store", "")
        if row.state == "archived":
            return "archived", ""
        if stopped(row, self.now):
            return "stopped", row.stopped_reason or ""
        if name in self.host.broken:
            return "broken", self.host.broken[name]
        return (own, "") if name in self.host.loaded else ("starting", "")

    def _publisher(self, row: Any, package: Any) -> tuple[str, str]:
        if row is not None and not row.packages:
            return "", PLATFORM if row.installed_by == "platform" else ""
        signer = self.publishers.get(package.signer) if package is not None else None
        if signer is None or signer.revoked_at is not None:
            return "", ""
        return signer.name, signer.tier

    def _newer(self, name: str, row: Any) -> Any:
        if row is None or not row.packages or row.state != "installed":
            return None
        found = newest(self.packages.get(name, ()))
        return found if found is not None and _version(found.version) > _version(row.version) else None


def stopped(row: Any, now: Any) -> bool:
    """Whether a plugin is out of use for everybody at this moment."""
    return row.stopped_by is not None and (row.stopped_until is None or row.stopped_until > now)


def _version(text: str) -> Version:
    try:
        return Version(text)
    except InvalidVersion:
        return Version("0")
