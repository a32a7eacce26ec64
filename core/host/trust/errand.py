"""An errand to an index: every request through the guard, redirects looked at one by one, all of it in limited time.

The operator allowed this index and nothing behind it. An address written as a number (or localhost) may be private: the
operator has seen it. A name may not lead into a private network, whoever answers for it today, unless the network is
opened in `outbound.conf`; neither may a redirect or a link that the index hands out.
"""

import ipaddress
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, urljoin, urlsplit

from requests import RequestException, Timeout

from core import sync
from core.kernel import Refused

MOST_REDIRECTS = 5
PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Limits:
    """What one answer and the whole errand may cost, in seconds."""

    answer: float = 20.0
    errand: float = 60.0


@dataclass(frozen=True)
class Reply:
    """A page or file as it came. `url` is where it finally lay."""

    url: str
    body: bytes
    kind: str  # media type, lower case, without its parameters


class Errand:
    """Visits to one index within its time. Made anew for every act of a person; `until` is the end of a longer one."""

    def __init__(self, address: str, data: Path, limits: Limits, until: float | None = None) -> None:
        self.address, self.limits = address, limits
        self.opened = sync.rules_of(data)
        self.until = until or time.monotonic() + limits.errand

    def get(self, url: str, largest: int, accept: str = "*/*", missing: Sequence[int] = ()) -> Reply | None:
        """Fetch a URL; None when the answer is one of `missing`. Raises Refused for everything that goes wrong."""
        host = urlsplit(url).hostname or "?"
        for _ in range(MOST_REDIRECTS + 1):
            _sound(url, self.address)
            left = min(self.limits.answer, self.until - time.monotonic())
            if left <= 0:
                raise Refused("plugin.source_slow", host=host, seconds=f"{self.limits.errand:g}")
            http = sync.session(self._rules_for(url), largest=largest, longest=left)
            try:
                answer = http.get(url, headers={"Accept": accept}, timeout=(min(left, 5), left))
            except sync.Blocked as blocked:
                raise Refused("plugin.source_blocked", host=blocked.host) from None
            except sync.Unreachable as lost:
                raise Refused("plugin.source_silent", host=lost.host, reason=lost.stage) from None
            except sync.TooLarge:
                raise Refused("plugin.source_too_large", host=host, most=largest // 1_048_576 or 1) from None
            except Timeout:
                raise Refused("plugin.source_slow", host=host, seconds=f"{left:.0f}") from None
            except RequestException:
                raise Refused("plugin.source_broke", host=host) from None
            finally:
                http.close()
            if answer.status_code in (301, 302, 303, 307, 308) and "Location" in answer.headers:
                url = urljoin(url, answer.headers["Location"])
                host = urlsplit(url).hostname or "?"
                continue
            if answer.status_code in missing:
                return None
            if answer.status_code != 200:
                raise Refused("plugin.source_status", url=url, status=answer.status_code)
            return Reply(url, answer.content, answer.headers.get("Content-Type", "").partition(";")[0].strip().lower())
        raise Refused("plugin.source_circles", host=host)

    def _rules_for(self, url: str) -> list[sync.OutboundRule]:
        """What the operator opened for everybody, and the index's own address for the index alone."""
        at_home = _place(urlsplit(url)) == _place(urlsplit(self.address))
        return [*self.opened, *own_rules(self.address)] if at_home else self.opened


def own_rules(address: str) -> list[sync.OutboundRule]:
    """The way to the index itself where its address is a number that is not public, or localhost."""
    said = urlsplit(address)
    host, port = _place(said)
    try:
        ips = [ipaddress.ip_address(host)]
    except ValueError:
        ips = [ipaddress.ip_address("127.0.0.1"), ipaddress.ip_address("::1")] if host == "localhost" else []
    return [
        sync.OutboundRule(ipaddress.ip_network(ip), range(port, port + 1))
        for ip in ips
        if not ip.is_global and not ip.is_multicast and not ip.is_link_local
    ]


def _place(said: SplitResult) -> tuple[str, int]:
    return (said.hostname or "").lower(), said.port or PORTS.get(said.scheme, 0)


def _sound(url: str, address: str) -> None:
    """Refuse what is no address of the web, and the step from https down to http."""
    try:
        said = urlsplit(url)
        right = said.scheme in PORTS and bool(said.hostname) and _place(said)[1] > 0
    except ValueError:
        right = False
    if not right or (said.scheme == "http" and urlsplit(address).scheme == "https"):
        raise Refused("plugin.source_leads_away", url=url[:200])
