"""A simple index as a source: what every package manager of Python reads, at an address the operator allowed."""

from dataclasses import dataclass, field
from email.parser import Parser
from hashlib import sha256
from urllib.parse import urljoin

from packaging.utils import canonicalize_name

from core.host.trust import simple
from core.host.trust.errand import Errand, Reply
from core.host.trust.folder import ENDING
from core.host.trust.minisign import LONGEST
from core.host.trust.offers import About, OfferedWheel
from core.kernel import Refused

MOST_PAGE = 10 * 1_048_576  # bytes of a page of the index, and of a wheel's metadata


@dataclass
class Index:
    """See `offers.Source`. `address` ends with a slash. Pages are asked for once."""

    address: str
    errand: Errand
    seen: dict[str, Reply | None] = field(default_factory=dict)

    def names(self) -> list[str]:
        try:
            return simple.names(self._first())
        except simple.NoIndex:
            raise Refused("plugin.source_no_index", url=self.address) from None

    def wheels(self, name: str) -> list[OfferedWheel]:
        wanted = canonicalize_name(name)
        try:
            page = self._page(urljoin(self.address, f"{wanted}/"))
            return simple.wheels(page or self._first(), wanted)
        except simple.NoIndex:
            raise Refused("plugin.source_no_index", url=self.address) from None

    def about(self, wheel: OfferedWheel) -> About | None:
        """From the metadata the index keeps beside the wheel (PEP 658); the manifest is inside the wheel and not asked for."""
        if wheel.metadata_sha256 is None:
            return None
        reply = self.errand.get(_beside(wheel.place, ".metadata"), MOST_PAGE, missing=(404, 403, 410))
        if reply is None:
            return None
        if wheel.metadata_sha256 and sha256(reply.body).hexdigest() != wheel.metadata_sha256:
            raise Refused("plugin.offer_hash_wrong", file=f"{wheel.filename}.metadata")
        said = Parser().parsestr(reply.body.decode("utf-8", "replace"), headersonly=True)
        requires = tuple(line for line in said.get_all("Requires-Dist", []) if "extra ==" not in line)
        summary = str(said.get("Summary", ""))[:500]
        return About({"zh": summary, "en": summary}, requires)

    def content(self, wheel: OfferedWheel, most: int) -> bytes:
        if wheel.size is not None and wheel.size > most:
            raise Refused("plugin.offer_too_large", file=wheel.filename, most=most // 1_048_576)
        reply = self.errand.get(wheel.place, most)
        assert reply is not None
        if wheel.sha256 and sha256(reply.body).hexdigest() != wheel.sha256:
            raise Refused("plugin.offer_hash_wrong", file=wheel.filename)
        return reply.body

    def signature(self, wheel: OfferedWheel) -> str | None:
        reply = self.errand.get(_beside(wheel.place, ENDING), LONGEST * 4, missing=(404, 403, 410))
        return reply.body.decode("utf-8", "replace") if reply else None

    def _first(self) -> Reply:
        page = self._page(self.address)
        if page is None:
            raise Refused("plugin.source_status", url=self.address, status=404)
        return page

    def _page(self, url: str) -> Reply | None:
        if url not in self.seen:
            self.seen[url] = self.errand.get(url, MOST_PAGE, simple.ACCEPT, missing=(404,))
        return self.seen[url]


def _beside(url: str, ending: str) -> str:
    """The file beside another one; what follows a question mark stays behind it."""
    path, mark, query = url.partition("?")
    return path + ending + mark + query
