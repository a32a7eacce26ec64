"""Units of measure: only remembered, for the page on which ours are mapped to theirs."""

from collections.abc import Sequence
from uuid import UUID

from core.kernel import Context
from core.sync.contract import Record
from core.sync.incoming import UnitIn
from core.sync.landing import terms
from core.sync.landing.frame import Left


def land(ctx: Context, connection_id: UUID, rows: Sequence[tuple[Record, UnitIn]]) -> list[Left]:
    """Keep their units; there is nothing that could not be kept."""
    terms.keep(ctx, connection_id, "unit", [item for _, item in rows])
    return []
