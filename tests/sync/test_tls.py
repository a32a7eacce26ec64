"""TLS of a connection's own: its authorities, its pin, its client certificate; and how many calls and documents at once."""

import hashlib
import ipaddress
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from core.kernel import Actor, Conflict, Context, Forbidden, Invalid
from core.sync import ErpConnection, NewConnection, OutboundRule, Unreachable, connect, outbound
from core.sync.pacing import LEAST, Pace, pace_of
from core.sync.transport import Transport, set_transport, way_of
from core.sync.trusting import Tls
from tests.sync.test_pushes import Talker

PEM = serialization.Encoding.PEM
LOOPBACK = OutboundRule.parse("127.0.0.1:1-65535")


class Party:
    """A key and a certificate, signed by itself or by another."""

    def __init__(
        self, name: str, by: "Party | None" = None, *, is_ca: bool = False, address: str = "127.0.0.1"
    ) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        now = datetime.now(UTC)
        building = (
            x509.CertificateBuilder()
            .subject_name(self.name)
            .issuer_name(by.name if by else self.name)
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(minutes=1))
            .not_valid_after(now + timedelta(hours=1))
            .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
            .add_extension(
                x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))]), False
            )
        )
        self.certificate = building.sign(by.key if by else self.key, hashes.SHA256())

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(PEM).decode()

    @property
    def key_pem(self) -> str:
        form, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        return self.key.private_bytes(PEM, form, plain).decode()

    @property
    def pin(self) -> str:
        return hashlib.sha256(self.certificate.public_bytes(serialization.Encoding.DER)).hexdigest()


CA, OTHER_CA = Party("Own CA", is_ca=True), Party("Other CA", is_ca=True)
SERVER = Party("erp", CA)
ELSEWHERE = Party("elsewhere", CA, address="127.0.0.9")
ALONE = Party("self-signed")
CLIENT = Party("tongshang", CA)


@contextmanager
def serving(party: Party, tmp_path: Path, client_ca: str = "") -> Iterator[tuple[str, list[str]]]:
    """An HTTPS server on loopback and the paths it was asked for."""
    seen: list[str] = []

    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(self.path)
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *_: object) -> None:
            pass

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    file = tmp_path / "server.pem"
    file.write_text(party.pem + party.key_pem)
    context.load_cert_chain(file)
    if client_ca:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(cadata=client_ca)

    class Quiet(HTTPServer):
        def get_request(self) -> Any:
            plain, where = super().get_request()
            plain.settimeout(2)
            try:
                return context.wrap_socket(plain, server_side=True), where
            except OSError:
                plain.close()
                raise

        def handle_error(self, *_: object) -> None:
            pass

    server = Quiet(("127.0.0.1", 0), Answering)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield f"https://127.0.0.1:{server.server_port}/", seen
    server.shutdown()
    server.server_close()
    thread.join()


def get(url: str, tls: Tls | None) -> str:
    with outbound.session([LOOPBACK], tls=tls) as http:
        return http.get(url).text


@pytest.mark.parametrize(
    ("party", "tls"),
    [
        (SERVER, Tls(CA.pem)),
        (SERVER, Tls(OTHER_CA.pem + CA.pem)),
        (SERVER, Tls(pinned_sha256=SERVER.pin)),
        (ALONE, Tls(pinned_sha256=ALONE.pin)),
        (SERVER, Tls(CA.pem, SERVER.pin)),
    ],
)
def test_a_server_that_is_trusted_is_talked_to(party: Party, tls: Tls, tmp_path: Path) -> None:
    with serving(party, tmp_path) as (url, seen):
        assert get(url, tls) == "ok"
        assert seen == ["/"]


@pytest.mark.parametrize(
    ("party", "tls"),
    [
        (SERVER, None),
        (SERVER, Tls(OTHER_CA.pem)),
        (ALONE, Tls(CA.pem)),
        (ELSEWHERE, Tls(CA.pem)),
        (SERVER, Tls(pinned_sha256=ALONE.pin)),
        (ALONE, Tls(pinned_sha256=SERVER.pin)),
        (SERVER, Tls(CA.pem, ALONE.pin)),
        (SERVER, Tls(OTHER_CA.pem, SERVER.pin)),
    ],
)
def test_any_other_server_gets_no_byte_of_the_request(party: Party, tls: Tls | None, tmp_path: Path) -> None:
    with serving(party, tmp_path) as (url, seen):
        with pytest.raises(Unreachable, match="tls"):
            get(url, tls)
        assert seen == []


def test_a_client_certificate_is_shown_where_it_is_asked_for(tmp_path: Path) -> None:
    with serving(SERVER, tmp_path, client_ca=CA.pem) as (url, seen):
        with pytest.raises((Unreachable, requests.ConnectionError)):
            get(url, Tls(CA.pem))
        assert seen == []
        assert get(url, Tls(CA.pem, client_pem=CLIENT.pem + CLIENT.key_pem)) == "ok"


