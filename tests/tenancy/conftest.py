"""Two enterprises in one transaction that is rolled back."""

from collections.abc import Callable
from uuid import UUID

import pytest

from core.kernel import Context
from core.tenancy import register_enterprise

MINE, THEIRS = "91350100M000100Y43", "91310000MA1FL4XY7W"


@pytest.fixture
def mine(make_ctx: Callable[..., Context], tenant: UUID, other_tenant: UUID) -> Context:
    """The first enterprise; `as_tenant` crosses to the second in the same transaction."""
    ctx = make_ctx(tenant)
    register_enterprise(ctx, name="华东联钢贸易有限公司", name_en="Huadong Steel", uscc=MINE, kind="trader")
    with ctx.as_tenant(other_tenant, "buyer") as other:
        register_enterprise(other, name="北方机械有限公司", uscc=THEIRS, kind="manufacturer")
    return ctx
