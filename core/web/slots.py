"""Slots: named places on a page that plugins fill. The core renders and frames what they answer, one by one.

A plugin answers a template of its own and values, never markup. One that fails, is too slow or draws nonsense shows that
it is not available right now; the page around it stands. Panels that stand apart (`Place.apart`) are asked for after the
page by `announced`, one answer for each plugin: a slow one keeps nobody waiting.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from flask import render_template, url_for
from markupsafe import Markup

from core.hooks import Broken, SlotFragment
from core.kernel import Context, NotFound
from core.web.i18n import CHINESE, language
from core.web.page import Fragment, shell
from core.web.platform import platform

Subject = Callable[[Context, str], Any]
"""How a room finds what a slot of its pages is about, by its key; refuses what the reader may not see."""


def announced(ctx: Context, slot: str, key: str = "") -> tuple[Fragment, ...]:
    """A frame for each enabled plugin that fills a slot which stands apart; the browser fetches what belongs in it.

    `key` says what the slot is about: an id, or nothing for a page that is about nothing in particular.
    """
    if slot not in platform().subjects:
        raise ValueError(f"nobody says what {slot} is about")
    return tuple(
        Fragment(
            plugin,
            ctx.ports.dispatch.title(plugin, _tongue()),
            apart_url=url_for("workbench.fragment", slot=slot, plugin=plugin, of=key),
        )
        for plugin in ctx.ports.dispatch.fillers(ctx, slot)
    )


def offers_url(ctx: Context, slot: str, key: str) -> str | None:
    """Where the offers for what a slot is about are fetched; None where no enabled plugin makes any."""
    makers = {name for name, _ in ctx.ports.dispatch.implementers("offers_for")}
    if not makers or not makers & ctx.ports.enabled(ctx, ctx.tenant_id):
        return None
    return url_for("workbench.offers", slot=slot, of=key)


def fetched(ctx: Context, slot: str, plugin: str, key: str) -> tuple[Fragment, ...]:
    """What one plugin puts into a slot which stands apart. Unknown slots are NotFound."""
    find = platform().subjects.get(slot)
    if find is None:
        raise NotFound("http.404")
    again = url_for("workbench.fragment", slot=slot, plugin=plugin, of=key)
    shell()  # made while there is a connection: that of a plugin which is far too late is cut
    found = fill(ctx, slot, find(ctx, key), again, only=plugin)
    if ctx.session.connection().invalidated:
        ctx.session.rollback()  # nothing was written; so the panel can say that it is not available
    return found


def fill(
    ctx: Context, slot: str, subject: Any, retry_url: str | None = None, *, only: str | None = None
) -> tuple[Fragment, ...]:
    """What the enabled plugins (or `only` one) put into a slot for a subject (frozen facts), in their order.

    `retry_url` is where a failed one may be asked again; usually the page itself.
    """
    dispatch = ctx.ports.dispatch
    among = [name for name in dispatch.fillers(ctx, slot) if only in (None, name)]
    tongue = _tongue()
    found: list[tuple[int, Fragment]] = []
    for plugin, answer in dispatch.decorate("fill_slot", ctx, among=among, slot=slot, subject=subject):
        if answer is None:
            continue
        if isinstance(answer, SlotFragment) and answer.permission and not ctx.allows(answer.permission):
            continue
        source = dispatch.title(plugin, tongue)
        shell()  # made before a template asks for it in the plugin's role, which may not read what it is made of
        if isinstance(answer, SlotFragment):
            html = dispatch.ask(plugin, f"slot {slot}", ctx, partial(_drawn, plugin, answer))
            if html is not None and not isinstance(html, Broken):
                title = answer.title or source
                found.append(
                    (
                        answer.order,
                        Fragment(plugin, title, html, answer.icon, source if title != source else ""),
                    )
                )
                continue
        found.append((1000, Fragment(plugin, source, icon="plug", failed=True, retry_url=retry_url)))
    return tuple(fragment for _, fragment in sorted(found, key=lambda each: each[0]))


def _tongue() -> str:
    return "zh" if language() == CHINESE else "en"


def _drawn(plugin: str, answer: SlotFragment, _ctx: Context) -> Markup:
    if not answer.template.startswith(f"{plugin}/"):
        raise ValueError(f"{answer.template} is not a template of {plugin}")
    return Markup(render_template(answer.template, **answer.values))  # noqa: S704 rendered here, with escaping on
