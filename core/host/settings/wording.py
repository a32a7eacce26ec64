"""Settings in the reader's words: titles, values, and what differs between two versions."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.host.loading import Loaded
from core.host.settings.differing import Difference, differences
from core.host.settings.reading import Setting, Words, settings
from core.web import gettext
from core.web.i18n import language


@dataclass(frozen=True)
class Said:
    """A difference as a row: the setting's title, what was, what is."""

    name: str
    title: str
    before: str
    after: str


def said(words: Words) -> str:
    """A title or hint: an author's pair of languages, or a sentence of the plugin's words."""
    if isinstance(words, Mapping):
        wanted = "zh" if language() == "zh-CN" else "en"
        return words.get(wanted) or words.get("en") or next(iter(words.values()), "")
    return gettext(str(words)) if words else ""


def value_said(setting: Setting, value: Any) -> str:
    """A value as a person reads it."""
    if setting.kind == "check":
        return gettext("Yes") if value else gettext("No")
    if value is None or value in ("", [], {}):
        return gettext("Empty")
    named = {str(each): said(words) for each, words in setting.choices}
    if setting.kind in ("choices", "lines"):
        return gettext(", ").join(named.get(str(each), str(each)) for each in value)
    unit = said(setting.unit)
    text = named.get(str(value)) or _written(value)
    return f"{text} {unit}" if unit else text


def changes_said(loaded: Loaded, older: Mapping[str, Any], newer: Mapping[str, Any]) -> tuple[Said, ...]:
    """What differs, row by row; of secrets only that they do."""
    known = settings(loaded.settings_schema)
    return tuple(_row(each, known.get(each.name)) for each in differences(older, newer, known))


def _row(found: Difference, setting: Setting | None) -> Said:
    title = said(setting.title) if setting else found.name
    if found.secret:
        before, after = {
            "set": (gettext("Not set"), gettext("Set")),
            "changed": (gettext("Set"), gettext("Replaced")),
            "removed": (gettext("Set"), gettext("Removed")),
        }[found.secret]
        return Said(found.name, title, before, after)
    return Said(
        found.name,
        title,
        _side(setting, found.before, found.before_chosen),
        _side(setting, found.after, found.after_chosen),
    )


def _side(setting: Setting | None, value: Any, chosen: bool) -> str:
    if not chosen:
        return gettext("Follows the default")
    return value_said(setting, value) if setting else _written(value)


def _written(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
