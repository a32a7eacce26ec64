"""Who cannot come in any more gets a link, and only from those who may give it."""

from collections.abc import Callable, Iterator
from uuid import UUID

import pytest

from core.identity import (
    SignInRefused,
    TooManyTries,
    change_password,
    find_person,
    forget_second_factor,
    members,
    name_operator,
    read_reset,
    reset_member,
    reset_person,
    use_reset,
)
from core.kernel import Conflict, Context, Forbidden, Invalid, NotFound
from tests.conftest import OTHER, TENANT
from tests.identity.conftest import PASSWORD, House

NEW = "eight geese under the roof"


@pytest.fixture(scope="module", autouse=True)
def operator(house: House) -> str:
    """OTHER runs the platform; its operator's e-mail address."""
    with house.unit.system(OTHER, "test") as ctx:
        name_operator(ctx)
    return house.person("operator.admin", tenant=OTHER)


@pytest.fixture(autouse=True)
def no_tries(house: House) -> Iterator[None]:
    yield
    house.scalar("WITH gone AS (DELETE FROM auth.login_attempt RETURNING 1) SELECT count(*) FROM gone")


@pytest.fixture
def chief(house: House) -> str:
    return house.sign_in("chief@0y43.example").token


@pytest.fixture
def helper(house: House, operator: str) -> str:
    return house.sign_in(operator).token


def membership(house: House, email: str, tenant: UUID = TENANT) -> UUID:
    with house.unit.system(tenant, "test") as ctx:
        return next(one.id for one in members(ctx) if one.email == email)


def link(house: House, token: str, make: Callable[[Context], object]) -> str:
    made = house.act(token, make, fresh=True)
    return made.token  # type: ignore[attr-defined, no-any-return]


def use(house: House, token: str, password: str = NEW) -> int:
    with house.db.session() as session:
        done = use_reset(session, token, password, remote="203.0.113.9")
        session.commit()
        return done.sessions_ended


def test_a_link_sets_a_password_once_and_ends_every_session(house: House, chief: str) -> None:
    email = house.person()
    before = house.sign_in(email).token
    token = link(house, chief, lambda ctx: reset_member(ctx, membership(house, email)))

    assert use(house, token) == 1
    assert not house.opens(before)
    assert house.sign_in(email, NEW).principal is not None
    with pytest.raises(SignInRefused):
        house.sign_in(email)
    with pytest.raises(NotFound, match=r"reset\.not_found"):
        use(house, token)


def test_a_link_wants_the_second_factor_and_the_right_role(house: House, chief: str) -> None:
    target = membership(house, house.person())
    with pytest.raises(Forbidden, match=r"identity\.step_up"):
        house.act(chief, lambda ctx: reset_member(ctx, target))
    clerk = house.sign_in(house.person("buyer.clerk")).token
    with pytest.raises(Forbidden, match=r"permission\.missing"):
        house.act(clerk, lambda ctx: reset_member(ctx, target), fresh=True)


def test_an_administrator_reaches_nobody_of_another_enterprise(house: House, chief: str) -> None:
    theirs = membership(house, house.person(tenant=OTHER), OTHER)
    with pytest.raises(NotFound, match=r"member\.not_found"):
        house.act(chief, lambda ctx: reset_member(ctx, theirs), fresh=True)


def test_who_works_for_two_enterprises_is_helped_by_the_operator_only(house: House, chief: str, helper: str) -> None:
    email = house.person()
    house.person(tenant=OTHER, email=email)
    with pytest.raises(Conflict, match=r"reset\.elsewhere"):
        house.act(chief, lambda ctx: reset_member(ctx, membership(house, email)), fresh=True)
    assert use(house, link(house, helper, lambda ctx: reset_person(ctx, f" {email.upper()} "))) == 0


def test_nobody_makes_a_link_for_themselves(house: House, chief: str, helper: str, operator: str) -> None:
    own = membership(house, "chief@0y43.example")
    with pytest.raises(Conflict, match=r"reset\.own"):
        house.act(chief, lambda ctx: reset_member(ctx, own), fresh=True)
    for verb in (reset_person, forget_second_factor):
        with pytest.raises(Conflict, match=r"reset\.own|no_second_factor"):
            house.act(helper, lambda ctx, verb=verb: verb(ctx, operator), fresh=True)


