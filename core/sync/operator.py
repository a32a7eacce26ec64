"""What the operator allows: networks and ports that are not public, in the environment or a file of the data folder.

An ERP on the premises has a private address. Which ones may be reached is the operator's word alone: it stands
outside the database, where no tenant and no plugin can write. So do the folders of this machine through which
connections may exchange files, each with a word that the enterprise it was given to must know.
"""

import hmac
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network
from pathlib import Path

import requests

from core.sync.outbound import OutboundRule

FILE = "outbound.conf"
VARIABLE = "TS_OUTBOUND"
HEAD = "# Private networks that connections may reach, one a line: 10.1.0.0/16:443, 127.0.0.1:8000-8100, [fd00::/8]:443\n"
FOLDERS = "outbound-folders"
NOWHERE = IPv4Network("0.0.0.0/32")


@dataclass(frozen=True)
class FolderRule(OutboundRule):
    """A folder the operator opens. It travels with the rules of networks and allows no network itself."""

    path: str = ""
    word: str = field(default="", repr=False)

    @classmethod
    def parse(cls, text: str) -> "FolderRule":
        """`/srv/exchange/east | word`, or the path alone for every enterprise; raises ValueError naming the text."""
        path, _, word = (part.strip() for part in text.partition("|"))
        if not os.path.isabs(path) or os.path.realpath(path) == os.path.realpath("/"):
            raise ValueError(f"a folder begins with / and is not / itself: {text!r}")
        return cls(NOWHERE, range(0), path, word)

    def __str__(self) -> str:
        return self.path


def folder(http: requests.Session, path: str, word: str) -> str | None:
    """The real path of a folder that lies within one the operator opened with that word; None when it does not."""
    real = os.path.realpath(path)
    for rule in getattr(http.get_adapter("https://"), "allow", ()):
        if isinstance(rule, FolderRule) and hmac.compare_digest(rule.word.encode(), word.encode()):
            opened = os.path.realpath(rule.path)
            if real == opened or real.startswith(opened.rstrip(os.sep) + os.sep):
                return real
    return None


def rules_of(data: Path, environ: Mapping[str, str] = os.environ) -> list[OutboundRule]:
    """The rules in force now; raises ValueError that names the line it cannot read."""
    lines = environ.get(VARIABLE, "").split()
    file = data / FILE
    if file.exists():
        lines += [line.partition("#")[0].strip() for line in file.read_text(encoding="utf-8").splitlines()]
    return [*(OutboundRule.parse(line) for line in lines if line), *_folders(data / FOLDERS)]


def _folders(file: Path) -> list[OutboundRule]:
    if not file.exists():
        return []
    lines = (line.partition("#")[0].strip() for line in file.read_text(encoding="utf-8").splitlines())
    return [FolderRule.parse(line) for line in lines if line]


def allow(data: Path, rule: str) -> None:
    """Add a rule to the file, once. Raises ValueError when it is no rule."""
    wanted = OutboundRule.parse(rule)
    file = data / FILE
    text = file.read_text(encoding="utf-8") if file.exists() else HEAD
    if wanted in rules_of(data, {}):
        return
    file.write_text(text.rstrip("\n") + f"\n{wanted}\n", encoding="utf-8")
