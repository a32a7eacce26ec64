"""The conformance checks of one plugin in a process of its own: `python -m core.authoring.conforming MODULE`.

It imports a stranger's code, so its parent gives it no address and no key. Its answer is one line of JSON for each check.
"""

import contextlib
import json
import sys
import traceback
from pathlib import Path

from core import rooms
from core.host.conformance import PluginConformance


def main() -> int:
    module, out = sys.argv[1], sys.stdout
    rooms.load_models()

    class Checked(PluginConformance):
        plugin = module

    for name in sorted(name for name in dir(Checked) if name.startswith("test_")):
        with contextlib.redirect_stdout(sys.stderr):
            told = tried(Checked(), name)
        out.write(json.dumps(told, ensure_ascii=False) + "\n")
        out.flush()
    return 0


def tried(checked: PluginConformance, name: str) -> dict[str, object]:
    """One check: its sentence, whether it holds, and what does not where."""
    sentence = name.removeprefix("test_").replace("_", " ")
    try:
        getattr(checked, name)()
    except (KeyboardInterrupt, GeneratorExit):
        raise
    except AssertionError as no:
        return {"check": sentence, "ok": False, "what": str(no), "where": ""}
    except BaseException as fault:  # a stranger's module may raise anything, SystemExit too
        return {
            "check": sentence,
            "ok": False,
            "what": f"{type(fault).__name__}: {fault}"[:500],
            "where": place_of(fault),
        }
    return {"check": sentence, "ok": True, "what": "", "where": ""}


def place_of(fault: BaseException) -> str:
    """File and line where it began; of a file that cannot be parsed, the line that is wrong."""
    if isinstance(fault, SyntaxError) and fault.filename:
        return f"{fault.filename}:{fault.lineno}"
    stack = traceback.extract_tb(fault.__traceback__)
    ours = str(Path(__file__).parents[2])
    strange = [frame for frame in stack if not frame.filename.startswith((ours, "<"))]
    last = (strange or stack)[-1:]
    return f"{last[0].filename}:{last[0].lineno}" if last else ""


if __name__ == "__main__":
    sys.exit(main())
