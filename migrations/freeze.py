"""Writes the first migration from the models. Only before 0.1 is released; afterwards every change is a step of its own.

    python -m migrations.freeze            write it
    python -m migrations.freeze --check    exit 1 when the file is not what the models say
"""

import sys
from pathlib import Path

from core import rooms
from core.db import Model, schema

FROZEN = Path(__file__).parent / "versions" / "m20261123_0001_core.sql"
HEAD = "-- Written by migrations/freeze.py from the models; do not edit.\n"
BETWEEN = "\n-- ;;\n"


def script() -> str:
    """The whole schema of the core, one statement after the other."""
    rooms.load_models()
    lines = (line.strip() for line in schema.statements(Model.metadata, rooms.ddl()))
    return HEAD + BETWEEN.join("\n".join(part.rstrip() for part in line.splitlines()) for line in lines) + "\n"


def main(arguments: list[str]) -> int:
    wanted = script()
    if "--check" in arguments:
        return int(not FROZEN.exists() or FROZEN.read_text(encoding="utf-8") != wanted)
    FROZEN.write_text(wanted, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
