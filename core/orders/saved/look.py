"""A look at the list of orders: which orders, in which order, with which columns. An address says it, a saved view keeps it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from core.orders.states import ORDER

SIDES = ("all", "buyer", "seller")
COLUMNS = ("partner", "po", "delivery", "mode", "total", "invoiced", "paid", "state")
"""What may stand beside the order's number, in this order."""
USUAL = ("partner", "po", "delivery", "total", "paid", "state")
SORTS = ("", "placed", "delivery", "-delivery", "total", "-total")
"""By when it was made, by delivery date or by amount; a dash means downwards. Empty is the newest first."""


class Kept(Protocol):
    """A row that keeps a look."""

    side: str
    state: str | None
    waiting: bool
    open: bool
    q: str
    sort: str
    columns: list[str]


@dataclass(frozen=True)
class Look:
    """`waiting` keeps what asks for an answer, `open` what is under way; `q` is searched for. Every field has a usual value."""

    side: str = "all"
    state: str | None = None
    waiting: bool = False
    open: bool = False
    q: str = ""
    sort: str = ""
    columns: tuple[str, ...] = USUAL

    @classmethod
    def asked(cls, args: Mapping[str, str], columns: Iterable[str] = ()) -> "Look":
        """What an address asks for; what it says wrongly is left out. `columns` may be lists with commas."""
        chosen = {name for part in columns for name in part.split(",")}
        shown = tuple(name for name in COLUMNS if name in chosen)
        sort = {"-placed": ""}.get(args.get("sort", ""), args.get("sort", ""))
        state = args.get("state", "")
        return cls(
            side=args["side"] if args.get("side") in SIDES else "all",
            state=state if state in ORDER.states else None,
            waiting=bool(args.get("waiting")),
            open=bool(args.get("open")),
            q=args.get("q", "").replace("\x00", "")[:100].strip(),
            sort=sort if sort in SORTS else "",
            columns=shown or USUAL,
        )

    @classmethod
    def kept(cls, row: Kept) -> "Look":
        return cls(row.side, row.state, row.waiting, row.open, row.q, row.sort, tuple(row.columns))

    def args(self) -> dict[str, Any]:
        """The shortest address that asks for it. It is never empty, so it is never taken for the default view."""
        said: dict[str, Any] = {"side": self.side} if self.side != "all" or not (self.waiting or self.open) else {}
        if self.waiting:
            said["waiting"] = "1"
        if self.open:
            said["open"] = "1"
        for name, value in (("state", self.state), ("q", self.q), ("sort", self.sort)):
            if value:
                said[name] = value
        if self.columns != USUAL:
            said["cols"] = ",".join(self.columns)
        return said
