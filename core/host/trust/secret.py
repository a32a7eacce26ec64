"""A publisher's secret key: a file of minisign's format that only its owner may read, under a passphrase where one is given.

The platform never sees it: keys are made and used on the publisher's own machine.
"""

import base64
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b, scrypt
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from core.host.trust.minisign import PREHASHED, PURE, UNTRUSTED, PublicKey, Signature, Unreadable, message

SCRYPT, PLAIN, BLAKE2B = b"Sc", b"\0\0", b"B2"
OPERATIONS, MEMORY = 33_554_432, 134_217_728  # what guessing one passphrase costs: 128 MB, about a second
MOST_MEMORY = 1_073_741_824  # bytes; minisign's own files ask for this much
INNER = 104  # name 8, seed and public key 64, check sum 32


class WrongPassphrase(ValueError):
    """The passphrase does not open this key."""


@dataclass(frozen=True)
class SecretKey:
    """A key in memory. `seed` is the secret."""

    name: bytes
    seed: bytes

    @classmethod
    def make(cls) -> "SecretKey":
        return cls(os.urandom(8), os.urandom(32))

    @classmethod
    def read(cls, path: Path, passphrase: Callable[[], str]) -> "SecretKey":
        """Open a key file; `passphrase` is asked only where the file has one. Raises Unreadable, WrongPassphrase, OSError."""
        lines = path.read_text(encoding="utf-8").splitlines()
        try:
            raw = base64.b64decode(lines[1], validate=True) if lines[0].startswith(UNTRUSTED) else b""
        except (IndexError, ValueError):
            raw = b""
        if len(raw) != 54 + INNER or raw[:2] != PURE or raw[4:6] != BLAKE2B or raw[2:4] not in (SCRYPT, PLAIN):
            raise Unreadable("no secret key of minisign")
        salt, inner = raw[6:38], raw[54:]
        if raw[2:4] == PLAIN:
            return cls(inner[:8], inner[8:40])
        operations, memory = int.from_bytes(raw[38:46], "little"), int.from_bytes(raw[46:54], "little")
        opened = _xor(inner, _stretched(passphrase(), salt, operations, memory))
        if _sum(opened[:72]) != opened[72:]:
            raise WrongPassphrase(str(path))
        return cls(opened[:8], opened[8:40])

    @property
    def public(self) -> PublicKey:
        return PublicKey(self.name, self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))

    def file(self, passphrase: str) -> str:
        """The key file; with an empty passphrase it lies open."""
        inner = self.name + self.seed + self.public.key
        if not passphrase:
            raw = PURE + PLAIN + BLAKE2B + bytes(48) + inner + bytes(32)
        else:
            salt = os.urandom(32)
            cost = OPERATIONS.to_bytes(8, "little") + MEMORY.to_bytes(8, "little")
            closed = _xor(inner + _sum(inner), _stretched(passphrase, salt, OPERATIONS, MEMORY))
            raw = PURE + SCRYPT + BLAKE2B + salt + cost + closed
        return f"{UNTRUSTED}minisign encrypted secret key\n{base64.b64encode(raw).decode()}\n"

    def write(self, path: Path, passphrase: str) -> None:
        """Write the key where nothing lies yet, readable for its owner alone. Raises FileExistsError."""
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(self.file(passphrase))

    def sign(self, content: bytes, filename: str, publisher: str, at: datetime | None = None) -> Signature:
        """Sign a file: its content, and with it the moment, its name and the publisher's."""
        moment = int((at or datetime.now(UTC)).timestamp())
        comment = f"timestamp:{moment}\tfile:{filename}\thashed"
        signature = self._key.sign(message(PREHASHED, content))
        return Signature(
            f"signed by {publisher}, key {self.public.id}", PREHASHED, self.name, signature, comment,
            self._key.sign(signature + comment.encode()),
        )  # fmt: skip

    @property
    def _key(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.seed)


def _sum(inner: bytes) -> bytes:
    return blake2b(PURE + inner, digest_size=32).digest()


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes(one ^ other for one, other in zip(left, right, strict=True))


def _stretched(passphrase: str, salt: bytes, operations: int, memory: int) -> bytes:
    """The passphrase as key stream. The two limits become scrypt's own numbers the way libsodium does it."""
    if memory > MOST_MEMORY:
        raise Unreadable("the key asks for more memory than keys need")
    operations = max(operations, 32768)
    parallel, block = 1, 8
    most = operations // (block * 4) if operations < memory // 32 else memory // (block * 128)
    exponent = next(each for each in range(1, 64) if 1 << each > most // 2)
    if operations >= memory // 32:
        parallel = min(operations // 4 >> exponent, 0x3FFFFFFF) // block
    return scrypt(
        passphrase.encode(), salt=salt, n=1 << exponent, r=block, p=parallel, maxmem=MOST_MEMORY + MOST_MEMORY // 2,
        dklen=INNER,
    )
