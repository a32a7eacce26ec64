"""What the operator allows: networks and ports that are not public, in the environment or a file of the data folder.

An ERP on the premises has a private address. Which ones may be reached is the operator's word alone: it stands
outside the database, where no tenant and no plugin can write.
"""

import os
from collections.abc import Mapping
from pathlib import Path

from core.sync.outbound import OutboundRule

FILE = "outbound.conf"
VARIABLE = "TS_OUTBOUND"
HEAD = "# Private networks that connections may reach, one a line: 10.1.0.0/16:443, 127.0.0.1:8000-8100, [fd00::/8]:443\n"


def rules_of(data: Path, environ: Mapping[str, str] = os.environ) -> list[OutboundRule]:
    """The rules in force now; raises ValueError that names the line it cannot read."""
    lines = environ.get(VARIABLE, "").split()
    file = data / FILE
    if file.exists():
        lines += [line.partition("#")[0].strip() for line in file.read_text(encoding="utf-8").splitlines()]
    return [OutboundRule.parse(line) for line in lines if line]


def allow(data: Path, rule: str) -> None:
    """Add a rule to the file, once. Raises ValueError when it is no rule."""
    wanted = OutboundRule.parse(rule)
    file = data / FILE
    text = file.read_text(encoding="utf-8") if file.exists() else HEAD
    if wanted in rules_of(data, {}):
        return
    file.write_text(text.rstrip("\n") + f"\n{wanted}\n", encoding="utf-8")
