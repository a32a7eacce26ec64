"""Which user of the operating system the server runs as.

PostgreSQL refuses to run as root. Then a system user of ours runs it, and what that user must reach lives
under `/var/lib/tongshang`; nobody else's folder changes its mode.
"""

import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.config import UserError

SYSTEM_USER = "tongshang-pg"
SYSTEM_HOME = Path("/var/lib/tongshang")


@dataclass(frozen=True)
class Account:
    """A user of the machine; `foreign` when it is another than the one this process runs as."""

    name: str
    uid: int
    gid: int
    foreign: bool

    def popen_arguments(self) -> dict[str, Any]:
        """Arguments that make `subprocess` run a program as this user."""
        if not self.foreign:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def give(self, path: Path) -> None:
        """Hand a file or folder over to this user."""
        if self.foreign:
            os.chown(path, self.uid, self.gid)


def current_user() -> str:
    """Name of the user this process runs as; PostgreSQL needs one to recognise us by."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError as error:
        raise UserError(
            f"User number {os.geteuid()} has no name on this machine, and PostgreSQL needs one.",
            "/etc/passwd",
            "Run as a user that exists, or set DATABASE_URL to a PostgreSQL elsewhere.",
        ) from error


def server_account() -> Account:
    """The account for the server: ourselves, or the system user when we are root (made when missing)."""
    if os.geteuid() != 0:
        return Account(current_user(), os.geteuid(), os.getegid(), foreign=False)
    try:
        entry = pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        _create_system_user()
        entry = pwd.getpwnam(SYSTEM_USER)
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid, foreign=True)


def _create_system_user() -> None:
    home = str(SYSTEM_HOME)
    if shutil.which("useradd"):
        command = ["useradd", "--system", "--user-group", "--no-create-home", "--home-dir", home]
        command += ["--shell", "/bin/false", SYSTEM_USER]
    elif shutil.which("adduser"):  # busybox
        command = ["adduser", "-S", "-D", "-H", "-h", home, "-s", "/bin/false", SYSTEM_USER]
    else:
        command = []
    done = None
    if command:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    try:
        pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        said = done.stderr.strip() if done else "neither useradd nor adduser is here"
        raise UserError(
            "PostgreSQL does not run as root, and the system user for it could not be made: " + said,
            SYSTEM_USER,
            "Run this command as an ordinary user, or set DATABASE_URL to a PostgreSQL elsewhere.",
        ) from None
