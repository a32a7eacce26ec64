"""Pages and macros of the portal: a package only so that a wheel carries the files along."""

from pathlib import Path

FOLDER = Path(__file__).parent
