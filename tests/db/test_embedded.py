"""The embedded server: found, started, watched, stopped, and refused where it must not run."""

import contextlib
import getpass
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from core.config import UserError, socket_folder
from core.db.embedded import EmbeddedPostgres, leftovers
from core.db.embedded.cluster import POINTER

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A data folder with a space and Chinese in its path, used by one test after the other."""
    folder = tmp_path_factory.mktemp("钢 材") / "数据"
    yield folder
    EmbeddedPostgres(folder).destroy()


@pytest.fixture
def server(data: Path) -> Iterator[EmbeddedPostgres]:
    with EmbeddedPostgres(data, fsync=False) as running:
        running.provision()
        yield running


def ask(server: EmbeddedPostgres, question: str, role: str = "postgres", dbname: str = "tongshang") -> object:
    with psycopg.connect(server.url(role, dbname).replace("+psycopg", "")) as connection:
        row = connection.execute(question.encode()).fetchone()
    assert row is not None
    return row[0]


def wait_until_it_answers(server: EmbeddedPostgres, within: float = 10.0) -> None:
    deadline = time.monotonic() + within
    while True:
        try:
            ask(server, "SELECT 1")
            return
        except psycopg.OperationalError:
            assert time.monotonic() < deadline, "the server did not come back"
            time.sleep(0.05)


def test_each_of_our_roles_enters_without_a_password(server: EmbeddedPostgres) -> None:
    for role in ("postgres", "ts_migrator", "ts_app", "ts_worker"):
        assert ask(server, "SELECT current_user", role) == role


def test_a_role_that_is_not_on_the_list_is_turned_away(server: EmbeddedPostgres) -> None:
    with psycopg.connect(server.url("postgres").replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(
            "DO $$ BEGIN CREATE ROLE guest LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$"
        )
    with pytest.raises(psycopg.OperationalError, match="reject"):
        ask(server, "SELECT 1", "guest")


def test_it_listens_on_no_network_address(server: EmbeddedPostgres) -> None:
    assert ask(server, "SHOW listen_addresses") == ""


def test_its_socket_lies_in_a_private_folder_under_a_short_name(server: EmbeddedPostgres, data: Path) -> None:
    folder = socket_folder(data)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert len(os.fsencode(folder / ".s.PGSQL.5432.lock")) < 107


def test_the_database_sorts_the_same_on_every_machine(server: EmbeddedPostgres) -> None:
    assert ask(server, "SELECT datlocprovider::text FROM pg_database WHERE datname = 'tongshang'") == "b"
    assert ask(server, "SELECT lower('ÄÖ') || upper('ß')") == "äöß"


def test_app_and_worker_hold_no_right_that_passes_by_row_security(server: EmbeddedPostgres) -> None:
    powers = "rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb"
    assert ask(server, f"SELECT count(*) FROM pg_roles WHERE rolname LIKE 'ts\\_%' AND ({powers})") == 0
    assert ask(server, "SELECT has_database_privilege('ts_app', 'tongshang', 'CREATE, TEMP')") is False
    assert ask(server, "SELECT has_schema_privilege('ts_app', 'public', 'USAGE')") is False


def test_the_app_may_turn_into_a_plugin_but_not_into_the_owner(server: EmbeddedPostgres) -> None:
    address = server.url("ts_app").replace("+psycopg", "")
    with psycopg.connect(address) as connection:
        connection.execute("SET ROLE ts_plugin")
    with psycopg.connect(address) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("SET ROLE ts_owner")


def test_provisioning_again_changes_nothing(server: EmbeddedPostgres) -> None:
    assert server.provision() is False


@pytest.mark.slow
def test_a_killed_server_is_back_and_has_lost_nothing(data: Path) -> None:
    with EmbeddedPostgres(data) as server:  # with fsync: this is what a power cut would meet
        server.provision()
        with psycopg.connect(server.url("postgres").replace("+psycopg", "")) as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS public.kept (n int)")
            connection.execute("INSERT INTO public.kept VALUES (1)")
        before = ask(server, "SELECT count(*) FROM public.kept")
        first = server.status().pid
        server.kill()
        wait_until_it_answers(server)
        assert server.status().pid != first
        assert ask(server, "SELECT count(*) FROM public.kept") == before


def test_a_server_that_lost_its_socket_is_started_anew(server: EmbeddedPostgres, data: Path) -> None:
    shutil.rmtree(socket_folder(data))
    wait_until_it_answers(server)


@pytest.mark.slow
def test_a_killed_server_comes_back_while_its_children_still_work(server: EmbeddedPostgres) -> None:
    busy = psycopg.connect(server.url("postgres").replace("+psycopg", ""))
    pid = busy.info.backend_pid
    os.kill(pid, signal.SIGSTOP)  # it cannot notice that the server died
    try:
        server.kill()
        wait_until_it_answers(server, within=20)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)
        busy.close()


HOLDER = """
import sys, time
from pathlib import Path
from core.db.embedded import EmbeddedPostgres
EmbeddedPostgres(Path(sys.argv[1]), fsync=False).start()
print("up", flush=True)
sys.stdin.read()
"""


def holder(data: Path) -> subprocess.Popen[str]:
    """Another process that needs the server."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(data)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None and process.stdout.readline() == "up\n"
    return process


