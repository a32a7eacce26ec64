"""Partners and their terms; how an enterprise trades; which plugins it uses."""

from collections.abc import Callable
from decimal import Decimal
from uuid import UUID, uuid4

import pytest
from marshmallow import fields, validate
from sqlalchemy import text

from core.db import Unit, count_statements
from core.kernel import Conflict, Context, Forbidden, Invalid, NotFound
from core.tenancy import (
    disable_plugin,
    enable_plugin,
    enabled_plugins,
    partner,
    partners,
    plugin_settings,
    plugin_states,
    register_enterprise,
    set_partner,
    set_trade_settings,
    trade_settings,
)
from core.tenancy.settings import DEFAULTS
from core.web import Schema
from tests.tenancy.conftest import MINE


def test_terms_belong_to_the_one_who_sets_them(mine: Context, other_tenant: UUID, tenant: UUID) -> None:
    assert partner(mine, other_tenant) is None
    set_partner(
        mine, other_tenant, version=0, price_group="A", terms_days=45, credit_limit=Decimal("1000000.00")
    )
    found = partner(mine, other_tenant)
    assert found is not None
    assert (found.price_group, found.terms_days, found.credit_limit, found.blocked) == (
        "A",
        45,
        Decimal("1000000.00"),
        False,
    )
    with mine.as_tenant(other_tenant, "buyer") as other:
        assert partner(other, tenant) is None
        assert other.session.scalar(text("SELECT count(*) FROM ts.partner_relation")) == 0


@pytest.mark.parametrize(
    ("terms", "field"),
    [
        ({"terms_days": 366}, "terms_days"),
        ({"terms_days": -1}, "terms_days"),
        ({"credit_limit": Decimal("-0.01")}, "credit_limit"),
        ({"credit_limit": Decimal("1.001")}, "credit_limit"),
        ({"credit_limit": Decimal("NaN")}, "credit_limit"),
    ],
)
def test_terms_that_cannot_be_are_refused(
    mine: Context, other_tenant: UUID, terms: dict[str, object], field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        set_partner(mine, other_tenant, **terms)
    assert refused.value.errors[0].path == field
    assert partner(mine, other_tenant) is None


def test_one_is_no_partner_of_oneself_nor_of_nobody(mine: Context, tenant: UUID) -> None:
    with pytest.raises(Invalid):
        set_partner(mine, tenant, terms_days=1)
    with pytest.raises(NotFound):
        set_partner(mine, uuid4(), terms_days=1)


def test_the_own_code_names_one_partner(mine: Context, other_tenant: UUID) -> None:
    with mine.as_tenant(uuid4(), "buyer") as third:
        third_id = register_enterprise(third, name="丙公司", uscc="91110108MA00123455", kind="trader").id
    set_partner(mine, other_tenant, code="C-1")
    with pytest.raises(Invalid) as refused:
        set_partner(mine, third_id, code="C-1")
    assert refused.value.errors[0].code == "partner.code_taken"
    set_partner(mine, third_id, code="C-2")
    assert [card.name for _, card in partners(mine)] == ["丙公司", "北方机械有限公司"]
    assert [card.name for _, card in partners(mine, "c-2")] == ["丙公司"]
    first = partners(mine, limit=1)[0][1]
    assert [card.name for _, card in partners(mine, after=(first.name, first.tenant_id))] == [
        "北方机械有限公司"
    ]


def test_of_two_changes_at_once_the_second_is_told(mine: Context, other_tenant: UUID) -> None:
    set_partner(mine, other_tenant, version=0, price_group="A")
    set_partner(mine, other_tenant, version=1, price_group="B")
    with pytest.raises(Conflict, match=r"version\.changed"):
        set_partner(mine, other_tenant, version=1, price_group="C")


def test_a_credit_limit_needs_its_own_permission_up_to_its_amount(
    mine: Context, make_ctx: Callable[..., Context], other_tenant: UUID
) -> None:
    def with_grants(grants: dict[str, Decimal | None]) -> Context:
        mine.everything, mine.grants = False, grants
        return mine

    sales = with_grants({"partner.edit": None})
    set_partner(sales, other_tenant, price_group="A")
    with pytest.raises(Forbidden):
        set_partner(sales, other_tenant, credit_limit=Decimal("1.00"))
    finance = with_grants({"partner.credit": Decimal("5000")})
    set_partner(finance, other_tenant, credit_limit=Decimal("5000.00"))
    with pytest.raises(Forbidden, match=r"permission\.over_limit"):
        set_partner(finance, other_tenant, credit_limit=Decimal("5000.01"))
    with pytest.raises(Forbidden):
        set_partner(finance, other_tenant, blocked=True)


def test_unset_rules_are_the_platforms_and_cost_one_statement(mine: Context, other_tenant: UUID) -> None:
    assert trade_settings(mine) == DEFAULTS
    with count_statements() as seen:
        trade_settings(mine)
        with mine.as_tenant(other_tenant, "buyer") as other:
            trade_settings(other)
            trade_settings(other)
        trade_settings(mine)
    assert len([sql for sql in seen if "trade_settings" in sql]) == 1


def test_rules_are_set_one_by_one_and_seen_at_once(mine: Context, other_tenant: UUID) -> None:
    changed = set_trade_settings(
        mine, version=0, approval_threshold=Decimal("5000.00"), over_tol=Decimal("0.05")
    )
    assert changed == trade_settings(mine)
    assert (changed.approval_threshold, changed.accept_days, changed.version) == (Decimal("5000.00"), 7, 1)
    assert set_trade_settings(mine, approval_threshold=None).approval_threshold is None
    with pytest.raises(Conflict):
        set_trade_settings(mine, version=1, accept_days=3)
    with mine.as_tenant(other_tenant, "buyer") as other:
        assert trade_settings(other) == DEFAULTS


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("approval_threshold", Decimal("0")),
        ("approval_threshold", Decimal("-1")),
        ("approval_threshold", Decimal("1.005")),
        ("approval_threshold", Decimal("Infinity")),
        ("offer_minutes", 0),
        ("accept_days", 91),
        ("over_tol", Decimal("1.01")),
        ("under_tol", Decimal("-0.01")),
        ("under_tol", Decimal("0.0000001")),
        ("write_off_amount", Decimal("-0.01")),
        ("write_off_amount", Decimal("0.001")),
        ("write_off_amount", Decimal("1000000")),
        ("write_off_amount", Decimal("NaN")),
        ("write_off_share", Decimal("1.01")),
        ("write_off_share", Decimal("-0.001")),
        ("currency", "XXX"),
        ("timezone", "Asia/Nowhere"),
        ("timezone", "../etc/passwd"),
    ],
)
def test_rules_that_cannot_be_are_refused(mine: Context, name: str, value: object) -> None:
    with pytest.raises(Invalid) as refused:
        set_trade_settings(mine, **{name: value})
    assert refused.value.errors[0].path == name


