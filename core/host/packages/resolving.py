"""Which packages make a plugin run: it, the plugins and libraries it needs, with what is installed and what Python brings.

resolvelib searches; this file only says what there is. The environment's own distributions are what they are, installed
plugins are kept unless the wish needs another version, and a conflict is told as the chain of who asks for what.
"""

import importlib.metadata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import resolvelib
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from core import __version__
from core.db import TenantSession
from core.host import rows
from core.host.standing import Standing
from core.kernel import NotFound, Refused

PLUGIN = "plugin:"


@dataclass(frozen=True)
class Candidate:
    """One version of one thing. `sha256` is None for what the Python environment brings."""

    name: str  # "plugin:spot" or the canonical name of a distribution
    version: Version
    needs: tuple[tuple[str, SpecifierSet], ...] = ()
    sha256: str | None = None
    kept: bool = False  # installed now: preferred to anything newer


@dataclass(frozen=True)
class Wish:
    """Somebody asks for something in a range."""

    name: str
    range: SpecifierSet
    by: str

    def __str__(self) -> str:
        return f"{self.by}: {self.name.removeprefix(PLUGIN)} {self.range}".rstrip()


@dataclass(frozen=True)
class Resolution:
    """The packages to install, the plugin's own first; `libraries` reads "name version"."""

    version: str
    packages: tuple[str, ...]
    libraries: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def resolve(
    session: TenantSession, name: str, now: Standing, *, sha256: str | None = None, version: str | None = None
) -> Resolution:
    """Find packages for a plugin among those handed in. Raises NotFound without any, Refused with the conflict in words."""
    packages = rows.packages(session)
    own = [each for each in packages if each.plugin == name and _chosen(each, sha256, version)]
    if not own:
        raise NotFound("plugin.no_package", plugin=name, version=version or sha256 or "*")
    exactly = {each.sha256 for each in own} if sha256 or version else None
    shop = Shop(packages, now, free=name, exactly=exactly)
    wishes = [Wish(PLUGIN + name, SpecifierSet(), "you")]
    wishes += [
        Wish(PLUGIN + each, SpecifierSet(), "installed") for each in sorted(now.running) if each != name
    ]
    try:
        found = resolvelib.Resolver(Provider(shop), resolvelib.BaseReporter()).resolve(wishes, max_rounds=500)
    except resolvelib.ResolutionImpossible as impossible:
        raise Refused("plugin.conflict", plugin=name, reason=_told(impossible.causes, shop)) from None
    except resolvelib.ResolutionTooDeep:
        raise Refused("plugin.conflict", plugin=name, reason="…") from None
    return _resolution(found.mapping, PLUGIN + name)


class Shop:
    """Everything that could be taken: packages handed in, plugins installed, distributions of the environment."""

    def __init__(self, packages: Sequence[Any], now: Standing, free: str, exactly: set[str] | None) -> None:
        self.now = now
        self.by_name: dict[str, list[Candidate]] = {}
        kept = {
            digest
            for plugin in now.plugins.values()
            if plugin.name != free and plugin.state == "installed"
            for digest in plugin.packages
        }
        for package in packages:
            if package.plugin == free and exactly is not None and package.sha256 not in exactly:
                continue
            candidate = _candidate(package, kept)
            if candidate is not None:
                self.by_name.setdefault(candidate.name, []).append(candidate)
        for plugin in now.plugins.values():
            if not plugin.packages and plugin.name != free and plugin.state == "installed":
                self.by_name.setdefault(PLUGIN + plugin.name, []).append(
                    Candidate(PLUGIN + plugin.name, Version(plugin.version or "0"), kept=True)
                )

    def candidates(self, name: str) -> list[Candidate]:
        """Best first: what is installed, then the newest. What the environment brings leaves no choice."""
        if not name.startswith(PLUGIN) and (brought := self.environment.get(name)):
            return [brought]
        return sorted(self.by_name.get(name, []), key=lambda each: (each.kept, each.version), reverse=True)

    @cached_property
    def environment(self) -> Mapping[str, Candidate]:
        found = {}
        for distribution in importlib.metadata.distributions():
            if distribution.name:
                name = canonicalize_name(distribution.name)
                found.setdefault(name, Candidate(name, Version(distribution.version)))
        found["tongshang"] = Candidate("tongshang", Version(__version__))
        return found


