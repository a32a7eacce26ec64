"""The fault drill: the worst day of a connection, rehearsed with a button and signed for.

`trouble` breaks single calls, `placing` single acts where files are left, `rehearsal` plays one case and looks at what is
there in the end, `service` and `duty` run the whole catalogue against a connection, `report` seals what came of it.
"""

from core.sync.drill.model import SyncDrill
from core.sync.drill.placing import PLACES
from core.sync.drill.rehearsal import CALLS, INTENTS, CaseResult, Rehearsal, cases_of
from core.sync.drill.report import Report, readable, verified
from core.sync.drill.service import drills_of, find_drill, start_drill, stop_drill

CATALOGUE = CALLS
"""What is rehearsed where a connector calls over HTTP, as most do; `cases_of` knows which connector wants what."""

__all__ = [
    "CALLS",
    "CATALOGUE",
    "INTENTS",
    "PLACES",
    "CaseResult",
    "Rehearsal",
    "Report",
    "SyncDrill",
    "cases_of",
    "drills_of",
    "find_drill",
    "readable",
    "start_drill",
    "stop_drill",
    "verified",
]
