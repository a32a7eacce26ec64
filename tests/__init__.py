"""Tests; a package, because another distribution brings one of this name."""
