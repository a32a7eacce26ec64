"""The life of an embedded server: found or started, watched, mended, stopped by the last one to leave.

Every process that needs the database makes an `EmbeddedPostgres` of the data folder. They agree by two locks
in that folder: `postgres.users` is held (shared) by everyone who needs the server, `postgres.lock` by the one
who watches over it. When the watcher goes, however rudely, another takes its place within half a second;
whoever leaves last stops the server. A process that finds a server left by a killed one takes it over.
"""

import contextlib
import logging
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import psycopg

from core.config import DATABASE, UserError, embedded_url, socket_folder
from core.db import roles
from core.db.embedded import cluster as clusters
from core.db.embedded.account import Account, server_account
from core.db.embedded.binaries import Binaries, binaries_for
from core.db.embedded.lock import ALONE, IF_FREE, SHARED, drop, take

log = logging.getLogger("tongshang.postgres")

WATCH_EVERY = 0.3  # seconds
START_WITHIN = 60.0  # seconds; recovery after a crash included
STOP_WITHIN = 30.0  # seconds, then the server is stopped without a checkpoint
LINGERING_AFTER = 3.0  # seconds a new server waits for the children of a killed one
SOCKET_PATH_LIMIT = 107  # bytes, of the operating system


@dataclass(frozen=True)
class Status:
    """What there is to say about a server."""

    running: bool
    pid: int | None
    watched_here: bool
    version: str
    home: Path
    socket: Path
    log: Path


