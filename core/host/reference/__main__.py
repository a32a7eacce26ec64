"""`python -m core.host.reference`: write the reference. `--check` only says what is stale; `--release` freezes the surface."""

import argparse
import sys

import core
from core.host.reference import surface, writing
from core.host.reference.reading import ROOT


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m core.host.reference", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when a page is not as the source is")
    parser.add_argument("--release", action="store_true", help="write the present surface down as the released one")
    asked = parser.parse_args(arguments)
    if asked.check:
        stale = [str(path.relative_to(ROOT)) for path in writing.stale()]
        print("\n".join(f"{path} is not as the source is" for path in stale) or "The reference is as the source is.")
        return int(bool(stale))
    for path in writing.write():
        print(f"wrote {path.relative_to(ROOT)}")
    if asked.release:
        return release()
    return 0


def release() -> int:
    """Freeze the surface, unless a change is not told or asks for another version."""
    if surface.FROZEN.is_file():
        wrong = surface.complaints(surface.released(), surface.present(), surface.CHANGES.read_text(encoding="utf-8"))
        if wrong:
            print("\n".join(wrong), file=sys.stderr)
            return 1
    surface.freeze()
    print(f"The surface of {core.__version__} is frozen.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
