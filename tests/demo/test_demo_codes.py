"""The demo's administrators have an authenticator everybody knows, and only the demo's."""

import pyotp
import pytest
from sqlalchemy import text

from core.db import Unit
from core.demo.enterprises import enterprises, operator
from core.demo.load import PASSWORD, SECOND_FACTOR, administers, load_enterprises
from core.demo.world import current_code
from core.identity import sign_in, verify_totp

ALL = (operator(), *enterprises())
CHIEFS = [next(person for person in each.people if administers(person)) for each in ALL]


@pytest.fixture
def world(unit: Unit) -> Unit:
    load_enterprises(unit, second_factor=True)
    return unit


def test_who_administers_signs_in_with_a_code_and_may_do_what_wants_one(world: Unit) -> None:
    with world.database.session() as session:
        for person in CHIEFS:
            pending = sign_in(session, person.email, PASSWORD)
            assert pending.pending, person.email
            now = session.scalar(text("SELECT ts.clock()"))
            signed = verify_totp(session, pending.token, pyotp.TOTP(SECOND_FACTOR).at(now))
            assert signed.principal is not None and signed.principal.actor.second_factor_at is not None
        session.commit()


def test_who_trades_signs_in_with_the_password_alone(world: Unit) -> None:
    with world.database.session() as session:
        for each in enterprises():
            for person in each.people:
                if not administers(person):
                    assert not sign_in(session, person.email, PASSWORD).pending, person.email


def test_without_being_asked_nobody_gets_the_known_secret(unit: Unit) -> None:
    load_enterprises(unit)
    with unit.database.session() as session:
        assert not any(sign_in(session, person.email, PASSWORD).pending for person in CHIEFS)


def test_the_code_is_what_an_authenticator_shows() -> None:
    assert pyotp.TOTP(SECOND_FACTOR).verify(current_code(), valid_window=1)
