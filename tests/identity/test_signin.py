"""Coming in with a password."""

import time

import pytest
from sqlalchemy import text

from core.db import count_statements
from core.identity import SignInRefused, normalise_login, principal_from_cookie, principal_from_key, sign_in
from tests.conftest import TENANT
from tests.identity.conftest import PASSWORD, House


def test_the_right_password_opens_a_session_of_ones_enterprise(house: House) -> None:
    signed = house.sign_in(house.person("buyer.clerk"))

    assert not signed.pending
    assert signed.principal is not None
    assert signed.principal.tenant_id == TENANT
    assert signed.principal.roles == ("buyer.clerk",)
    assert signed.principal.grants["account.own"] is None
    assert "member.manage" not in signed.principal.grants


def test_a_login_is_found_however_it_is_typed(house: House) -> None:
    email = house.person()

    assert not house.sign_in(f"  {email.upper()} ").pending
    assert normalise_login("+86 138-0013 8000") == "13800138000"
    assert normalise_login("１３８００１３８０００") == "13800138000"


def test_unknown_name_wrong_password_and_lock_answer_alike(house: House) -> None:
    email = house.person()
    answers = set()
    for login, password in ((email, "wrong password here"), ("nobody@acme.example", PASSWORD)):
        with pytest.raises(SignInRefused) as refused:
            house.sign_in(login, password, remote="198.51.100.1")
        answers.add((refused.value.code, refused.value.status, tuple(refused.value.values)))
    for _ in range(9):
        with pytest.raises(SignInRefused):
            house.sign_in(email, "wrong password here", remote="")
    with pytest.raises(SignInRefused) as refused:
        house.sign_in(email, PASSWORD, remote="198.51.100.2")
    answers.add((refused.value.code, refused.value.status, tuple(refused.value.values)))

    assert answers == {("identity.sign_in_refused", 401, ())}


def test_an_unknown_name_costs_as_much_time_as_a_wrong_password(house: House) -> None:
    email = house.person()

    def cost(login: str) -> float:
        best = 9.0
        for _ in range(3):
            start = time.perf_counter()
            with pytest.raises(SignInRefused):
                house.sign_in(login, "wrong password here", remote="")
            best = min(best, time.perf_counter() - start)
        return best

    known, unknown = cost(email), cost("nobody-at-all@acme.example")
    assert 1 / 3 < known / unknown < 3


def test_the_eleventh_try_in_a_quarter_of_an_hour_is_locked_and_then_opens_again(house: House) -> None:
    email = house.person()
    for _ in range(10):
        with pytest.raises(SignInRefused):
            house.sign_in(email, "wrong password here", remote="")
    with pytest.raises(SignInRefused):
        house.sign_in(email, remote="")

    house.scalar("UPDATE auth.login_attempt SET at = at - interval '15 minutes 1 second' RETURNING 1")
    assert not house.sign_in(email, remote="").pending


def test_one_address_has_ten_tries_over_all_names(house: House) -> None:
    email = house.person()
    for number in range(10):
        with pytest.raises(SignInRefused):
            house.sign_in(f"somebody{number}@acme.example", "wrong password here", remote="192.0.2.9")
    with pytest.raises(SignInRefused):
        house.sign_in(email, remote="192.0.2.9")

    assert not house.sign_in(email, remote="192.0.2.10").pending


def test_a_right_password_does_not_use_up_a_try(house: House) -> None:
    email = house.person()
    for _ in range(12):
        assert not house.sign_in(email, remote="192.0.2.33").pending


def test_what_was_typed_is_kept_nowhere(house: House) -> None:
    with pytest.raises(SignInRefused):
        house.sign_in("my secret typed into the wrong box", "wrong password here", remote="192.0.2.44")

    assert house.scalar("SELECT count(*) FROM auth.login_attempt a WHERE a::text LIKE '%secret%'") == 0


def test_a_request_is_authenticated_by_one_statement_that_sets_the_tenant(house: House) -> None:
    signed = house.sign_in(house.person())
    with house.db.session() as session, count_statements() as seen:
        principal = principal_from_cookie(session, signed.token)
        assert len(seen) == 1
        assert principal is not None
        assert session.scalar(text("SELECT ts.tenant()")) == TENANT
        ctx = house.unit.enter(
            session, principal.tenant_id, principal.actor, principal.grants, now=principal.now
        )
        assert len(seen) == 2
        session.commit()
    with house.db.session() as session:
        assert session.scalar(text("SELECT ts.tenant()")) is None
    assert ctx.now == principal.now


