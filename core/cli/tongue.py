"""The language of the terminal: what commands say in English is put into the reader's own when it is shown.

Whoever raises or tells something writes one English sentence, with its values already in it: the rooms below know
nothing of languages. A sentence is recognised by its fixed words, as they stand in `words/zh.po`, and its values are
carried over. What is not known stays English.
"""

import os
import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

_ASKED = ("TS_LANG", "LC_ALL", "LC_MESSAGES", "LANG")
_PLACE = re.compile(r"%\((\w+)\)s")
_OWN = Path(__file__).parent / "words"


def chinese(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether the reader wants Chinese: the first of `_ASKED` that is set decides."""
    wish = next((environ[name] for name in _ASKED if environ.get(name)), "")
    return wish.lower().startswith("zh")


def say(sentence: str) -> str:
    """The sentence in the reader's language. Further lines, such as the end of a log, stay as they are."""
    if not sentence or not chinese():
        return sentence
    first, *rest = sentence.split("\n")
    return "\n".join([_translated(first), *rest])


def sentence_of(error: BaseException) -> str:
    """A refusal of the platform as its sentence, in the reader's language; `str` of it when it bears no known code."""
    from core.web.i18n import CHINESE, ENGLISH

    code, values = getattr(error, "code", None), getattr(error, "values", None)
    language = CHINESE if chinese() else ENGLISH
    said = [(each.path, each.code, each.values) for each in getattr(error, "errors", ())] or [("", code, values)]
    known = [(path, str(code), dict(given or {})) for path, code, given in said if _rooms().knows(language, str(code))]
    told = [(path, _rooms().gettext(language, code, **given)) for path, code, given in known]
    return " ".join(f"{path}{say(': ')}{sentence}" if path else sentence for path, sentence in told) or str(error)


def _translated(sentence: str) -> str:
    exact, patterns = _known()
    if sentence in exact:
        return exact[sentence]
    for pattern, other in patterns:
        if found := pattern.fullmatch(sentence):
            return other % {name: _translated(value) for name, value in found.groupdict().items()}
    return sentence


@lru_cache(maxsize=1)
def _known() -> tuple[dict[str, str], list[tuple[re.Pattern[str], str]]]:
    """Sentences without values, and those with values as patterns, the ones with most fixed words first."""
    from core.web.i18n import CHINESE, Words

    exact: dict[str, str] = {}
    patterns = []
    for msgid, forms in Words.load([_OWN]).catalogues[CHINESE].items():
        if not _PLACE.search(msgid):
            exact[msgid] = forms[0]
            continue
        parts, seen = [], set[str]()
        for index, part in enumerate(_PLACE.split(msgid)):
            if index % 2 == 0:
                parts.append(re.escape(part))
            else:
                parts.append(f"(?P={part})" if part in seen else f"(?P<{part}>.+?)")
                seen.add(part)
        patterns.append((len(_PLACE.sub("", msgid)), re.compile("".join(parts), re.DOTALL), forms[0]))
    patterns.sort(key=lambda each: -each[0])
    return exact, [(pattern, other) for _, pattern, other in patterns]


@lru_cache(maxsize=1)
def _rooms():  # type: ignore[no-untyped-def]
    from core.rooms import CORE
    from core.web.i18n import Words, word_folders

    return Words.load(word_folders(CORE))