class EmbeddedPostgres:
    """The server of one data folder.

    `fsync=False` is for tests that may lose everything in a crash. `binaries` is the `bin` folder of another
    PostgreSQL than the wheel's. Methods raise `UserError` when the machine does not let them do their work.
    """

    def __init__(
        self, data: Path, *, fsync: bool = True, max_connections: int = 100, binaries: Path | None = None
    ) -> None:
        self.data = data.absolute()
        self._fsync = fsync
        self._max_connections = max_connections
        self._chosen = binaries
        self._account: Account | None = None
        self._binaries: Binaries | None = None
        self._cluster: clusters.Cluster | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._users: int | None = None
        self._watch: int | None = None
        self._leaving = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> "EmbeddedPostgres":
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Return when the server answers: one that runs already, or one started now. May be repeated."""
        if self._users is not None:
            return
        self._prepare()
        self._leaving.clear()
        self._users = take(self.data / "postgres.users", SHARED)
        try:
            self._until_ready()
        except BaseException:
            self._leave()
            raise
        self._thread = threading.Thread(target=self._keep_alive, name="postgres-watch", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop needing the server. The last process that does so stops it cleanly. May be repeated."""
        self._leaving.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        self._leave()

    def status(self) -> Status:
        """What runs now; starts and changes nothing on a data folder that has a server."""
        self._prepare()
        assert self._cluster is not None and self._binaries is not None
        pid = self._cluster.postmaster()
        return Status(
            running=pid is not None and self._answers(),
            pid=pid,
            watched_here=self._watch is not None,
            version=self._binaries.version,
            home=self._cluster.home,
            socket=self._socket,
            log=self._cluster.log,
        )

    def url(self, role: str = "ts_app", dbname: str = DATABASE) -> str:
        """SQLAlchemy URL for one of postgres, ts_migrator, ts_app, ts_worker. Valid before the start, too."""
        return embedded_url(self.data, role, dbname)

    def provision(self, dbname: str = DATABASE) -> bool:
        """Make roles, database and schemas where they are missing; True when the database is new."""
        return roles.provision(self.url("postgres", "postgres"), dbname)

    def create_database(self, name: str, template: str = "template0") -> str:
        """Make a database, an exact copy when `template` is one of ours; returns its URL for `ts_app`.

        Nobody may be connected to the template meanwhile.
        """
        with self._superuser() as connection:
            major = connection.info.server_version // 10000
            connection.execute(roles.create_database(major, name, template).encode())
            for line in roles.access_statements(name):
                connection.execute(line.encode())
        return self.url("ts_app", name)

    def drop_database(self, name: str) -> None:
        """Remove a database, disconnecting whoever is in it."""
        quoted = name.replace('"', '""')
        with self._superuser() as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{quoted}" WITH (FORCE)'.encode())

    def kill(self) -> None:
        """Kill the server the hard way, as a power cut would. For crash tests."""
        assert self._cluster is not None
        if (pid := self._cluster.postmaster()) is not None:
            os.kill(pid, signal.SIGKILL)

    def destroy(self) -> None:
        """Stop the server and delete its tables, whoever started it. Refused while another process needs it."""
        self.stop()
        held = take(self.data / "postgres.users", IF_FREE, missing_ok=True)
        if held is None and (self.data / "postgres.users").exists():
            raise UserError(
                "Another process uses this database.", str(self.data), "Stop web server and worker first."
            )
        try:
            self._cluster = clusters.known_cluster(self.data)
            if self._cluster is not None and (pid := self._cluster.postmaster()) is not None:
                self._end(pid)  # a killed process left it behind
            clusters.remove(self.data)
            shutil.rmtree(self._socket, ignore_errors=True)
        finally:
            drop(held)
        self._cluster = None

    @property
    def _socket(self) -> Path:
        return socket_folder(self.data)

    def _prepare(self) -> None:
        """Everything up to the point where the server could start, once per process."""
        if self._cluster is not None:
            return
        try:
            self.data.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._account = server_account()
            self._binaries = binaries_for(self._account, self._chosen)
            making = take(self.data / "postgres.making", ALONE)
            try:
                self._cluster = clusters.open_cluster(self.data, self._account, self._binaries, self._fsync)
            finally:
                drop(making)
        except OSError as error:
            raise _no_room(error, self.data) from error

    def _until_ready(self) -> None:
        """Wait for a server: another's while it watches, else our own."""
        deadline = time.monotonic() + START_WITHIN
        while True:
            if self._take_watch():
                self._ensure_running(deadline)
                return
            if self._answers():
                return
            if time.monotonic() > deadline:
                assert self._cluster is not None
                raise clusters.failure("The database does not start in time.", self._cluster)
            time.sleep(0.1)

    def _keep_alive(self) -> None:
        pause = WATCH_EVERY
        while not self._leaving.wait(pause):
            pause = WATCH_EVERY
            try:
                if self._take_watch() and not self._alive():
                    log.warning("The embedded PostgreSQL is gone; starting it again.")
                    self._ensure_running(time.monotonic() + START_WITHIN)
                    log.warning("The embedded PostgreSQL is back.")
            except (UserError, OSError) as error:
                log.error("The embedded PostgreSQL does not start: %s", error)
                pause = 2.0

    def _take_watch(self) -> bool:
        if self._watch is None:
            self._watch = take(self.data / "postgres.lock", IF_FREE)
        return self._watch is not None

    def _alive(self) -> bool:
        assert self._cluster is not None
        if self._process is not None:
            self._process.poll()  # takes a dead child off the process table
        return self._cluster.postmaster() is not None and self._door.exists()

    @property
    def _door(self) -> Path:
        return self._socket / ".s.PGSQL.5432"

    def _answers(self) -> bool:
        try:
            with self._superuser():
                return True
        except psycopg.OperationalError:
            return False

    def _ensure_running(self, deadline: float) -> None:
        """Called by the watcher only: one server, ours, answering."""
        assert self._cluster is not None and self._account is not None
        began = time.monotonic()
        spawned = False
        while not self._leaving.is_set():
            pid = self._cluster.postmaster()
            if pid is not None and not spawned and not self._door.exists():
                self._end(pid)  # it lost its socket, for example to a cleaner of /tmp: nobody can reach it
            if self._cluster.postmaster() is None:
                self._make_way()
                self._spawn()
                spawned = True
            while (running := self._process_or_other_lives()) and time.monotonic() < deadline:
                if self._answers() or self._leaving.is_set():
                    return
                time.sleep(0.05)
            if running or time.monotonic() > deadline:
                raise clusters.failure("The embedded PostgreSQL does not start in time.", self._cluster)
            if not self._waits_for_lingering(time.monotonic() - began):
                raise clusters.failure("The embedded PostgreSQL does not start.", self._cluster)
            time.sleep(0.2)

    def _process_or_other_lives(self) -> bool:
        assert self._cluster is not None
        if self._process is not None and self._process.poll() is None:
            return True
        return self._cluster.postmaster() is not None

    def _make_way(self) -> None:
        """Clear what a killed server left where it would stand in the way of a new one."""
        assert self._cluster is not None and self._account is not None
        self._cluster.drop_foreign_pid()
        folder = self._socket
        if len(os.fsencode(str(self._door))) > SOCKET_PATH_LIMIT:
            raise UserError("This path is too long for a socket.", str(self._door), "Use a shorter one.")
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
            owner = folder.lstat()
            ours = owner.st_uid in {self._account.uid, os.geteuid()} and not folder.is_symlink()
            if not ours:
                raise UserError(
                    "The folder for the database's socket belongs to somebody else.",
                    str(folder),
                    "Remove it, or choose another data folder with --data.",
                )
            folder.chmod(0o700)
            self._account.give(folder)
            for left in folder.glob(".s.PGSQL.*"):
                left.unlink()
            clusters.write_settings(self._cluster, self._account, self._fsync, self._max_connections)
        except OSError as error:
            raise _no_room(error, folder) from error

    def _spawn(self) -> None:
        assert self._cluster is not None and self._account is not None and self._binaries is not None
        if self._process is not None:
            self._process.poll()  # killed this very moment: take it off the process table before it is forgotten
        line = [self._binaries.path("postgres"), "-D", str(self._cluster.tables), "-k", str(self._socket)]
        if self._cluster.log.exists() and self._cluster.log.stat().st_size > 10_000_000:
            self._cluster.log.replace(self._cluster.log.with_suffix(".log.1"))
        try:
            with open(self._cluster.log, "ab") as output:
                # A session of its own: Ctrl-C at the terminal is for us, and we stop it in order.
                # No inherited output: whoever reads ours must see its end.
                self._process = subprocess.Popen(
                    line,
                    cwd=self._cluster.home,
                    env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    start_new_session=True,
                    **self._account.popen_arguments(),
                )
        except OSError as error:
            raise _no_room(error, self._cluster.home) from error

    def _waits_for_lingering(self, waited: float) -> bool:
        """True when the start failed because children of a killed server still end; helps them in the end."""
        assert self._cluster is not None
        tail = self._cluster.log.read_text("utf-8", "replace")[-2000:]
        if "is still in use" not in tail.rpartition("FATAL")[2]:
            return False
        if waited > LINGERING_AFTER:
            for pid in _children_in(self._cluster.tables):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        return True

    def _leave(self) -> None:
        if self._users is None:
            return
        drop(self._users)
        self._users = None
        try:
            last = take(self.data / "postgres.users", IF_FREE, missing_ok=True)
            try:
                pid = self._cluster.postmaster() if self._cluster else None
                if last is not None and pid is not None:
                    self._end(pid)
                    shutil.rmtree(self._socket, ignore_errors=True)
            finally:
                drop(last)
        finally:
            drop(self._watch)
            self._watch = None
            if self._process is not None:
                if self._process.poll() is None:  # it serves others; when it ends we still are its parent
                    threading.Thread(target=self._process.wait, name="postgres-left", daemon=True).start()
                self._process = None

    def _end(self, pid: int) -> None:
        """Stop a server: fast with a checkpoint, at the deadline without one."""
        assert self._cluster is not None
        for number, patience in ((signal.SIGINT, STOP_WITHIN), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
            deadline = time.monotonic() + patience
            while time.monotonic() < deadline:
                if self._process is not None:
                    self._process.poll()
                if self._cluster.postmaster() is None:
                    return
                time.sleep(0.02)

    @contextlib.contextmanager
    def _superuser(self) -> Iterator[psycopg.Connection]:
        url = self.url("postgres", "postgres").replace("+psycopg", "", 1)
        connection = psycopg.connect(url, autocommit=True, connect_timeout=5)
        try:
            yield connection
        finally:
            connection.close()


def _children_in(tables: Path) -> list[int]:
    """Processes that work in these tables, where the system tells."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cwd"):
        with contextlib.suppress(OSError):
            if os.readlink(entry) == os.path.realpath(tables):
                found.append(int(entry.parent.name))
    return found


def _no_room(error: OSError, where: Path) -> UserError:
    return UserError(
        f"The database's folder cannot be used: {error.strerror or error}.",
        str(error.filename or where),
        "Give this user the right to write there and room on the disk, or choose another with --data.",
    )
