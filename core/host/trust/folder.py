"""A folder of wheels as a source: a share in the plant, a memory stick, no network at all.

Wheels lie in the folder or one folder deeper, each with its signature beside it: `name.whl` and `name.whl.minisig`.
"""

from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path

from packaging.utils import canonicalize_name

from core.host import packages
from core.host.packages.wheel import MOST_BYTES
from core.host.trust.minisign import LONGEST
from core.host.trust.offers import About, OfferedWheel, offered
from core.kernel import Invalid, Refused

MOST_WHEELS = 2_000
ENDING = ".minisig"


@dataclass(frozen=True)
class Folder:
    """See `offers.Source`."""

    address: str

    def names(self) -> list[str]:
        return sorted({each.distribution for each in self.found})

    def wheels(self, name: str) -> list[OfferedWheel]:
        wanted = canonicalize_name(name)
        return [each for each in self.found if each.distribution == wanted]

    def about(self, wheel: OfferedWheel) -> About | None:
        path = Path(wheel.place)
        try:
            stat = path.stat()
        except OSError:
            return None
        return _glance(wheel.place, stat.st_mtime_ns, stat.st_size)

    def content(self, wheel: OfferedWheel, most: int) -> bytes:
        try:
            with open(wheel.place, "rb") as file:
                content = file.read(most + 1)
        except OSError as wrong:
            raise Refused("plugin.source_folder", folder=self.address, reason=wrong.strerror or "?") from None
        if len(content) > most:
            raise Refused("plugin.offer_too_large", file=wheel.filename, most=most // 1_048_576)
        return content

    def signature(self, wheel: OfferedWheel) -> str | None:
        try:
            with open(wheel.place + ENDING, encoding="utf-8", errors="replace", newline="") as file:
                return file.read(LONGEST + 1)
        except FileNotFoundError:
            return None
        except OSError as wrong:
            raise Refused("plugin.source_folder", folder=self.address, reason=wrong.strerror or "?") from None

    @cached_property
    def found(self) -> list[OfferedWheel]:
        """Every wheel in it, looked for once."""
        folder = Path(self.address)
        try:
            inside = sorted(folder.iterdir())
            paths = [path for path in inside if path.suffix == ".whl" and path.is_file()]
            paths += [path for each in inside if each.is_dir() for path in sorted(each.glob("*.whl")) if path.is_file()]
        except OSError as wrong:
            raise Refused("plugin.source_folder", folder=self.address, reason=wrong.strerror or "?") from None
        wheels = (offered(path.name, str(path)) for path in paths[:MOST_WHEELS])
        return [replace(each, size=Path(each.place).stat().st_size) for each in wheels if each is not None]


@lru_cache(maxsize=MOST_WHEELS)
def _glance(place: str, changed: int, size: int) -> About:
    """What a wheel says, read once for each state of the file."""
    path = Path(place)
    if size > MOST_BYTES:
        return About({}, problem=("plugin.wheel_too_large", {"name": path.name, "most": MOST_BYTES // 1_048_576}))
    try:
        wheel = packages.read(path.read_bytes(), path.name)
    except Invalid as wrong:
        return About({}, problem=(wrong.errors[0].code, wrong.errors[0].values))
    except OSError as wrong:
        return About({}, problem=("plugin.source_folder", {"folder": place, "reason": wrong.strerror or "?"}))
    manifest = wheel.manifest
    if manifest is None:
        return About({}, wheel.requires, without_plugin=True)
    return About(manifest.summary, wheel.requires, manifest.name, manifest.title)
