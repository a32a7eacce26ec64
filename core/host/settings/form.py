"""A form of settings read back: what of it is a choice, and what only repeats what holds anyway.

A field that was shown with the value of a layer below and comes back the same is no choice: it goes on following that
layer. So the form is compared with the versions it was drawn from, whatever has become of them since. `_back.<field>`
gives a choice up, `_clear.<field>` removes a secret.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from marshmallow import ValidationError

from core.host.settings.overview import Overview, Standing
from core.host.settings.reading import Setting
from core.host.settings.saving import PREFIX
from core.kernel import FieldError, read_json

BACK, CLEAR = "_back.", "_clear."
_MAY_BE_BLANK = ("text", "long")
_EMPTY: tuple[Any, ...] = (None, "", [], False)
_BLANK: Any = object()


class Given(Protocol):
    """What was posted, as the web gives it: several values under one name."""

    def getlist(self, name: str) -> list[str]: ...

    def __contains__(self, name: object) -> bool: ...


@dataclass(frozen=True)
class Read:
    """`values` for `saving.save`; `typed` what stands in each control, to be shown again; `wrong` what cannot be read.

    `ticked` are the fields whose choice is given up or whose secret is removed.
    """

    values: Mapping[str, Any]
    typed: Mapping[str, Any]
    ticked: frozenset[str]
    wrong: tuple[FieldError, ...]


def read(drawn: Overview, given: Given) -> Read:
    """The posted form, drawn from this overview."""
    values: dict[str, Any] = {}
    wrong: list[FieldError] = []
    names = [each.setting.name for each in drawn.standings]
    typed = {each.setting.name: typed_in(each.setting, given) for each in drawn.standings}
    ticked = frozenset(name for name in names if BACK + name in given or CLEAR + name in given)
    for each in drawn.standings:
        name = each.setting.name
        if each.setting.secret:
            if name in ticked:
                values[name] = None
            elif typed[name]:
                values[name] = typed[name]
        elif not (each.chosen and name in ticked):
            try:
                value = understood(each.setting, typed[name])
            except ValueError:
                wrong.append(FieldError(PREFIX + name, "input.not_json_value", {}))
                continue
            if _is_choice(each, value):
                values[name] = value
    return Read(values, typed, ticked, tuple(wrong))


def control(setting: Setting, value: Any) -> Any:
    """What stands in a control for a value: yes or no, a list of words, or text."""
    if setting.kind == "check":
        return bool(value)
    if setting.kind == "choices":
        return [str(each) for each in value or ()]
    if value is None:
        return ""
    if setting.kind == "lines":
        return "\n".join(str(each) for each in value)
    if setting.kind == "json":
        return json.dumps(value, ensure_ascii=False, indent=1) if value else ""
    return str(value)


def typed_in(setting: Setting, given: Given) -> Any:
    """What stands in the control now."""
    if setting.kind == "check":
        return setting.name in given
    found = given.getlist(setting.name)
    if setting.kind == "choices":
        return found
    return found[0].replace("\r\n", "\n").strip() if found else ""


def understood(setting: Setting, typed: Any) -> Any:
    """The typed text as a value. An empty control is None, empty, or no value at all, as the field allows.

    Raises ValueError for what should be JSON and is not.
    """
    if setting.kind == "check":
        return typed
    if setting.kind == "choices":
        return [_offered(setting, each) for each in typed]
    if setting.kind == "lines":
        return [line.strip() for line in typed.splitlines() if line.strip()]
    if typed == "":
        if setting.nullable:
            return None
        return "" if setting.kind in _MAY_BE_BLANK and not setting.required else _BLANK
    if setting.kind == "choice":
        return _offered(setting, typed)
    return read_json(typed) if setting.kind == "json" else typed


def _is_choice(standing: Standing, value: Any) -> bool:
    if value is _BLANK:
        return False
    if standing.chosen:
        return True
    if not standing.below_source:
        return (standing.setting.kind == "check" and standing.setting.required) or value not in _EMPTY
    try:
        return bool(standing.setting.plain(value) != standing.below)
    except ValidationError:
        return True  # whoever saves says why not


def _offered(setting: Setting, typed: str) -> Any:
    return next((value for value, _ in setting.choices if str(value) == typed), typed)
