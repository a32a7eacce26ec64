"""Members, roles and limits; API keys."""

from datetime import timedelta
from decimal import Decimal
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from core.identity import (
    SignInRefused,
    accept_invitation,
    account,
    add_person,
    api_keys,
    assignable_roles,
    create_api_key,
    invitations,
    invite_member,
    members,
    name_operator,
    principal_from_key,
    read_invitation,
    remove_member,
    revoke_api_key,
    set_limits,
    set_roles,
    sync_roles,
    withdraw_invitation,
)
from core.kernel import Conflict, Context, Forbidden, Invalid, NotFound, Permission
from tests.conftest import OTHER, TENANT
from tests.identity.conftest import PASSWORD, House


@pytest.fixture
def chief(house: House) -> str:
    return house.sign_in("chief@0y43.example").token


def membership(house: House, email: str) -> UUID:
    with house.unit.system(TENANT, "test") as ctx:
        return next(one.id for one in members(ctx) if one.email == email)


def enter(house: House, token: str, remote: str = "203.0.113.7", shift: str = "0") -> object:
    with house.db.session() as session:
        session.execute(text("SELECT set_config('ts.clock_shift', :by, true)"), {"by": shift})
        found = principal_from_key(session, f"Bearer {token}", remote)
        session.commit()
        return found


def test_members_of_another_enterprise_are_not_seen(house: House, chief: str) -> None:
    emails = {one.email for one in house.act(chief, members)}
    assert "chief@0y43.example" in emails
    assert "chief@xy7w.example" not in emails


def test_giving_roles_wants_the_second_factor(house: House, chief: str) -> None:
    target = membership(house, house.person())
    with pytest.raises(Forbidden, match=r"identity\.step_up"):
        house.act(chief, lambda ctx: set_roles(ctx, target, ["seller.sales"]))


def test_new_roles_act_from_the_next_request_on(house: House, chief: str) -> None:
    email = house.person("buyer.clerk")
    token = house.sign_in(email).token
    house.act(chief, lambda ctx: set_roles(ctx, membership(house, email), ["it"]), fresh=True)

    assert "key.manage" in house.act(token, lambda ctx: ctx.grants)


@pytest.mark.parametrize(("roles", "code"), [([], "member.needs_role"), (["king"], "role.unknown")])
def test_roles_that_do_not_exist_are_refused(house: House, chief: str, roles: list[str], code: str) -> None:
    target = membership(house, house.person())
    with pytest.raises(Invalid) as refused:
        house.act(chief, lambda ctx: set_roles(ctx, target, roles), fresh=True)
    assert refused.value.errors[0].code == code


def test_operator_roles_exist_on_the_operators_enterprise_only(house: House, chief: str) -> None:
    target = membership(house, house.person())
    assert "operator.risk" not in house.act(chief, assignable_roles)
    with pytest.raises(Forbidden, match=r"role\.operator_only"):
        house.act(chief, lambda ctx: set_roles(ctx, target, ["operator.risk"]), fresh=True)
    with pytest.raises(Forbidden):
        house.act(
            chief, lambda ctx: invite_member(ctx, "x@acme.example", "X", ["operator.admin"]), fresh=True
        )

    with house.unit.system(OTHER, "test") as ctx:
        name_operator(ctx)
        add_person(ctx, name="risk", email="risk@op.example", password=PASSWORD, roles=["operator.risk"])
        assert "operator.risk" in assignable_roles(ctx)
    with pytest.raises(Conflict, match=r"operator\.named_already"), house.unit.system(TENANT, "test") as ctx:
        name_operator(ctx)


def test_the_last_administrator_cannot_be_lost(house: House) -> None:
    tenant = uuid4()
    with house.unit.system(tenant, "test") as ctx:
        add_person(ctx, name="only", email="only@one.example", password=PASSWORD, roles=["admin"])
        only = members(ctx)[0].id
        with pytest.raises(Conflict, match=r"member\.last_admin"):
            set_roles(ctx, only, ["auditor"])
        with pytest.raises(Conflict, match=r"member\.last_admin"):
            remove_member(ctx, only)
        add_person(ctx, name="two", email="two@one.example", password=PASSWORD, roles=["admin"])
        remove_member(ctx, only)
        assert [one.name for one in members(ctx)] == ["two"]


