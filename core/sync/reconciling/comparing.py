"""Two lists of a day and what differs between them. Nothing here speaks with anybody."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from uuid import UUID

ZERO = Decimal(0)


@dataclass(frozen=True)
class Ours:
    """The newest document of one order. `expected`: it should stand there; False: it should be void or not there.

    None: it is still under way, or somebody settled it by hand, and says nothing yet.
    """

    document_id: UUID
    object_id: UUID
    reference: str
    currency: str
    total: Decimal
    expected: bool | None


@dataclass(frozen=True)
class Theirs:
    """What the other system holds under one reference: `times` documents that live, all together `total`.

    `total` is None where it does not say.
    """

    reference: str
    total: Decimal | None
    cancelled: bool
    times: int = 1


@dataclass(frozen=True)
class Difference:
    """One reference on which the sides do not agree, and what to do about it."""

    reference: str
    kind: str
    act: str
    currency: str = ""
    ours: Decimal | None = None
    theirs: Decimal | None = None
    document_id: UUID | None = None
    object_id: UUID | None = None


def compare(
    ours: Sequence[Ours], theirs: Mapping[str, Theirs], known: Iterable[str] = ()
) -> list[Difference]:
    """Differences by reference. `known` are references of ours of other days: they are nobody's difference."""
    found = [each for one in ours if (each := _one(one, theirs.get(one.reference)))]
    here = {one.reference for one in ours} | set(known)
    for reference, held in theirs.items():
        if reference not in here and not held.cancelled:
            found.append(Difference(reference, "missing_here", "look", theirs=held.total))
    return sorted(found, key=lambda each: each.reference)


def gathered(told: Iterable[tuple[str, Decimal, bool]]) -> dict[str, Theirs]:
    """Documents as (reference, total, cancelled), by reference. One that is void counts only where no other lives."""
    found: dict[str, Theirs] = {}
    for reference, total, cancelled in told:
        before = found.get(reference)
        if before is None or (before.cancelled and not cancelled):
            found[reference] = Theirs(reference, total, cancelled)
        elif not cancelled:
            found[reference] = replace(before, total=(before.total or ZERO) + total, times=before.times + 1)
    return found


def held_of(ours: Sequence[Ours], theirs: Mapping[str, Theirs], known: Iterable[str] = ()) -> list[Theirs]:
    """What they hold that belongs beside our figures of the day.

    Not what is under way or settled by hand, which is counted apart, nor what we know under another day.
    """
    apart = {one.reference for one in ours if one.expected is None} | (set(known) - {one.reference for one in ours})
    return [each for each in theirs.values() if not each.cancelled and each.reference not in apart]


def _one(ours: Ours, theirs: Theirs | None) -> Difference | None:
    said = (ours.currency, ours.total, theirs.total if theirs else None, ours.document_id, ours.object_id)
    alive = theirs is not None and not theirs.cancelled
    if ours.expected is None:
        return None
    if alive and theirs is not None and theirs.times > 1:
        return Difference(ours.reference, "twice_there", "look", *said)
    if not ours.expected:
        return Difference(ours.reference, "alive_there", "cancel", *said) if alive else None
    if theirs is None:
        return Difference(ours.reference, "missing_there", "replay", *said)
    if theirs.cancelled:
        return Difference(ours.reference, "cancelled_there", "look", *said)
    same = theirs.total is None or theirs.total == ours.total
    return None if same else Difference(ours.reference, "differs", "look", *said)


def sums(rows: Iterable[tuple[str, Decimal | None]]) -> dict[str, str]:
    """Amounts by currency, as text."""
    found: dict[str, Decimal] = {}
    for currency, total in rows:
        found[currency] = found.get(currency, ZERO) + (total or ZERO)
    return {currency: f"{total:f}" for currency, total in sorted(found.items())}
