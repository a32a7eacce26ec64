"""Which plugins an installation has, as its database says: what a process brings in when it starts."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from sqlalchemy import Connection, text

from core.host.packages import Shelf


@dataclass(frozen=True)
class Installed:
    """A plugin of the installation. Without `packages` its code comes from the Python environment."""

    name: str
    state: str
    version: str
    packages: tuple[str, ...] = ()


@dataclass(frozen=True)
class Standing:
    """The plugin set at one epoch. Epoch 0: nothing was ever installed through this database."""

    epoch: int
    plugins: Mapping[str, Installed]

    @property
    def running(self) -> frozenset[str]:
        """Those whose code is brought in; archived ones are not."""
        return frozenset(name for name, plugin in self.plugins.items() if plugin.state == "installed")

    @property
    def packages(self) -> tuple[str, ...]:
        """The wheels the running ones need, each once."""
        return tuple(
            dict.fromkeys(each for name in sorted(self.running) for each in self.plugins[name].packages)
        )

    def with_(self, plugin: Installed) -> "Standing":
        """The set after a change that has not happened yet."""
        return replace(self, plugins=MappingProxyType({**self.plugins, plugin.name: plugin}))

    def without(self, name: str) -> "Standing":
        return replace(
            self, plugins=MappingProxyType({key: each for key, each in self.plugins.items() if key != name})
        )


def read(connection: Connection) -> Standing:
    """Ask the database. Needs no tenant."""
    epoch = connection.execute(text("SELECT ts.plugin_epoch_now()")).scalar() or 0
    rows = connection.execute(text("SELECT name, state, version, packages FROM ts.plugins()")).all()
    found = {row.name: Installed(row.name, row.state, row.version, tuple(row.packages)) for row in rows}
    return Standing(epoch, MappingProxyType(found))


def fetcher(connection: Connection) -> Callable[[str], bytes]:
    """How a shelf gets a package it does not have. Raises ValueError for one the database does not know."""

    def fetch(digest: str) -> bytes:
        content = connection.execute(text("SELECT ts.plugin_content(:digest)"), {"digest": digest}).scalar()
        if content is None:
            raise ValueError(f"the package {digest[:12]} is not in the database")
        return bytes(content)

    return fetch


def placed(standing: Standing, connection: Connection, data: Path) -> list[Path]:
    """The folders of all packages of a set, unpacked where they were not yet."""
    shelf, fetch = Shelf(data), fetcher(connection)
    return [shelf.place(digest, fetch) for digest in standing.packages]
