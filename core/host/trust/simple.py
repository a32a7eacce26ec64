"""The pages of a simple index, in JSON (PEP 691) or HTML (PEP 503): the names it has, and the wheels of one name.

A plain listing of a folder, as any web server makes one, is read as well: its links to wheels are the offer.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

from packaging.utils import canonicalize_name

from core.host.trust.errand import Reply
from core.host.trust.offers import OfferedWheel, offered

JSON = "application/vnd.pypi.simple.v1+json"
HTML = ("application/vnd.pypi.simple.v1+html", "text/html")
ACCEPT = f"{JSON}, {HTML[0]};q=0.2, {HTML[1]};q=0.01"
MOST_FILES = 20_000
_NAME = re.compile(r"^[A-Za-z0-9]([A-Za-z0-9._-]{0,98}[A-Za-z0-9])?$")
_SHA256 = re.compile(r"^[0-9a-f]{64}$")


class NoIndex(ValueError):
    """What came is no page of a simple index of a version we know."""


@dataclass
class Links(HTMLParser):
    """The links of a page with their attributes, and the version of the index it names."""

    base: str = ""
    links: list[Mapping[str, str]] = field(default_factory=list)
    version: str = "1.0"

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        if tag == "a" and said.get("href") and len(self.links) < MOST_FILES:
            self.links.append(said)
        elif tag == "base" and said.get("href") and not self.links:
            self.base = urljoin(self.base, said["href"])
        elif tag == "meta" and said.get("name") == "pypi:repository-version":
            self.version = said.get("content", "")


def names(page: Reply) -> list[str]:
    """Canonical names of the projects on the index's first page. Raises NoIndex."""
    found: set[str] = set()
    if page.kind == JSON:
        projects = _json(page).get("projects", [])
        found = {str(each.get("name", "")) for each in projects if isinstance(each, dict)}
    else:
        read = _html(page)
        for link in read.links:
            path = urlsplit(urljoin(read.base, link["href"])).path
            if path.endswith(".whl"):
                wheel = offered(unquote(path.rpartition("/")[2]), "")
                found.add(wheel.distribution if wheel else "")
            elif path.endswith("/") and path.startswith(urlsplit(read.base).path):
                found.add(unquote(path.rstrip("/").rpartition("/")[2]))
    return sorted({str(canonicalize_name(name)) for name in found if _NAME.match(name)})


def wheels(page: Reply, name: str) -> list[OfferedWheel]:
    """The wheels of one project on its page. Raises NoIndex."""
    found = _from_json(page) if page.kind == JSON else _from_html(page)
    return [each for each in found if each is not None and each.distribution == canonicalize_name(name)]


def _from_json(page: Reply) -> Iterator[OfferedWheel | None]:
    files = _json(page).get("files", [])
    for said in files[:MOST_FILES] if isinstance(files, list) else ():
        if not isinstance(said, dict) or not isinstance(said.get("url"), str):
            continue
        hashes, metadata = said.get("hashes"), said.get("core-metadata", said.get("dist-info-metadata", False))
        size = said.get("size")
        yield offered(
            str(said.get("filename", "")),
            urljoin(page.url, said["url"]),
            sha256=_sha256(hashes.get("sha256") if isinstance(hashes, dict) else ""),
            size=size if isinstance(size, int) else None,
            requires_python=str(said.get("requires-python") or ""),
            yanked=bool(said.get("yanked")),
            metadata_sha256=_sha256(metadata.get("sha256")) if isinstance(metadata, dict) else "" if metadata else None,
        )


def _from_html(page: Reply) -> Iterator[OfferedWheel | None]:
    read = _html(page)
    for link in read.links:
        url, _, fragment = urljoin(read.base, link["href"]).partition("#")
        metadata = link.get("data-core-metadata", link.get("data-dist-info-metadata"))
        yield offered(
            unquote(urlsplit(url).path.rpartition("/")[2]),
            url,
            sha256=_sha256(fragment.removeprefix("sha256=")) if fragment.startswith("sha256=") else "",
            requires_python=link.get("data-requires-python", ""),
            yanked="data-yanked" in link,
            metadata_sha256=None if metadata is None else _sha256(metadata.removeprefix("sha256=")),
        )


def _json(page: Reply) -> dict[str, Any]:
    try:
        said = json.loads(page.body)
    except (ValueError, RecursionError):
        raise NoIndex(page.url) from None
    meta = said.get("meta") if isinstance(said, dict) else None
    if not isinstance(meta, dict) or not str(meta.get("api-version", "")).startswith("1."):
        raise NoIndex(page.url)
    return dict(said)


def _html(page: Reply) -> Links:
    if page.kind not in HTML:
        raise NoIndex(page.url)
    read = Links(page.url)
    read.feed(page.body.decode("utf-8", "replace"))
    read.close()
    if not read.version.startswith("1."):
        raise NoIndex(page.url)
    return read


def _sha256(said: object) -> str:
    text = str(said or "").lower()
    return text if _SHA256.match(text) else ""
