"""The words of the trade as plain Python: no Flask, no SQL, nothing below this room."""

from core.kernel.context import BUFFERS, Actor, Context, Ports
from core.kernel.event import Event, event_class, from_payload, to_payload
from core.kernel.exact import exact, read_json
from core.kernel.ids import uuid7
from core.kernel.measure import Money, Quantity, minor_units, round2, round_to, split
from core.kernel.permission import Permission
from core.kernel.process import Guard, Process, Transition
from core.kernel.refused import Conflict, FieldError, Forbidden, Invalid, NotFound, Refused, Unavailable

__all__ = [
    "BUFFERS",
    "Actor",
    "Conflict",
    "Context",
    "Event",
    "FieldError",
    "Forbidden",
    "Guard",
    "Invalid",
    "Money",
    "NotFound",
    "Permission",
    "Ports",
    "Process",
    "Quantity",
    "Refused",
    "Transition",
    "Unavailable",
    "event_class",
    "exact",
    "from_payload",
    "minor_units",
    "read_json",
    "round2",
    "round_to",
    "split",
    "to_payload",
    "uuid7",
]
