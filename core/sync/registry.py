"""The connectors this installation has, found by their entry points; a broken one is listed, not fatal."""

import importlib.metadata
import importlib.util
import logging
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from core.kernel import NotFound
from core.sync.contract import Connector

GROUP = "tongshang.connectors"
log = logging.getLogger("tongshang.sync")


class Registry:
    """Connectors by key."""

    def __init__(self, connectors: Iterable[Connector] = ()) -> None:
        self._known = {connector.key: connector for connector in connectors}
        self.broken: dict[str, str] = {}
        self.words: list[Path] = []  # the `words` folders their packages bring

    @classmethod
    def installed(cls) -> "Registry":
        """Every connector whose entry point names a module with `connector()`, or a connector class."""
        registry = cls()
        for entry in importlib.metadata.entry_points(group=GROUP):
            try:
                found = entry.load()
                made = found.connector() if hasattr(found, "connector") else found()
                registry._known[made.key] = made
                registry.words += _words(entry.module)
            except (ImportError, AttributeError, TypeError, ValueError, SyntaxError) as error:
                registry.broken[entry.name] = f"{type(error).__name__}: {error}"
                log.exception("connector %s cannot be loaded", entry.name)
        return registry

    def __getitem__(self, key: str) -> Connector:
        try:
            return self._known[key]
        except KeyError:
            raise NotFound("connection.connector_missing", connector=key) from None

    def __contains__(self, key: str) -> bool:
        return key in self._known

    def __iter__(self) -> Iterator[Connector]:
        return iter(self._known.values())


def _words(module: str) -> list[Path]:
    """Every `words` folder of the top package a connector lives in; a single module has none."""
    spec = importlib.util.find_spec(module.partition(".")[0])
    places = spec.submodule_search_locations if spec else None
    return [folder for place in places or () for folder in sorted(Path(place).rglob("words")) if folder.is_dir()]


@cache
def connectors() -> Registry:
    """The installed connectors; looked for once per process, for their set changes only with the installation."""
    return Registry.installed()
