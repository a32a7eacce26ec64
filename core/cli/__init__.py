"""The command line: one file per command, loaded when it is asked for, so that `--help` is instant.

`python -m core.cli`, the console script `tongshang` and `run.py` all end here.
"""

import sys

from core.cli.boundary import guarded


def main() -> None:
    """Run one command; exit 0: all is well, 1: a check failed, 2: something must be mended first."""
    sys.exit(guarded(sys.argv[1:]))