def test_a_session_ends_after_half_an_hour_of_silence_and_after_twelve_hours(house: House) -> None:
    token = house.sign_in(house.person()).token

    assert house.opens(token, "29 minutes")
    assert not house.opens(token, "60 minutes")
    for minutes in range(50, 741, 20):
        alive = house.opens(token, f"{minutes} minutes")
    assert not alive


def test_a_visit_is_noted_at_most_once_a_minute(house: House) -> None:
    token = house.sign_in(house.person()).token
    noted = "SELECT last_seen_at FROM auth.session ORDER BY created_at DESC LIMIT 1"
    first = house.scalar(noted)
    house.opens(token, "50 seconds")
    assert house.scalar(noted) == first
    house.opens(token, "61 seconds")
    assert house.scalar(noted) != first


@pytest.mark.parametrize("token", ["", "tss_", "tss_" + "x" * 43, "x" * 200, "tss_\udcff", "tsk_00000000_x"])
def test_a_made_up_token_opens_nothing(house: House, token: str) -> None:
    with house.db.session() as session:
        assert principal_from_cookie(session, token) is None
        assert principal_from_key(session, f"Bearer {token}", "127.0.0.1") is None
        session.commit()


def test_the_session_token_serves_as_a_bearer_too(house: House) -> None:
    token = house.sign_in(house.person()).token
    with house.db.session() as session:
        principal = principal_from_key(session, f"bearer {token}", None)
        session.commit()
    assert principal is not None
    assert principal.actor.kind == "person"


def test_a_person_without_any_enterprise_is_told_so_only_with_the_right_password(house: House) -> None:
    email = house.person()
    house.scalar(
        "UPDATE auth.membership m SET status='removed' FROM auth.person p WHERE p.id = m.person_id AND p.email = :e RETURNING 1",
        e=email,
    )
    with pytest.raises(SignInRefused, match=r"identity\.no_enterprise"):
        house.sign_in(email)
    with pytest.raises(SignInRefused, match=r"identity\.sign_in_refused"):
        house.sign_in(email, "wrong password here")


def test_a_password_of_weaker_parameters_is_rehashed_at_sign_in(
    house: House, request: pytest.FixtureRequest
) -> None:
    email, stored = house.person(), "SELECT password_hash FROM auth.person WHERE email = :e"
    weak = str(house.scalar(stored, e=email))
    request.getfixturevalue("full_price")
    house.sign_in(email)

    strong = str(house.scalar(stored, e=email))
    assert weak.startswith("$argon2id$v=19$m=64,t=1,p=1$")
    assert strong.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    house.sign_in(email)
    assert house.scalar(stored, e=email) == strong
    with pytest.raises(SignInRefused):
        house.sign_in(email, "wrong password here")


def test_a_new_password_costs_its_full_price(house: House, full_price: None) -> None:
    email = house.person()
    house.sign_in(email)
    stored = str(house.scalar("SELECT password_hash FROM auth.person WHERE email = :e", e=email))
    assert stored.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    with pytest.raises(SignInRefused):
        house.sign_in("nobody@acme.example", "wrong password here")


def test_the_application_has_no_right_on_any_table_of_auth(house: House) -> None:
    allowed = house.scalar(
        "SELECT count(*) FROM pg_tables t, unnest(ARRAY['ts_app', 'ts_worker', 'ts_plugin']) AS r,"
        " unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS p"
        " WHERE t.schemaname = 'auth' AND has_table_privilege(r, format('auth.%I', t.tablename), p)"
    )
    assert allowed == 0


def test_every_function_of_auth_is_fixed_and_closed_to_the_public(house: House) -> None:
    loose = house.scalar(
        "SELECT string_agg(p.proname, ', ') FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace"
        " WHERE n.nspname = 'auth' AND (NOT p.prosecdef OR p.proconfig IS NULL"
        " OR NOT 'search_path=pg_catalog, pg_temp' = ANY (p.proconfig)"
        " OR has_function_privilege('ts_auditor', p.oid, 'EXECUTE'))"
    )
    assert loose is None


def test_sign_in_with_a_session_of_another_database_is_refused(house: House) -> None:
    with house.db.session() as session, pytest.raises(SignInRefused):
        sign_in(session, "", "", remote="192.0.2.77")
