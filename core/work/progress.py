"""How a run is shown: its state in words, how far it is, how long it will take. Page and terminal say the same."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from core.web.i18n import gettext as _
from core.web.i18n import ngettext
from core.web.problem import sentence
from core.work.model import OVER, WorkRun

WORDS = {
    "queued": ("Waiting for its turn", ""),
    "running": ("Under way", "acc"),
    "done": ("Done", "ok"),
    "failed": ("Failed", "bad"),
    "cancelled": ("Cancelled", "warn"),
}
"""State: its word (to be translated) and its tone."""


@dataclass(frozen=True)
class Progress:
    """A run for a page. `total` is None while nobody knows; `pace` and `left` are sentences, empty when over or unknown.

    `stopping` says that it was asked to stop and finishes the batch under way.
    """

    state: str
    word: str
    tone: str
    over: bool
    stopping: bool
    total: int | None
    done: int
    refused: int
    pace: str
    left: str
    reason: str
    asked_by: str
    asked_at: datetime
    started_at: datetime | None
    ended_at: datetime | None


def progress(run: WorkRun, now: datetime) -> Progress:
    """A run as it stands at `now`."""
    word, tone = WORDS[run.state]
    stopping = run.stop_asked_at is not None and run.state not in OVER
    pace = _pace(run, now)
    rest = (run.total or 0) - run.done
    return Progress(
        state=run.state,
        word=_("Stopping") if stopping else _(word),
        tone="warn" if stopping else tone,
        over=run.state in OVER,
        stopping=stopping,
        total=run.total,
        done=run.done,
        refused=run.refused,
        pace=_("%(n)s rows a second", n=Decimal(round(pace))) if pace >= 1 else "",
        left=_left(rest / pace) if pace and rest > 0 else "",
        reason=sentence(run.reason, dict(run.reason_values)) if run.reason else "",
        asked_by=run.actor_name,
        asked_at=run.asked_at,
        started_at=run.started_at,
        ended_at=run.ended_at,
    )


def _pace(run: WorkRun, now: datetime) -> float:
    """Parts a second since it began; 0 when that says nothing."""
    if run.state != "running" or run.started_at is None or not run.done:
        return 0.0
    seconds = (now - run.started_at).total_seconds()
    return run.done / seconds if seconds > 0 else 0.0


def _left(seconds: float) -> str:
    if seconds < 60:
        return ngettext("About %(n)s second left", "About %(n)s seconds left", max(1, round(seconds)))
    return ngettext("About %(n)s minute left", "About %(n)s minutes left", round(seconds / 60))