def test_a_limit_bounds_what_its_permission_allows(house: House) -> None:
    with house.owner.begin() as connection:
        declared = (
            connection.execute(text("SELECT code FROM auth.permission WHERE limited ORDER BY code"))
            .scalars()
            .all()
        )
    assert "partner.credit" in declared
    email = house.person("seller.finance")
    token = house.sign_in(email).token
    with house.unit.system(TENANT, "test") as ctx:
        set_limits(ctx, membership(house, email), {"partner.credit": Decimal("5000.50")})
        with pytest.raises(Invalid):
            set_limits(ctx, membership(house, email), {"member.view": Decimal(1)})

    def at(amount: str) -> bool:
        return bool(house.act(token, lambda ctx: ctx.allows("partner.credit", Decimal(amount))))

    assert at("5000.50")
    assert not at("5000.51")
    assert house.act(token, lambda ctx: ctx.grants["partner.credit"]) == Decimal("5000.50")
    with house.unit.system(TENANT, "test") as ctx:
        set_limits(ctx, membership(house, email), {"partner.credit": None})
    assert at("999999999.00")


def test_a_removed_member_is_out_at_once_with_their_keys(house: House, chief: str) -> None:
    email = house.person("it")
    token = house.sign_in(email).token
    key = house.act(token, lambda ctx: create_api_key(ctx, "erp", ["key.view"]), fresh=True)
    assert enter(house, key.token) is not None

    house.act(chief, lambda ctx: remove_member(ctx, membership(house, email)))

    assert not house.opens(token)
    assert enter(house, key.token) is None
    with pytest.raises(SignInRefused):
        house.sign_in(email)


def test_an_invitation_makes_a_member_once(house: House, chief: str) -> None:
    made = house.act(
        chief, lambda ctx: invite_member(ctx, "New@Guest.example", "新同事", ["buyer.clerk"]), fresh=True
    )
    assert [one.email for one in house.act(chief, invitations)] == ["new@guest.example"]
    with house.db.session() as session:
        invited = read_invitation(session, made.token)
        assert invited is not None
        assert not invited.known
        with pytest.raises(Invalid):
            accept_invitation(session, made.token, "short")
        session.rollback()
        signed = accept_invitation(session, made.token, "a long enough sentence", name="小周")
        session.commit()

    assert house.act(signed.token, account).name == "小周"
    assert house.act(chief, invitations) == []
    with house.db.session() as session, pytest.raises(NotFound):
        accept_invitation(session, made.token, "a long enough sentence")


def test_a_known_person_joins_with_the_password_they_have(house: House, chief: str) -> None:
    email = house.person("seller.sales", tenant=OTHER)
    made = house.act(chief, lambda ctx: invite_member(ctx, email, "x", ["auditor"]), fresh=True)
    with house.db.session() as session:
        assert read_invitation(session, made.token).known
        with pytest.raises(Invalid):
            accept_invitation(session, made.token, "not their password")
        session.rollback()
        accept_invitation(session, made.token, PASSWORD)
        session.commit()
    assert email in {one.email for one in house.act(chief, members)}
    with pytest.raises(Invalid):
        house.act(chief, lambda ctx: invite_member(ctx, email, "x", ["auditor"]), fresh=True)


def test_a_withdrawn_replaced_or_old_invitation_is_dead(house: House, chief: str) -> None:
    def invite(ctx: Context) -> object:
        return invite_member(ctx, "late@guest.example", "late", ["auditor"])

    replaced = house.act(chief, invite, fresh=True)
    current = house.act(chief, invite, fresh=True)
    with house.db.session() as session:
        assert read_invitation(session, replaced.token) is None
        assert read_invitation(session, current.token) is not None
        session.execute(text("SELECT set_config('ts.clock_shift', '7 days 1 second', true)"))
        assert read_invitation(session, current.token) is None
    house.act(chief, lambda ctx: withdraw_invitation(ctx, current.id))
    with house.db.session() as session:
        assert read_invitation(session, current.token) is None


def test_a_clerk_may_neither_see_nor_change_members(house: House) -> None:
    token = house.sign_in(house.person("buyer.clerk")).token
    for act in (
        members,
        lambda ctx: invite_member(ctx, "a@b.example", "a", ["admin"]),
        lambda ctx: set_roles(ctx, uuid4(), ["admin"]),
        lambda ctx: create_api_key(ctx, "k", ["me.view"]),
    ):
        with pytest.raises(Forbidden, match=r"permission\.missing"):
            house.act(token, act, fresh=True)


