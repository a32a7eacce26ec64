"""Words in two languages, read from the PO files that lie beside the rooms that speak them.

The English sentence is the message id, so a missing translation still reads as English. Codes of refusals
(`order.not_found`) have their sentence in both files. A later folder may refine the words of an earlier one.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from babel.messages.pofile import read_po
from flask import current_app, g, has_app_context, has_request_context, request
from markupsafe import Markup, escape

CHINESE = "zh-CN"
ENGLISH = "en"
LANGUAGES = {CHINESE: "简体中文", ENGLISH: "English"}
COOKIE = "ts_lang"

_FILES = {CHINESE: "zh.po", ENGLISH: "en.po"}
_forced: ContextVar[str | None] = ContextVar("ts_language", default=None)

Show = Callable[[Any, str], Any]
"""Turns a value into words of a language: Money, Decimal, datetime; anything else comes back as it is."""


def _as_is(value: Any, _language: str) -> Any:
    return value


@dataclass(frozen=True)
class Words:
    """Every sentence of the installation, one dictionary per language.

    A plural sentence holds its forms in order; Chinese has one form, English two.
    """

    catalogues: Mapping[str, Mapping[str, tuple[str, ...]]]
    show: Show = field(default=_as_is, compare=False)

    @classmethod
    def load(cls, folders: Iterable[Path], show: Show = _as_is) -> "Words":
        """Read `zh.po` and `en.po` of each folder, in order. A folder without them adds nothing."""
        catalogues: dict[str, dict[str, tuple[str, ...]]] = {language: {} for language in LANGUAGES}
        for folder in folders:
            for language, name in _FILES.items():
                if (path := folder / name).is_file():
                    catalogues[language].update(_sentences(path))
        return cls(catalogues, show)

    def knows(self, language: str, msgid: str) -> bool:
        return msgid in self.catalogues[language]

    def gettext(self, language: str, msgid: str, /, **values: Any) -> str:
        forms = self.catalogues[language].get(msgid) or self.catalogues[ENGLISH].get(msgid) or (msgid,)
        return self._filled(forms[0], language, values)

    def ngettext(self, language: str, singular: str, plural: str, n: int, /, **values: Any) -> str:
        """The form that fits `n`; `%(n)s` is filled in by itself."""
        forms = self.catalogues[language].get(singular) or (singular, plural)
        form = forms[0] if n == 1 or len(forms) == 1 or language == CHINESE else forms[1]
        return self._filled(form, language, {"n": n, **values})

    def _filled(self, sentence: str, language: str, values: Mapping[str, Any]) -> str:
        if not values:
            return sentence
        shown = {name: self.show(value, language) for name, value in values.items()}
        if any(isinstance(value, Markup) for value in shown.values()):
            return Markup(escape(sentence) % shown)  # noqa: S704 the sentence is escaped, Markup escapes the other values
        return sentence % shown


def _sentences(path: Path) -> Iterator[tuple[str, tuple[str, ...]]]:
    with path.open("rb") as file:
        for message in read_po(file, abort_invalid=True):
            msgid = message.id if isinstance(message.id, str) else message.id[0]
            forms = (message.string,) if isinstance(message.string, str) else tuple(message.string or ())
            if msgid and forms and all(forms) and not message.fuzzy:
                yield msgid, forms


def word_folders(*roots: Path) -> list[Path]:
    """The `words` folders of all rooms, and of the rooms within them, in the order of their names."""
    return [folder for root in roots for folder in sorted(root.rglob("words")) if folder.is_dir()]


def choose(wish: str | None, accepted: Iterable[str] = ()) -> str:
    """The language to answer in: the reader's own wish, else the first accepted one, else Chinese."""
    for tag in (wish or "", *accepted):
        short = tag.replace("_", "-").lower().split("-")[0]
        if short in ("zh", "en"):
            return CHINESE if short == "zh" else ENGLISH
    return CHINESE


def language() -> str:
    """The language of the reader: forced by `speaking`, else of the request, else Chinese."""
    if (forced := _forced.get()) is not None:
        return forced
    if not has_request_context():
        return CHINESE
    if "ts_language" not in g:
        g.ts_language = choose(request.cookies.get(COOKIE), request.accept_languages.values())
    return str(g.ts_language)


@contextmanager
def speaking(wish: str) -> Iterator[None]:
    """Everything said inside is said in this language: for mails, documents, jobs, which have no request."""
    token = _forced.set(choose(wish))
    try:
        yield
    finally:
        _forced.reset(token)


def words() -> Words:
    """The installation's words; without an application only the English message ids are known."""
    if has_app_context() and (found := current_app.extensions.get("ts.words")) is not None:
        return found
    return _MUTE


_MUTE = Words({language: {} for language in LANGUAGES})


def gettext(msgid: str, /, **values: Any) -> str:
    """The sentence in the reader's language, its `%(name)s` places filled with values in that language."""
    return words().gettext(language(), msgid, **values)


def ngettext(singular: str, plural: str, n: int, /, **values: Any) -> str:
    return words().ngettext(language(), singular, plural, n, **values)


@dataclass(frozen=True)
class Lazy:
    """A sentence that is put into the reader's language when it is shown, not when it is written down."""

    msgid: str

    def __str__(self) -> str:
        return gettext(self.msgid)

    def __html__(self) -> str:
        return str(escape(str(self)))


def lazy(msgid: str) -> Lazy:
    """For names known at import time: menu entries, states, permissions."""
    return Lazy(msgid)