def test_verification_cannot_be_switched_off_beside_a_pin(tmp_path: Path) -> None:
    with serving(ALONE, tmp_path) as (url, _), pytest.raises(outbound.Blocked):
        outbound.session([LOOPBACK], tls=Tls(pinned_sha256=ALONE.pin)).get(url, verify=False)


def test_certificates_nobody_can_read_are_a_mistake_of_the_settings() -> None:
    for tls in (Tls("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"), Tls(client_pem="x")):
        with pytest.raises(ValueError, match="certificates of the connection"):
            outbound.session(tls=tls)


@pytest.fixture
def wired(ctx: Context) -> tuple[Context, ErpConnection]:
    given = NewConnection("仓库", "https://wms.example.com", "", {"secret": "s3cr3t"})
    return ctx, connect(ctx, Talker(), given)


def test_what_a_person_tells_is_kept_and_the_key_is_sealed(wired: tuple[Context, ErpConnection]) -> None:
    ctx, row = wired
    pin = ":".join(SERVER.pin.upper()[at : at + 2] for at in range(0, 64, 2)) + "\n"
    set_transport(ctx, row.id, 1, Transport(3, 600, CA.pem, pin, CLIENT.pem, CLIENT.key_pem))
    ctx.session.flush()
    stored = ctx.session.connection().exec_driver_sql("SELECT client_key FROM ts.erp_connection").scalar()
    assert stored and "PRIVATE" not in str(stored)
    way = way_of(row)
    assert (way.tls.pinned_sha256, way.pace is pace_of(row.id, 600)) == (SERVER.pin, True)
    assert CLIENT.key_pem.strip() in way.tls.client_pem and "PRIVATE" not in repr(way.tls)
    set_transport(ctx, row.id, 2, Transport(client_cert_pem=CLIENT.pem))
    assert row.client_key == CLIENT.key_pem.strip()
    set_transport(ctx, row.id, 3, Transport())
    assert (row.client_key, row.version, way_of(row).pace) == (None, 4, None)
    with pytest.raises(Conflict):
        set_transport(ctx, row.id, 1, Transport())


@pytest.mark.parametrize(
    ("given", "field"),
    [
        (Transport(at_once=0), "at_once"),
        (Transport(at_once=17), "at_once"),
        (Transport(per_minute=6001), "per_minute"),
        (Transport(ca_pem="hello"), "ca_pem"),
        (Transport(pinned_sha256="ab" * 20), "pinned_sha256"),
        (Transport(pinned_sha256="ab" * 32 + "g"), "pinned_sha256"),
        (Transport(client_cert_pem="hello"), "client_cert_pem"),
        (Transport(client_cert_pem=CLIENT.pem), "client_key"),
        (Transport(client_cert_pem=CLIENT.pem, client_key=SERVER.key_pem), "client_key"),
    ],
)
def test_what_cannot_be_used_is_said_at_once(wired: Any, given: Transport, field: str) -> None:
    ctx, row = wired
    with pytest.raises(Invalid) as wrong:
        set_transport(ctx, row.id, 1, given)
    assert [error.path for error in wrong.value.errors] == [field]


def test_only_a_person_with_a_fresh_second_factor_changes_the_way(
    wired: Any, make_ctx: Callable[..., Context]
) -> None:
    _, row = wired
    person = make_ctx(
        grants={"connection.edit": None}, actor=Actor("person", row.id, "陈工", person_id=row.id)
    )
    with pytest.raises(Forbidden, match="step_up"):
        set_transport(person, row.id, 1, Transport())


def test_calls_are_spread_over_the_minute() -> None:
    now = [0.0]
    pace = Pace(60, clock=lambda: now[0])
    waits = [pace.turn() for _ in range(30)]
    assert waits[:10] == [0.0] * 10
    assert waits[10:25] == pytest.approx([float(n) for n in range(1, 16)])
    assert waits[25:] == [None] * 5  # longer than a call may wait, so it does not count
    now[0] = 60.0
    assert [pace.turn() for _ in range(11)] == pytest.approx([0.0] * 10 + [1.0])


def test_a_call_too_many_leaves_nothing(tmp_path: Path) -> None:
    pace = Pace(1)
    with serving(SERVER, tmp_path) as (url, seen):
        with outbound.session([LOOPBACK], tls=Tls(CA.pem), pace=pace) as http:
            began = time.monotonic()
            assert [http.get(url).text for _ in range(LEAST)] == ["ok"] * LEAST
            with pytest.raises(Unreachable, match="pace"):
                http.get(url)
        assert (len(seen), time.monotonic() - began < 5) == (LEAST, True)


def test_a_connection_gets_as_many_documents_at_once_as_it_was_told(house: Any) -> None:
    for number in range(5):
        house.order(f"SO-{number}")
    house.sql("UPDATE ts.erp_connection SET at_once = 1")
    engine = house.engine(at_once=8)
    (only,) = engine.claim()
    assert engine.claim() == []
    house.sql("UPDATE ts.erp_connection SET at_once = 3")
    assert len(engine.claim()) == 2
    house.sql("UPDATE ts.erp_connection SET at_once = NULL")
    assert len(engine.claim()) == 2
    assert engine.run(only) == "done"
    engine.close()