def end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        assert pipe is not None
        pipe.close()


def test_two_processes_share_one_server_and_the_last_one_stops_it(data: Path) -> None:
    first, second = EmbeddedPostgres(data, fsync=False), EmbeddedPostgres(data, fsync=False)
    first.start()
    second.start()
    assert first.status().pid == second.status().pid
    first.stop()
    assert ask(second, "SELECT 1", dbname="postgres") == 1
    second.stop()
    assert not second.status().running


@pytest.mark.slow
def test_when_its_watcher_is_killed_another_user_takes_over(data: Path) -> None:
    watcher = holder(data)
    with EmbeddedPostgres(data, fsync=False) as second:
        assert not second.status().watched_here
        end(watcher)
        deadline = time.monotonic() + 10
        while not second.status().watched_here:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        second.kill()
        wait_until_it_answers(second)


@pytest.mark.slow
def test_a_server_left_behind_by_a_killed_process_is_taken_over_and_stopped(data: Path) -> None:
    end(holder(data))
    server = EmbeddedPostgres(data, fsync=False)
    assert server.status().running
    server.start()
    server.stop()
    assert not server.status().running


@pytest.mark.slow
def test_destroying_stops_a_server_left_behind(tmp_path: Path) -> None:
    end(holder(tmp_path / "d"))
    server = EmbeddedPostgres(tmp_path / "d", fsync=False)
    pid = server.status().pid
    assert pid is not None
    EmbeddedPostgres(tmp_path / "d", fsync=False).destroy()
    assert not Path(f"/proc/{pid}/cwd").exists()


