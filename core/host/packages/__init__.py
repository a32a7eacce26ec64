"""What a plugin comes in: wheels, read without running them, resolved among each other, and where they lie unpacked."""

from core.host.packages.shelf import Shelf, importable
from core.host.packages.wheel import Wheel, read

__all__ = ["Shelf", "Wheel", "importable", "read"]