class Provider(resolvelib.AbstractProvider):  # type: ignore[misc]
    """What resolvelib asks."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop

    def identify(self, requirement_or_candidate: Any) -> str:
        return str(requirement_or_candidate.name)

    def get_preference(
        self, identifier: str, resolutions: Any, candidates: Any, information: Any, backtrack_causes: Any
    ) -> Any:
        return identifier in {cause.requirement.name for cause in backtrack_causes}, identifier

    def find_matches(self, identifier: str, requirements: Any, incompatibilities: Any) -> Iterable[Candidate]:
        wishes = list(requirements[identifier])
        unfit = {candidate.version for candidate in incompatibilities[identifier]}
        return [
            each
            for each in self.shop.candidates(identifier)
            if each.version not in unfit
            and all(wish.range.contains(each.version, prereleases=True) for wish in wishes)
        ]

    def is_satisfied_by(self, requirement: Wish, candidate: Candidate) -> bool:
        return requirement.range.contains(candidate.version, prereleases=True)

    def get_dependencies(self, candidate: Candidate) -> Iterable[Wish]:
        who = f"{candidate.name.removeprefix(PLUGIN)} {candidate.version}"
        return [Wish(name, range_, who) for name, range_ in candidate.needs]


def _chosen(package: Any, sha256: str | None, version: str | None) -> bool:
    return (sha256 is None or package.sha256 == sha256) and (
        version is None or Version(package.version) == Version(version)
    )


def _candidate(package: Any, kept: set[str]) -> Candidate | None:
    needs: list[tuple[str, SpecifierSet]] = []
    for line in package.requires:
        try:
            wanted = Requirement(line)
        except InvalidRequirement:
            return None
        if wanted.marker is None or wanted.marker.evaluate({"extra": ""}):
            needs.append((canonicalize_name(wanted.name), wanted.specifier))
    if package.kind == "plugin":
        needs += [
            (PLUGIN + Requirement(each).name, Requirement(each).specifier)
            for each in package.manifest.get("requires", ())
        ]
        needs.append(("tongshang", SpecifierSet(package.manifest.get("core", ""))))
    name = PLUGIN + package.plugin if package.kind == "plugin" else package.distribution
    return Candidate(name, Version(package.version), tuple(needs), package.sha256, package.sha256 in kept)


def _resolution(mapping: Mapping[str, Candidate], wanted: str) -> Resolution:
    """The wanted plugin's wheel and the libraries it reaches; plugins it needs must be installed by themselves."""
    reached = list(_reach(mapping, wanted))
    missing = [
        each for each in reached if each.name.startswith(PLUGIN) and each.name != wanted and not each.kept
    ]
    if missing:
        names = ", ".join(f"{each.name.removeprefix(PLUGIN)} {each.version}" for each in missing)
        raise Refused("plugin.install_first", plugin=wanted.removeprefix(PLUGIN), needed=names)
    libraries = [each for each in reached if not each.name.startswith(PLUGIN) and each.sha256 is not None]
    own = mapping[wanted]
    assert own.sha256 is not None
    return Resolution(
        str(own.version),
        (own.sha256, *(each.sha256 for each in libraries if each.sha256)),
        tuple(f"{each.name} {each.version}" for each in libraries),
    )


def _reach(mapping: Mapping[str, Candidate], name: str) -> Iterator[Candidate]:
    seen, waiting = set(), [name]
    while waiting:
        each = mapping[waiting.pop(0)]
        if each.name not in seen:
            seen.add(each.name)
            yield each
            waiting += [needed for needed, _ in each.needs]


def _told(causes: Iterable[Any], shop: Shop) -> str:
    """The conflict as a person would tell it: who wants what, and what there is of it."""
    wishes = sorted({str(cause.requirement) for cause in causes})
    names = sorted({cause.requirement.name for cause in causes})
    there = [
        f"{name.removeprefix(PLUGIN)}: {', '.join(str(each.version) for each in shop.candidates(name)) or '—'}"
        for name in names
    ]
    return "; ".join(wishes) + " | " + "; ".join(there)
