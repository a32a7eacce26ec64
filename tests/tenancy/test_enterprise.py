"""Enterprises, their details, addresses and invoice details."""

from collections.abc import Callable
from datetime import date
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from core.kernel import Conflict, Context, Forbidden, Invalid, NotFound
from core.tenancy import (
    addresses,
    card,
    edit_enterprise,
    enterprise,
    find_enterprises,
    invoice_details,
    register_enterprise,
    remove_address,
    save_address,
    set_invoice_details,
    verify_enterprise,
)
from tests.tenancy.conftest import MINE

HERE = {
    "label": "主料场",
    "contact": "陈工",
    "phone": "021-5566",
    "province": "上海市",
    "city": "上海市",
    "street": "宝杨路 1 号",
}
BANK = {
    "title": "华东联钢贸易有限公司",
    "registered_address": "宝杨路 1 号",
    "phone": "021-5566",
    "bank": "工行宝山支行",
}


def test_an_enterprise_sees_its_own_row_and_every_card(
    mine: Context, tenant: UUID, other_tenant: UUID
) -> None:
    assert enterprise(mine).uscc == MINE
    assert enterprise(mine).status == "applied"
    assert card(mine, other_tenant).name == "北方机械有限公司"
    for unknown in (other_tenant, uuid4()):
        with pytest.raises(NotFound, match=r"^enterprise\.not_found$"):
            enterprise(mine, unknown)
    assert mine.session.scalar(text("SELECT count(*) FROM ts.enterprise")) == 1


def test_a_code_stands_on_one_enterprise_and_it_is_not_told_whose(mine: Context) -> None:
    with mine.as_tenant(uuid4(), "buyer") as third:
        with pytest.raises(Invalid) as refused:
            register_enterprise(third, name="假冒公司", uscc=MINE.lower(), kind="trader")
        assert [(error.path, error.code, error.values) for error in refused.value.errors] == [
            ("uscc", "uscc.taken", {})
        ]
        assert third.session.scalar(text("SELECT count(*) FROM ts.enterprise")) == 0


def test_an_enterprise_is_registered_once(mine: Context) -> None:
    with pytest.raises(Conflict):
        register_enterprise(mine, name="x", uscc="91110108MA00123455", kind="trader")


def test_registering_is_for_setting_up_only(make_ctx: Callable[..., Context]) -> None:
    ctx = make_ctx(uuid4(), {"enterprise.edit": None})
    with pytest.raises(Forbidden):
        register_enterprise(ctx, name="x", uscc=MINE, kind="trader")


def test_what_is_edited_is_published(mine: Context, tenant: UUID, other_tenant: UUID) -> None:
    before = enterprise(mine).version
    edit_enterprise(mine, version=before, short_name="华东联钢", contact="陈工")
    with mine.as_tenant(other_tenant, "buyer") as other:
        assert card(other, tenant).short_name == "华东联钢"
    assert enterprise(mine).version == before + 1
    with pytest.raises(Conflict, match=r"version\.changed"):
        edit_enterprise(mine, version=before, short_name="x")
    with pytest.raises(Invalid):
        edit_enterprise(mine, name="  ")


@pytest.mark.parametrize("table", ["enterprise", "enterprise_card"])
def test_no_enterprise_verifies_itself(mine: Context, table: str) -> None:
    with pytest.raises(ProgrammingError, match="set by the operator"):
        mine.session.execute(text(f"UPDATE ts.{table} SET status = 'verified'"))


def test_only_the_operator_verifies(mine: Context, tenant: UUID) -> None:
    with pytest.raises(NotFound):
        verify_enterprise(mine, tenant)
    with mine.as_tenant(uuid4(), "operator") as operator:
        register_enterprise(operator, name="通商平台", uscc="91440300MA50000050", kind="operator")
        verify_enterprise(operator, tenant, until=date(2027, 12, 31))
        with pytest.raises(NotFound):
            verify_enterprise(operator, uuid4())
    found = enterprise(mine)
    assert (found.status, found.verified_until) == ("verified", date(2027, 12, 31))
    assert card(mine, tenant).status == "verified"
    with pytest.raises(Conflict, match=r"enterprise\.verified_name"):
        edit_enterprise(mine, name="改名公司")


def test_enterprises_are_found_by_a_part_of_the_name_or_the_whole_code(
    mine: Context, other_tenant: UUID
) -> None:
    for words in ("机械", "91310000ma1fl4xy7w"):
        assert [found.tenant_id for found in find_enterprises(mine, words)] == [other_tenant]
    for words in ("", "%", "_", "9131", "华东"):
        assert find_enterprises(mine, words) == []


def test_there_is_one_default_address_as_long_as_there_is_any(mine: Context) -> None:
    first = save_address(mine, **HERE)
    second = save_address(mine, **{**HERE, "label": "二号库", "is_default": True})
    assert [(one.label, one.is_default) for one in addresses(mine)] == [("二号库", True), ("主料场", False)]
    with pytest.raises(Conflict):
        save_address(mine, first.id, version=99, city="苏州市")
    remove_address(mine, second.id)
    assert [one.is_default for one in addresses(mine)] == [True]
    with pytest.raises(Invalid):
        save_address(mine, **{**HERE, "street": " "})


def test_anothers_address_answers_like_a_missing_one(mine: Context, other_tenant: UUID) -> None:
    with mine.as_tenant(other_tenant, "buyer") as other:
        foreign = save_address(other, **HERE).id
    for unknown in (foreign, uuid4()):
        with pytest.raises(NotFound, match=r"^address\.not_found$"):
            save_address(mine, unknown, city="x")
        with pytest.raises(NotFound, match=r"^address\.not_found$"):
            remove_address(mine, unknown)


def test_invoices_bear_the_registered_name_and_code(mine: Context) -> None:
    assert invoice_details(mine) is None
    with pytest.raises(Invalid) as refused:
        set_invoice_details(mine, **{**BANK, "title": "别的公司"}, account="6222000011112222")
    assert refused.value.errors[0].code == "invoice.title_differs"
    saved = set_invoice_details(mine, **BANK, account="6222 0000-1111 2222", bank_code="102290000012")
    assert (saved.account, saved.tax_no) == ("6222000011112222", MINE)
    with pytest.raises(Invalid):
        set_invoice_details(mine, bank_code="123")
    with pytest.raises(Conflict, match=r"enterprise\.name_on_invoices"):
        edit_enterprise(mine, name="改名公司")


def test_a_bank_account_wants_a_person_with_a_fresh_second_factor(
    mine: Context, make_ctx: Callable[..., Context], tenant: UUID
) -> None:
    with pytest.raises(Forbidden, match=r"identity\.needs_person"):
        set_invoice_details(make_ctx(tenant, {"enterprise.bank": None}), account="6222000011112222")


def test_the_trail_names_fields_not_values(mine: Context) -> None:
    set_invoice_details(mine, **BANK, account="6222000011112222")
    assert "6222000011112222" not in str(mine.session.info["audit"])
