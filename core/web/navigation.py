"""Where one can go: every room and plugin hands in its entries, each reader sees the ones they may open."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from core.web.i18n import Lazy, lazy

GROUPS: dict[str, Lazy | None] = {
    "": None,
    "trade": lazy("Trade"),
    "fulfilment": lazy("Fulfilment"),
    "finance": lazy("Finance"),
    "system": lazy("Insight and system"),
}
"""Headings of the sidebar in their order; the empty one stands on top without a heading."""


@dataclass(frozen=True)
class NavEntry:
    """One destination of the sidebar, the command palette and the g-keys.

    `permission` None means everybody who is signed in. `count` is asked once per page with no argument and
    gives what waits behind the entry (None or 0 shows nothing); it must be cheap. `hot` marks that count as a
    failure. `letter` is the key after `g`. `bottom` puts the entry into a phone's bottom bar, three at most.
    `slot` names the plugin slot an entry of a plugin fills.
    """

    key: str
    endpoint: str
    icon: str
    title: Lazy | str
    group: str = ""
    permission: str | None = None
    count: Callable[[], int | None] | None = None
    order: int = 100
    hot: bool = False
    letter: str | None = None
    bottom: bool = False
    slot: str | None = None


@dataclass(frozen=True)
class Destination:
    """An entry as one reader sees it: its address found, its words said, its count taken."""

    key: str
    url: str
    icon: str
    title: str
    count: int | None
    hot: bool
    current: bool
    letter: str | None
    bottom: bool
    slot: str | None


@dataclass(frozen=True)
class NavGroup:
    """A heading (empty for the first group) and the destinations below it."""

    title: str
    entries: tuple[Destination, ...]


class Navigation:
    """The entries of all rooms and plugins. Filled while the application is made, only read afterwards."""

    def __init__(self, entries: Iterable[NavEntry] = ()) -> None:
        self._entries: dict[str, NavEntry] = {}
        for entry in entries:
            self.add(entry)

    def add(self, entry: NavEntry) -> None:
        if entry.group not in GROUPS:
            raise ValueError(f"navigation entry {entry.key!r} names the unknown group {entry.group!r}")
        if entry.key in self._entries:
            raise ValueError(f"two navigation entries are called {entry.key!r}")
        if entry.letter and entry.letter in {known.letter for known in self._entries.values()}:
            raise ValueError(f"two navigation entries want the key {entry.letter!r}")
        self._entries[entry.key] = entry

    def entries(self) -> tuple[NavEntry, ...]:
        return tuple(sorted(self._entries.values(), key=lambda entry: (entry.order, entry.key)))

    def seen_by(
        self,
        allows: Callable[[str], bool],
        url_for: Callable[[str], str],
        current: str | None = None,
        enabled: Callable[[str], bool] = lambda key: True,
    ) -> tuple[NavGroup, ...]:
        """The groups of one reader: no entry they may not open, no heading without entries.

        `current` is the path being shown; the entry with the longest address it begins with is the current one.
        `enabled` says by key whether the entry's plugin is switched on for the enterprise.
        """
        here = self._closest(current, url_for) if current else None
        shown = [
            (entry.group, self._destination(entry, url_for, entry.key == here))
            for entry in self.entries()
            if (entry.permission is None or allows(entry.permission)) and enabled(entry.key)
        ]
        groups = (
            (title, tuple(seen for group, seen in shown if group == key)) for key, title in GROUPS.items()
        )
        return tuple(NavGroup(str(title) if title else "", entries) for title, entries in groups if entries)

    def _destination(self, entry: NavEntry, url_for: Callable[[str], str], current: bool) -> Destination:
        return Destination(
            key=entry.key,
            url=url_for(entry.endpoint),
            icon=entry.icon,
            title=str(entry.title),
            count=entry.count() if entry.count else None,
            hot=entry.hot,
            current=current,
            letter=entry.letter,
            bottom=entry.bottom,
            slot=entry.slot,
        )

    def _closest(self, path: str, url_for: Callable[[str], str]) -> str | None:
        """The entry a page belongs to: `/products/new` to products, whatever room serves it; the home page only to itself."""
        found = [
            (len(url), entry.key)
            for entry in self.entries()
            if (url := url_for(entry.endpoint)) == path or (url != "/" and path.startswith(f"{url}/"))
        ]
        return max(found)[1] if found else None
