"""Whose signature counts: trusted keys only, for exactly this file, until the key is revoked."""

from typing import Any

import pytest

from tests.conftest import OTHER
from tests.host.trust.conftest import Call, caller, codes, handed_in
from tests.host.trust.publisher import Maker
from tests.host.wheels import tiny_wheel
from tests.identity.conftest import House


def test_a_signed_wheel_is_kept_with_its_signer_and_the_plan_names_the_publisher(call: Call, trusted: Maker) -> None:
    name, content = tiny_wheel("signed")
    kept = handed_in(call, name, content, trusted.signature(name, content))
    assert kept.status_code == 201, kept.text
    assert kept.get_json()["signer"] == trusted.key_id
    plan = call("POST", "/signed/plan", {"verb": "install"}).get_json()
    assert (plan["publisher"], plan["tier"], plan["unsigned"]) == ("Acme", "verified", [])


def test_without_a_signature_the_plan_says_that_nobody_vouches(call: Call) -> None:
    name, content = tiny_wheel("bare")
    assert handed_in(call, name, content).get_json()["signer"] is None
    plan = call("POST", "/bare/plan", {"verb": "install"}).get_json()
    assert (plan["publisher"], plan["unsigned"]) == ("", [name])


def test_a_signature_that_comes_later_counts_for_the_wheel_in_store(call: Call, trusted: Maker) -> None:
    name, content = tiny_wheel("later")
    assert handed_in(call, name, content).get_json()["signer"] is None
    assert handed_in(call, name, content, trusted.signature(name, content)).get_json()["signer"] == trusted.key_id
    assert handed_in(call, name, content).get_json()["signer"] == trusted.key_id


def wrong(maker: Maker, name: str, content: bytes, how: str) -> str:
    if how == "changed":
        return maker.signature(name, content + b"x")
    if how == "renamed":
        return maker.signature("strange_other-1.0-py3-none-any.whl", content)
    if how == "stranger":
        return Maker().signature(name, content)
    if how == "forged comment":
        return maker.signature(name, content).replace("timestamp:", "timestamp:1")
    return "untrusted comment: nothing\n"


@pytest.mark.parametrize(
    ("how", "code"),
    [
        ("changed", "plugin.signature_wrong"),
        ("renamed", "plugin.signature_other_file"),
        ("stranger", "plugin.signer_unknown"),
        ("forged comment", "plugin.signature_wrong"),
        ("no signature", "plugin.signature_unreadable"),
    ],
)
def test_a_wrong_signature_keeps_the_wheel_out(call: Call, trusted: Maker, how: str, code: str) -> None:
    name, content = tiny_wheel("wrong", code=f"HOW = {how!r}")
    answer = handed_in(call, name, content, wrong(trusted, name, content, how))
    assert (answer.status_code, code in codes(answer)) == (422, True), answer.text
    kept = call("GET", "/installed").get_json()["packages"]
    assert "wrong" not in {each["plugin"] for each in kept}


@pytest.mark.slow
def test_a_revoked_key_keeps_its_packages_from_being_installed_until_it_is_trusted_again(
    call: Call, trusted: Maker, house: House
) -> None:
    name, content = tiny_wheel("fallen")
    kept = handed_in(call, name, content, trusted.signature(name, content)).get_json()
    digest = call("POST", "/fallen/plan", {"verb": "install"}).get_json()["digest"]
    row = "INSERT INTO ts.plugin (name, version, packages, installed_by) VALUES ('runs_on', '1', ARRAY[:hash], 'x') RETURNING 1"
    house.scalar(row, hash=kept["sha256"])
    touched = call("GET", f"/publishers/{trusted.key_id}").get_json()
    assert (touched["packages"], touched["installed"], touched["waiting"]) == (["fallen 1.0"], ["runs_on"], [])
    house.scalar("DELETE FROM ts.plugin WHERE name = 'runs_on' RETURNING 1")

    revoked = call("POST", f"/publishers/{trusted.key_id}/revoke")
    assert revoked.get_json()["revoked_at"] is not None
    assert "plugin.publisher_revoked" in codes(call("POST", f"/publishers/{trusted.key_id}/revoke"))

    for path, body in (("plan", {"verb": "install"}), ("changes", {"verb": "install", "digest": digest})):
        refused = call("POST", f"/fallen/{path}", body)
        assert (refused.status_code, refused.get_json()["code"]) == (409, "plugin.signer_revoked")
        assert "Acme" in refused.get_json()["detail"]
    again = handed_in(call, name, content, trusted.signature(name, content))
    assert "plugin.signature_revoked" in codes(again)

    call("POST", "/publishers", {"name": "Acme", "public_key": trusted.line, "tier": "official"})
    plan = call("POST", "/fallen/plan", {"verb": "install"}).get_json()
    assert (plan["publisher"], plan["tier"]) == ("Acme", "official")


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"public_key": "RWnothing"}, "plugin.key_unreadable"),
        ({"tier": "royal"}, "plugin.no_such_tier"),
        ({"name": "  "}, "input.invalid"),
    ],
)
def test_what_is_no_publisher_is_refused(call: Call, maker: Maker, given: dict[str, Any], code: str) -> None:
    answer = call("POST", "/publishers", {"name": "Acme", "public_key": maker.line, **given})
    assert (answer.status_code, code in codes(answer)) == (422, True), answer.text


def test_a_second_key_with_the_id_of_a_trusted_one_is_refused(call: Call, trusted: Maker) -> None:
    twin = Maker("Acme", type(trusted.key)(trusted.key.name, bytes(32)))
    answer = call("POST", "/publishers", {"name": "Acme", "public_key": twin.line})
    assert "plugin.key_id_taken" in codes(answer)
    known = call("GET", f"/publishers/{trusted.key_id}").get_json()["publisher"]
    assert known["public_key"] == trusted.line


def test_trust_is_the_operators_with_a_fresh_second_factor(call: Call, app: Any, house: House, maker: Maker) -> None:
    stale = caller(app, house.sign_in(house.person("operator.admin", tenant=OTHER)).token)
    trader = caller(app, house.sign_in(house.person("admin")).token)
    sent = {"name": "Acme", "public_key": maker.line}
    for somebody in (stale, trader):
        assert somebody("POST", "/publishers", sent).status_code == 403
        assert somebody("POST", "/sources", {"address": "/tmp"}).status_code == 403
        assert somebody("POST", "/offers/fetch", {"source": "/tmp", "distribution": "x"}).status_code == 403
    for path in ("/publishers", "/sources", "/offers", f"/publishers/{maker.key_id}"):
        assert trader("GET", path).status_code == 403
    assert call("GET", f"/publishers/{maker.key_id}").status_code == 404


def test_what_was_trusted_and_revoked_stands_in_the_trail(call: Call, trusted: Maker, house: House) -> None:
    call("POST", f"/publishers/{trusted.key_id}/revoke")
    told = "SELECT array_agg(action ORDER BY action)::text FROM ts.audit_entry WHERE object_id = :key"
    assert house.scalar(told, key=trusted.key_id) == "{plugin.distrust,plugin.trust}"
