"""The demo: a world to look around in, and one whole trade played over the public API."""

from core.demo.play import play
from core.demo.world import current_code, seed

__all__ = ["current_code", "play", "seed"]
