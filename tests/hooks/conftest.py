"""A context with plugins of the test's own making, each switched on where the test says so."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from core.hooks import Dispatch
from core.kernel import Context


@pytest.fixture
def plugged(make_ctx: Callable[..., Context]) -> Callable[..., Context]:
    """`plugged(bad=Bad(), good=Good(), enabled={"bad"})`; the settings of every plugin are `{"plugin": its name}`."""

    def make(enabled: set[str] | Callable[[UUID], set[str]] | None = None, **plugins: Any) -> Context:
        ctx = make_ctx()
        dispatch = Dispatch()
        for name, plugin in plugins.items():
            dispatch.register(name, plugin, {"zh": f"插件 {name}", "en": f"Plugin {name}"})

        def switched_on(_ctx: Context, tenant: UUID) -> frozenset[str]:
            chosen = enabled(tenant) if callable(enabled) else enabled
            return frozenset(plugins if chosen is None else chosen)

        ctx.ports = replace(
            ctx.ports,
            dispatch=dispatch,
            enabled=switched_on,
            settings=lambda _ctx, _tenant: lambda plugin: {"plugin": plugin},
        )
        return ctx

    return make
