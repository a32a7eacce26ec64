"""Whoever lacks one permission, and has all the others, is refused at every route that asks for it; one by one."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest
from flask import Flask

from core.kernel import uuid7
from core.web.endpoint import Endpoint
from core.web.platform import Platform
from tests.app.house import House

BY_VERBS_ONLY = {
    "invoice.write_off_large": "decided by the amount; its route asks for the smaller permission",
    "partner.credit": "one field of the terms; their route asks for the permission of terms",
}
"""Permissions that no route asks for by itself; tests of their verbs refuse who lacks them."""


@dataclass
class Poor:
    """Signed in, with everything but one permission."""

    house: House

    def __post_init__(self) -> None:
        self.here: Platform = self.house.app.extensions["ts"]
        self.api, self.browser = self.house.api("operator"), self.house.browser("operator")

    @contextmanager
    def without(self, permission: str) -> Iterator[None]:
        kept = self.here.by_cookie, self.here.by_key
        every = {each: None for each in permissions(self.house.app)}

        def robbed(find: Any) -> Any:
            def found(session: Any) -> Any:
                principal = find(session)
                grants = {code: limit for code, limit in every.items() if code != permission}
                return None if principal is None else replace(principal, grants=grants)

            return found

        self.here.by_cookie, self.here.by_key = robbed(kept[0]), robbed(kept[1])
        try:
            yield
        finally:
            self.here.by_cookie, self.here.by_key = kept

    def refused(self, endpoint: Endpoint) -> bool:
        answer = self.ask(endpoint)
        if endpoint.kind == "api":
            return answer.status_code == 403 and answer.json["code"] == "permission.missing"
        return bool(answer.status_code == 403)

    def ask(self, endpoint: Endpoint) -> Any:
        path = re.sub(r"<uuid:\w+>", str(uuid7()), endpoint.path)
        path = re.sub(r"<(?:\w+:)?\w+>", "nothing", re.sub(r"<int:\w+>", "1", path)) or "/"
        if endpoint.kind == "api":
            headers = {"Idempotency-Key": str(uuid7()), "If-Match": '"1"'}
            return self.api(endpoint.method, path, headers=headers, json={} if endpoint.method != "GET" else None)
        return (self.browser.get if endpoint.method == "GET" else self.browser.post)(path)


def permissions(app: Flask) -> list[str]:
    """Every permission that is declared here, by rooms and plugins."""
    from core import rooms

    host = app.extensions["ts.host"]
    return sorted(each.code for each in [*rooms.collected("permissions", "PERMISSIONS"), *host.all("permissions")])


@pytest.fixture(scope="module")
def poor(house: House) -> Poor:
    return Poor(house)


def test_whoever_lacks_a_permission_is_refused_at_each_of_its_routes(poor: Poor) -> None:
    endpoints: list[Endpoint] = poor.here.endpoints
    wrong = []
    for permission in permissions(poor.house.app):
        asking = [each for each in endpoints if each.permission == permission]
        with poor.without(permission):
            wrong += [
                f"{permission}: {each.kind} {each.method} {each.path} lets them in" for each in asking if not poor.refused(each)
            ]
    assert not wrong, "\n".join(wrong)


def test_who_has_them_all_is_refused_nowhere_for_want_of_one(poor: Poor) -> None:
    with poor.without(""):
        wrong = [
            f"{each.kind} {each.method} {each.path}"
            for each in poor.here.endpoints
            if each.permission and each.method == "GET" and poor.refused(each)
        ]
    assert not wrong, "\n".join(wrong)


def test_every_permission_is_asked_for_by_a_route_or_said_to_be_the_verbs(poor: Poor) -> None:
    routed = {each.permission for each in poor.here.endpoints}
    assert set(permissions(poor.house.app)) - routed == set(BY_VERBS_ONLY)
