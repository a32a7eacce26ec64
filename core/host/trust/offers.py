"""What a source offers: wheels by name and version, chosen before anything of them is read."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Protocol

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.tags import Tag, sys_tags
from packaging.utils import InvalidWheelFilename, NormalizedName, parse_wheel_filename
from packaging.version import Version

HERE = ".".join(map(str, sys.version_info[:3]))


@dataclass(frozen=True)
class OfferedWheel:
    """A wheel as its source names it. `place` is a path or URL, `sha256` and `size` are what the source says, if it does."""

    filename: str
    distribution: NormalizedName
    version: Version
    tags: frozenset[Tag]
    place: str
    sha256: str = ""
    size: int | None = None
    requires_python: str = ""
    yanked: bool = False
    metadata_sha256: str | None = None  # None: its metadata is not offered apart; empty: it is, without a hash

    @property
    def fits(self) -> bool:
        """Whether it is made for this machine and this Python."""
        if not self.tags & _ours().keys():
            return False
        try:
            return SpecifierSet(self.requires_python).contains(HERE, prereleases=True)
        except InvalidSpecifier:
            return True


@dataclass(frozen=True)
class About:
    """What a wheel says of itself. `plugin` is None for a library and where only the metadata could be read."""

    summary: Mapping[str, str]
    requires: tuple[str, ...] = ()
    plugin: str | None = None
    title: Mapping[str, str] | None = None
    without_plugin: bool = False  # known to bring none: a library
    problem: tuple[str, Mapping[str, object]] | None = None  # why it cannot be taken: a code and its values


class Source(Protocol):
    """A folder or an index. Every method may raise Refused with what is wrong with the source."""

    @property
    def address(self) -> str: ...

    def names(self) -> list[str]:
        """Canonical names of the distributions on offer."""

    def wheels(self, name: str) -> list[OfferedWheel]:
        """All wheels of one distribution; none where it is not offered."""

    def about(self, wheel: OfferedWheel) -> About | None:
        """What can be known of a wheel without taking it; None where that is nothing."""

    def content(self, wheel: OfferedWheel, most: int) -> bytes:
        """The wheel's bytes, at most `most`; they are what the source's hash says."""

    def signature(self, wheel: OfferedWheel) -> str | None:
        """The signature file beside a wheel; None where there is none."""


def offered(filename: str, place: str, **said: object) -> OfferedWheel | None:
    """A wheel by its file name; None where that is no name of a wheel."""
    try:
        distribution, version, _, tags = parse_wheel_filename(filename)
    except InvalidWheelFilename:
        return None
    return OfferedWheel(filename, distribution, version, tags, place, **said)  # type: ignore[arg-type]


def best(wheels: Iterable[OfferedWheel], wanted: SpecifierSet) -> OfferedWheel | None:
    """The newest one that fits here and is wanted; an unfinished or withdrawn version only where nothing else is.

    A withdrawn version is never taken unless exactly it is wanted.
    """
    exact = any(each.operator in ("==", "===") for each in wanted)
    fitting = [
        each for each in wheels if each.fits and wanted.contains(each.version, prereleases=True) and (exact or not each.yanked)
    ]
    finished = [each for each in fitting if not each.version.is_prerelease]
    return max(finished or fitting, key=lambda each: (each.version, -_distance(each)), default=None)


def versions(wheels: Sequence[OfferedWheel]) -> list[OfferedWheel]:
    """One wheel for each version, the newest first; where several are offered, the one for this machine."""
    found: dict[Version, OfferedWheel] = {}
    for each in sorted(wheels, key=lambda wheel: (not wheel.fits, _distance(wheel))):
        found.setdefault(each.version, each)
    return [found[version] for version in sorted(found, reverse=True)]


def _distance(wheel: OfferedWheel) -> int:
    ours = _ours()
    return min((ours[tag] for tag in wheel.tags if tag in ours), default=len(ours))


@cache
def _ours() -> Mapping[Tag, int]:
    return {tag: place for place, tag in enumerate(sys_tags())}
