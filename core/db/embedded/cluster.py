"""The folder a server keeps its tables in: where it is, how it is made, and whose it is.

An ordinary user's cluster lies inside the data folder. Root's lies in `/var/lib/tongshang`, in a folder named
by a hash of the path and owned by the system user, and the data folder holds a pointer to it; the cluster in
turn names its data folder, so that one that lost its data folder can be recognised and removed.
"""

import json
import os
import secrets
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from core.config import UserError, short_name
from core.db.embedded.account import SYSTEM_HOME, Account, current_user
from core.db.embedded.binaries import Binaries
from core.db.roles import LOGINS

POINTER = "postgres.json"
ORIGIN = "origin.json"
SETTINGS = "tongshang.conf"


@dataclass(frozen=True)
class Cluster:
    """One made cluster: `home` holds its tables in `cluster/` and its log."""

    home: Path

    @property
    def tables(self) -> Path:
        return self.home / "cluster"

    @property
    def log(self) -> Path:
        return self.home / "postgres.log"

    def postmaster(self) -> int | None:
        """Process id of the living postmaster, or None. A stale pid file of a dead one is no postmaster."""
        try:
            pid = int((self.tables / "postmaster.pid").read_bytes().split(b"\n", 1)[0])
        except (OSError, ValueError):
            return None
        return pid if is_postgres(pid, self.tables) else None

    def drop_foreign_pid(self) -> None:
        """Remove a pid file whose number now belongs to another program, which PostgreSQL takes for a server.

        A pid file of a dead process stays: through it a new server sees children the old one left behind.
        """
        file = self.tables / "postmaster.pid"
        try:
            os.kill(int(file.read_bytes().split(b"\n", 1)[0]), 0)
        except (FileNotFoundError, ValueError, ProcessLookupError):
            return
        except PermissionError:
            pass
        file.unlink()


