"""What the worker asks for: requests whose time is over and quotes that have run out, each in a transaction of its own."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

import tongshang as ts
from plugins.rfq import service

BATCH = 100
VERBS = {"close": service.close, "expire": service.expire}


@dataclass(frozen=True)
class Timer:
    """A duty of the worker: asked again after `every` seconds when there was nothing to do."""

    name: str
    every: float
    run: Callable[[Any], int]


def run_out(installation: Any) -> int:
    """Close and expire what is due. How many were."""
    unit = installation.unit
    with unit.database.session() as session:
        due = session.execute(text("SELECT kind, subject_id, tenant_id FROM plugin_rfq.due(:batch)"), {"batch": BATCH}).all()
        session.commit()
    done = 0
    for kind, subject_id, tenant_id in due:
        try:
            with unit.system(tenant_id, "rfq.timer") as ctx:
                done += VERBS[kind](ctx, subject_id) is not None
        except ts.Refused:
            continue  # somebody acted first; the next round sees how it stands
    return done


TIMER = Timer("timer", 1.0, run_out)
