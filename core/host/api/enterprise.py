"""An enterprise's own choice of plugins over JSON."""

from typing import Any

from core.host import service
from core.host.api.frame import api
from core.host.schema import DisableIn, EnableIn, PluginAnswer, PluginList
from core.kernel import Context


@api.get("/plugins", permission="plugin.view", answer=PluginList)
def list_plugins(ctx: Context) -> dict[str, Any]:
    """Every installed plugin with this enterprise's state."""
    return {"items": service.plugins(ctx)}


@api.post(
    "/plugins/<name>/enable", permission="plugin.manage", body=EnableIn, answer=PluginAnswer, idempotent=True
)
def enable(ctx: Context, name: str, body: dict[str, Any]) -> service.PluginView:
    """Switch a plugin on for this enterprise, or change its settings."""
    return service.switch_on(ctx, name, body["settings"])


@api.post(
    "/plugins/<name>/disable",
    permission="plugin.manage",
    body=DisableIn,
    answer=PluginAnswer,
    idempotent=True,
)
def disable(ctx: Context, name: str, body: dict[str, Any]) -> service.PluginView:
    """Switch a plugin off, or let it finish what is open. Nothing it keeps is lost."""
    return service.switch_off(ctx, name, drain=body["drain"])
