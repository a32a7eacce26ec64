"""Pages and macros of the portal. A package only so that a wheel carries the files along; nothing is computed here."""

from pathlib import Path

FOLDER = Path(__file__).parent
