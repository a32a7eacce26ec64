"""What the pages of this room share: their collection, and how a plugin is called in the reader's language."""

from core.kernel import Context
from core.web import Pages
from core.web.i18n import CHINESE, language

pages = Pages("workbench")


def title_of(ctx: Context, plugin: str) -> str:
    """What a plugin calls itself."""
    return str(ctx.ports.dispatch.title(plugin, "zh" if language() == CHINESE else "en"))
