"""Where a plugin appears: the slots it fills in the words of the pages they lie on, each with the shape of its place."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.web.i18n import Lazy, lazy
from core.web.i18n import gettext as _


@dataclass(frozen=True)
class Place:
    """`page` and `where` as people call them. `shape` names the drawing: menu, page, action, panel, row, card or badge."""

    page: str
    where: str
    shape: str


SLOTS: Mapping[str, tuple[Lazy, Lazy, str]] = {
    "dashboard:kpi": (lazy("Workbench"), lazy("A key figure on top"), "badge"),
    "dashboard:card": (lazy("Workbench"), lazy("A card"), "card"),
    "dashboard:todo": (lazy("Workbench"), lazy("Entries of the work list"), "row"),
    "order:action": (lazy("Order"), lazy("A button on top"), "action"),
    "order:panel": (lazy("Order"), lazy("A panel at the right"), "panel"),
    "order:line": (lazy("Order"), lazy("Below each line"), "row"),
    "order:timeline": (lazy("Order"), lazy("Entries of the timeline"), "row"),
    "product:page": (lazy("Product"), lazy("A panel at the right"), "panel"),
    "catalogue:badge": (lazy("Catalogue"), lazy("A mark beside products"), "badge"),
}


def places(slots: Sequence[str], modes: Sequence[str], menu: Sequence[Any] = ()) -> tuple[Place, ...]:
    """Every place of a plugin: its menu entry, its modes of trade, its slots. A slot nobody knows shows by its name."""
    found = [Place(_("Navigation"), str(entry.title), "menu") for entry in menu]
    found += [Place(_("Order"), _("Orders of the mode “%(mode)s”", mode=mode), "page") for mode in modes]
    for slot in slots:
        page, where, shape = SLOTS.get(slot, (slot.partition(":")[0], slot, "card"))
        found.append(Place(str(page), str(where), shape))
    return tuple(found)


def mode_names(modes: Sequence[Any]) -> tuple[str, ...]:
    """The modes of a loaded plugin in the reader's words."""
    return tuple(_(str(mode.title)) for mode in modes)
