"""A plugin as it lies in its author's folder: found without running any of it, and brought beside the installed ones."""

import tomllib
from configparser import ConfigParser, Error
from dataclasses import dataclass
from pathlib import Path

from core.config import UserError
from core.host.manifest import GROUP, Manifest, ManifestError, read

BUILD_FILES = ("pyproject.toml", "setup.cfg")
MAKE_ONE = "Give the folder that holds pyproject.toml, or make one: `run.py plugin new NAME --into DIR`."


@dataclass(frozen=True)
class Source:
    """`folder` holds pyproject.toml, `root` is where its package is imported from."""

    folder: Path
    root: Path
    distribution: str
    version: str
    manifest: Manifest

    @property
    def name(self) -> str:
        return self.manifest.name

    @property
    def tests(self) -> Path:
        return self.folder / "tests"

    def stand_beside(self, place: Path) -> list[Path]:
        """Write into `place` what an installation would have written. Answers the folders Python must look in."""
        info = place / f"{self.distribution.replace('-', '_')}-{self.version}.dist-info"
        info.mkdir(parents=True, exist_ok=True)
        about = f"Metadata-Version: 2.1\nName: {self.distribution}\nVersion: {self.version}\n"
        (info / "METADATA").write_text(about, encoding="utf-8")
        point = f"[{GROUP}]\n{self.name} = {self.manifest.module}\n"
        (info / "entry_points.txt").write_text(point, encoding="utf-8")
        return [place, self.root]


def find(path: Path) -> Source:
    """The one plugin of a folder. Raises UserError that says which file lacks what."""
    folder = path.expanduser().resolve()
    if not folder.is_dir():
        raise UserError("There is no such folder.", str(path), MAKE_ONE)
    distribution, version, points = _said(folder)
    if len(points) != 1:
        raise UserError(
            f"The package names {len(points)} plugins; it must name one.",
            str(folder),
            f'Write one line under [project.entry-points."{GROUP}"] in pyproject.toml.',
        )
    name, module = next(iter(points.items()))
    module = module.partition(":")[0]
    for root in (folder, folder / "src"):
        package = root.joinpath(*module.split("."))
        if package.is_dir():
            break
    else:
        raise UserError(
            "The package that the entry point names is not there.",
            f"{folder}: {module}",
            "Name the folder of the package.",
        )
    try:
        manifest = read(package, module, version)
    except ManifestError as wrong:
        raise UserError(
            f"The manifest is wrong: {wrong}", str(package / "plugin.toml"), "Mend this line."
        ) from None
    if manifest.name != name:
        raise UserError(
            f"The plugin is named {name} outside and {manifest.name} inside.",
            str(package / "plugin.toml"),
            "Give both the same name.",
        )
    return Source(folder, root, distribution, version, manifest)


def _said(folder: Path) -> tuple[str, str, dict[str, str]]:
    """Distribution, version and entry points, from pyproject.toml or setup.cfg."""
    if not any((folder / name).is_file() for name in BUILD_FILES):
        raise UserError("This folder is no Python package.", str(folder), MAKE_ONE)
    distribution, version, points = "", "", {}
    if (folder / "setup.cfg").is_file():
        parser = ConfigParser(interpolation=None)
        parser.optionxform = str  # type: ignore[assignment, method-assign]  # names keep their case
        try:
            parser.read(folder / "setup.cfg", encoding="utf-8")
        except Error as wrong:
            raise UserError(
                f"The file cannot be read: {wrong}", str(folder / "setup.cfg"), "Mend this line."
            ) from None
        distribution = parser.get("metadata", "name", fallback="")
        version = parser.get("metadata", "version", fallback="")
        held = parser.get("options.entry_points", GROUP, fallback="")
        points = {
            key.strip(): value.strip()
            for key, _, value in (line.partition("=") for line in held.splitlines())
            if value
        }
    if (folder / "pyproject.toml").is_file():
        try:
            project = tomllib.loads((folder / "pyproject.toml").read_text("utf-8")).get("project", {})
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as wrong:
            raise UserError(
                f"The file cannot be read: {wrong}", str(folder / "pyproject.toml"), "Mend this line."
            ) from None
        distribution, version = project.get("name", distribution), project.get("version", version)
        points = {**points, **project.get("entry-points", {}).get(GROUP, {})}
    return distribution or folder.name, version or "0", points