def test_only_the_operator_helps_everybody(house: House, chief: str) -> None:
    email = house.person()
    for verb in (find_person, reset_person, forget_second_factor):
        with pytest.raises(Forbidden, match=r"permission\.missing"):
            house.act(chief, lambda ctx, verb=verb: verb(ctx, email), fresh=True)
    with house.unit.system(TENANT, "test") as ctx, pytest.raises(NotFound):
        find_person(ctx, email)  # even with every permission: the database asks whose enterprise it is


def test_a_newer_link_replaces_an_open_one(house: House, chief: str) -> None:
    email = house.person()
    target = membership(house, email)
    first, second = (link(house, chief, lambda ctx: reset_member(ctx, target)) for _ in range(2))
    with pytest.raises(NotFound):
        use(house, first)
    assert use(house, second) == 0


def test_five_links_an_hour_are_enough_for_anybody(house: House, chief: str) -> None:
    target = membership(house, house.person())
    for _ in range(5):
        link(house, chief, lambda ctx: reset_member(ctx, target))
    with pytest.raises(TooManyTries, match=r"reset\.too_many"):
        link(house, chief, lambda ctx: reset_member(ctx, target))


def test_a_link_dies_after_a_day_and_with_a_change_of_the_password(house: House, chief: str) -> None:
    email = house.person()
    token = link(house, chief, lambda ctx: reset_member(ctx, membership(house, email)))
    house.scalar("UPDATE auth.password_reset SET expires_at = now() - interval '1 second' WHERE closed_at IS NULL RETURNING 1")
    with house.db.session() as session:
        assert read_reset(session, token) is None
        assert read_reset(session, "x" * 500) is None

    own = house.sign_in(email).token
    token = link(house, chief, lambda ctx: reset_member(ctx, membership(house, email)))
    house.act(own, lambda ctx: change_password(ctx, PASSWORD, NEW))
    with pytest.raises(NotFound):
        use(house, token, "nine larks above the hill")


@pytest.mark.parametrize("password", ["", "short", "password1234", "aaaaaaaaaaaaaa"])
def test_a_poor_password_is_refused_and_leaves_the_link_alive(house: House, chief: str, password: str) -> None:
    email = house.person()
    token = link(house, chief, lambda ctx: reset_member(ctx, membership(house, email)))
    with pytest.raises(Invalid):
        use(house, token, password)
    assert use(house, token) == 0


def test_a_new_password_does_not_pass_the_authenticator_until_the_operator_takes_it_away(
    house: House, chief: str, helper: str
) -> None:
    email = house.person(totp=True)
    use(house, link(house, chief, lambda ctx: reset_member(ctx, membership(house, email))))
    pending = house.sign_in(email, NEW)
    assert pending.pending

    found = house.act(helper, lambda ctx: forget_second_factor(ctx, email), fresh=True)
    assert found.has_second_factor  # type: ignore[attr-defined]
    assert not house.sign_in(email, NEW).pending
    with pytest.raises(Conflict, match=r"person\.no_second_factor"):
        house.act(helper, lambda ctx: forget_second_factor(ctx, email), fresh=True)


def test_what_was_done_stands_in_the_trail(house: House, chief: str, helper: str) -> None:
    email = house.person(totp=True)
    link(house, chief, lambda ctx: reset_member(ctx, membership(house, email)))
    house.act(helper, lambda ctx: forget_second_factor(ctx, email), fresh=True)
    link(house, helper, lambda ctx: reset_person(ctx, email))
    for action in ("member.reset_password", "person.forget_second_factor", "person.reset_password"):
        assert house.scalar("SELECT count(*) FROM ts.audit_entry WHERE action = :a", a=action), action
    assert not house.scalar("SELECT count(*) FROM ts.audit_entry WHERE detail::text LIKE '%token%'")
