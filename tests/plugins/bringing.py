"""Bringing a plugin in without installing it: from its folder, as the host does it."""

from pathlib import Path
from types import ModuleType

from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from core.hooks import Dispatch
from core.host import Host, shipping, tables
from core.host.loading import bring_in
from core.host.manifest import Manifest, read


def manifest_of(plugin: ModuleType) -> Manifest:
    assert plugin.__file__
    return read(Path(plugin.__file__).parent, plugin.__name__, "0.1.0")


def bring(plugin: ModuleType) -> Host:
    """A host with this one plugin; a plugin that does not come in fails the test with the host's reason."""
    host = Host(Dispatch())
    bring_in(host, manifest_of(plugin))
    assert host.broken == {}
    return host


def migrate(url: str, plugin: ModuleType) -> list[str]:
    """The plugin's own history, as the migrator runs it, with the plugins of the house written down as installed."""
    engine = create_engine(url, poolclass=NullPool)
    try:
        with engine.begin() as connection:
            shipping.install_shipped(connection)
            return tables.migrate(connection, manifest_of(plugin))
    finally:
        engine.dispose()
