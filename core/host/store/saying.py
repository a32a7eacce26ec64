"""The words of the store: states, acts, steps, tiers, categories, and in plain sentences what a hook lets a plugin do."""

from collections.abc import Mapping
from typing import Any

from core.web.i18n import CHINESE, Lazy, language, lazy

STATES: Mapping[str, tuple[Lazy, str]] = {
    "available": (lazy("Not switched on"), ""),
    "enabled": (lazy("Switched on"), "ok"),
    "draining": (lazy("Finishing open orders"), "warn"),
    "disabled": (lazy("Switched off"), ""),
    "broken": (lazy("Broken"), "bad"),
    "stopped": (lazy("Stopped"), "bad"),
    "archived": (lazy("Archived"), ""),
    "starting": (lazy("Coming in"), "acc"),
    "in_store": (lazy("Not installed"), ""),
}
"""State of a plugin for one enterprise: its word and its tone."""

CHANGE_STATES: Mapping[str, tuple[Lazy, str]] = {
    "asked": (lazy("Asked of the operator"), "warn"),
    "queued": (lazy("Waiting for its turn"), ""),
    "running": (lazy("Under way"), "acc"),
    "done": (lazy("Done"), "ok"),
    "rolled_back": (lazy("Taken back"), "bad"),
    "failed": (lazy("Failed"), "bad"),
    "refused": (lazy("Turned down"), "bad"),
}
OPEN = ("queued", "running")

VERBS: Mapping[str, Lazy] = {
    "install": lazy("Install"),
    "upgrade": lazy("Upgrade"),
    "rollback": lazy("Roll back"),
    "archive": lazy("Archive"),
    "restore": lazy("Restore"),
    "export": lazy("Export data"),
    "purge": lazy("Delete for good"),
}

STEPS: Mapping[str, Lazy] = {
    "free": lazy("Look whether anybody uses it"),
    "count": lazy("Count its rows"),
    "lock": lazy("Make its tables read-only"),
    "unlock": lazy("Open its tables again"),
    "import": lazy("Start it in a process of its own"),
    "migrate": lazy("Bring its tables up to date"),
    "settings": lazy("Check the settings of every enterprise"),
    "health": lazy("Ask whether it is well"),
    "permissions": lazy("Write down its permissions"),
    "export": lazy("Write its rows to a file"),
    "remove": lazy("Remove everything that bears its name"),
    "leftovers": lazy("Look for anything left behind"),
    "take_over": lazy("Every process takes it over"),
}
"""What the installer tells of, in the reader's words."""

ORDER: Mapping[str, tuple[str, ...]] = {
    "install": ("import", "migrate", "settings", "health", "permissions", "take_over"),
    "upgrade": ("import", "migrate", "settings", "health", "permissions", "take_over"),
    "rollback": ("import", "health", "permissions", "take_over"),
    "archive": ("free", "count", "lock", "import", "permissions", "take_over"),
    "restore": ("count", "unlock", "import", "migrate", "permissions", "take_over"),
    "export": ("count", "export"),
    "purge": ("remove", "leftovers", "take_over"),
}
"""The steps of each act, so that the page shows what is still to come."""

TIERS: Mapping[str, tuple[Lazy, str]] = {
    "platform": (lazy("Part of the platform"), "acc"),
    "official": (lazy("Official"), "acc"),
    "verified": (lazy("Verified"), "ok"),
    "community": (lazy("Community"), ""),
    "": (lazy("Not signed"), "warn"),
}

CATEGORIES: Mapping[str, tuple[Lazy, str]] = {
    "trade": (lazy("Modes of trade"), "cart"),
    "finance": (lazy("Financing"), "bank"),
    "logistics": (lazy("Logistics"), "truck"),
    "quality": (lazy("Inspection"), "shield"),
    "analytics": (lazy("Analytics"), "chart"),
    "compliance": (lazy("Contracts and tax"), "sign"),
    "industry": (lazy("For one industry"), "drum"),
}
"""Category: its word and its icon. Another category shows as its author wrote it."""

HOOKS: Mapping[str, tuple[Lazy, str]] = {
    "price_lines": (lazy("Adds to prices and takes off them"), "coin"),
    "check_transition": (lazy("May refuse a step of an order, with a reason"), "lock"),
    "open_gates": (lazy("May hold orders until something is settled"), "clock"),
    "payee_for": (lazy("May name who receives the money of an invoice"), "bank"),
    "can_release": (lazy("May keep stock from being used"), "stock"),
    "fill_slot": (lazy("Shows something on pages"), "eye"),
    "search": (lazy("Answers searches"), "search"),
    "offers_for": (lazy("Offers services, such as financing or freight"), "coin"),
    "register_order_transitions": (lazy("Adds steps to orders"), "order"),
    "register_trade_modes": (lazy("Brings a mode of trade"), "cart"),
    "register_event_handlers": (lazy("Hears what happened, after it happened"), "bell"),
    "register_jobs": (lazy("Works in the background by itself"), "redo"),
    "register_blueprints": (lazy("Has pages of its own"), "doc"),
    "register_api": (lazy("Answers programs of your enterprise"), "link"),
    "register_providers": (lazy("Connects to services outside"), "globe"),
    "register_reports": (lazy("Brings reports"), "chart"),
}
"""What a hook lets a plugin do, and an icon. Hooks that give no power stand on no page."""


def said(words: Mapping[str, Any] | None) -> str:
    """A manifest's own words in the reader's language, else in the other one."""
    found = words or {}
    first, second = ("zh", "en") if language() == CHINESE else ("en", "zh")
    return str(found.get(first) or found.get(second) or "")


def category(key: str) -> tuple[str, str]:
    """The word and the icon of a category."""
    word, icon = CATEGORIES.get(key, (key, "plug"))
    return str(word), icon


def powers(hooks: Any) -> list[tuple[str, str, str]]:
    """(icon, sentence, hook) for each hook that lets a plugin do something, in the order of weight."""
    wanted = set(hooks)
    return [(icon, str(word), hook) for hook, (word, icon) in HOOKS.items() if hook in wanted]
