"""Plugins over JSON: what an enterprise switches on, and what the operator brings into the installation."""

from core.host.api import enterprise, platform, settings, trust
from core.host.api.frame import api

__all__ = ["api", "enterprise", "platform", "settings", "trust"]
