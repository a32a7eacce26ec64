"""A page that says neither who may see it nor why everybody may."""

import tongshang as ts
from tongshang import hookimpl

pages = ts.Pages("no_permission", prefix="/no_permission")


@pages.get("")
def index(ctx): ...


@hookimpl
def register_blueprints():
    return [pages]
