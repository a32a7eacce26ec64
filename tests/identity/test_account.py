"""One's own account: password, sessions, look, and changing enterprise."""

from uuid import uuid4

import pytest

from core.identity import (
    account,
    change_password,
    open_sessions,
    revoke_session,
    set_preferences,
    sign_out,
    switch_enterprise,
    tenants_of,
)
from core.identity.password import check_new_password
from core.kernel import Invalid, NotFound
from tests.conftest import OTHER, TENANT
from tests.identity.conftest import PASSWORD, House

BETTER = "nine cranes above the river"


def test_another_password_ends_the_other_sessions_and_renews_this_one(house: House) -> None:
    email = house.person()
    elsewhere, token = house.sign_in(email).token, house.sign_in(email).token

    renewed = house.act(token, lambda ctx: change_password(ctx, PASSWORD, BETTER))

    assert house.opens(renewed)
    assert not house.opens(token)
    assert not house.opens(elsewhere)
    assert not house.sign_in(email, BETTER).pending
    assert house.scalar("SELECT count(*) FROM ts.audit_entry WHERE action = 'account.change_password'") >= 1


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("short", "password.too_short"),
        ("Password1234", "password.well_known"),
        ("1qaz2wsx3edc", "password.well_known"),
        ("aaaaaaaaaaaaaaaa", "password.well_known"),
        ("abcabcabcabcabc", "password.well_known"),
        ("limin.chen-2026", "password.own_name"),
        ("x" * 300, "password.too_long"),
    ],
)
def test_a_password_attackers_try_first_is_refused(password: str, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        check_new_password(password, "limin.chen@hdlg.example")
    assert refused.value.errors[0].code == code


def test_a_long_sentence_is_a_good_password() -> None:
    check_new_password("七匹马越过了东边的那一堵墙", "李敏")
    check_new_password("correct horse battery staple 9", "limin")


def test_a_wrong_current_password_counts_as_a_try(house: House) -> None:
    token = house.sign_in(house.person()).token
    with pytest.raises(Invalid) as refused:
        house.act(token, lambda ctx: change_password(ctx, "wrong password here", BETTER))
    assert refused.value.errors[0].values["remaining"] == 9
    with pytest.raises(Invalid) as refused:
        house.act(token, lambda ctx: change_password(ctx, "wrong password here", BETTER))
    assert refused.value.errors[0].values["remaining"] == 8


def test_sessions_are_listed_and_one_of_them_can_be_ended(house: House) -> None:
    email = house.person()
    first, second = house.sign_in(email).token, house.sign_in(email).token
    listed = house.act(first, open_sessions)
    assert [one.current for one in listed].count(True) == 1
    other = next(one for one in listed if not one.current)

    house.act(first, lambda ctx: revoke_session(ctx, other.session_id))

    assert not house.opens(second)
    assert len(house.act(first, open_sessions)) == 1


def test_anothers_session_answers_like_a_missing_one(house: House) -> None:
    mine, theirs = house.sign_in(house.person()).token, house.sign_in(house.person()).token
    foreign = house.act(theirs, open_sessions)[0].session_id
    for unknown in (foreign, uuid4()):
        with pytest.raises(NotFound, match=r"^session\.not_found$"):
            house.act(mine, lambda ctx, one=unknown: revoke_session(ctx, one))
    assert house.opens(theirs)


def test_signing_out_ends_the_session(house: House) -> None:
    token = house.sign_in(house.person()).token
    house.act(token, sign_out)
    assert not house.opens(token)


def test_language_and_look_stay_with_the_person(house: House) -> None:
    email = house.person()
    token = house.sign_in(email).token
    house.act(token, lambda ctx: set_preferences(ctx, locale="zh-CN", theme="dark"))
    found = house.act(token, account)
    assert (found.locale, found.theme, found.density) == ("zh-CN", "dark", "comfortable")
    assert house.sign_in(email).principal.locale == "zh-CN"
    with pytest.raises(Invalid):
        house.act(token, lambda ctx: set_preferences(ctx, theme="pink"))


def test_one_switches_between_ones_own_enterprises_only(house: House) -> None:
    email = house.person("buyer.clerk")
    house.person("seller.sales", tenant=OTHER, email=email)
    token = house.sign_in(email).token
    assert house.act(token, tenants_of) == [TENANT, OTHER]

    switched = house.act(token, lambda ctx: switch_enterprise(ctx, OTHER))

    assert not house.opens(token)
    roles = house.act(switched, lambda ctx: (ctx.tenant_id, "me.view" in ctx.grants))
    assert roles == (OTHER, True)
    assert house.sign_in(email).principal.tenant_id == OTHER, "the next sign-in starts where one worked last"
    with pytest.raises(NotFound):
        house.act(switched, lambda ctx: switch_enterprise(ctx, uuid4()))

    stranger = house.sign_in(house.person()).token
    with pytest.raises(NotFound):
        house.act(stranger, lambda ctx: switch_enterprise(ctx, OTHER))
