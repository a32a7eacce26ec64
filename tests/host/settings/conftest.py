"""A plugin with a setting of every kind, in contexts of an enterprise and of the operator."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from core.hooks import Dispatch
from core.host import Loaded
from core.host.manifest import read
from core.host.settings import saving
from core.host.settings.history import Holder, Version
from core.identity import name_operator
from core.kernel import Context
from core.tenancy import plugin_settings
from tests.conftest import OTHER
from tests.host.settings import scales

HERE = Path(scales.__file__).parent


def weighbridge(version: str = "1.0", module: Any = scales) -> Loaded:
    """The plugin as a process has it, in a version of its own."""
    return Loaded(read(HERE, "tests.host.settings.scales", version), module)


@dataclass
class Desk:
    """Somebody of one enterprise, or the operator's own, who sets a plugin up."""

    ctx: Context
    loaded: Loaded
    holder: Holder

    def save(self, values: dict[str, Any] | None = None, **more: Any) -> Version:
        return saving.save(self.ctx, self.loaded, self.holder, values, **more)

    def undo(self, no: int, **more: Any) -> Version:
        return saving.undo(self.ctx, self.loaded, self.holder, no, **more)

    def read(self) -> dict[str, Any]:
        """What the plugin reads here."""
        return dict(plugin_settings(self.ctx, self.ctx.tenant_id, "scales"))


@pytest.fixture
def loaded() -> Loaded:
    return weighbridge()


@pytest.fixture
def dispatch() -> Dispatch:
    made = Dispatch()
    made.register("scales", scales)
    return made


@pytest.fixture
def desk(make_ctx: Callable[..., Context], dispatch: Dispatch, loaded: Loaded, tenant: UUID) -> Desk:
    """The enterprise's own."""
    return Desk(make_ctx(tenant, dispatch=dispatch), loaded, Holder("scales", tenant))


@pytest.fixture
def platform(make_ctx: Callable[..., Context], dispatch: Dispatch, loaded: Loaded) -> Desk:
    """The operator's, in a transaction of its own."""
    ctx = make_ctx(OTHER, dispatch=dispatch)
    name_operator(ctx)
    return Desk(ctx, loaded, Holder("scales", None))
