"""Words to search by, made by us: Chinese in overlapping pairs, Latin and numbers in runs, part numbers
whole.

PostgreSQL's parsers know no Chinese, so the tsvector is written from these tokens and never by `to_tsvector`.
"""

import re
import unicodedata
from collections.abc import Iterable

_RUN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]+|[a-z0-9]+")
_CHINESE = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]")
_NOT_PART = re.compile(r"[^a-z0-9\u3400-\u4dbf\u4e00-\u9fff]+")
MAX_QUERY = 100


def plain(text: str) -> str:
    """Full-width becomes half-width, capitals become small: `ＳＫＦ` and `skf` are one."""
    return unicodedata.normalize("NFKC", text).lower()


def part_number(code: str) -> str:
    """A code without its dashes, dots and blanks, as people type it: `6205-2RS1/C3` -> `62052rs1c3`."""
    return _NOT_PART.sub("", plain(code))


def tokens(text: str, *, index: bool) -> list[str]:
    """Tokens in order. With `index` a Chinese run also leaves its last character, so one character finds run
    ends.
    """
    found: list[str] = []
    for run in _RUN.findall(plain(text)):
        if not _CHINESE.match(run):
            found.append(run)
            continue
        found += [run[at : at + 2] for at in range(len(run) - 1)] or ([] if index else [run])
        if index:
            found.append(run[-1])
    return found


def vector(texts: Iterable[str], part_no: str) -> str:
    """The text of a tsvector over all these texts and the whole part number."""
    words = {token[:100] for text in texts for token in tokens(text, index=True)}
    if part_no:
        words.add(part_no[:200])
    return " ".join(f"'{word}'" for word in sorted(words))


def query(text: str) -> str | None:
    """The text of a tsquery: every token, the last one as a prefix; or the whole as the head of a part
    number.

    None when nothing in the text can be searched for.
    """
    words = tokens(text[:MAX_QUERY], index=False)
    if not words:
        return None
    *whole, last = (f"'{word}'" for word in words)
    every = " & ".join([*whole, f"{last}:*"])
    return every if len(words) == 1 else f"({every}) | '{part_number(text[:MAX_QUERY])}':*"
