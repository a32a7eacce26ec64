"""The web worker's threads stay with the connection they answered, and nobody waits because of it."""

import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from core.cli.listen import free_port
from tests.bench.wire import Wire

THREADS = 2
APP = """
def application(environ, start):
    body = environ["PATH_INFO"].encode()
    start("200 OK", [("Content-Length", str(len(body)))])
    return [body]
"""


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    folder, port = tmp_path_factory.mktemp("staying"), free_port(0)
    (folder / "echo.py").write_text(APP, encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "gunicorn",
        "echo",
        "--chdir",
        str(folder),
        "--bind",
        f"127.0.0.1:{port}",
    ]
    command += [
        "--worker-class",
        "core.cli.staying.StayingWorker",
        "--threads",
        str(THREADS),
        "--no-control-socket",
    ]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    while "Booting worker" not in (line := process.stderr.readline()):
        assert line, "gunicorn ended"
    yield port
    process.terminate()
    _, said = process.communicate(timeout=15)
    assert process.returncode == 0
    assert "Traceback" not in said


def test_a_kept_connection_is_answered_again_and_again(port: int) -> None:
    with Wire(port) as wire:
        for number in range(50):
            assert wire.ask("GET", f"/{number}", {}).body == f"/{number}".encode()


def test_many_more_connections_than_threads_are_all_answered(port: int) -> None:
    with ExitStack() as open_ones:
        wires = [open_ones.enter_context(Wire(port, timeout=10)) for _ in range(10 * THREADS)]
        for turn in range(3):
            answers: dict[int, bytes] = {}

            def ask(number: int, turn: int = turn, answers: dict[int, bytes] = answers) -> None:
                answers[number] = wires[number].ask("GET", f"/{turn}-{number}", {}).body

            threads = [threading.Thread(target=ask, args=(number,)) for number in range(len(wires))]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert answers == {number: f"/{turn}-{number}".encode() for number in range(len(wires))}


def test_requests_sent_in_one_go_are_all_answered(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), 10) as sock:
        sock.sendall(b"".join(b"GET /%d HTTP/1.1\r\nHost: here\r\n\r\n" % number for number in range(5)))
        heard = b""
        while heard.count(b"HTTP/1.1 200") < 5 or not heard.endswith(b"/4"):
            part = sock.recv(65536)
            assert part, heard
            heard += part


def test_a_client_that_goes_away_leaves_the_thread_free(port: int) -> None:
    for _ in range(3 * THREADS):
        with Wire(port) as wire:
            wire.ask("GET", "/bye", {})
    with Wire(port, timeout=5) as wire:
        assert wire.ask("GET", "/next", {}).body == b"/next"
