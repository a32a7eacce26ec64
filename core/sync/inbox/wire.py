"""Records as JSON and back, so that a call that waits can land later exactly as it was heard."""

from collections.abc import Sequence
from typing import Any, get_args

from core.sync.incoming import Incoming
from core.sync.plainly import plain, typed

KINDS: dict[str, type[Any]] = {kind.__name__: kind for kind in get_args(Incoming)}


def to_json(records: Sequence[Incoming]) -> list[dict[str, Any]]:
    """Decimals and days as text; characters that no database takes are left out."""
    return [{"is": type(each).__name__, **plain(each)} for each in records]


def from_json(rows: Sequence[dict[str, Any]]) -> list[Incoming]:
    """The records that `to_json` wrote."""
    return [typed(KINDS[row["is"]], row) for row in rows]
