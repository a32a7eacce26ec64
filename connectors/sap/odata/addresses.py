"""Where a system and its OData services are: the addresses of calls, and those the server itself hands out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, unquote, urlencode, urlsplit

from tongshang.connect import Stop

V2_ROOT = "/sap/opu/odata/sap/"
V4_ROOT = "/sap/opu/odata4/sap/"
MARKS = re.compile("%3[BD]", re.IGNORECASE)  # ; and =


@dataclass(frozen=True)
class Service:
    """One OData service: its path below the root, and its version of the protocol."""

    path: str
    version: int = 2

    @property
    def name(self) -> str:
        return self.path.strip("/").split("/")[-2 if self.version == 4 else -1]


def v2(name: str) -> Service:
    return Service(V2_ROOT + name)


def v4(group: str, name: str, number: str = "0001") -> Service:
    return Service(f"{V4_ROOT}{group}/srvd_a2x/sap/{name}/{number}", 4)


@dataclass(frozen=True)
class System:
    """Where the system is and as what we come. `client` is the SAP client (mandant), empty for the default one."""

    base_url: str
    client: str = ""
    language: str = "ZH"

    @property
    def root(self) -> str:
        """The address without the path of OData, should somebody have typed it along."""
        return self.base_url.split("/sap/opu/odata", 1)[0].rstrip("/")

    def url(self, service: Service, path: str, query: Mapping[str, str] | None = None) -> str:
        """The address of a path inside a service; the SAP client always goes along."""
        told = dict(query or {})
        if self.client:
            told["sap-client"] = self.client
        asked = "?" + urlencode(told, quote_via=quote, safe="$'(),:/*") if told else ""
        return f"{self.root}{service.path}/{path}{asked}"

    def followed(self, service: Service, link: str) -> str:
        """A link the server gave, on the address we know: it may name a host that exists only inside its network.

        Only path and query count, and only below the root of the service; anything else raises Stop.
        """
        parts = urlsplit(link)
        path = parts.path
        if not parts.netloc and not path.startswith("/"):
            path = f"{service.path}/{path}"
        path = MARKS.sub(lambda mark: unquote(mark[0]), path)  # `;v=0002` of a service may come encoded
        at = path.find(service.path + "/")
        inner = path[at + len(service.path) + 1 :]
        if at < 0 or any(step in (".", "..") for step in re.split(r"[/\\]", unquote(inner))):
            raise Stop(
                "sap.next_link", f"the rest is said to be at {link[:200]}, which is outside the service"
            )
        asked = parts.query
        if self.client and "sap-client=" not in asked:
            asked += f"{'&' if asked else ''}sap-client={self.client}"
        return f"{self.root}{service.path}/{inner}" + (f"?{asked}" if asked else "")
