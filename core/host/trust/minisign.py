"""Detached signatures in minisign's own format, so that minisign checks ours and we check minisign's.

A public key is one line `RW...`: the algorithm, eight bytes that name the key, and the Ed25519 key. A signature file has
four lines: a comment nobody vouches for, the signature over the file's BLAKE2b-512, a trusted comment, and a second
signature over the first one together with that comment. Whoever holds the second knows that the comment is the signer's.
"""

import base64
import binascii
import re
from dataclasses import dataclass
from hashlib import blake2b

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

PURE, PREHASHED = b"Ed", b"ED"
UNTRUSTED, TRUSTED = "untrusted comment: ", "trusted comment: "
LONGEST = 8192  # characters of a signature file, as minisign allows
_FILE = re.compile(r"(?:^|\t)file:([^\t]*)")


class Unreadable(ValueError):
    """This is no key or signature of minisign."""


class Wrong(ValueError):
    """The signature is well formed and not the one of this content by this key."""


def key_name(raw: bytes) -> str:
    """The eight bytes that name a key, as sixteen digits; minisign shows the same number."""
    return f"{int.from_bytes(raw, 'little'):016X}"


@dataclass(frozen=True)
class PublicKey:
    """A publisher's key: 8 bytes of name, 32 bytes of Ed25519."""

    name: bytes
    key: bytes

    @classmethod
    def parse(cls, text: str) -> "PublicKey":
        """The line `RW...`, or a whole file with its comment above. Raises Unreadable."""
        lines = [line.strip() for line in text.strip().splitlines() if line.strip()]
        if not lines or len(lines) > 2 or (len(lines) == 2 and not lines[0].startswith(UNTRUSTED)):
            raise Unreadable("a public key is one line")
        raw = _bytes(lines[-1], 42)
        if raw[:2] != PURE:
            raise Unreadable("no Ed25519 key")
        return cls(raw[2:10], raw[10:])

    @property
    def id(self) -> str:
        return key_name(self.name)

    @property
    def line(self) -> str:
        return base64.b64encode(PURE + self.name + self.key).decode()

    @property
    def file(self) -> str:
        """The public key as a file, the way minisign writes one."""
        return f"{UNTRUSTED}minisign public key {self.id}\n{self.line}\n"


@dataclass(frozen=True)
class Signature:
    """A signature file. `comment` is signed, `untrusted` is not."""

    untrusted: str
    algorithm: bytes
    name: bytes
    signature: bytes
    comment: str
    of_comment: bytes

    @classmethod
    def parse(cls, text: str) -> "Signature":
        """Raises Unreadable."""
        lines = text.rstrip("\r\n").splitlines()
        if len(text) > LONGEST or len(lines) != 4:
            raise Unreadable("a signature has four lines")
        if not lines[0].startswith(UNTRUSTED) or not lines[2].startswith(TRUSTED):
            raise Unreadable("a signature has two comments")
        raw = _bytes(lines[1], 74)
        if raw[:2] not in (PURE, PREHASHED):
            raise Unreadable("no Ed25519 signature")
        return cls(
            lines[0].removeprefix(UNTRUSTED), raw[:2], raw[2:10], raw[10:], lines[2].removeprefix(TRUSTED),
            _bytes(lines[3], 64),
        )  # fmt: skip

    @property
    def text(self) -> str:
        """The signature file."""
        first = base64.b64encode(self.algorithm + self.name + self.signature).decode()
        second = base64.b64encode(self.of_comment).decode()
        return f"{UNTRUSTED}{self.untrusted}\n{first}\n{TRUSTED}{self.comment}\n{second}\n"

    @property
    def key_id(self) -> str:
        return key_name(self.name)

    @property
    def file(self) -> str | None:
        """The name of the signed file, where the signer wrote it into the trusted comment."""
        found = _FILE.search(self.comment)
        return found[1] if found else None

    def check(self, key: PublicKey, content: bytes) -> None:
        """Raises Wrong unless `key` signed exactly this content and the comment."""
        if key.name != self.name:
            raise Wrong("signed by another key")
        public = Ed25519PublicKey.from_public_bytes(key.key)
        try:
            public.verify(self.signature, message(self.algorithm, content))
            public.verify(self.of_comment, self.signature + self.comment.encode())
        except InvalidSignature:
            raise Wrong("not the signature of this file") from None


def message(algorithm: bytes, content: bytes) -> bytes:
    """What is signed: the content's BLAKE2b-512; older signatures are over the content itself."""
    return blake2b(content).digest() if algorithm == PREHASHED else content


def _bytes(line: str, length: int) -> bytes:
    try:
        raw = base64.b64decode(line.strip(), validate=True)
    except (binascii.Error, ValueError):
        raise Unreadable("no base64") from None
    if len(raw) != length:
        raise Unreadable(f"{len(raw)} bytes instead of {length}")
    return raw
