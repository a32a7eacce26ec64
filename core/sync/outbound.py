"""The only way out: HTTP to addresses that were checked after the name was resolved.

A tenant may type any URL, so the URL proves nothing. What counts is the address the name resolves to at
the moment of dialling: it must be public, or the operator (never a tenant) must have allowed its network
and port. Plain http leaves the house only towards such an allowed address. Redirects are not followed,
proxies of the environment are ignored, TLS is always verified, and one answer may cost at most 30 seconds
and 10 MiB all together.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Any, Protocol
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError
from urllib3.util.ssl_ import create_urllib3_context

from core.sync.trusting import PUBLIC, Tls

LARGEST_ANSWER = 10 * 1024 * 1024  # bytes
LONGEST_ANSWER = 30.0  # seconds, from dialling to the last byte
CONNECT_SECONDS = 10.0

Address = IPv4Address | IPv6Address

# Networks whose members carry an IPv4 address inside: the inner address is the one that is reached.
NAT64 = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"))
IPV4_COMPATIBLE = IPv6Network("::/96")


class NotSent(Exception):
    """The request did not leave: whatever it asked for cannot have happened."""


class Blocked(NotSent):
    """The guard refused the address, the scheme or the settings of a request."""

    def __init__(self, host: str, reason: str) -> None:
        super().__init__(f"{host}: {reason}")
        self.host = host
        self.reason = reason


class Unreachable(NotSent):
    """No connection came about. `stage` is dns, tcp or tls."""

    def __init__(self, host: str, stage: str, reason: str) -> None:
        super().__init__(f"{host}: {stage}: {reason}")
        self.host = host
        self.stage = stage
        self.reason = reason


class TooLarge(requests.RequestException):
    """The answer is longer than the cap; the request itself was sent."""


class TooSlow(requests.Timeout):
    """The answer took longer than the cap in total; the request itself was sent."""


@dataclass(frozen=True)
class OutboundRule:
    """A network and a port the operator opens although the addresses are not public."""

    network: IPv4Network | IPv6Network
    ports: range

    @classmethod
    def parse(cls, text: str) -> OutboundRule:
        """`10.1.0.0/16:443`, `127.0.0.1:8000-8100` or `[fd00::/8]:443`; raises ValueError naming the text."""
        place, colon, ports = text.strip().rpartition(":")
        if not colon or not ports:
            raise ValueError(f"outbound rule without a port: {text!r}")
        first, _, last = ports.partition("-")
        try:
            span = range(int(first), int(last or first) + 1)
            network = ipaddress.ip_network(place.strip("[]"), strict=False)
        except ValueError as error:
            raise ValueError(f"outbound rule {text!r}: {error}") from None
        if not span or span[0] < 1 or span[-1] > 65535:
            raise ValueError(f"outbound rule {text!r}: ports run from 1 to 65535")
        return cls(network, span)

    def allows(self, address: Address, port: int) -> bool:
        return address.version == self.network.version and address in self.network and port in self.ports

    def __str__(self) -> str:
        place = f"[{self.network}]" if self.network.version == 6 else str(self.network)
        ports = str(self.ports[0]) if len(self.ports) == 1 else f"{self.ports[0]}-{self.ports[-1]}"
        return f"{place}:{ports}"


class Turns(Protocol):
    """Who says when a call may go."""

    def turn(self) -> float | None:
        """Seconds to wait; None: not now."""


def session(
    allow: Sequence[OutboundRule] = (),
    *,
    ca_file: str | None = None,
    largest: int | None = None,
    longest: float | None = None,
    tls: Tls | None = None,
    pace: Turns | None = None,
) -> requests.Session:
    """A `requests.Session` that can reach public addresses and what the operator allowed, nothing else.

    `ca_file` is a PEM bundle for an ERP behind a private certificate authority; verification itself
    cannot be switched off; `tls` says whom one connection trusts instead. `pace` spreads its calls. `largest`
    (bytes) and `longest` (seconds) cap one answer instead of the caps above.
    Raises `Blocked` or `Unreachable` (nothing was sent), `TooSlow`, `TooLarge` or another
    `requests.RequestException` (something may have arrived).
    """
    guarded = _Session()
    guarded.trust_env = False
    guarded.verify = ca_file or True
    for scheme in ("http://", "https://"):
        guarded.mount(scheme, _Guard(tuple(allow), largest, longest, tls or PUBLIC, pace))
    return guarded


def inner(address: str) -> Address:
    """The address that is really reached: scope dropped, mapped and tunnelled IPv4 unwrapped."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, IPv6Address):
        if ip.ipv4_mapped:
            return ip.ipv4_mapped
        if ip.sixtofour:
            return ip.sixtofour
        if ip.teredo:
            return ip.teredo[1]
        if any(ip in network for network in NAT64) or (ip in IPV4_COMPATIBLE and int(ip) > 1):
            return IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip


