"""Taking a package from a source, with the libraries it needs that are neither here nor in store, from the same source.

Everything is fetched and checked before anything is kept: a source that fails in the middle leaves nothing behind.
"""

from collections import deque
from dataclasses import dataclass, field
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name

from core.host import packages, rows, standing
from core.host.life import changes
from core.host.packages import Wheel, resolving
from core.host.packages.wheel import MOST_BYTES
from core.host.trust.offers import OfferedWheel, Source, best
from core.host.trust.publishers import signer_of
from core.host.trust.sources import opened, patient, source
from core.kernel import Context, Invalid, NotFound, Refused

MOST_LIBRARIES = 40
MOST_TOGETHER = 4 * MOST_BYTES


@dataclass(frozen=True)
class Fetched:
    """What came. `plugin` is None for a library; `libraries` and `missing` read as requirements.

    `stranger` is the id of a key nobody trusts that signed the package: it is kept as one without a signature.
    """

    sha256: str
    plugin: str | None
    distribution: str
    version: str
    signer: str | None
    stranger: str | None = None
    libraries: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


@dataclass
class Basket:
    """What was taken so far. Nothing of it is in store yet."""

    ctx: Context
    shop: Source
    here: resolving.Shop
    taken: list[tuple[Wheel, str | None, str | None]] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    def take(self, chosen: OfferedWheel) -> Wheel:
        """Fetch, read and check one wheel. Raises Refused or Invalid with what is wrong."""
        left = min(MOST_BYTES, MOST_TOGETHER - sum(wheel.size for wheel, _, _ in self.taken))
        wheel = packages.read(self.shop.content(chosen, left), chosen.filename)
        signature = self.shop.signature(chosen)
        signer, stranger = self._signer(wheel, signature) if signature is not None else (None, None)
        if not chosen.sha256 and signer is None and "://" in chosen.place:
            raise Refused("plugin.offer_unhashed", file=chosen.filename)
        self.taken.append((wheel, signer, stranger))
        return wheel

    def take_libraries(self, wheel: Wheel) -> None:
        """What the wheel needs and is nowhere here, and what that needs in turn."""
        waiting = deque(_needs(wheel.requires))
        seen = {wheel.distribution}
        while waiting:
            name, wanted = waiting.popleft()
            if name in seen:
                continue
            seen.add(canonicalize_name(name))
            known = self.here.candidates(name)
            kept = next((each for each in known if wanted.contains(each.version, prereleases=True)), None)
            if kept is not None:
                waiting.extend(need for need in kept.needs if not need[0].startswith(resolving.PLUGIN))
                continue
            chosen = best(self.shop.wheels(name), wanted)
            if chosen is None or any(each.sha256 is None for each in known):  # another version than Python's own cannot come
                self.missing.append(f"{name} {wanted}".strip())
                continue
            if len(self.taken) > MOST_LIBRARIES:
                raise Refused("plugin.too_many_libraries", file=wheel.filename, most=MOST_LIBRARIES)
            waiting.extend(_needs(self.take(chosen).requires))

    def _signer(self, wheel: Wheel, signature: str) -> tuple[str | None, str | None]:
        try:
            return signer_of(self.ctx, wheel, signature), None
        except Invalid as wrong:
            if wrong.errors[0].code != "plugin.signer_unknown":
                raise
            return None, str(wrong.errors[0].values["key"])


def fetch(ctx: Context, data: Path, address: str, distribution: str, version: str | None = None) -> Fetched:
    """Keep a package of a source, its newest version or a given one. It is read, not run; nothing is installed by it.

    Raises NotFound where the place is not allowed or does not offer it, Refused where the source or the package is wrong.
    """
    ctx.require("plugin.install")
    known = source(ctx, address)
    patient(ctx)
    shop = opened(known, data)
    try:
        wanted = SpecifierSet(f"=={version}" if version else "")
    except InvalidSpecifier:
        raise Invalid.one("version", "plugin.no_such_version", version=version) from None
    chosen = best(shop.wheels(distribution), wanted)
    if chosen is None:
        raise NotFound("plugin.not_offered", distribution=f"{distribution[:100]} {version or ''}".strip(), address=known.address)
    now = standing.read(ctx.session.connection())
    basket = Basket(ctx, shop, resolving.Shop(rows.packages(ctx.session), now, free="", exactly=None))
    wheel = basket.take(chosen)
    basket.take_libraries(wheel)
    for each, signer, _ in basket.taken:
        changes.keep(ctx, each, source=known.address, signer=signer)
    (_, signer, stranger), *libraries = basket.taken
    plugins = wheel.manifest.requires if wheel.manifest else ()
    absent = [each for each in plugins if not _running(each, now)]
    return Fetched(
        wheel.sha256, wheel.plugin, str(wheel.distribution), str(wheel.version), signer, stranger,
        tuple(f"{each.distribution} {each.version}" for each, _, _ in libraries), (*basket.missing, *absent),
    )  # fmt: skip


def _needs(lines: tuple[str, ...]) -> list[tuple[str, SpecifierSet]]:
    found = []
    for line in lines:
        try:
            wanted = Requirement(line)
        except InvalidRequirement:
            continue  # the plan refuses such a package with the line that is wrong
        if wanted.marker is None or wanted.marker.evaluate({"extra": ""}):
            found.append((str(canonicalize_name(wanted.name)), wanted.specifier))
    return found


def _running(requirement: str, now: standing.Standing) -> bool:
    wanted = Requirement(requirement)
    there = now.plugins.get(wanted.name)
    return there is not None and there.state == "installed" and wanted.specifier.contains(there.version or "0", prereleases=True)
