"""Plugins' life: found by manifest, brought in one by one, listed with the reason when broken."""

from core.host.loading import Host, Loaded, load
from core.host.manifest import Manifest, ManifestError, discover

__all__ = ["Host", "Loaded", "Manifest", "ManifestError", "discover", "load"]
