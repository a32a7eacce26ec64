"""The house of tests/app, one for each module."""

from tests.app.conftest import house

__all__ = ["house"]
