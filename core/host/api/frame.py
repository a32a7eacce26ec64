"""What the endpoints of this room share: their collection, and where the installation keeps its files."""

from pathlib import Path

from flask import current_app

from core.web import Api

api = Api("plugins")


def data_folder() -> Path:
    """The data folder of this installation; unpacked packages lie in it."""
    folder: Path = current_app.extensions["ts"].config.data
    return folder