@pytest.mark.slow
def test_nobody_waits_for_its_output(data: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", HOLDER, str(data)],
        input="",
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    assert done.stdout == "up\n"  # the pipe ended with the process, though the server may live on
    with EmbeddedPostgres(data, fsync=False):
        pass


def test_a_pid_file_that_names_another_program_does_not_stop_the_start(data: Path) -> None:
    server = EmbeddedPostgres(data, fsync=False)
    home = server.status().home
    (home / "cluster" / "postmaster.pid").write_text(f"{os.getpid()}\n{home}\n", "utf-8")
    server.start()
    assert ask(server, "SELECT 1", dbname="postgres") == 1
    server.stop()


def test_a_database_is_copied_with_its_content(server: EmbeddedPostgres) -> None:
    server.create_database("first")
    with psycopg.connect(server.url("postgres", "first").replace("+psycopg", "")) as connection:
        connection.execute("CREATE TABLE public.mark AS SELECT 7 AS n")
    server.create_database("second", template="first")
    assert ask(server, "SELECT n FROM public.mark", dbname="second") == 7
    server.drop_database("second")
    server.drop_database("first")


def test_data_of_another_postgresql_is_refused(data: Path) -> None:
    server = EmbeddedPostgres(data, fsync=False)
    version = server.status().home / "cluster" / "PG_VERSION"
    held = version.read_text("ascii")
    version.write_text("14\n", "ascii")
    try:
        with pytest.raises(UserError, match="PostgreSQL 14"):
            EmbeddedPostgres(data).start()
    finally:
        version.write_text(held, "ascii")


def test_data_of_another_user_is_refused(data: Path) -> None:
    EmbeddedPostgres(data, fsync=False).status()
    pointer = data / POINTER
    held = pointer.read_text("utf-8")
    pointer.write_text(held.replace(getpass.getuser(), "somebody"), "utf-8")
    try:
        with pytest.raises(UserError, match="belongs to the user somebody"):
            EmbeddedPostgres(data).start()
    finally:
        pointer.write_text(held, "utf-8")


@pytest.mark.slow
def test_a_server_that_is_needed_elsewhere_is_not_destroyed(data: Path) -> None:
    other = holder(data)
    try:
        with pytest.raises(UserError, match="Another process uses"):
            EmbeddedPostgres(data, fsync=False).destroy()
    finally:
        end(other)
        with EmbeddedPostgres(data, fsync=False):
            pass


@pytest.mark.skipif(os.geteuid() != 0, reason="only root keeps clusters outside the data folder")
class TestAsRoot:
    def test_the_clone_may_lie_where_only_root_can_go(self, tmp_path: Path) -> None:
        closed = tmp_path / "closed"
        closed.mkdir(mode=0o700)
        server = EmbeddedPostgres(closed / "data", fsync=False)
        with server:
            assert ask(server, "SELECT current_user", dbname="postgres") == "postgres"
            assert server.status().home.is_relative_to("/var/lib/tongshang")
        server.destroy()
        assert stat.S_IMODE(closed.stat().st_mode) == 0o700

    def test_a_cluster_without_its_data_folder_is_listed_and_removed(self, tmp_path: Path) -> None:
        with EmbeddedPostgres(tmp_path / "data", fsync=False) as server:
            home = server.status().home
        shutil.rmtree(tmp_path / "data")
        lost = [left for left in leftovers() if left.home == home]
        assert [left.data for left in lost] == [tmp_path / "data"]
        lost[0].remove()
        assert not home.exists()

    def test_a_new_data_folder_at_an_old_place_does_not_open_the_old_tables(self, tmp_path: Path) -> None:
        with EmbeddedPostgres(tmp_path / "data", fsync=False) as server:
            server.provision("secret")
        shutil.rmtree(tmp_path / "data")
        with EmbeddedPostgres(tmp_path / "data", fsync=False) as server:
            assert (
                ask(server, "SELECT count(*) FROM pg_database WHERE datname = 'secret'", dbname="postgres")
                == 0
            )
        server.destroy()
        for left in leftovers():
            if left.data == tmp_path / "data":
                left.remove()

    def test_a_copied_data_folder_does_not_share_the_database(self, tmp_path: Path) -> None:
        with EmbeddedPostgres(tmp_path / "data", fsync=False) as server:
            server.provision()
        shutil.copytree(tmp_path / "data", tmp_path / "copy")
        with pytest.raises(UserError, match="is a copy of"):
            EmbeddedPostgres(tmp_path / "copy").start()
        server.destroy()

    def test_a_moved_data_folder_finds_its_database_again(self, tmp_path: Path) -> None:
        with EmbeddedPostgres(tmp_path / "data", fsync=False) as server:
            server.provision("mine")
        (tmp_path / "data").rename(tmp_path / "moved")
        with EmbeddedPostgres(tmp_path / "moved", fsync=False) as server:
            assert (
                ask(server, "SELECT count(*) FROM pg_database WHERE datname = 'mine'", dbname="postgres") == 1
            )
            assert json.loads((server.status().home / "origin.json").read_text())["data"] == str(
                tmp_path / "moved"
            )
        server.destroy()
