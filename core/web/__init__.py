"""Furniture of the web, the same in every room: endpoints, forms, problems, pages, pagers. No business in here."""

from core.web.api import PREFIX, Api
from core.web.endpoint import Answer, Endpoint
from core.web.flash import flash
from core.web.i18n import gettext
from core.web.navigation import NavEntry
from core.web.page import render
from core.web.pages import Pages, form, redirect
from core.web.platform import Platform, platform
from core.web.problem import Rejected
from core.web.schema import Fields as fields
from core.web.schema import Nothing, Schema
from core.web.visit import Visit

__all__ = [
    "PREFIX",
    "Answer",
    "Api",
    "Endpoint",
    "NavEntry",
    "Nothing",
    "Pages",
    "Platform",
    "Rejected",
    "Schema",
    "Visit",
    "fields",
    "flash",
    "form",
    "gettext",
    "platform",
    "redirect",
    "render",
]
