"""Slots: named places on a page that plugins fill. The core renders and frames what they answer, one by one.

A plugin answers a template of its own and values, never markup. One that fails, is too slow or draws nonsense shows that
it is not available right now; the page around it stands.
"""

from functools import partial
from typing import Any

from flask import render_template
from markupsafe import Markup

from core.hooks import Broken, SlotFragment
from core.kernel import Context
from core.web.i18n import CHINESE, language
from core.web.page import Fragment, shell


def fill(ctx: Context, slot: str, subject: Any, retry_url: str | None = None) -> tuple[Fragment, ...]:
    """What the enabled plugins put into a slot for a subject (frozen facts), in their order.

    `retry_url` is where a failed one may be asked again; usually the page itself.
    """
    dispatch = ctx.ports.dispatch
    tongue = "zh" if language() == CHINESE else "en"
    found: list[tuple[int, Fragment]] = []
    for plugin, answer in dispatch.decorate("fill_slot", ctx, slot=slot, subject=subject):
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
                found.append((answer.order, Fragment(plugin, title, html, answer.icon, source if title != source else "")))
                continue
        found.append((1000, Fragment(plugin, source, icon="plug", failed=True, retry_url=retry_url)))
    return tuple(fragment for _, fragment in sorted(found, key=lambda each: each[0]))


def _drawn(plugin: str, answer: SlotFragment, _ctx: Context) -> Markup:
    if not answer.template.startswith(f"{plugin}/"):
        raise ValueError(f"{answer.template} is not a template of {plugin}")
    return Markup(render_template(answer.template, **answer.values))  # noqa: S704 rendered here, with escaping on
