"""The outbound guard against the tricks by which an address hides where it leads."""

import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import requests

from core.sync import outbound
from core.sync.outbound import Blocked, OutboundRule, TooLarge, TooSlow, Unreachable

LOOPBACK = OutboundRule.parse("127.0.0.0/8:1-65535")


@contextmanager
def listening(answer: Callable[[socket.socket], None]) -> Iterator[tuple[int, list[bytes]]]:
    """A server on 127.0.0.1 that reads one request and lets `answer` write; yields port and requests seen."""
    seen: list[bytes] = []
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection:
                seen.append(connection.recv(65536))
                try:
                    answer(connection)
                except OSError:
                    continue

    worker = threading.Thread(target=serve, daemon=True)
    worker.start()
    try:
        yield server.getsockname()[1], seen
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        worker.join(5)


def ok(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")


TRICKS = [
    "http://127.0.0.1:{port}/",
    "http://127.1:{port}/",
    "http://2130706433:{port}/",
    "http://0x7f000001:{port}/",
    "http://0177.0.0.1:{port}/",
    "http://localhost:{port}/",
    "http://0.0.0.0:{port}/",
    "http://[::1]:{port}/",
    "http://[::ffff:127.0.0.1]:{port}/",
    "http://[::127.0.0.1]:{port}/",
    "http://[64:ff9b::7f00:1]:{port}/",
    "http://[2002:7f00:1::]:{port}/",
    "http://user@127.0.0.1:{port}/",
    "http://169.254.169.254/latest/meta-data/",
    "http://100.64.0.1/",
    "http://10.0.0.1/",
    "http://192.168.1.1/",
    "http://[fe80::1]/",
    "http://[fc00::1]/",
    "http://[fec0::1]/",
    "http://224.0.0.1/",
    "http://255.255.255.255/",
]


@pytest.mark.parametrize("trick", TRICKS)
def test_no_spelling_of_an_inner_address_gets_through(trick):
    with listening(ok) as (port, seen):
        with pytest.raises((Blocked, Unreachable)) as refused:
            outbound.session().get(trick.format(port=port), timeout=2)
        assert not isinstance(refused.value, Unreachable) or refused.value.stage == "dns"
        assert seen == []


def test_a_name_is_judged_by_every_address_it_resolves_to(monkeypatch):
    def two_faces(host, port, **_):
        public = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.216.34", port))
        return [public, (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    monkeypatch.setattr(socket, "getaddrinfo", two_faces)
    with pytest.raises(Blocked):
        outbound.session().get("https://rebinding.example.test/")


def test_the_address_that_was_checked_is_the_one_that_is_dialled(monkeypatch):
    asked = []
    real = socket.getaddrinfo

    def counting(host, port, **kwargs):
        asked.append(host)
        return real("127.0.0.1", port, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", counting)
    with listening(ok) as (port, _):
        assert outbound.session([LOOPBACK]).get(f"http://k3.example.test:{port}/").text == "ok"
    assert asked == ["k3.example.test"]


def test_the_operator_opens_a_network_and_a_port_not_more():
    with listening(ok) as (port, seen):
        rule = OutboundRule.parse(f"127.0.0.1:{port}")
        assert outbound.session([rule]).get(f"http://127.0.0.1:{port}/").text == "ok"
        other = OutboundRule.parse(f"127.0.0.1:{port + 1 if port < 65535 else port - 1}")
        with pytest.raises(Blocked):
            outbound.session([other]).get(f"http://127.0.0.1:{port}/")
        assert len(seen) == 1


def test_plain_http_to_a_public_address_needs_a_rule(monkeypatch):
    public = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.216.34", 80))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: public)
    with pytest.raises(Blocked, match="plain http"):
        outbound.session().get("http://erp.example.test/")


def test_a_redirect_is_returned_not_followed():
    def elsewhere(connection):
        connection.sendall(
            b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"
        )

    with listening(elsewhere) as (port, seen):
        response = outbound.session([LOOPBACK]).get(f"http://127.0.0.1:{port}/")
        assert (response.status_code, len(seen)) == (302, 1)


def test_a_proxy_of_the_environment_is_ignored(monkeypatch):
    with listening(ok) as (port, _), listening(ok) as (proxy, proxied):
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy}")
        assert outbound.session([LOOPBACK]).get(f"http://127.0.0.1:{port}/").text == "ok"
        assert proxied == []
        with pytest.raises(Blocked):
            outbound.session([LOOPBACK]).get(
                f"http://127.0.0.1:{port}/", proxies={"http": f"http://127.0.0.1:{proxy}"}
            )


def test_an_answer_beyond_the_size_cap_is_dropped(monkeypatch):
    monkeypatch.setattr(outbound, "LARGEST_ANSWER", 100_000)

    def endless(connection):
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(100):
            connection.sendall(b"2000\r\n" + b"x" * 0x2000 + b"\r\n")

    with listening(endless) as (port, _), pytest.raises(TooLarge):
        outbound.session([LOOPBACK]).get(f"http://127.0.0.1:{port}/")


@pytest.mark.parametrize("part", ["head", "body", "chunk"])
def test_a_trickling_answer_is_cut_by_the_total_time(monkeypatch, part):
    monkeypatch.setattr(outbound, "LONGEST_ANSWER", 0.5)
    heads = {
        "head": b"HTTP/1.1 200 OK\r\nX: ",
        "body": b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n",
        "chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    }

    def trickle(connection):
        connection.sendall(heads[part])
        for _ in range(100):
            connection.sendall(b"1")
            time.sleep(0.05)

    began = time.monotonic()
    with listening(trickle) as (port, _), pytest.raises(TooSlow):
        outbound.session([LOOPBACK]).get(f"http://127.0.0.1:{port}/", timeout=(1, 10))
    assert time.monotonic() - began < 3


def test_an_answer_that_ends_early_is_an_error():
    def cut(connection):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhalf")

    with listening(cut) as (port, _), pytest.raises(requests.ConnectionError):
        outbound.session([LOOPBACK]).get(f"http://127.0.0.1:{port}/")


def test_a_closed_port_says_that_nothing_was_sent():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(Unreachable) as refused:
        outbound.session([LOOPBACK]).post(f"http://127.0.0.1:{port}/", data="x")
    assert refused.value.stage == "tcp"


def test_a_certificate_nobody_vouches_for_is_refused_and_cannot_be_waved_through(tmp_path):
    key, cert = tmp_path / "key.pem", tmp_path / "cert.pem"
    made = subprocess.run(
        [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-days",
            "1",
        ]
        + ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", cert],
        capture_output=True,
        check=False,
    )
    if made.returncode:
        pytest.skip("openssl is not installed")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)

    with listening_tls(context) as port:
        url = f"https://localhost:{port}/"
        with pytest.raises(Unreachable) as refused:
            outbound.session([LOOPBACK, OutboundRule.parse(f"[::1]:{port}")]).get(url)
        assert refused.value.stage == "tls"
        with pytest.raises(Blocked):
            outbound.session([LOOPBACK, OutboundRule.parse(f"[::1]:{port}")]).get(url, verify=False)
        vouched = outbound.session([LOOPBACK, OutboundRule.parse(f"[::1]:{port}")], ca_file=str(cert))
        assert vouched.get(url).text == "ok"


@contextmanager
def listening_tls(context: ssl.SSLContext) -> Iterator[int]:
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            try:
                with context.wrap_socket(connection, server_side=True) as secured:
                    secured.recv(65536)
                    ok(secured)
            except OSError:
                continue

    worker = threading.Thread(target=serve, daemon=True)
    worker.start()
    try:
        yield server.getsockname()[1]
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        worker.join(5)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("10.1.0.0/16:443", "10.1.0.0/16:443"),
        ("127.0.0.1:8000-8100", "127.0.0.1/32:8000-8100"),
        ("[fd00::/8]:443", "[fd00::/8]:443"),
    ],
)
def test_rules_are_read_and_written_alike(text, shown):
    assert str(OutboundRule.parse(text)) == shown


@pytest.mark.parametrize("text", ["10.0.0.1", "10.0.0.1:", "erp.local:80", "10.0.0.1:70000", "10.0.0.1:9-1"])
def test_a_rule_that_says_nothing_clear_is_refused(text):
    with pytest.raises(ValueError, match="rule"):
        OutboundRule.parse(text)
