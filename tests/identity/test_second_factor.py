"""The authenticator: asked for, accepted once, replaced by a recovery code, shown again for weighty acts."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pyotp
import pytest
from sqlalchemy import text

from core.identity import (
    SignInRefused,
    TooManyTries,
    account,
    confirm_totp,
    drop_totp,
    enroll_totp,
    open_enrolment,
    pending_sign_in,
    renew_recovery_codes,
    require_fresh_second_factor,
    step_up,
    use_recovery_code,
    verify_totp,
)
from core.identity.totp import normalise, qr_svg, step_of
from core.kernel import Conflict, Forbidden, Invalid
from tests.identity.conftest import PASSWORD, SECRET, House


def now(house: House) -> datetime:
    with house.db.session() as session:
        return session.scalar(text("SELECT ts.clock()"))


def verify(house: House, token: str, code: str) -> object:
    with house.db.session() as session:
        done = verify_totp(session, token, code, remote="")
        session.commit()
        return done


def test_the_password_alone_opens_nothing_when_there_is_an_authenticator(house: House) -> None:
    signed = house.sign_in(house.person(totp=True))

    assert signed.pending
    assert signed.principal is None
    assert not house.opens(signed.token)


def test_the_code_opens_the_session_under_a_new_token(house: House) -> None:
    signed = house.sign_in(house.person(totp=True))
    full = verify(house, signed.token, pyotp.TOTP(SECRET).at(now(house)))

    assert full.token != signed.token
    assert house.opens(full.token)
    assert not house.opens(signed.token)
    assert full.principal.actor.second_factor_at is not None


def test_a_code_is_accepted_once_also_with_blanks_in_it(house: House) -> None:
    email = house.person(totp=True)
    code = pyotp.TOTP(SECRET).at(now(house))
    verify(house, house.sign_in(email).token, code)

    again = house.sign_in(email).token
    for typed in (
        code,
        f"{code[:3]} {code[3:]}",
        f" {code} ",
        f"{code[:3]}-{code[3:]}",
        "".join(chr(ord(c) + 0xFEE0) for c in code),
    ):
        with pytest.raises(SignInRefused, match=r"identity\.code_refused"):
            verify(house, again, typed)


def test_of_eight_requests_with_one_code_one_succeeds(house: House) -> None:
    email = house.person(totp=True)
    tokens = [house.sign_in(email).token for _ in range(8)]
    code = pyotp.TOTP(SECRET).at(now(house))

    def one(token: str) -> bool:
        try:
            verify(house, token, code)
        except SignInRefused:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(one, tokens)) == 1


def test_an_older_code_is_refused_after_a_newer_one(house: House) -> None:
    moment = now(house)
    assert (
        step_of(SECRET, pyotp.TOTP(SECRET).at(moment - timedelta(seconds=30)), moment)
        == int(moment.timestamp()) // 30 - 1
    )
    email = house.person(totp=True)
    verify(house, house.sign_in(email).token, pyotp.TOTP(SECRET).at(moment))
    with pytest.raises(SignInRefused):
        verify(house, house.sign_in(email).token, pyotp.TOTP(SECRET).at(moment - timedelta(seconds=30)))


def test_ten_wrong_codes_lock_the_factor_openly(house: House) -> None:
    token = house.sign_in(house.person(totp=True)).token
    left = []
    for _ in range(10):
        with pytest.raises(SignInRefused) as refused:
            verify(house, token, "000000")
        left.append(refused.value.values["remaining"])
    assert left == list(range(9, -1, -1))
    with pytest.raises(TooManyTries):
        verify(house, token, pyotp.TOTP(SECRET).at(now(house)))
    house.scalar("DELETE FROM auth.login_attempt RETURNING 1")


def test_a_pending_session_lasts_ten_minutes(house: House) -> None:
    token = house.sign_in(house.person(totp=True)).token
    with house.db.session() as session:
        assert pending_sign_in(session, token) is not None
        session.execute(text("SELECT set_config('ts.clock_shift', '11 minutes', true)"))
        assert pending_sign_in(session, token) is None


@pytest.mark.parametrize(
    ("typed", "plain"),
    [("123 456", "123456"), ("１２３４５６", "123456"), ("12345", ""), ("12345a", ""), ("", "")],
)
def test_normalising_leaves_six_digits_or_nothing(typed: str, plain: str) -> None:
    assert normalise(typed) == plain


def test_arabic_digits_are_not_a_code() -> None:
    moment = datetime.fromtimestamp(59, UTC)
    assert step_of("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", "287082", moment) == 1
    assert (
        step_of("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", "".join(chr(0x660 + int(c)) for c in "287082"), moment)
        is None
    )


def test_the_qr_code_carries_no_style_and_no_script() -> None:
    svg = qr_svg("otpauth://totp/x?secret=ABC")
    assert svg.startswith("<svg")
    assert not re.search(r"style=|<script|on\w+=", svg)


def test_enrolling_takes_the_password_then_a_code_and_ends_other_sessions(house: House) -> None:
    email = house.person()
    elsewhere, token = house.sign_in(email).token, house.sign_in(email).token
    with pytest.raises(Invalid):
        house.act(token, lambda ctx: enroll_totp(ctx, "wrong password here"))
    enrolment = house.act(token, lambda ctx: enroll_totp(ctx, PASSWORD))
    assert "otpauth://totp/" in enrolment.uri
    assert house.act(token, open_enrolment).secret == enrolment.secret
    assert house.act(token, account).enrolling
    assert not house.sign_in(email).pending, "an unconfirmed authenticator locks nobody out"

    renewed, codes = house.act(
        token, lambda ctx: confirm_totp(ctx, pyotp.TOTP(enrolment.secret).at(now(house)))
    )

    assert len(set(codes)) == 10
    assert not house.opens(token)
    assert not house.opens(elsewhere)
    assert house.act(renewed, account).has_second_factor
    assert house.sign_in(email).pending
    with pytest.raises(Conflict, match=r"identity\.already_enrolled"):
        house.act(renewed, lambda ctx: enroll_totp(ctx, PASSWORD))

    pending = house.sign_in(email).token
    with house.db.session() as session:
        assert not use_recovery_code(session, pending, codes[0].lower().replace("-", " ")).pending
        session.commit()
    pending = house.sign_in(email).token
    with house.db.session() as session, pytest.raises(SignInRefused, match=r"identity\.recovery_refused"):
        use_recovery_code(session, pending, codes[0])
    assert house.act(renewed, account).recovery_codes_left == 9


def test_the_secret_is_stored_encrypted_for_its_person(house: House) -> None:
    email = house.person(totp=True)
    stored = house.scalar(
        "SELECT secret FROM auth.mfa f JOIN auth.person p ON p.id = f.person_id WHERE p.email = :e", e=email
    )
    assert SECRET.encode() not in bytes(stored)


def test_a_weighty_act_wants_the_second_factor_within_five_minutes(house: House) -> None:
    email = house.person("admin", totp=True)
    token = house.sign_in_fully(email).token
    house.scalar(
        "UPDATE auth.session SET second_factor_at = ts.clock() - interval '5 minutes 1 second' RETURNING 1"
    )
    with pytest.raises(Forbidden, match=r"identity\.step_up"):
        house.act(token, require_fresh_second_factor)
    with pytest.raises(Forbidden):
        house.act(token, renew_recovery_codes)

    house.scalar("UPDATE auth.mfa SET last_step = 1 RETURNING 1")
    renewed = house.act(token, lambda ctx: step_up(ctx, pyotp.TOTP(SECRET).at(ctx.now)))

    assert not house.opens(token)
    house.act(renewed, require_fresh_second_factor)
    house.act(renewed, drop_totp)
    assert not house.sign_in(email).pending
