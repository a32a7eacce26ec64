"""Nothing is reached without a declared permission or a written reason, and no permission is declared for nothing."""

import re
from collections.abc import Iterator

import pytest
from flask import Flask

from core import identity, rooms
from core.kernel import Permission
from core.orders import ORDER
from tests.structure.source import called, modules, texts

LIKE = re.compile(r"^[a-z_]+(\.[a-z_]+)+$")
OUTSIDE = {"static", "healthz"}
"""Routes that no room made: files of the portal, and the question of a load balancer."""


@pytest.fixture(scope="module")
def declared(plain_app: Flask) -> dict[str, Permission]:
    host = plain_app.extensions["ts.host"]
    return {each.code: each for each in [*rooms.collected("permissions", "PERMISSIONS"), *host.all("permissions")]}


def asked() -> Iterator[tuple[str, str]]:
    """(permission, where) of every literal that a verb requires or asks for."""
    for module in modules("core", "plugins", "connectors"):
        for call in module.calls():
            if called(call) in ("require", "allows") and call.args:
                for text in texts(call.args[0]):
                    if LIKE.match(text):
                        yield text, f"{module.path}:{call.lineno}"


def test_every_route_was_made_by_the_furniture(plain_app: Flask) -> None:
    known = {(each.method, each.path or "/") for each in plain_app.extensions["ts"].endpoints}
    for rule in plain_app.url_map.iter_rules():
        if rule.endpoint in OUTSIDE:
            continue
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            assert (method, rule.rule) in known, f"{method} {rule.rule} is nobody's endpoint"


def test_no_route_is_made_twice(plain_app: Flask) -> None:
    seen = [(each.method, re.sub(r"<[^>]*>", "<>", each.path)) for each in plain_app.extensions["ts"].endpoints]
    assert not {each for each in seen if seen.count(each) > 1}


def test_every_route_names_a_declared_permission_or_why_it_is_public(
    plain_app: Flask, declared: dict[str, Permission]
) -> None:
    for endpoint in plain_app.extensions["ts"].endpoints:
        if endpoint.public:
            assert len(endpoint.public.split()) >= 3, f"{endpoint.method} {endpoint.path}: {endpoint.public!r} is no reason"
        else:
            assert endpoint.permission in declared, f"{endpoint.method} {endpoint.path} asks {endpoint.permission}"


def test_every_permission_a_verb_asks_for_is_declared(declared: dict[str, Permission]) -> None:
    unknown = {f"{where} {code}" for code, where in asked() if code not in declared}
    assert not unknown, "\n".join(sorted(unknown))


def test_every_transition_asks_for_a_declared_permission(declared: dict[str, Permission]) -> None:
    assert not {t.permission for t in ORDER.transitions if t.permission} - set(declared)


def test_every_declared_permission_is_used(plain_app: Flask, declared: dict[str, Permission]) -> None:
    used = {endpoint.permission for endpoint in plain_app.extensions["ts"].endpoints}
    used |= {code for code, _ in asked()} | {t.permission for t in ORDER.transitions}
    for module in modules("core", "plugins", "connectors"):
        if not module.path.endswith("permissions.py"):
            used |= {text for text in texts(module.tree) if text in declared} if module.room.startswith("core") else set()
    assert not set(declared) - used


def test_every_permission_is_held_by_some_role_and_only_by_known_ones(declared: dict[str, Permission]) -> None:
    for permission in declared.values():
        assert permission.roles, f"{permission.code} is held by nobody"
        assert set(permission.roles) <= set(identity.ROLES), permission.code


def test_acts_of_one_side_are_not_held_by_roles_of_the_other(declared: dict[str, Permission]) -> None:
    """An approver of a buyer confirms no sale, and a seller's sales approves no purchase."""
    assert not [role for role in declared["order.confirm"].roles if role.startswith("buyer")]
    assert not [role for role in declared["order.approve"].roles if role.startswith("seller")]
    for permission in declared.values():
        if not permission.code.endswith((".view", "me.view", "account.own")):
            assert "auditor" not in permission.roles or permission.code == "account.own", permission.code
