"""A plugin's manifest, read from `plugin.toml` before any of its code runs."""

import importlib.metadata
import importlib.util
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import Version

from core import __version__

GROUP = "tongshang.plugins"
NAME = re.compile(r"^[a-z][a-z0-9_]{1,30}$")
OURS = frozenset({"changes", "installation", "trust", "upload"})
"""Pages of the store that lie where a plugin of this name would have its own."""


def next_breaking(version: str) -> str:
    """The first version after `version` that may take something away: 2.0 after 1.4, and before 1.0 the next second number."""
    known = Version(version)
    return f"{known.major + 1}.0" if known.major else f"0.{known.minor + 1}"


class ManifestError(ValueError):
    """What is wrong with a manifest, for the list of broken plugins."""


@dataclass(frozen=True)
class Manifest:
    """What a plugin says of itself. The name gives schema, URL prefix, permission prefix, templates and words."""

    name: str
    title: dict[str, str]
    summary: dict[str, str]
    category: str
    core: str
    module: str
    folder: Path
    requires: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    conflicts: tuple[str, ...] = ()
    scope: str = "tenant"
    permissions: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()  # addresses outside that it calls
    slots: tuple[str, ...] = ()  # places on pages that it fills
    definers: tuple[str, ...] = ()  # functions of its schema that look past the enterprise (SECURITY DEFINER)
    licence: str = ""
    version: str = ""
    extra: dict[str, object] = field(default_factory=dict)

    @property
    def schema(self) -> str:
        return f"plugin_{self.name}"

    def fits(self) -> bool:
        """Whether this core is in the range the plugin was made for."""
        return Version(__version__) in SpecifierSet(self.core, prereleases=True)


def read(folder: Path, module: str, version: str = "") -> Manifest:
    """Parse and check `plugin.toml` in a package folder."""
    try:
        said = (folder / "plugin.toml").read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ManifestError(f"{module} has no plugin.toml") from None
    except UnicodeDecodeError as wrong:
        raise ManifestError(f"{module}: plugin.toml cannot be read: {wrong}") from None
    return parse(said, module, folder, version)


def parse(content: str, module: str, folder: Path, version: str = "") -> Manifest:
    """Check the text of a `plugin.toml`. Raises ManifestError that names the key."""
    try:
        said = tomllib.loads(content)
    except tomllib.TOMLDecodeError as wrong:
        raise ManifestError(f"{module}: plugin.toml cannot be read: {wrong}") from None
    known = {f for f in Manifest.__dataclass_fields__ if f not in ("module", "folder", "extra")}
    missing = {"name", "title", "category", "core"} - said.keys()
    if missing:
        raise ManifestError(f"{module}: plugin.toml lacks {', '.join(sorted(missing))}")
    if not NAME.match(str(said["name"])):
        raise ManifestError(f"{module}: {said['name']!r} is no plugin name (lower case letters, digits, _)")
    if said["name"] in OURS:
        raise ManifestError(f"{module}: {said['name']!r} is a page of the store; a plugin needs another name")
    try:
        SpecifierSet(said["core"])
    except InvalidSpecifier:
        raise ManifestError(f"{module}: core = {said['core']!r} is no version range") from None
    for each in said.get("requires", ()):
        try:
            Requirement(each)
        except InvalidRequirement:
            raise ManifestError(f"{module}: requires {each!r} is no plugin with a version range") from None
    given = {
        key: tuple(value) if isinstance(value, list) else value for key, value in said.items() if key in known
    }
    for key in ("title", "summary"):
        words = given.get(key, {})
        given[key] = {"zh": words, "en": words} if isinstance(words, str) else dict(words)
    given.setdefault("version", version)
    extra = {key: value for key, value in said.items() if key not in known}
    return Manifest(module=module, folder=folder, extra=extra, **given)


def discover() -> Iterator[tuple[str, Manifest | ManifestError]]:
    """(name, manifest or what is wrong) of every plugin Python can find, without importing one."""
    seen = set()
    for point in sorted(importlib.metadata.entry_points(group=GROUP), key=lambda each: each.name):
        if point.name in seen:
            continue
        seen.add(point.name)
        module = point.value.partition(":")[0]
        try:
            spec = importlib.util.find_spec(module)
        except (ImportError, ValueError) as wrong:
            yield point.name, ManifestError(f"{module} cannot be found: {wrong}")
            continue
        if spec is None or not spec.submodule_search_locations:
            yield point.name, ManifestError(f"{module} is not a package")
            continue
        try:
            found = read(
                Path(next(iter(spec.submodule_search_locations))),
                module,
                point.dist.version if point.dist else "",
            )
            if found.name != point.name:
                raise ManifestError(f"{module}: named {point.name!r} outside and {found.name!r} inside")
            yield point.name, found
        except ManifestError as wrong:
            yield point.name, wrong
