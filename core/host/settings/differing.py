"""What differs between two versions of settings, without ever saying a secret."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from core.host.settings.reading import Setting
from core.tenancy import sealing


@dataclass(frozen=True)
class Difference:
    """One setting of two versions. Not chosen: it follows the layer below, and its value here is None.

    `secret` is empty, or says what became of a secret: set, changed, removed; then both values are None.
    """

    name: str
    before: Any
    after: Any
    before_chosen: bool
    after_chosen: bool
    secret: str = ""


def differences(
    older: Mapping[str, Any], newer: Mapping[str, Any], known: Mapping[str, Setting]
) -> tuple[Difference, ...]:
    """In the order of the schema; what it does not know any more comes last."""
    names = [*known, *sorted((older.keys() | newer.keys()) - known.keys())]
    return tuple(
        _difference(name, older, newer, known.get(name))
        for name in names
        if (name in older) != (name in newer) or older.get(name) != newer.get(name)
    )


def _difference(
    name: str, older: Mapping[str, Any], newer: Mapping[str, Any], setting: Setting | None
) -> Difference:
    before, after = older.get(name), newer.get(name)
    hidden = (setting is not None and setting.secret) or sealing.is_sealed(before) or sealing.is_sealed(after)
    if hidden:
        word = "removed" if name not in newer else "changed" if name in older else "set"
        return Difference(name, None, None, name in older, name in newer, word)
    return Difference(name, before, after, name in older, name in newer)


def told(found: Iterable[Difference]) -> dict[str, Any]:
    """For the audit trail: by name, the values or what became of the secret."""
    return {
        each.name: {"secret": each.secret} if each.secret else {"before": each.before, "after": each.after}
        for each in found
    }