def test_a_key_does_what_its_scopes_say_and_no_more_than_its_maker(house: House, chief: str) -> None:
    email = house.person("it", "buyer.clerk")
    token = house.sign_in(email).token
    key = house.act(token, lambda ctx: create_api_key(ctx, "erp", ["key.view", "member.view"]), fresh=True)
    principal = enter(house, key.token)
    assert set(principal.grants) == {"key.view", "member.view", "me.view"}
    assert (principal.actor.kind, principal.tenant_id) == ("key", TENANT)
    with pytest.raises(Invalid) as refused:
        house.act(token, lambda ctx: create_api_key(ctx, "erp", ["member.manage"]), fresh=True)
    assert refused.value.errors[0].code == "key.scope_not_held"

    house.act(chief, lambda ctx: set_roles(ctx, membership(house, email), ["buyer.clerk"]), fresh=True)
    assert set(enter(house, key.token).grants) == {"me.view"}


def test_a_key_opens_only_from_its_networks_and_until_its_end(house: House, chief: str) -> None:
    key = house.act(
        chief,
        lambda ctx: create_api_key(
            ctx,
            "plant",
            ["member.view"],
            cidrs=["10.1.0.0/16", "2001:db8::/32"],
            expires_at=ctx.now + timedelta(hours=1),
        ),
        fresh=True,
    )
    assert enter(house, key.token, "10.1.2.3") is not None
    assert enter(house, key.token, "::ffff:10.1.2.3") is not None
    assert enter(house, key.token, "2001:db8::5") is not None
    assert enter(house, key.token, "10.2.0.1") is None
    assert enter(house, key.token, "") is None
    assert enter(house, key.token, "10.1.2.3", "61 minutes") is None
    with pytest.raises(Invalid):
        house.act(
            chief, lambda ctx: create_api_key(ctx, "x", ["member.view"], cidrs=["10.1.2.3/16"]), fresh=True
        )


def test_a_revoked_key_opens_nothing_and_a_foreign_one_answers_like_a_missing_one(
    house: House, chief: str
) -> None:
    key = house.act(chief, lambda ctx: create_api_key(ctx, "erp", ["member.view"]), fresh=True)
    stranger = house.sign_in("chief@xy7w.example").token
    for unknown in (key.id, uuid4()):
        with pytest.raises(NotFound, match=r"^key\.not_found$"):
            house.act(stranger, lambda ctx, one=unknown: revoke_api_key(ctx, one))
    house.act(chief, lambda ctx: revoke_api_key(ctx, key.id))
    assert enter(house, key.token) is None
    assert next(one.state for one in house.act(chief, api_keys) if one.id == key.id) == "revoked"


def test_no_secret_is_in_the_audit_trail_or_in_a_repr(house: House, chief: str) -> None:
    key = house.act(chief, lambda ctx: create_api_key(ctx, "erp", ["member.view"]), fresh=True)
    secret = key.token.rsplit("_", 1)[1]
    assert secret not in repr(key)
    assert house.scalar("SELECT count(*) FROM ts.audit_entry a WHERE a::text LIKE :s", s=f"%{secret}%") == 0
    assert house.scalar("SELECT count(*) FROM auth.api_key a WHERE a::text LIKE :s", s=f"%{secret}%") == 0


def test_seeding_verbs_are_closed_to_people(house: House, chief: str) -> None:
    for act in (
        name_operator,
        lambda ctx: add_person(ctx, name="x", email="x@x.example", password=PASSWORD, roles=["admin"]),
        lambda ctx: create_api_key(ctx, "x", ["me.view"], created_by=uuid4()),
    ):
        with pytest.raises(Forbidden):
            house.act(chief, act, fresh=True)


def test_syncing_roles_refuses_strange_roles_and_doubles(house: House) -> None:
    with house.owner.begin() as connection:
        with pytest.raises(ValueError, match="unknown roles"):
            sync_roles(connection, [Permission("a.b", "A", ("king",))])
        with pytest.raises(ValueError, match="twice"):
            sync_roles(connection, [Permission("a.b", "A"), Permission("a.b", "A")])
        connection.rollback()