def is_public(address: Address) -> bool:
    site_local = isinstance(address, IPv6Address) and address.is_site_local
    return address.is_global and not address.is_multicast and not address.is_reserved and not site_local


def check(host: str, address: str, port: int, allow: Sequence[OutboundRule], *, plain: bool) -> None:
    """Raise `Blocked` unless this resolved address may be dialled; `plain` is http without TLS."""
    ip = inner(address)
    if any(rule.allows(ip, port) for rule in allow):
        return
    if not is_public(ip):
        raise Blocked(host, f"{ip} port {port} is not public and the operator has not allowed it")
    if plain:
        raise Blocked(host, "plain http to a public address needs a rule of the operator; use https")


def dial(
    host: str, port: int, allow: Sequence[OutboundRule], *, plain: bool, timeout: float
) -> socket.socket:
    """Resolve once, check every answer, connect to an address that was checked.

    `timeout` is for each of them; a name with a thousand addresses that answer nothing costs `LONGEST_ANSWER` in all.
    """
    bare = host.strip("[]")
    try:
        answers = socket.getaddrinfo(bare, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Unreachable(bare, "dns", str(error)) from error
    for *_, sockaddr in answers:
        check(bare, str(sockaddr[0]), port, allow, plain=plain)
    failure: OSError | None = None
    until = time.monotonic() + _remaining()
    for family, kind, proto, _, sockaddr in answers:
        left = until - time.monotonic()
        if left <= 0:
            break
        dialled = _TimedSocket(family, kind, proto)
        dialled.settimeout(min(timeout, left))
        try:
            dialled.connect(sockaddr)
            dialled.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return dialled
        except OSError as error:
            dialled.close()
            failure = error
    raise Unreachable(bare, "tcp", str(failure or "no address"))


def wire(http: requests.Session, host: str, port: int, timeout: float) -> socket.socket:
    """A plain TCP connection under the rules of a session of `session`, for a protocol that encrypts by itself (SSH).

    Raises `Blocked` or `Unreachable`; also Blocked for a session that is not one of ours.
    """
    guard = http.get_adapter("https://")
    if not isinstance(guard, _Guard):
        raise Blocked(host, "this session has no rules of the operator")
    return dial(host, port, guard.allow, plain=False, timeout=timeout)


# The deadline of the request that the current thread is making. Sockets read it before every read, so a
# peer that trickles one byte a second cannot stretch an answer past the cap.
_clock = threading.local()


def _remaining() -> float:
    until: float | None = getattr(_clock, "until", None)
    return LONGEST_ANSWER if until is None else until - time.monotonic()


class _TimedSocket(socket.socket):
    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        _shorten(self)
        return super().recv_into(*args, **kwargs)


class _TimedTlsSocket(ssl.SSLSocket):
    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        _shorten(self)
        return super().recv_into(*args, **kwargs)


def _shorten(reading: socket.socket) -> None:
    left = _remaining()
    if left <= 0:
        raise TimeoutError("the answer took too long in total")
    patience = reading.gettimeout()
    if patience is None or patience > left:
        reading.settimeout(left)


class _GuardedConnection(HTTPConnection):
    allow: Sequence[OutboundRule] = ()
    plain = True

    def _new_conn(self) -> socket.socket:
        patience = self.timeout if isinstance(self.timeout, int | float) else CONNECT_SECONDS
        return dial(self.host, self.port or 80, self.allow, plain=self.plain, timeout=float(patience))

    def connect(self) -> None:
        # Until connect returns nothing of the request has been written: every failure means "not sent".
        try:
            super().connect()
        except (OSError, HTTPError) as error:
            raise Unreachable(self.host, "tls", str(error)) from error


class _GuardedTlsConnection(_GuardedConnection, HTTPSConnection):
    plain = False


class _Guard(HTTPAdapter):
    """Transport adapter whose pools dial through the guard and whose answers are read under the caps."""

    def __init__(
        self,
        allow: tuple[OutboundRule, ...],
        largest: int | None = None,
        longest: float | None = None,
        tls: Tls = PUBLIC,
        pace: Turns | None = None,
    ) -> None:
        self.allow, self._largest, self._longest = allow, largest, longest
        self._tls, self._pace = tls, pace
        super().__init__(max_retries=0, pool_connections=4, pool_maxsize=8)

    @property
    def largest(self) -> int:
        return self._largest or LARGEST_ANSWER

    @property
    def longest(self) -> float:
        return self._longest or LONGEST_ANSWER

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        context = create_urllib3_context()
        context.sslsocket_class = _TimedTlsSocket
        self._tls.load(context)
        super().init_poolmanager(*args, ssl_context=context, **kwargs)
        http = type("Http", (_GuardedConnection,), {"allow": self.allow})
        https = type("Https", (_GuardedTlsConnection,), {"allow": self.allow})
        self.poolmanager.pool_classes_by_scheme = {
            "http": type("HttpPool", (HTTPConnectionPool,), {"ConnectionCls": http}),
            "https": type("HttpsPool", (HTTPSConnectionPool,), {"ConnectionCls": https}),
        }

    def proxy_manager_for(self, proxy: str, **_: Any) -> Any:
        raise Blocked(_host(proxy), "proxies are not used")

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        if not verify:
            raise Blocked(_host(url), "TLS verification cannot be switched off")
        super().cert_verify(conn, url, verify, cert)
        if url.lower().startswith("https") and (self._tls.ca_pem or self._tls.pinned_sha256):
            # Not the public authorities: those of the context, or the pin.
            conn.ca_certs = conn.ca_cert_dir = None
            conn.cert_reqs = self._tls.requirement
            conn.assert_fingerprint = self._tls.pinned_sha256 or None

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: Any = True,
        cert: Any = None,
        proxies: Any = None,
    ) -> requests.Response:
        if self._pace is not None:
            wait = self._pace.turn()
            if wait is None:
                raise Unreachable(_host(request.url), "pace", "too many calls a minute for this connection")
            time.sleep(wait)
        timeout = timeout or (min(CONNECT_SECONDS, self.longest), self.longest)
        _clock.until = time.monotonic() + self.longest
        try:
            response = super().send(request, True, timeout, verify, cert, proxies)
            self._read(request, response)
        except requests.Timeout as error:
            if _remaining() <= 0:
                raise TooSlow(f"no whole answer within {self.longest:g} s", request=request) from error
            raise
        finally:
            _clock.until = None
        return response

    def _read(self, request: requests.PreparedRequest, response: requests.Response) -> None:
        body = bytearray()
        try:
            while chunk := response.raw.read1(65536, decode_content=True):
                body += chunk
                if len(body) > self.largest:
                    raise TooLarge(f"answer longer than {self.largest} bytes", request=request)
            expected = response.headers.get("Content-Length", "")
            if (
                expected.isdecimal()
                and len(expected) < 20
                and not response.headers.get("Content-Encoding")
                and len(body) < int(expected)
                and not (request.method == "HEAD" or response.status_code in (204, 304))  # these tell a length and send none
            ):
                raise requests.ConnectionError(
                    f"answer cut at {len(body)} of {expected} bytes", request=request
                )
        except (OSError, HTTPError) as error:
            response.raw.close()
            if isinstance(error, requests.RequestException):
                raise
            if _remaining() <= 0:
                raise TooSlow(f"no whole answer within {self.longest:g} s", request=request) from error
            raise requests.ConnectionError(f"answer broke off: {error}", request=request) from error
        response.raw.release_conn()
        response._content = bytes(body)
        response._content_consumed = True


def _host(url: str | None) -> str:
    """For a message: the rest of an address may carry a key or a signature."""
    return urlsplit(url or "").hostname or ""


STAGES = ("address", "dns", "tcp", "tls")


def probe(http: requests.Session, url: str) -> list[tuple[str, bool, str]]:
    """How far one gets towards a URL: (stage, whether it went well, what was seen), up to the first that fails."""
    stages = STAGES if url.startswith("https") else STAGES[:-1]
    try:
        http.get(url, timeout=(5, 10))
    except Blocked as error:
        return [("address", False, error.reason)]
    except Unreachable as error:
        stage = error.stage if error.stage in stages else stages[-1]
        passed = [(name, True, "") for name in stages[: stages.index(stage)]]
        return [*passed, (stage, False, error.reason)]
    except requests.RequestException as error:
        return [*((name, True, "") for name in stages), ("answer", False, str(error))]
    return [(name, True, "") for name in stages]


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """A redirect is an answer like any other: the caller sees its status and decides."""
        return None