def is_postgres(pid: int, tables: Path) -> bool:
    """Whether this process lives and serves these tables; numbers of dead ones are given out again."""
    shown = Path(f"/proc/{pid}")
    if Path("/proc/self").exists():
        try:
            state = (shown / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()[0]
            return state != "Z" and os.readlink(shown / "cwd") == os.path.realpath(tables)
        except (OSError, IndexError):
            return False
    command = ["ps", "-p", str(pid), "-o", "stat=,comm="]
    asked = subprocess.run(command, capture_output=True, text=True, check=False)
    return "postgres" in asked.stdout and not asked.stdout.lstrip().startswith("Z")


def open_cluster(data: Path, account: Account, binaries: Binaries, fsync: bool) -> Cluster:
    """The cluster of a data folder, made on the first call. `UserError` when it must not be used."""
    pointer = _read(data / POINTER)
    if pointer is None:
        cluster = _place(data, account)
        _initialise(cluster, account, binaries, fsync)
        own = secrets.token_hex(8)
        _write(cluster.home / ORIGIN, {"id": own, "data": str(data)})
        _write(data / POINTER, {"home": str(cluster.home), "id": own, "user": current_user()})
        return cluster
    if pointer["user"] != current_user():
        raise UserError(
            f"The database in this folder belongs to the user {pointer['user']}; you are {current_user()}.",
            str(data),
            f"Run the command as {pointer['user']}, or choose another folder with --data.",
        )
    home = Path(pointer["home"]) if account.foreign else data / "postgres"  # inside the folder it moves along
    cluster = Cluster(home)
    _check_ownership(data, cluster, pointer)
    _check_version(data, cluster, binaries)
    return cluster


def write_settings(cluster: Cluster, account: Account, fsync: bool, max_connections: int) -> None:
    """Bring the server's settings and its door in line with this program; done before every start."""
    settings = {
        "listen_addresses": "''",
        "max_connections": str(max_connections),
        "shared_buffers": "'128MB'",
        "timezone": "'UTC'",
        "log_timezone": "'UTC'",
        "jit": "off",  # short statements: compiling them costs more than running them
        "log_min_messages": "log",  # the caller reports refused statements; they hold other people's data
        "log_min_error_statement": "panic",
        "log_checkpoints": "off",
        "log_line_prefix": "'%m [%p] '",
    }
    if not fsync:
        settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
    lines = "".join(f"{key} = {value}\n" for key, value in settings.items())
    _hand_over(cluster.tables / SETTINGS, lines, account)
    door = f"local all postgres,{','.join(LOGINS)} peer map=ts\nlocal all all reject\n"
    _hand_over(cluster.tables / "pg_hba.conf", door, account)
    people = sorted({account.name, current_user()})
    names = "".join(f'ts "{user}" {role}\n' for user in people for role in ("postgres", *LOGINS))
    _hand_over(cluster.tables / "pg_ident.conf", names, account)


def known_cluster(data: Path) -> Cluster | None:
    """The cluster a data folder points to, as it is; nothing is made or checked."""
    pointer = _read(data / POINTER)
    if pointer is None:
        return None
    home = Path(pointer["home"])
    return Cluster(home if home.parent == SYSTEM_HOME else data / "postgres")


def remove(data: Path) -> None:
    """Delete the tables of a stopped server and the pointer to them."""
    pointer = _read(data / POINTER)
    if pointer is not None:
        outside = Path(pointer["home"])
        origin = _read(outside / ORIGIN) if outside.parent == SYSTEM_HOME else None
        if origin is not None and origin["id"] == pointer["id"]:
            shutil.rmtree(outside)
    shutil.rmtree(data / "postgres", ignore_errors=True)
    (data / POINTER).unlink(missing_ok=True)


def failure(what: str, cluster: Cluster) -> UserError:
    """The error for a server that does not come up, with what its log says last."""
    try:
        tail = cluster.log.read_text("utf-8", "replace").strip().splitlines()[-6:]
    except OSError:
        tail = []
    said = "\n".join(tail)
    do = f"Read {cluster.log}, or set DATABASE_URL to a PostgreSQL of your own."
    if "No space left" in said:
        what, do = "The disk is full: the database cannot start.", "Make room there, then start again."
    return UserError(what + (f"\n{said}" if said else ""), str(cluster.home), do)


def _place(data: Path, account: Account) -> Cluster:
    if not account.foreign:
        home = data / "postgres"
        home.mkdir(mode=0o700, exist_ok=True)
        return Cluster(home)
    SYSTEM_HOME.mkdir(parents=True, exist_ok=True, mode=0o755)
    home = SYSTEM_HOME / short_name(data)
    if (home / ORIGIN).exists() or (home / "cluster").exists():
        # Of a data folder that was deleted and made anew: other keys, so not ours. Doctor lists it.
        home.rename(home.with_name(f"{home.name}.left-{secrets.token_hex(4)}"))
    home.mkdir(mode=0o700, exist_ok=True)
    account.give(home)
    return Cluster(home)


def _initialise(cluster: Cluster, account: Account, binaries: Binaries, fsync: bool) -> None:
    """Make the tables in a draft folder and rename it: a killed first start leaves nothing half made."""
    if (cluster.tables / "PG_VERSION").exists():
        return
    draft = cluster.home / "cluster.new"
    shutil.rmtree(draft, ignore_errors=True)
    command = [binaries.path("initdb"), "-D", str(draft), "-U", "postgres", "-A", "peer", "-E", "UTF8"]
    command += ["--locale=C", "--data-checksums", "--no-instructions", *([] if fsync else ["--no-sync"])]
    done = subprocess.run(
        command,
        cwd=cluster.home,
        env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        **account.popen_arguments(),
    )
    if done.returncode != 0:
        shutil.rmtree(draft, ignore_errors=True)
        cluster.log.write_text(done.stdout + done.stderr, "utf-8")
        raise failure("A new database could not be made.", cluster)
    settings = draft / "postgresql.conf"
    settings.write_text(settings.read_text("utf-8") + f"\ninclude_if_exists '{SETTINGS}'\n", "utf-8")
    draft.rename(cluster.tables)


def _check_ownership(data: Path, cluster: Cluster, pointer: dict[str, str]) -> None:
    origin = _read(cluster.home / ORIGIN)
    if origin is None or not (cluster.tables / "PG_VERSION").exists():
        raise UserError(
            "The database of this data folder is gone.",
            str(cluster.home),
            "Restore it from a backup, or choose another folder with --data.",
        )
    if origin["id"] != pointer["id"]:
        raise UserError(
            "The database found there belongs to another data folder.",
            str(cluster.home),
            "Restore this folder's database from a backup, or choose another folder with --data.",
        )
    if origin["data"] == str(data):
        return
    elsewhere = Path(origin["data"])
    held = _read(elsewhere / POINTER)
    same = elsewhere.exists() and elsewhere.samefile(data)
    if cluster.home.parent == SYSTEM_HOME and not same and held is not None and held["id"] == pointer["id"]:
        raise UserError(
            f"This data folder is a copy of {elsewhere}, and both would use the same database.",
            str(data),
            f"Delete the copy's {POINTER}, keys and version to begin anew there, or remove the original.",
        )
    _write(cluster.home / ORIGIN, {**origin, "data": str(data)})  # the folder was moved


def _check_version(data: Path, cluster: Cluster, binaries: Binaries) -> None:
    found = (cluster.tables / "PG_VERSION").read_text("ascii").strip()
    if found != str(binaries.major):
        raise UserError(
            f"The database was made by PostgreSQL {found}; this program brings PostgreSQL {binaries.major}.",
            str(data),
            "Start the release of Tongshang that made it, or choose another folder with --data.",
        )


def _hand_over(path: Path, text: str, account: Account) -> None:
    path.write_text(text, "utf-8")
    path.chmod(0o600)
    account.give(path)


def _read(path: Path) -> dict[str, str] | None:
    try:
        held = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise UserError("This file is damaged.", str(path), "Restore it from a backup.") from error
    return held if isinstance(held, dict) else None


def _write(path: Path, values: dict[str, str]) -> None:
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(json.dumps(values, ensure_ascii=False, indent=2) + "\n", "utf-8")
    draft.replace(path)
