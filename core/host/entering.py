"""Entering a plugin by its own pages, API and menu: only where it is switched on, and with its settings at hand.

An enterprise that does not use a plugin gets the same answer as for an address that does not exist. No author writes
`if enabled`. While a plugin is stopped for everybody, its pages and API say so, the public ones too. A page that fails
names its plugin, is counted, and cannot end the transaction it is in.
"""

from collections.abc import Callable
from copy import copy
from dataclasses import replace
from functools import wraps
from typing import Any, TypeVar

from flask import g, request
from werkzeug.exceptions import HTTPException

from core.hooks import Dispatch
from core.kernel import Conflict, Context, NotFound
from core.web import PREFIX, Api, NavEntry, Pages

R = TypeVar("R", Pages, Api)


def entered(dispatch: Dispatch, name: str, routes: R) -> R:
    """The routes with the door before each. Raises ValueError for one outside the plugin's own place."""
    place = f"{PREFIX}/{name}" if isinstance(routes, Api) else f"/{name}"
    behind = copy(routes)
    behind.endpoints = []
    for endpoint in routes.endpoints:
        if endpoint.path != place and not endpoint.path.startswith(f"{place}/"):
            raise ValueError(f"{endpoint.method} {endpoint.path} must lie under {place}")
        what = f"{endpoint.method} {endpoint.path}"
        open_to_all = endpoint.view if endpoint.public else _behind_the_door(dispatch, name, what, endpoint.view)
        closed = _unless_stopped(dispatch, name, open_to_all)
        behind.endpoints.append(replace(endpoint, view=closed))
    return behind


def _unless_stopped(dispatch: Dispatch, name: str, view: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(view)
    def say_or_view(visit: Any, **arguments: Any) -> Any:
        if (reason := dispatch.stopped.get(name)) is not None:
            raise Conflict("plugin.stopped", plugin=name, reason=reason)
        return view(visit, **arguments)

    return say_or_view


def _behind_the_door(dispatch: Dispatch, name: str, what: str, view: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(view)
    def enter_and_view(ctx: Context, **arguments: Any) -> Any:
        if name not in ctx.ports.enabled(ctx, ctx.tenant_id):
            raise NotFound("plugin.not_enabled", plugin=name)
        return dispatch.visit(name, what, ctx, lambda: view(ctx, **arguments), passes=(HTTPException,))

    return enter_and_view


def counted(dispatch: Dispatch, name: str, entry: NavEntry) -> NavEntry:
    """A plugin's menu entry: its `count(ctx)` is asked like a decorating hook, so a failing one only shows no number."""
    count = entry.count
    if count is None:
        return entry

    def ask() -> int | None:
        only_reads = request.method in ("GET", "HEAD")
        answer = (dispatch.glance if only_reads else dispatch.ask)(name, "register_menu", g.ctx, count)
        return answer if isinstance(answer, int) else None

    return replace(entry, count=ask)
