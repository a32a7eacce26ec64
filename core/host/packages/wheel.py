"""A wheel, read without running anything of it: what it is, what it needs, and the plugin's manifest inside.

Wheels are zip files of a stranger: names that leave the folder, links, bombs and doubled entries are refused here, once.
"""

import email.parser
import hashlib
import io
import posixpath
import stat
import zipfile
from configparser import ConfigParser, Error
from dataclasses import dataclass
from pathlib import Path

from packaging.tags import sys_tags
from packaging.utils import InvalidWheelFilename, NormalizedName, canonicalize_name, parse_wheel_filename
from packaging.version import Version

from core.host.manifest import GROUP, Manifest, ManifestError, parse
from core.kernel import Invalid

MOST_BYTES = 52_428_800  # of the wheel
MOST_UNPACKED = 262_144_000
MOST_FILES = 20_000


@dataclass(frozen=True)
class Wheel:
    """A checked wheel. `manifest` is None for a library; `requires` are its Requires-Dist lines without extras."""

    filename: str
    sha256: str
    size: int
    distribution: NormalizedName
    version: Version
    requires: tuple[str, ...]
    requires_python: str
    manifest: Manifest | None
    licence: str
    content: bytes

    @property
    def plugin(self) -> str | None:
        return self.manifest.name if self.manifest else None


def read(content: bytes, filename: str) -> Wheel:
    """Check and describe a wheel. Raises Invalid on `wheel` that says what is wrong with it."""
    name = posixpath.basename(filename.replace("\\", "/"))
    if len(content) > MOST_BYTES:
        raise _wrong("plugin.wheel_too_large", name=name, most=MOST_BYTES // 1_048_576)
    try:
        distribution, version, _build, tags = parse_wheel_filename(name)
    except InvalidWheelFilename:
        raise _wrong("plugin.wheel_name", name=name) from None
    if not tags & set(sys_tags()):
        raise _wrong("plugin.wheel_other_machine", name=name)
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
    except zipfile.BadZipFile:
        raise _wrong("plugin.wheel_unreadable", name=name) from None
    with archive:
        _sound(archive, name)
        info = _info_folder(archive, name)
        said = email.parser.Parser().parsestr(_text(archive, f"{info}/METADATA", name))
        if canonicalize_name(str(said["Name"])) != distribution or str(said["Version"]) != str(version):
            raise _wrong("plugin.wheel_disagrees", name=name, inside=f"{said['Name']} {said['Version']}")
        return Wheel(
            filename=name,
            sha256=hashlib.sha256(content).hexdigest(),
            size=len(content),
            distribution=distribution,
            version=version,
            requires=tuple(line for line in said.get_all("Requires-Dist", []) if "extra ==" not in line),
            requires_python=said.get("Requires-Python", ""),
            manifest=_manifest(archive, info, str(version), name),
            licence=said.get("License-Expression") or said.get("License") or "",
            content=content,
        )


def _manifest(archive: zipfile.ZipFile, info: str, version: str, name: str) -> Manifest | None:
    """The manifest of the plugin that the wheel's entry point names; None for a library."""
    points = ConfigParser(delimiters=("=",), interpolation=None)
    points.optionxform = str  # type: ignore[assignment, method-assign]  # names keep their case
    try:
        if f"{info}/entry_points.txt" in archive.namelist():
            points.read_string(_text(archive, f"{info}/entry_points.txt", name))
    except Error:
        raise _wrong("plugin.wheel_unreadable", name=name) from None
    named = dict(points[GROUP]) if points.has_section(GROUP) else {}
    if not named:
        return None
    if len(named) > 1:
        raise _wrong("plugin.wheel_two_plugins", name=name, plugins=", ".join(sorted(named)))
    plugin, module = next(iter(named.items()))
    folder = module.partition(":")[0].replace(".", "/")
    try:
        found = parse(
            _text(archive, f"{folder}/plugin.toml", name), module.partition(":")[0], Path(folder), version
        )
        if found.name != plugin:
            raise ManifestError(f"named {plugin!r} outside and {found.name!r} inside")
        if Version(found.version) != Version(version):
            raise ManifestError(f"plugin.toml says {found.version}, the package {version}")
    except (ManifestError, ValueError) as wrong:
        raise _wrong("plugin.manifest_wrong", name=name, reason=str(wrong)) from None
    return found


def _sound(archive: zipfile.ZipFile, name: str) -> None:
    entries = archive.infolist()
    if len(entries) > MOST_FILES or sum(entry.file_size for entry in entries) > MOST_UNPACKED:
        raise _wrong("plugin.wheel_bomb", name=name)
    seen = set()
    for entry in entries:
        path = entry.filename
        outside = path.startswith("/") or "\\" in path or ":" in path or ".." in path.split("/")
        if outside or stat.S_ISLNK(entry.external_attr >> 16) or path in seen:
            raise _wrong("plugin.wheel_unsafe", name=name, entry=path)
        seen.add(path)
    try:
        bad = archive.testzip()
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError):
        bad = "?"
    if bad is not None:
        raise _wrong("plugin.wheel_unreadable", name=name)


def _info_folder(archive: zipfile.ZipFile, name: str) -> str:
    found = {path.split("/")[0] for path in archive.namelist() if path.split("/")[0].endswith(".dist-info")}
    if len(found) != 1:
        raise _wrong("plugin.wheel_unreadable", name=name)
    return found.pop()


def _text(archive: zipfile.ZipFile, path: str, name: str) -> str:
    try:
        return archive.read(path).decode("utf-8")
    except KeyError:
        raise _wrong("plugin.wheel_lacks", name=name, path=path) from None
    except UnicodeDecodeError:
        raise _wrong("plugin.wheel_unreadable", name=name) from None


def _wrong(code: str, **values: object) -> Invalid:
    return Invalid.one("wheel", code, **values)
