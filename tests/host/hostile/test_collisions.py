"""A plugin whose names are taken stays out with the reason, before anything of the application is made by it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from core.hooks import Dispatch
from core.host import Host, load
from tests.host.conftest import Install, install, start

__all__ = ["install", "start"]
Start = Callable[..., Host]

CODE = """
import tongshang as ts
from tongshang import hookimpl

def collection(kind, name, *paths):
    made = kind(name)
    for number, path in enumerate(paths):
        def view(ctx, **more): ...
        view.__name__ = f"view{{number}}"
        made.get(path, permission="{name}.see")(view)
    return made

@hookimpl
def register_blueprints():
    return [{pages}]

@hookimpl
def register_api():
    return [{api}]

@hookimpl
def register_permissions():
    return [{permissions}]
"""


def code(name: str, pages: str = "", api: str = "", permissions: str = "") -> str:
    return CODE.format(name=name, pages=pages, api=api, permissions=permissions)


@pytest.mark.parametrize(
    ("pages", "api", "reason"),
    [
        ("collection(ts.Pages, 'twice', '/twice/<a>', '/twice/<uuid:b>')", "", "/twice/<uuid:b> is there twice: view0, view1"),
        ("collection(ts.Pages, 'twice', '/twice'), collection(ts.Pages, 'twice_more', '/twice')", "", "is there twice"),
        ("collection(ts.Pages, 'twice', '/twice'), collection(ts.Pages, 'twice', '/twice/b')", "", "two Pages called twice"),
        ("", "collection(ts.Api, 'twice', '/twice/a', '/twice/a')", "GET /api/v1/twice/a is there twice"),
        ("collection(ts.Pages, 'orders', '/twice')", "", "its Pages are called orders; the name begins with twice"),
    ],
)
def test_routes_that_collide_keep_their_plugin_out(
    install: Install, start: Start, pages: str, api: str, reason: str
) -> None:
    install("twice", code("twice", pages, api))
    host = start("twice")
    assert reason in host.broken["twice"] and not host.loaded


def test_no_plugin_takes_a_place_of_the_platform(install: Install, start: Start) -> None:
    install("orders", code("orders", "collection(ts.Pages, 'orders', '/orders/latest')"))
    assert "/orders is a place of the platform" in start("orders").broken["orders"]


def test_the_later_of_two_plugins_with_one_name_for_their_routes_stays_out(install: Install, start: Start) -> None:
    install("near", code("near", "collection(ts.Pages, 'near_by', '/near')"))
    install("near_by", code("near_by", "collection(ts.Pages, 'near_by', '/near_by')"))
    host = start("near", "near_by")
    assert list(host.loaded) == ["near"]
    assert host.broken["near_by"] == "ValueError: its Pages are called near_by, as those of near are"


@pytest.mark.parametrize(
    ("name", "permissions", "reason"),
    [
        ("greedy", "ts.Permission('order.submit', 'x')", "must start with greedy."),
        ("greedy", "ts.Permission('greedy.see', 'x'), ts.Permission('greedy.see', 'y')", "is there twice"),
        ("order", "ts.Permission('order.submit', 'x')", "order.submit is the platform's"),
    ],
)
def test_permissions_of_others_are_not_to_be_had(
    install: Install, start: Start, name: str, permissions: str, reason: str
) -> None:
    install(name, code(name, permissions=permissions))
    assert reason in start(name).broken[name]


def test_a_route_without_a_permission_cannot_be_made(install: Install, start: Start) -> None:
    install("open", 'import tongshang as ts\npages = ts.Pages("open")\npages.get("/open")(lambda ctx: None)\n')
    assert start("open").broken["open"] == "ValueError: GET /open: give either a permission or the reason it is public"


def test_in_safe_mode_nothing_of_a_plugin_is_even_read(install: Install, tmp_path: Path) -> None:
    install("bad", "raise SystemExit('imported')")
    host = load(Dispatch(), safe_mode=True)
    assert (host.loaded, host.broken) == ({}, {})
