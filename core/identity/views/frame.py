"""What the pages of this room share: their collection, and errors as the form macros want them."""

from collections.abc import Callable
from dataclasses import dataclass

from core.kernel import Context, Invalid, Refused
from core.web import Pages
from core.web.problem import sentence

pages = Pages("identity")
Errors = dict[str, list[str]]


@dataclass(frozen=True)
class Once:
    """Something that is shown this one time: a key, a link, recovery codes. `back_url` leads on."""

    title: str
    text: str
    values: tuple[str, ...]
    back_url: str
    back: str


def errors_of(refused: Refused) -> Errors:
    """Field to sentences; what concerns no field stands under `_form`."""
    found: Errors = {}
    for error in getattr(refused, "errors", ()):
        found.setdefault(error.path or "_form", []).append(sentence(error.code, error.values))
    return found or {"_form": [sentence(refused.code, refused.values)]}


def mend(ctx: Context, act: Callable[[], object]) -> Errors:
    """Run an act of a form; when the input will not do, undo it whole and say why."""
    try:
        with ctx.whole():
            act()
    except Invalid as wrong:
        return errors_of(wrong)
    return {}
