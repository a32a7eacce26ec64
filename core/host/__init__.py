"""Plugins' life: found by manifest, installed from packages, brought in one by one, changed without losing anything."""

from core.host.loading import Host, Loaded, load
from core.host.manifest import Manifest, ManifestError, discover
from core.host.standing import Installed, Standing

__all__ = ["Host", "Installed", "Loaded", "Manifest", "ManifestError", "Standing", "discover", "load"]
