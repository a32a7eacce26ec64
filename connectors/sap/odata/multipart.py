"""`$batch`: many requests in one, as `multipart/mixed`. An HTTP 202 on the whole says nothing about the parts.

A part is one read, or a change set of writes that happen all or not at all. A change set that went well answers with
one part for each of its requests; one that failed answers with a single part, the error.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

EOL = b"\r\n"
STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})")
BOUNDARY = re.compile(r"""boundary=(?:"([^"]{1,100})"|([^;\s]{1,100}))""", re.IGNORECASE)
MOST_PARTS = 1000


class Torn(ValueError):
    """The multipart body cannot be taken apart; what was done is not known."""


@dataclass(frozen=True)
class Request:
    """One request inside a batch; `path` is relative to the service."""

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True)
class Part:
    """The answer to one request of a batch."""

    status: int
    headers: Mapping[str, str]  # names in lower case
    body: bytes


ChangeSet = Sequence[Request]


def encode(parts: Sequence[Request | ChangeSet], boundary: str) -> bytes:
    """The body of a batch; a `Request` is a read, a sequence of them a change set."""
    lines: list[bytes] = []
    for no, part in enumerate(parts, 1):
        lines.append(b"--" + boundary.encode())
        if isinstance(part, Request):
            lines += _request(part, 0)
            continue
        inner = f"{boundary}_{no}"
        lines += [f"Content-Type: multipart/mixed; boundary={inner}".encode(), b""]
        for id, request in enumerate(part, 1):
            lines += [b"--" + inner.encode(), *_request(request, id)]
        lines += [b"--" + inner.encode() + b"--", b""]
    lines += [b"--" + boundary.encode() + b"--", b""]
    return EOL.join(lines)


def _request(request: Request, id: int) -> list[bytes]:
    lines = ["Content-Type: application/http", "Content-Transfer-Encoding: binary"]
    lines += [f"Content-ID: {id}"] if id else []
    head = [f"{request.method} {request.path} HTTP/1.1"]
    head += [f"{name}: {value}" for name, value in request.headers.items()]
    if request.body:
        head.append(f"Content-Length: {len(request.body)}")
    # SAP refuses a part without the empty line that stands for an empty body.
    return [line.encode() for line in [*lines, "", *head, ""]] + [request.body]


def decode(body: bytes, content_type: str) -> list[list[Part]]:
    """The answers in order, each as a list: one part for a read or a failed change set. Raises Torn."""
    answers: list[list[Part]] = []
    for headers, content in _split(body, content_type):
        if headers.get("content-type", "").lower().startswith("multipart/mixed"):
            inner = _split(content, headers["content-type"])
            answers.append([_part(part) for _, part in inner])
        else:
            answers.append([_part(content)])
    return answers


def boundary_of(content_type: str) -> str:
    match = BOUNDARY.search(content_type)
    if not match or not content_type.lower().startswith("multipart/mixed"):
        raise Torn("the answer to a batch is no multipart body")
    return match[1] or match[2]


def _split(body: bytes, content_type: str) -> list[tuple[dict[str, str], bytes]]:
    mark = b"--" + boundary_of(content_type).encode()
    pieces = re.split(rb"(?:\A|\r?\n)" + re.escape(mark) + rb"(?=--|\r?\n|[ \t])", body)
    if len(pieces) < 2 or not pieces[-1].startswith(b"--"):
        raise Torn("the answer to a batch breaks off")
    if len(pieces) > MOST_PARTS + 2:
        raise Torn("too many parts")
    return [_headed(piece.lstrip(b" \t")) for piece in pieces[1:-1]]


def _headed(piece: bytes) -> tuple[dict[str, str], bytes]:
    """Headers, in lower case, and what stands behind the first empty line."""
    split = re.split(rb"\r?\n\r?\n", re.sub(rb"\A\r?\n", b"", piece), maxsplit=1)
    head, content = split[0], split[1] if len(split) > 1 else b""
    headers: dict[str, str] = {}
    for line in head.splitlines():
        name, colon, value = line.partition(b":")
        if colon:
            headers[name.decode("latin-1").strip().lower()] = value.decode("latin-1").strip()
    return headers, content


def _part(content: bytes) -> Part:
    line, _, rest = content.partition(b"\n")
    match = STATUS.match(line)
    if not match:
        raise Torn("a part of the batch is no HTTP answer")
    headers, body = _headed(rest)
    length = headers.get("content-length", "")
    if length.isdecimal():
        if int(length) > len(body):
            raise Torn("a part of the batch breaks off")
        body = body[: int(length)]
    return Part(int(match[1]), headers, body.strip(b"\r\n") if not length else body)
