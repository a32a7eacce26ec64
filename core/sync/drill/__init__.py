"""The fault drill: the worst day of a connection, rehearsed with a button and signed for.

`trouble` breaks single calls, `rehearsal` plays one case and looks at what is there in the end, `service` and `duty` run the
whole catalogue against a connection, `report` seals what came of it.
"""

from core.sync.drill.model import SyncDrill
from core.sync.drill.rehearsal import CATALOGUE, INTENTS, CaseResult, Rehearsal
from core.sync.drill.report import Report, readable, verified
from core.sync.drill.service import drills_of, find_drill, start_drill, stop_drill

__all__ = [
    "CATALOGUE",
    "INTENTS",
    "CaseResult",
    "Rehearsal",
    "Report",
    "SyncDrill",
    "drills_of",
    "find_drill",
    "readable",
    "start_drill",
    "stop_drill",
    "verified",
]
