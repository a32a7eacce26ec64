"""Where wheels lie unpacked on this machine: `<data>/plugins/<hash>`, filled from the database as processes need them.

The database is the only truth; the folder is a copy that any process makes by itself and may be deleted at any time.
"""

import os
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterable
from hashlib import sha256
from io import BytesIO
from pathlib import Path


class Shelf:
    """Unpacked packages of one data folder, one folder for each hash."""

    def __init__(self, data: Path) -> None:
        self.folder = data / "plugins"

    def place(self, digest: str, fetch: Callable[[str], bytes]) -> Path:
        """The folder of a package, unpacked now if it is not there yet. Raises ValueError when the bytes are other ones."""
        target = self.folder / digest
        if target.is_dir():
            return target
        content = fetch(digest)
        if sha256(content).hexdigest() != digest:
            raise ValueError(f"the package {digest[:12]} is not what was installed")
        self.folder.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=".unpacking-", dir=self.folder))
        try:
            with zipfile.ZipFile(BytesIO(content)) as archive:
                archive.extractall(made)
            os.rename(made, target)  # another process may have been first: then its copy is as good
        except OSError:
            if not target.is_dir():
                raise
        finally:
            shutil.rmtree(made, ignore_errors=True)
        return target

    def clear(self, keep: Iterable[str]) -> list[str]:
        """Remove what no longer stands on the list. Answers the hashes removed."""
        kept, gone = set(keep), []
        for path in self.folder.iterdir() if self.folder.is_dir() else ():
            if path.name not in kept and not path.name.startswith("."):
                shutil.rmtree(path, ignore_errors=True)
                gone.append(path.name)
        return gone


def importable(folders: Iterable[Path]) -> None:
    """Let Python find packages in these folders, after everything the environment brings: no wheel hides a module of ours."""
    for folder in folders:
        if str(folder) not in sys.path:
            sys.path.append(str(folder))