class SpotSettings(Schema):
    days = fields.Integer(load_default=3, validate=validate.Range(min=1))
    note = fields.String()


def test_settings_pass_the_plugins_own_schema(mine: Context, tenant: UUID) -> None:
    with pytest.raises(Invalid) as refused:
        enable_plugin(mine, "spot", version="1.0", settings={"days": 0, "what": 1}, schema=SpotSettings())
    assert {error.path for error in refused.value.errors} == {"settings.days", "settings.what"}
    assert enabled_plugins(mine, tenant) == frozenset()
    enable_plugin(mine, "spot", version="1.0", schema=SpotSettings())
    assert plugin_settings(mine, tenant, "spot") == {"days": 3}
    enable_plugin(mine, "spot", version="1.1", settings={"days": 5}, schema=SpotSettings())
    assert plugin_settings(mine, tenant, "spot") == {"days": 5}
    assert plugin_settings(mine, tenant, "other") == {}


def test_a_draining_plugin_still_acts_and_a_disabled_one_does_not(mine: Context, tenant: UUID) -> None:
    enable_plugin(mine, "spot", version="1.0", settings={"days": 5})
    disable_plugin(mine, "spot", drain=True)
    assert enabled_plugins(mine, tenant) == {"spot"}
    assert plugin_states(mine, tenant)["spot"].state == "draining"
    disable_plugin(mine, "spot")
    assert enabled_plugins(mine, tenant) == frozenset()
    with pytest.raises(Conflict):
        disable_plugin(mine, "spot")
    with pytest.raises(NotFound):
        disable_plugin(mine, "never")
    enable_plugin(mine, "spot", version="1.0")
    assert plugin_settings(mine, tenant, "spot") == {"days": 5}, "settings outlive being off"


def test_a_partner_sees_which_plugins_act_but_not_how_they_are_set(
    mine: Context, tenant: UUID, other_tenant: UUID
) -> None:
    enable_plugin(mine, "spot", version="1.0", settings={"days": 5})
    with mine.as_tenant(other_tenant, "buyer") as other:
        assert enabled_plugins(other, tenant) == {"spot"}
        assert plugin_states(other, tenant)["spot"].settings is None
        with pytest.raises(NotFound):
            plugin_settings(other, tenant, "spot")


def test_secret_settings_stay_out_of_the_trail(mine: Context) -> None:
    enable_plugin(
        mine,
        "spot",
        version="1.0",
        settings={"token": "hunter2", "days": 1},
        secret_fields=frozenset({"token"}),
    )
    written = str(mine.session.info["audit"])
    assert "hunter2" not in written
    assert "token" not in written
    assert "days" in written


def test_the_database_is_asked_once_a_second(unit: Unit, tenant: UUID) -> None:
    with unit.system(tenant, "test") as ctx:
        register_enterprise(ctx, name="甲公司", uscc=MINE, kind="trader")
        enable_plugin(ctx, "spot", version="1.0")
    with unit.system(tenant, "test") as ctx:
        assert enabled_plugins(ctx, tenant) == {"spot"}
    with unit.system(tenant, "test") as ctx, count_statements() as seen:
        for _ in range(10):
            assert enabled_plugins(ctx, tenant) == {"spot"}
        assert plugin_settings(ctx, tenant, "spot") == {}
        assert [sql for sql in seen if "plugins_of" in sql] == []


def test_what_a_transaction_switched_is_unseen_by_others_until_it_commits(unit: Unit, tenant: UUID) -> None:
    with unit.system(tenant, "test") as ctx:
        register_enterprise(ctx, name="甲公司", uscc=MINE, kind="trader")
    with unit.database.session() as session:
        ctx = unit.enter(session, tenant, ctx.actor, everything=True)
        enable_plugin(ctx, "spot", version="1.0")
        assert enabled_plugins(ctx, tenant) == {"spot"}
        with unit.system(tenant, "test") as reader:
            assert enabled_plugins(reader, tenant) == frozenset()
        with ctx.session.begin_nested():
            assert enabled_plugins(ctx, tenant) == {"spot"}
        assert enabled_plugins(ctx, tenant) == {"spot"}
        session.rollback()
    with unit.system(tenant, "test") as ctx:
        assert enabled_plugins(ctx, tenant) == frozenset()
        enable_plugin(ctx, "spot", version="1.0")
    with unit.system(tenant, "test") as ctx:
        assert enabled_plugins(ctx, tenant) == {"spot"}, "a commit is seen at once in its own process"
