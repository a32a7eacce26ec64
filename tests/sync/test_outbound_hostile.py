"""The outbound guard against servers and names that want its time, its memory, or its trust."""

import gzip
import socket
import ssl
import time
import tracemalloc
from typing import Any

import pytest
import requests

from core.sync import outbound
from core.sync.outbound import Blocked, OutboundRule, TooLarge, TooSlow, Unreachable
from tests.sync.test_outbound import LOOPBACK, listening

INNER = (
    "0.0.0.0", "0.1.2.3", "10.1.2.3", "100.64.0.1", "127.0.0.1", "127.255.255.254", "169.254.169.254", "172.16.0.1",
    "172.31.255.255", "192.0.0.1", "192.0.2.1", "192.168.0.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1",
    "240.0.0.1", "255.255.255.255",
    "::", "::1", "::7f00:1", "::ffff:127.0.0.1", "::ffff:10.1.2.3", "::ffff:0:127.0.0.1", "64:ff9b::10.0.0.1",
    "64:ff9b:1::a9fe:a9fe", "100::1", "2001:db8::1", "2001:0:0:0:0:0:80ff:fffe", "2002:a00:1::", "fc00::1", "fd00:ec2::254",
    "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1",
)  # fmt: skip


@pytest.mark.parametrize("address", INNER)
def test_an_inner_address_is_none_of_the_worlds_however_it_is_wrapped(address: str) -> None:
    with pytest.raises(Blocked):
        outbound.check("erp.example.test", address, 443, (), plain=False)


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1::1", "::ffff:93.184.216.34", "64:ff9b::5db8:d822"])
def test_an_outer_address_stays_one(address: str) -> None:
    outbound.check("erp.example.test", address, 443, (), plain=False)


def test_a_rule_for_one_address_opens_it_in_every_wrapping_and_nothing_beside_it() -> None:
    rule = OutboundRule.parse("10.1.2.3:443")
    outbound.check("erp", "::ffff:10.1.2.3", 443, (rule,), plain=False)
    for address, port in (("10.1.2.4", 443), ("10.1.2.3", 444), ("::ffff:10.1.2.4", 443)):
        with pytest.raises(Blocked):
            outbound.check("erp", address, port, (rule,), plain=False)


def test_a_name_with_a_thousand_silent_addresses_costs_no_more_than_one_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    many = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (f"93.184.{n // 250}.{n % 250}", 443)) for n in range(1000)]
    tried = []

    def silent(dialled: Any, address: Any) -> None:
        tried.append(address)
        time.sleep(dialled.gettimeout())
        raise TimeoutError("timed out")

    monkeypatch.setattr(outbound, "LONGEST_ANSWER", 0.5)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: many)
    monkeypatch.setattr(outbound._TimedSocket, "connect", silent)
    began = time.monotonic()
    with pytest.raises(Unreachable, match="tcp"):
        outbound.session().get("https://erp.example.test/", timeout=(0.2, 1))
    with pytest.raises(Unreachable, match="tcp"):
        outbound.wire(outbound.session(), "erp.example.test", 22, 0.2)
    assert time.monotonic() - began < 2 and len(tried) < 10


@pytest.mark.parametrize("verify", [False, 0, "", None])
def test_no_word_for_no_switches_verification_off(verify: Any) -> None:
    http = outbound.session([LOOPBACK])
    http.verify = verify
    with pytest.raises(Blocked, match="verification"):
        http.get("https://127.0.0.1:1/")


def test_old_tls_is_not_spoken() -> None:
    context = outbound.session().get_adapter("https://").poolmanager.connection_pool_kw["ssl_context"]
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2


def test_a_packed_answer_is_measured_unpacked_and_piece_by_piece() -> None:
    packed = gzip.compress(gzip.compress(b"\0" * 60_000_000))

    def bomb(connection: socket.socket) -> None:
        head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip, gzip\r\nContent-Length: {len(packed)}\r\n\r\n"
        connection.sendall(head.encode() + packed)

    with listening(bomb) as (port, _):
        tracemalloc.start()
        try:
            with pytest.raises(TooLarge):
                outbound.session([LOOPBACK]).get(f"http://127.0.0.1:{port}/")
            assert tracemalloc.get_traced_memory()[1] < 4 * outbound.LARGEST_ANSWER
        finally:
            tracemalloc.stop()


ENDLESS = {
    "interim": b"HTTP/1.1 100 Continue\r\n\r\n",
    "status line": b"H",
    "header": b"x" * 64,
    "chunk length": b"0" * 64,
}
BEFORE = {"header": b"HTTP/1.1 200 OK\r\nX: ", "chunk length": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"}


@pytest.mark.parametrize("part", ENDLESS)
def test_what_never_ends_is_cut_by_time_or_by_size(monkeypatch: pytest.MonkeyPatch, part: str) -> None:
    monkeypatch.setattr(outbound, "LONGEST_ANSWER", 0.5)

    def pour(connection: socket.socket) -> None:
        connection.sendall(BEFORE.get(part, b""))
        until = time.monotonic() + 3
        while time.monotonic() < until:
            connection.sendall(ENDLESS[part] * 16)
            time.sleep(0.01)

    began = time.monotonic()
    with listening(pour) as (port, _), pytest.raises((TooSlow, requests.ConnectionError)):
        outbound.session([LOOPBACK]).get(f"http://127.0.0.1:{port}/")
    assert time.monotonic() - began < 4


@pytest.mark.parametrize("length", ["\xb2", "9" * 5000, "-1", "1, 2"])
def test_a_length_that_is_none_is_an_answer_or_a_broken_one_and_no_mistake_of_ours(length: str) -> None:
    def odd(connection: socket.socket) -> None:
        connection.sendall(f"HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\nok".encode("latin-1"))

    with listening(odd) as (port, _):
        try:
            assert outbound.session([LOOPBACK]).get(f"http://127.0.0.1:{port}/").status_code == 200
        except requests.RequestException as error:
            assert isinstance(error, requests.ConnectionError | requests.exceptions.InvalidHeader)
